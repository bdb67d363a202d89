"""TF-13: a worker dies in the middle of every kind of work at once, and another one takes over what it held."""

import asyncio
from collections.abc import Mapping
from time import monotonic

from evergrant.actions import receive
from evergrant.core.tokens import Rotation
from faults import oracle
from faults.holding import holding
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

AT_ONCE = 3
"""Of each kind."""
WORK = {"notice": 30.0, "poll": 30.0, "verification": 30.0, "refresh": 62.0}
"""Seconds from the death of its worker until each is done again or, for a refresh, told to be in doubt: that takes the
lease of a presentation, which outlives every call, and one look."""
BEYOND_SECONDS = 10.0
LOOK_SECONDS = 0.1

OPEN = {
    "notice": "select count(*) as some from notices where settled_at is null and cardinality($1::text[]) > 0",
    "poll": "select count(*) as some from flows where connection_id = any($1) and last_success_at is null",
    "verification": "select count(*) as some from connections where id = any($1) and state <> 'active'",
    "refresh": "select count(*) as some from presentations where connection_id = any($1) and outcome is null",
}

Bonds = Mapping[str, list[Bond]]
Took = dict[str, list[float]]


async def run(stand: Stand) -> None:
    """Each trial is one kill with every kind of work in hand."""
    tallies = {kind: stand.tally(kind) for kind in WORK}
    took: Took = {kind: [] for kind in WORK}
    everyone: list[Bond] = []
    async with stand.world("taken_over", hubs=1, workers=0) as world:
        victim = await world.worker()
        for number in range(stand.times(3, 50)):
            other = await world.worker()
            other.freeze()
            bonds = {kind: await world.connect(Rotation.STRICT, AT_ONCE) for kind in WORK}
            everyone += [bond for some in bonds.values() for bond in some]
            calls = [(kind, bond) for kind, some in bonds.items() if kind != "notice" for bond in some]
            held = [await _held(world, kind, bond) for kind, bond in calls]
            async with holding(world, bonds["notice"]) as rows:
                await _begin(world, bonds)
                standing, blocked = await world.platform.held(held), await rows.blocked(AT_ONCE)
                victim.kill()
                begun = monotonic()
                await rows.refuse()
                await rows.release()
            other.thaw()
            await world.platform.release(held, "cut")
            tallies["notice"].holds(blocked >= AT_ONCE, f"only {blocked} notices were in hand")
            tallies["poll"].holds(standing == len(held), f"only {standing} of {len(held)} calls were in hand")
            waits = (_taken_over(world, kind, bonds, begun, took, tallies[kind]) for kind in WORK)
            await asyncio.gather(*waits)
            victim = other
            stand.told(f"TF-13: kill {number + 1}")
        seen = await world.platform.refreshes()
        tallies["refresh"].add(await oracle.presentations(world, everyone, seen))
        tallies["refresh"].add(await oracle.writers(world, everyone, seen, {}))
    for kind, tally in tallies.items():
        tally.note(f"{min(took[kind], default=0):.1f} to {max(took[kind], default=0):.1f} s, allowed {WORK[kind]:.0f}")


async def _held(world: World, kind: str, bond: Bond) -> str:
    """The first call about this connection does not come back."""
    calls = "token" if kind == "refresh" else "api"
    return await world.platform.fault("hold", kind=calls, barrier="before_rotate", grant=bond.grant, times=1)


async def _begin(world: World, bonds: Bonds) -> None:
    """Give the worker something to do of each kind, all at once."""
    now = await world.now()
    for bond in bonds["notice"]:
        body = (
            f'{{"type":6,"tts_notification_id":"{7_600_000_000_000_000_000 + int(bond.id[-8:], 16)}",'
            f'"shop_id":"{bond.shop_id}","timestamp":{int(now.timestamp()) + 1},"data":{{"message":""}}}}'
        )
        await world.parts.inbox.put(receive.received(bond.app, body.encode()))
    for bond in bonds["poll"]:
        await world.sql(
            """
            insert into flows (tenant_id, connection_id, shop_id, kind, clock, paused_by_vendor, next_run_at)
            values ($1, $2, $3, 'orders', $4, false, $5)
            """,
            *(world.home.tenant_id, bond.id, bond.shop_id, bond.app.clock, now),
        )
    ids = [bond.id for bond in bonds["verification"]]
    await world.sql("update connections set state = 'suspended', verify_after = now() where id = any($1)", ids)
    await world.due(bonds["refresh"])


async def _taken_over(world: World, kind: str, bonds: Bonds, begun: float, took: Took, tally: Tally) -> None:
    """Wait until another worker has done it."""
    ids = [bond.id for bond in bonds[kind]]
    with tally.trial():
        while (await world.sql(OPEN[kind], ids))[0]["some"]:
            if monotonic() - begun > WORK[kind] + BEYOND_SECONDS:
                break
            await asyncio.sleep(LOOK_SECONDS)
    spent = monotonic() - begun
    took[kind].append(spent)
    tally.holds(spent <= WORK[kind], f"a {kind} was taken over after {spent:.1f} s, and {WORK[kind]:.0f} are allowed")


TEST = Trial(
    id="TF-13",
    proves="a worker killed with every kind of work in hand: another one takes all of it over in time",
    run=run,
    patient=True,
)
