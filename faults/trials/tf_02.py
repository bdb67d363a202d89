"""TF-02: the worker that holds a refresh is frozen at some point of it, another one works on, then the first wakes up."""

import asyncio
import random
from collections.abc import Sequence

from faults import oracle
from faults.holding import Holding, holding
from faults.programs import Program
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

BARRIERS = ("before_rotate", "after_rotate", "half_body")
BEFORE_COMMIT = "before_commit"
FROZEN_SECONDS = 68.0
FROZEN_FULL_SECONDS = 90.0
"""Longer than the lease of a refresh (60 s), which is never shortened here."""
SETTLED_SECONDS = 75.0

Bonds = dict[str, list[Bond]]
"""By the point at which their refresh is when the worker is frozen."""


async def run(stand: Stand) -> None:
    """Each trial is one freeze, with a refresh at every point in every mode."""
    tallies = {mode: stand.tally(mode.value) for mode in stand.modes}
    seconds = FROZEN_FULL_SECONDS if stand.full else FROZEN_SECONDS
    dice = stand.dice()
    async with stand.world("frozen", hubs=1, workers=0) as world:
        holder = await world.worker()
        for number in range(stand.times(3, 25)):
            other = await world.worker()
            other.freeze()
            bonds = {point: await _everywhere(world) for point in (*BARRIERS, BEFORE_COMMIT)}
            everyone = [bond for some in bonds.values() for bond in some]
            who = await oracle.identities(world)
            await _frozen(world, holder, other, bonds, seconds, dice)
            took = await oracle.settled(world, everyone, SETTLED_SECONDS)
            for mode, tally in tallies.items():
                with tally.trial(len(bonds)):
                    mine = [bond for bond in everyone if bond.mode is mode]
                    tally.holds(took is not None, f"{mode}: attempts are open {SETTLED_SECONDS:.0f} s after the end")
                    await _checked(world, mine, tally)
                    tally.add(oracle.identities_changed(who, await oracle.identities(world)))
                tally.seconds += seconds / len(tallies)
            holder.kill()
            holder = other
            stand.told(f"TF-02: freeze {number + 1}")


async def _everywhere(world: World) -> list[Bond]:
    """One new connection in each mode."""
    return [bond for mode in world.apps for bond in await world.connect(mode, 1)]


async def _frozen(
    world: World, holder: Program, other: Program, bonds: Bonds, seconds: float, dice: random.Random
) -> None:
    """Bring every refresh to its point, freeze its holder, let the other one work, and wake the holder at the end."""
    held = [fault for point in BARRIERS for fault in await world.platform.hold(point, [b.grant for b in bonds[point]])]
    async with holding(world, bonds[BEFORE_COMMIT]) as rows:
        await world.due([bond for some in bonds.values() for bond in some])
        await world.platform.held(held)
        await rows.blocked(len(bonds[BEFORE_COMMIT]))
        holder.freeze()
        await _end_of(rows, dice)
    other.thaw()
    at_once = [fault for fault in held if dice.random() < 0.5]
    await world.platform.release(at_once)  # these answers wait in the sockets of the frozen worker
    await asyncio.sleep(seconds)
    holder.thaw()
    await world.platform.release([fault for fault in held if fault not in at_once])


async def _end_of(rows: Holding, dice: random.Random) -> None:
    """What the frozen worker was about to commit is committed, or the server loses it: dice decide."""
    if dice.random() < 0.5:
        await rows.refuse()
    await rows.release()


async def _checked(world: World, bonds: Sequence[Bond], tally: Tally) -> None:
    mode = bonds[0].mode
    if mode in oracle.FORGIVING:
        await oracle.settled(world, bonds, SETTLED_SECONDS, doubts=False)
    found = await oracle.standings(world, bonds)
    seen = await world.platform.refreshes()
    tally.add(oracle.silent_losses(found))
    tally.add(oracle.losses(found))
    tally.add(oracle.revoked(found))
    tally.add(await oracle.presentations(world, bonds, seen))
    tally.add(await oracle.writers(world, bonds, seen, {}))
    tally.note(f"{sum(each.in_doubt for each in found)} of {len(found)} in doubt at the end")


TEST = Trial(
    id="TF-02",
    proves="a worker frozen in the middle of refreshes for longer than its lease, another one at work: one writer, no loss",
    run=run,
    patient=True,
)
