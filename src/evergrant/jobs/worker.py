"""Runs the timetable: looks at the rows when woken or when it is time, and keeps going whatever fails."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import structlog

from evergrant.actions.ports import Ports
from evergrant.core.errors import EvergrantError
from evergrant.jobs import timetable

DRAIN_SECONDS = 25.0
"""How long a stopping worker finishes what it began; longer than the hard limit of a call."""
AFTER_FAILURE_SECONDS = 0.5
GATHER_SECONDS = 0.005
"""What lands within this time is replaced by one statement instead of one each."""
CLOCKS_SECONDS = 1.0
"""How long the list of clocks is believed."""

Result = TypeVar("Result")

log = structlog.get_logger("worker")


class Worker:
    """One process's share of the due work. `at_once` says how many rows of each kind it has in flight at the most."""

    def __init__(self, ports: Ports, *, at_once: dict[str, int]) -> None:
        self._ports = ports
        self._at_once = at_once
        self._stopping = False
        self._wakes = {line.name: asyncio.Event() for line in (*timetable.DUE, *timetable.BY_CLOCK, *timetable.ONCE)}
        self._turns: Counter[str] = Counter()
        self._clocks: tuple[float, Sequence[str]] = (float("-inf"), ())

    def wake(self, name: str) -> None:
        """Look at once: at the rows of that name, or, for the empty name, at all of them."""
        for known, event in self._wakes.items():
            if name in ("", known):
                event.set()

    def stop(self) -> None:
        """Take nothing new, finish what was begun."""
        self._stopping = True
        self.wake("")

    async def run(self) -> None:
        """Work until `stop`."""
        log.info("worker.started")
        loops = [asyncio.create_task(self._due(line)) for line in timetable.DUE]
        loops += [asyncio.create_task(self._sweeps(line, self._known_clocks)) for line in timetable.BY_CLOCK]
        loops += [asyncio.create_task(self._sweeps(line, _no_clock)) for line in timetable.ONCE]
        await asyncio.gather(*loops)
        log.info("worker.stopped")

    async def _due(self, line: timetable.Due) -> None:
        """Take rows as long as there is room and there are rows, then rest; at the end let those in flight land."""
        limit = self._at_once.get(line.name, 10)
        in_flight: set[asyncio.Task[None]] = set()
        while not self._stopping:
            self._wakes[line.name].clear()
            taken = await self._guarded(line.name, lambda: self._take(line, limit - len(in_flight))) or []
            for row in taken:
                task = asyncio.create_task(self._one(line, row))
                in_flight.add(task)
                task.add_done_callback(in_flight.discard)
            if len(in_flight) >= limit:
                await asyncio.wait(in_flight, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(GATHER_SECONDS)
            elif not taken:
                await self._rest(line.name, line.every)
        if in_flight:
            _landed, late = await asyncio.wait(in_flight, timeout=DRAIN_SECONDS)
            log.info("worker.drained", work=line.name, unfinished=len(late))

    async def _take(self, line: timetable.Due, room: int) -> list[object]:
        """Rows of every clock, another clock first in every round: none with much to do keeps the room from the others."""
        taken: list[object] = []
        clocks = await self._known_clocks()
        first = self._turns[line.name] % max(len(clocks), 1)
        self._turns[line.name] += 1
        for clock in (*clocks[first:], *clocks[:first]):
            left = room - len(taken)
            if left > 0:
                taken += await self._tried(line.name, partial(line.take, clock, self._ports, left)) or []
        return taken

    async def _one(self, line: timetable.Due, row: object) -> None:
        outcome = await self._guarded(line.name, lambda: line.run(row, self._ports))
        log.info("work.done", work=line.name, outcome=str(outcome))

    async def _sweeps(self, line: timetable.Regular, clocks: Callable[[], Awaitable[Sequence[str]]]) -> None:
        while not self._stopping:
            self._wakes[line.name].clear()
            found = await self._guarded(line.name, lambda: self._sweep(line, clocks)) or 0
            if found:
                log.info("work.done", work=line.name, found=found)
            else:
                await self._rest(line.name, line.every)

    async def _sweep(self, line: timetable.Regular, clocks: Callable[[], Awaitable[Sequence[str]]]) -> int:
        sweeps = [partial(line.sweep, clock, self._ports) for clock in await clocks()]
        return sum([await self._tried(line.name, sweep) or 0 for sweep in sweeps])

    async def _known_clocks(self) -> Sequence[str]:
        now = asyncio.get_running_loop().time()
        read, clocks = self._clocks
        if now - read > CLOCKS_SECONDS:
            clocks = await self._ports.books.apps.clocks()
            self._clocks = (now, clocks)
        return clocks

    async def _guarded(self, name: str, work: Callable[[], Awaitable[Result]]) -> Result | None:
        """What the work gives; None when it failed, which costs a moment's rest."""
        result = await self._tried(name, work)
        if result is None:
            await self._rest(name, AFTER_FAILURE_SECONDS)
        return result

    async def _tried(self, name: str, work: Callable[[], Awaitable[Result]]) -> Result | None:
        """What the work gives; None when it failed, which is logged. A clock that cannot be read stops no other clock."""
        try:
            return await work()
        except EvergrantError as error:
            log.warning("work.failed", work=name, code=error.code)
        except Exception:
            log.exception("work.crashed", work=name)
        return None

    async def _rest(self, name: str, seconds: float) -> None:
        if not self._stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wakes[name].wait(), timeout=seconds)


async def _no_clock() -> Sequence[str]:
    return ("",)
