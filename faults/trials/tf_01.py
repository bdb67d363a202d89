"""TF-01: eight processes with 64 callers each want one token that is due; two workers are there to refresh it."""

import asyncio
import hashlib
import random
from time import monotonic
from typing import Any

from faults import oracle
from faults.programs import Program
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

HUBS, CALLERS, WORKERS = 8, 64, 2
LIFE = 3600
TURN, LEAST = 2000, 2400
"""An access token lives an hour here. After the turn 1600 seconds are left, callers want 2400, a new one has 3600."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
PATIENCE_SECONDS = 60.0
BELIEVED_SECONDS = 0.15
"""A server believes for a tenth of a second what it read from the platform's clock: only then it has seen the turn."""
QUICK, SLOW = 0.4, 15.0
"""Seconds until the platform answers."""


async def run(stand: Stand) -> None:
    """Trials one after the other in each mode, then some in which the platform takes 15 seconds."""
    dice = stand.dice()
    async with stand.world("callers", hubs=HUBS, workers=WORKERS, access_seconds=LIFE) as world:
        for mode in stand.modes:
            (bond,) = await world.connect(mode, 1)
            await _trials(world, bond, QUICK, stand.times(20, 2500), stand.tally(mode.value), dice)
            await _trials(world, bond, SLOW, stand.times(1, 10), stand.tally(f"{mode.value}, 15 s late"), dice)
            await world.rest([bond])


async def _trials(world: World, bond: Bond, late: float, times: int, tally: Tally, dice: random.Random) -> None:
    waited, longest = 0, 0.0
    before = await oracle.versions(world)
    begin = await world.platform.last()
    fault = await world.platform.fault("delay", seconds=late, moment="after_work", grant=bond.grant)
    for _ in range(times):
        with tally.trial():
            asked, took = await _trial(world, bond, tally, dice)
        waited += asked > HUBS * CALLERS
        longest = max(longest, took)
    await world.platform.release([fault])
    seen = await world.platform.refreshes(begin)
    tally.add(await oracle.presentations(world, [bond], seen))
    tally.add(await oracle.writers(world, [bond], seen, before))
    tally.note(f"callers had to wait in {waited} of {times}; all were served within {longest:.1f} s")


async def _trial(world: World, bond: Bond, tally: Tally, dice: random.Random) -> tuple[int, float]:
    """One token falls due and 512 callers ask; gives how often they asked, and when the last one was served."""
    after = await world.platform.last()
    begun = monotonic()
    await world.platform.turn(TURN)
    await asyncio.sleep(BELIEVED_SECONDS)
    asked = [_caller(world, hub, bond, FIRST_PAUSE * (1 + dice.random())) for hub in world.hubs for _ in range(CALLERS)]
    answers = await asyncio.gather(*asked)
    took = monotonic() - begun
    calls = [each for each in await world.platform.refreshes(after) if each.grant == bond.grant]
    tally.holds(len(calls) == 1, f"{bond.mode}: {len(calls)} calls to the platform for one due token")
    given = {(status, body.get("access_token"), body.get("expires_at")) for _, status, body in answers}
    tally.holds(len(given) == 1, f"{bond.mode}: {len(given)} different answers to {len(answers)} callers")
    newest = (await world.platform.grants(bond.app.key))[bond.grant].access
    for status, token, _ends in given:
        same = status == 200 and hashlib.sha256(str(token).encode()).hexdigest() == newest
        tally.holds(same, f"{bond.mode}: an answer is {status} or not the platform's newest token")
    return sum(times for times, _, _ in answers), took


async def _caller(world: World, hub: Program, bond: Bond, pause: float) -> tuple[int, int, Any]:
    """Ask, and while the token is being refreshed ask again a little later; gives how often, and the last answer."""
    deadline, times = monotonic() + PATIENCE_SECONDS, 0
    while True:
        times += 1
        status, body = await world.ask(f"/v1/connections/{bond.id}/token", hub=hub, min_ttl=LEAST)
        if status != 503 or monotonic() > deadline:
            return times, status, body
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


TEST = Trial(
    id="TF-01",
    proves="8 processes with 64 callers each on one due token, 2 workers: one call to the platform, 512 equal answers",
    run=run,
)
