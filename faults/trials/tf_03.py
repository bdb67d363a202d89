"""TF-03: kill -9 of the worker with eight refreshes in flight, at every point of the protocol where a loss can arise."""

import asyncio
from collections.abc import Sequence

from evergrant.core.tokens import Rotation
from faults import oracle
from faults.filling import DAY
from faults.holding import holding
from faults.programs import Program
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

AT_ONCE = 8
BARRIERS = ("before_rotate", "after_rotate", "half_body", "full_body")
POINTS = (*BARRIERS, "before_commit", "before_ack")
TOLD_SECONDS = 60.0
"""From the restart on: until then every doubt is to be seen in the API."""
HEALED_SECONDS = 90.0
UNTIL_SHORTLY_BEFORE_THE_PROBE = 6.2 * DAY
PAST_THE_PROBE = 0.3 * DAY
"""Access tokens live seven days here, and the probe comes when a tenth of that is left."""


async def run(stand: Stand) -> None:
    """Kills at every point in turn, in every mode; then wait, compare, let the probes come, compare again."""
    tallies = {mode: stand.tally(mode.value) for mode in stand.modes}
    rounds = stand.times(2, 42)
    bonds: dict[Rotation, list[Bond]] = {mode: [] for mode in stand.modes}
    dice = stand.dice()
    async with stand.world("kills", hubs=1, workers=0) as world:
        worker = await world.worker()
        for number in range(rounds):
            for mode, tally in tallies.items():
                for point in POINTS:
                    fresh = await world.connect(mode, AT_ONCE)
                    bonds[mode] += fresh
                    cut = dice.random() < 0.5
                    with tally.trial(AT_ONCE):
                        await _killed_at(world, worker, fresh, point, cut=cut, tally=tally)
                        worker = await world.worker()
            stand.told(f"TF-03: round {number + 1} of {rounds}")
        everyone = [bond for some in bonds.values() for bond in some]
        await _told(world, everyone, tallies)
        for mode, tally in tallies.items():
            await _before_the_probe(world, bonds[mode], tally)
        await _after_the_probe(world, everyone, tallies)


async def _killed_at(
    world: World, worker: Program, bonds: Sequence[Bond], point: str, *, cut: bool, tally: Tally
) -> None:
    """Eight refreshes come as far as the point; then the worker is gone. What the platform does then, dice decide."""
    if point in BARRIERS:
        held = await world.platform.hold(point, [bond.grant for bond in bonds])
        await world.due(bonds)
        standing = await world.platform.held(held)
        worker.kill()
        await world.platform.release(held, "cut" if cut else "continue")
    else:
        async with holding(world, bonds) as rows:
            await world.due(bonds)
            standing = await rows.blocked(AT_ONCE if point == "before_ack" else 1)
            worker.kill()
            if point == "before_commit":
                await rows.refuse()
            await rows.release()
    if point != "full_body" and standing == 0:  # there the answer is whole, and the worker may be done with it
        tally.note(f"nothing in flight at {point}")


async def _told(world: World, everyone: Sequence[Bond], tallies: dict[Rotation, Tally]) -> None:
    """At most a minute after the last restart: no attempt is open, and what was lost is told."""
    took = await oracle.settled(world, everyone, TOLD_SECONDS + 2.0)
    for mode, tally in tallies.items():
        tally.holds(took is not None, f"{mode}: a minute after the restart attempts are still open")
        tally.note(f"all doubts told {took or 0:.0f} s after the last restart")


async def _before_the_probe(world: World, bonds: Sequence[Bond], tally: Tally) -> None:
    """What must hold as long as nothing was shown a second time."""
    mode = bonds[0].mode
    if mode in oracle.FORGIVING:
        await oracle.settled(world, bonds, HEALED_SECONDS, doubts=False)
    found = await oracle.standings(world, bonds)
    tally.add(oracle.silent_losses(found))
    tally.add(oracle.losses(found))
    tally.add(oracle.revoked(found))
    tally.add(
        [f"{mode}: {each.bond.id} is {each.status} before its probe" for each in found if each.status != "active"]
    )
    lost = sum(not each.is_same for each in found)
    doubts = sum(each.in_doubt for each in found)
    tally.note(
        f"{len(found)} connections, {lost} with a lost answer, {doubts} in doubt, {len(oracle.silent_losses(found))} unseen"
    )
    await _checked(world, bonds, tally)


async def _checked(world: World, bonds: Sequence[Bond], tally: Tally) -> None:
    seen = await world.platform.refreshes()
    tally.add(await oracle.presentations(world, bonds, seen))
    tally.add(await oracle.writers(world, bonds, seen, {}))


async def _after_the_probe(world: World, everyone: Sequence[Bond], tallies: dict[Rotation, Tally]) -> None:
    """The access token is served until the probe; that one probe heals or ends what is in doubt, and nothing else ends."""
    await world.platform.turn(UNTIL_SHORTLY_BEFORE_THE_PROBE)
    await oracle.settled(world, everyone, HEALED_SECONDS)
    doubtful = {each.bond.id for each in await oracle.standings(world, everyone) if each.in_doubt}
    answers = await asyncio.gather(*(world.ask(f"/v1/connections/{bond.id}/token") for bond in everyone))
    for bond, (status, body) in zip(everyone, answers, strict=True):
        tallies[bond.mode].holds(
            status == 200, f"{bond.mode}: the token of {bond.id} is not served before its probe: {status} {body}"
        )
    await world.platform.turn(PAST_THE_PROBE)
    await oracle.settled(world, everyone, HEALED_SECONDS, doubts=False)
    for each in await oracle.standings(world, everyone):
        tally, ended = tallies[each.bond.mode], each.status == "reauthorization_required"
        tally.holds(ended or not each.in_doubt, f"{each.bond.mode}: {each.bond.id} is still in doubt after its probe")
        tally.holds(
            not ended or each.bond.id in doubtful, f"{each.bond.mode}: {each.bond.id} ended, and was not in doubt"
        )
        tally.holds(
            not ended or each.reason == "refresh_outcome_lost",
            f"{each.bond.mode}: {each.bond.id} ended as {each.reason}",
        )
        tally.holds(
            ended or each.is_same, f"{each.bond.mode}: {each.bond.id} lives with another token than the platform's"
        )
        tally.holds(
            each.grant_status == "active" or each.bond.id in doubtful,
            f"{each.bond.mode}: the grant of {each.bond.id} was revoked",
        )
    for mode, tally in tallies.items():
        await _checked(world, [bond for bond in everyone if bond.mode is mode], tally)


TEST = Trial(
    id="TF-03",
    proves="kill -9 with 8 refreshes in flight, at 6 points of the protocol: nothing unseen, nothing shown twice",
    run=run,
)
