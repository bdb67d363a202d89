"""TF-17: every process has a clock of its own, minutes behind or days ahead, and the platform yet another.

Leases and the hub's wall time are by the database's clock, which is that of this machine; the sandbox's apps live by its
offset from it. Apps of production live by the same wall time with no offset: what is tried here is their clock as well.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic

from faults import oracle
from faults.filling import DAY
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.tools.preloads import NotHereError, Skew, Skewed
from faults.world import Bond, World

OFFSETS = (-timedelta(minutes=10), timedelta(0), timedelta(minutes=10), timedelta(days=8))
AHEAD = 5 * 60
"""How far the platform's clock is ahead of everybody's."""
AT_ONCE = 5
LIFE = 7 * DAY
EARLIEST = 0.45
"""Of an access token's life: half of it, less five per cent."""
LATE_SECONDS = 30.0
QUIET_SECONDS = 5.0
LOOK_SECONDS = 0.1


async def run(stand: Stand) -> None:
    """Five workers and four hubs, each with its own clock, over some lives of access tokens."""
    try:
        Skew(OFFSETS[0]).environment()
    except NotHereError as missing:
        stand.tally("skew").note(str(missing))
        return
    async with stand.world("skew", hubs=0, workers=0) as world:
        await world.platform.turn(AHEAD)
        moved = Skewed(file=world.folder / "clock")
        moved.move(timedelta(0))
        for environment in (*(Skew(by).environment() for by in OFFSETS), moved.environment()):
            await world.worker(more=environment)
        for by in OFFSETS:
            await world.hub(more=Skew(by).environment())
        tally = stand.tally("nine clocks")
        for _ in range(stand.times(3, 10)):
            bonds = [bond for mode in stand.modes for bond in await world.connect(mode, AT_ONCE)]
            with tally.trial(len(bonds)):
                await _lives(world, bonds, moved, tally)
            tally.add(await oracle.writers(world, bonds, await world.platform.refreshes(), {}))
            tally.add(await oracle.presentations(world, bonds, await world.platform.refreshes()))


async def _lives(world: World, bonds: Sequence[Bond], moved: Skewed, tally: Tally) -> None:
    """One life of an access token: nothing before its half, everything after it, none served when it is over."""
    await world.due(bonds)
    tally.holds(await _refreshed(world, bonds, 1), "not everyone was refreshed at the first time of asking")
    before = await world.platform.last()
    await world.platform.turn(LIFE * EARLIEST - 60)
    moved.move(timedelta(days=8))
    await asyncio.sleep(QUIET_SECONDS)
    early = [each for each in await world.platform.refreshes(before) if each.grant in {bond.grant for bond in bonds}]
    tally.holds(not early, f"{len(early)} refreshes came earlier than at {EARLIEST:.0%} of the token's life")
    await world.platform.turn(LIFE * 0.11)
    moved.move(-timedelta(minutes=10))
    tally.holds(await _refreshed(world, bonds, 2), "not everyone was refreshed at half of the token's life")
    await _not_served_when_over(world, bonds, tally)


async def _refreshed(world: World, bonds: Sequence[Bond], times: int) -> bool:
    """Whether each was refreshed so many times, as soon as it is so."""
    deadline = monotonic() + 30.0
    while True:
        rows = await world.sql(
            "select count(*) as done from tokens where connection_id = any($1) and version = $2",
            [bond.id for bond in bonds],
            1 + times,
        )
        if rows[0]["done"] == len(bonds) or monotonic() > deadline:
            return bool(rows[0]["done"] == len(bonds))
        await asyncio.sleep(LOOK_SECONDS)


async def _not_served_when_over(world: World, bonds: Sequence[Bond], tally: Tally) -> None:
    """No hub, however wrong its clock, gives out a token half a minute after its end by the platform's clock."""
    await world.rest(bonds)
    await world.platform.turn(LIFE + LATE_SECONDS)
    now = await world.now()
    for hub in world.hubs:
        for bond in bonds:
            status, body = await world.ask(f"/v1/connections/{bond.id}/token", hub=hub)
            over = status == 200 and datetime.fromisoformat(body["expires_at"]) < now - timedelta(seconds=LATE_SECONDS)
            tally.holds(not over, f"{bond.id}: {hub.name} gives out a token that is over")


TEST = Trial(
    id="TF-17",
    proves="clocks that are off by minutes and days, and jump: nothing refreshed early, nothing served late, one writer",
    run=run,
)
