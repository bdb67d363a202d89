"""TF-05: refreshes with every kind of trouble on the way: nobody is asked to authorize again without need."""

import asyncio
import random
from collections.abc import Mapping
from time import monotonic
from typing import Any

from evergrant.core.tokens import Rotation
from faults import oracle
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.tools.addresses import Port
from faults.tools.proxy import Fault, Mode, Proxy
from faults.world import Bond, World

AT_ONCE = 10
"""Of each mode."""
TROUBLED, ENDED = 0.6, 0.03
ROUND_SECONDS = 2.0
SETTLED_SECONDS = 120.0

TROUBLES: tuple[Mapping[str, Any], ...] = (
    {"action": "status", "status": 500, "envelope": False},
    {"action": "status", "status": 502, "envelope": False, "moment": "after_work"},
    {"action": "status", "status": 503, "envelope": False},
    {"action": "status", "status": 429, "retry_after": 1},
    {"action": "truncate", "after_bytes": 40},
    {"action": "wrong_type"},
    {"action": "wrong_type", "moment": "after_work"},
    {"action": "lose_reply"},
    {"action": "delay", "seconds": 1.0},
)
LINES = (
    Fault(mode=Mode.REFUSE),
    Fault(mode=Mode.RESET, after_bytes=30),
    Fault(mode=Mode.CUT, after_bytes=60),
    Fault(mode=Mode.HALF_CLOSE, after_bytes=60),
    Fault(mode=Mode.GARBAGE),
    Fault(mode=Mode.RATE, bytes_a_second=2000),
    Fault(mode=Mode.DELAY, seconds=0.5),
)


async def run(stand: Stand) -> None:
    """Round after round: some are hit by a fault, few are really over; at the end the two sides are compared."""
    async with (
        stand.world("alarms", hubs=1, workers=0) as world,
        Proxy(Port(int(world.platform.url.rpartition(":")[2]))) as proxy,
    ):
        await world.sql("update apps set hosts = jsonb_set(hosts, '{auth}', to_jsonb($1::text))", proxy.url)
        await world.worker()
        tallies = {mode: stand.tally(mode.value) for mode in stand.modes}
        bonds = [bond for mode in stand.modes for bond in await world.connect(mode, AT_ONCE)]
        ended: set[str] = set()
        dice, hits = stand.dice(), 0
        for number in range(stand.times(25, 1000)):
            hits += await _round(world, bonds, ended, dice, tallies)
            await proxy.switch(dice.choice(LINES) if number % 3 == 2 else Mode.PASS)
        await proxy.switch(Mode.PASS)
        await _compared(world, bonds, ended, tallies)
        tallies[Rotation.STRICT].note(f"{hits} faults at the platform, {proxy.spoiled} connections spoiled on the way")


async def _round(
    world: World, bonds: list[Bond], ended: set[str], dice: random.Random, tallies: dict[Rotation, Tally]
) -> int:
    """Everyone is refreshed once; gives how many were in trouble."""
    begun, hits = monotonic(), 0
    await world.platform.clear()
    for bond in bonds:
        if bond.id not in ended and dice.random() < ENDED:
            await world.platform.post(f"/grants/{bond.grant}/cancel")
            ended.add(bond.id)
        elif dice.random() < TROUBLED:
            hits += 1
            await world.platform.post(
                "/faults",
                {"kind": "token", "grant": bond.grant, "path": "*/refresh", "times": 1, **dice.choice(TROUBLES)},
            )
    doubtful = {
        row["id"]
        for row in await world.sql("select id from connections where in_doubt_since is not null or state <> 'active'")
    }
    fresh = [bond for bond in bonds if bond.id not in doubtful]
    for mode in tallies:
        if (missing := AT_ONCE - sum(bond.mode is mode for bond in fresh)) > 0:
            bonds += await world.connect(mode, missing)
    await world.due(fresh)
    await asyncio.sleep(ROUND_SECONDS)
    for tally in tallies.values():
        tally.seconds += (monotonic() - begun) / len(tallies)
    return hits


async def _compared(world: World, bonds: list[Bond], ended: set[str], tallies: dict[Rotation, Tally]) -> None:
    """Whoever is asked to authorize again was ended by the platform, and the other way round."""
    await world.platform.clear()
    await world.due([bond for bond in bonds if bond.id in ended])
    await oracle.settled(world, bonds, SETTLED_SECONDS)
    found = await oracle.standings(world, bonds)
    for each in found:
        over = each.status in ("reauthorization_required", "cancelled")
        tally = tallies[each.bond.mode]
        really = each.bond.id in ended
        doubt = " and in doubt" if each.in_doubt else ""
        tally.holds(
            over == really or (really and each.in_doubt),
            f"{each.bond.id} is {each.status}{doubt}, ended by the platform: {really}",
        )
        tally.holds(each.grant_status == "active" or really, f"the grant of {each.bond.id} is {each.grant_status}")
    made = await world.sql(
        """
        select t.app_id, count(*) as made from presentations p join tokens t using (tenant_id, connection_id)
        where p.outcome <> 'not_sent' group by 1
        """
    )
    shown = {row["app_id"]: row["made"] for row in made}
    for mode, tally in tallies.items():
        tally.trials = shown.get(
            world.apps[mode].id, 0
        )  # an app rests after failures: not everyone who is due is shown
        tally.note(f"{sum(each.bond.id in ended for each in found if each.bond.mode is mode)} really ended")
        tally.note(f"{sum(each.in_doubt for each in found if each.bond.mode is mode)} in doubt")


TEST = Trial(
    id="TF-05",
    proves="refreshes with random trouble: marked as over are exactly those the platform really ended",
    run=run,
)
