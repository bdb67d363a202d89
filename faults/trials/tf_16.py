"""TF-16: a tenth of all writes of server and worker fail, for want of room or without reason; then the disk is full."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic

from evergrant.stage.cast import StageError
from faults import oracle
from faults.notices import ORDER_STATUS, Post
from faults.programs import Program
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.tools.preloads import INPUT_OUTPUT, NO_SPACE, SYNCS, WRITES, BadDisk, NotHereError
from faults.tools.small_disk import small_disk
from faults.world import Bond, World

AT_ONCE = 5
BAD_SECONDS, FULL_BAD_SECONDS, LONGEST_SECONDS = 45.0, 300.0, 360.0
"""How long writes fail: so long, and on until enough was done to prove something, but no longer than the last."""
PARTS = {"hub": (0.1, 0.01), "worker": (0.01, 0.1)}
"""Of the writes of each program's lives in turn. Where a tenth fail, the event loop's own wake-ups soon end the program; where a
hundredth do, it lives long enough to work.
"""
ROUND_SECONDS = 1.0
SETTLED_SECONDS = 90.0
LONGEST_WAIT = 300
"""Seconds of platform time after which every refresh that was put off is due again."""
AGAIN_SECONDS = 0.5
LEAST = 20
"""Notices acknowledged, and refreshes kept, while writes failed: with fewer nothing is proven."""
TORN = b"\x87\xa4kind\xa7refre"
"""The beginning of a slip, as a power cut leaves it."""


@dataclass(slots=True)
class Supervised:
    """Server and worker, started again whenever they end, as the machine's init system does; bad as soon as they work."""

    world: World
    bad: BadDisk
    ends: int = 0
    programs: dict[str, Program] = field(default_factory=dict)
    parts: Mapping[str, Iterator[float]] = field(
        default_factory=lambda: {name: itertools.cycle(parts) for name, parts in PARTS.items()}
    )
    stopping: bool = False

    async def run(self, name: str, start: Callable[..., Awaitable[Program]]) -> None:
        """Look after one of the two until `stopping`."""
        more = self.bad.environment(from_the_start=False)
        while not self.stopping:
            with suppress(StageError, RuntimeError):
                self.programs[name] = await start(more=more)
                await self._spoiled(self.programs[name], next(self.parts[name]))
            if not self.stopping:
                self.ends += 1
                await asyncio.sleep(AGAIN_SECONDS)

    def stop(self) -> None:
        """Both are killed, and not started again."""
        self.stopping = True
        for program in self.programs.values():
            program.kill()

    async def _spoiled(self, program: Program, part: float) -> None:
        self.world.hubs[:-1] = []
        with suppress(OSError):  # it has ended before
            await asyncio.to_thread(replace(self.bad, probability=part).begin, program.pid)
        if self.stopping:  # it was on its way
            program.kill()
        await program.over()


async def run(stand: Stand) -> None:
    """Single writes that fail, by two errors; a disk that is full; and a start on what all that left behind."""
    for name, error, calls in (("ENOSPC", NO_SPACE, WRITES), ("EIO", INPUT_OUTPUT, (*WRITES, *SYNCS))):
        tally = stand.tally(f"{name} now and then")
        async with stand.world(f"writes_{name.lower()}", hubs=0, workers=0) as world:
            try:
                await _bad(stand, world, BadDisk(control=world.folder / "pipes", error=error, calls=calls), tally)
            except NotHereError as missing:
                tally.note(str(missing))
    await _full(stand)


async def _bad(stand: Stand, world: World, bad: BadDisk, tally: Tally) -> None:
    bad.environment()
    post, bonds = Post(world), await _bonds(stand, world)
    supervised = Supervised(world, bad)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supervised.run("worker", world.worker))
        tasks.create_task(supervised.run("hub", world.hub))
        begun, least = monotonic(), FULL_BAD_SECONDS if stand.full else BAD_SECONDS
        while (spent := monotonic() - begun) < least or (spent < LONGEST_SECONDS and await _done(world, post) < LEAST):
            with tally.trial(2 * len(bonds)):
                await _traffic(world, post, bonds)
        supervised.stop()
    kept = await _kept(world)
    tally.note(f"programs ended {supervised.ends} times, {kept} refreshes kept")
    tally.holds(await _done(world, post) >= LEAST, "too little was done to prove anything")
    await _after(world, list(supervised.programs.values()), post, bonds, tally)


async def _kept(world: World) -> int:
    (row,) = await world.sql("select count(*) as kept from presentations where outcome = 'ok'")
    return int(row["kept"])


async def _done(world: World, post: Post) -> int:
    """How much was done while writes failed, of what less was done of."""
    return min(len(post.acknowledged), await _kept(world))


async def _bonds(stand: Stand, world: World) -> list[Bond]:
    return [bond for mode in stand.modes for bond in await world.connect(mode, AT_ONCE)]


async def _traffic(world: World, post: Post, bonds: Sequence[Bond]) -> None:
    """A notice and a refresh for each."""
    at = await world.now()
    await world.due(bonds)
    if not world.hubs:
        await asyncio.sleep(ROUND_SECONDS)
        return
    await asyncio.gather(*(post.deliver(bond, ORDER_STATUS, at) for bond in bonds))
    await asyncio.sleep(ROUND_SECONDS)


async def _after(world: World, programs: Sequence[Program], post: Post, bonds: Sequence[Bond], tally: Tally) -> None:
    """Both are killed, half a slip is put beside what they left, and they start: clean, and nothing is missing."""
    for program in programs:
        program.kill()
    world.hubs.clear()
    torn = world.data / "spool" / "1-torn.slip"
    torn.write_bytes(TORN)
    with tally.trial(0):
        await world.hub()
        worker = await world.worker()
        await world.platform.turn(LONGEST_WAIT)
        took = await oracle.settled(world, bonds, SETTLED_SECONDS)
        forgiven = [bond for bond in bonds if bond.mode in oracle.FORGIVING]
        await oracle.settled(world, forgiven, SETTLED_SECONDS, doubts=False)
        tally.holds(took is not None, "refreshes are still open long after the disk was whole again")
        tally.holds(await post.settled(SETTLED_SECONDS) is not None, "notices are still not understood")
    tally.add(await post.lost())
    found = await oracle.standings(world, bonds)
    tally.add(oracle.silent_losses(found))
    tally.add(oracle.losses(found))
    tally.add(oracle.revoked(found))
    tally.add(await oracle.presentations(world, bonds, await world.platform.refreshes()))
    tally.holds(torn.exists(), "half a slip was taken for an answer")
    tally.holds(worker.lives, "the worker does not live beside half a slip")
    said = worker.log.read_text(encoding="utf-8")
    tally.holds("work.crashed" not in said, "the worker started with a crash")
    tally.holds("slip_unreadable" not in said, "a slip is corrupt")
    tally.note(
        f"{len(post.acknowledged)} of {post.sent} notices acknowledged, {sum(each.in_doubt for each in found)} in doubt"
    )


async def _full(stand: Stand) -> None:
    """Not one byte fits into the data folder's disk while refreshes and notices come."""
    tally = stand.tally("disk full")
    async with stand.world("full", hubs=0, workers=0) as world:
        try:
            with small_disk(world.data / "spool") as disk:
                programs = [await world.hub(), await world.worker()]
                post, bonds = Post(world), await _bonds(stand, world)
                for _ in range(stand.times(3, 20)):
                    with tally.trial(2 * len(bonds)):
                        await _traffic(world, post, bonds)
                        disk.fill()
                        await _traffic(world, post, bonds)
                        disk.empty()
                await _after(world, programs, post, bonds, tally)
        except NotHereError as missing:
            tally.note(str(missing))


TEST = Trial(
    id="TF-16",
    proves="writes that fail, and a disk that is full: nothing acknowledged is lost, no slip is corrupt, the start is clean",
    run=run,
)
