"""What a test is given: worlds to try it in, tallies to count on, how often, dice that can be thrown again."""

import random
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evergrant import postgres
from evergrant.core.tokens import Rotation
from faults import world
from faults.filling import DAY, MODES
from faults.tally import Tally, Told
from faults.world import World


@dataclass(slots=True, kw_only=True)
class Stand:
    """One run of one test."""

    test: str
    server: postgres.Server
    folder: Path
    full: bool
    seed: int
    told: Told
    few: int | None = None
    """At most so many trials, whatever the test wants: to try a test out."""
    tallies: list[Tally] = field(default_factory=list)

    @property
    def modes(self) -> tuple[Rotation, ...]:
        """The four ways tokens rotate."""
        return MODES

    def times(self, usual: int, full: int) -> int:
        """How many trials: the usual number, or with `--full` the reference's."""
        wanted = full if self.full else usual
        return wanted if self.few is None else min(wanted, self.few)

    def dice(self, name: str = "") -> random.Random:
        """Dice of this run; the same seed throws the same."""
        return random.Random(f"{self.seed} {self.test} {name}")

    def tally(self, mode: str) -> Tally:
        """A new line of the report."""
        made = Tally(test=self.test, mode=mode)
        self.tallies.append(made)
        return made

    @asynccontextmanager
    async def world(
        self, name: str, *, hubs: int = 1, workers: int = 1, access_seconds: int = 7 * DAY
    ) -> AsyncIterator[World]:
        """A world of its own with so many servers and workers running; all of it ends with the block."""
        folder = self.folder / f"{self.test.lower().replace('-', '_')}_{name}"
        folder.mkdir(parents=True, mode=0o700)
        self.told(f"{self.test}: a world with {hubs} servers and {workers} workers")
        try:
            async with world.opened(self.server, folder, access_seconds=access_seconds) as opened:
                started = [opened.start_hub() for _ in range(hubs)]
                working = [opened.start_worker() for _ in range(workers)]
                for hub in started:
                    await world.answers(hub, "/readyz")
                for worker in working:
                    await worker.says("worker.started")
                yield opened
        finally:
            if not any(tally.violations for tally in self.tallies):  # else its logs are wanted
                shutil.rmtree(folder, ignore_errors=True)


Run = Callable[[Stand], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A fault test: its number in the reference, what it proves, and the function that runs it."""

    id: str
    proves: str
    run: Run
    patient: bool = False
    """Waits most of its time, and is not hurt by others that wait beside it: all such tests run at once."""
