"""TF-11: the seller took it back, and the notice of it never comes: the first refused call tells."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from evergrant.actions.watching import Pace
from evergrant.store import watches
from faults import notices
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

AT_ONCE = 5
UNTIL_FOUND = 15 * 60
FOUND_SECONDS = 30.0
LOOK_SECONDS = 0.1
ORDERS = "/orders/search"
OVER = ("connection.cancelled", "connection.deactivated", "connection.reauthorization_required")


async def run(stand: Stand) -> None:
    """The sandbox drops its notice, believing that it was delivered; a quarter of an hour later the hub knows."""
    async with stand.world("silence", hubs=1, workers=1) as world:
        for mode in stand.modes:
            app = world.apps[mode]
            hooks = f"{world.hubs[0].address}/hooks/tiktok-shop/{app.id}"
            await world.platform.post("/apps", {"key": app.key, "webhook_url": hooks})
        await world.platform.fault("drop", kind="notice")
        for mode in stand.modes:
            called, watched = stand.tally(mode.value), stand.tally(f"{mode.value}, no calls")
            for _ in range(stand.times(4, 40)):
                bonds = await world.connect(mode, AT_ONCE)
                await notices.polled(world, bonds)
                with called.trial(len(bonds)):
                    await _polled(world, bonds)
                    await _left(world, bonds, called, flows=True)
                quiet = await world.connect(mode, AT_ONCE)
                await _watched(world, quiet)
                with watched.trial(len(quiet)):
                    await _left(world, quiet, watched, flows=False)


async def _watched(world: World, bonds: Sequence[Bond]) -> None:
    """No flow calls in the name of these: it is the hub's own probe that finds out, begun as at their consent."""
    pace = Pace()
    for bond in bonds:
        known = (world.home.tenant_id, bond.id, bond.app.id, bond.app.clock, await world.now())
        async with world.parts.database.transaction() as connection:
            await connection.execute(watches.KNOW_THE_APP, known[0], bond.app.id, bond.app.clock)
            await connection.execute(watches.BEGIN, *known, pace.quiet, pace.compare_every)


async def _left(world: World, bonds: Sequence[Bond], tally: Tally, *, flows: bool) -> None:
    """They leave in silence, and time goes on."""
    for bond in bonds:
        await world.platform.post(f"/grants/{bond.grant}/cancel")
    before = await world.platform.last()
    begun = monotonic()
    await world.platform.turn(UNTIL_FOUND)
    found = await _ended(world, bonds)
    tally.note(f"found {monotonic() - begun:.1f} s after a quarter of an hour had passed")
    tally.holds(found == len(bonds), f"{len(bonds) - found} of {len(bonds)} were not found within a quarter of an hour")
    calls = [line for line in await world.platform.lines(before, kind="api") if line["path"].endswith(ORDERS)]
    for bond in bonds:
        refused = sum(line["grant"] == bond.grant or line["shop"] == bond.shop_id for line in calls)
        tally.holds(refused <= 1, f"{bond.id}: {refused} business calls were refused before it was believed")
        rows = await world.sql("select type, data ->> 'reason' as why from events where connection_id = $1", bond.id)
        told = [(row["type"], row["why"]) for row in rows]
        tally.holds(len(told) == len(set(told)), f"{bond.id}: something was told twice: {told}")
        kinds = [kind for kind, _ in told]
        tally.holds(sum(kind in OVER for kind in kinds) == 1, f"{bond.id}: its end was not told once: {kinds}")
        tally.holds(not flows or "flow.paused" in kinds, f"{bond.id}: its flow was not stopped: {kinds}")
    kept = await world.sql("select count(*) as kept from notices")
    tally.holds(kept[0]["kept"] == 0, "a notice came after all: the trial shows nothing")


async def _polled(world: World, bonds: Sequence[Bond]) -> None:
    """Wait until each was polled once: its consent works."""
    deadline = monotonic() + FOUND_SECONDS
    while True:
        rows = await world.sql(
            "select count(*) as done from flows where connection_id = any($1) and last_success_at is not null",
            [bond.id for bond in bonds],
        )
        if rows[0]["done"] == len(bonds) or monotonic() > deadline:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _ended(world: World, bonds: Sequence[Bond]) -> int:
    """How many are over, as soon as all are, or when it takes too long."""
    deadline = monotonic() + FOUND_SECONDS
    while True:
        rows = await world.sql(
            "select count(*) as over from connections where id = any($1) and state not in ('active', 'suspended')",
            [bond.id for bond in bonds],
        )
        if rows[0]["over"] == len(bonds) or monotonic() > deadline:
            return int(rows[0]["over"])
        await asyncio.sleep(LOOK_SECONDS)


TEST = Trial(
    id="TF-11",
    proves="the notice of an end never comes: found by the first refused call, stopped, told once",
    run=run,
)
