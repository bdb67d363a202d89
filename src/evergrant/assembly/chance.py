"""The only clock and the only dice."""

import asyncio
import random
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from evergrant.core.app import WALL
from evergrant.core.errors import DatabaseUnavailableError, PlatformUnavailableError
from evergrant.core.secret import Secret
from evergrant.net.sandbox_clock import ClockUnreadableError, SandboxClock
from evergrant.store.clocks import Clocks as RememberedClocks


class SystemDice:
    """The operating system's randomness."""

    def identifier(self, prefix: str) -> str:
        """A new id: prefix, underscore, 128 random bits in hex."""
        return f"{prefix}_{secrets.token_hex(16)}"

    def secret(self) -> Secret:
        """256 random bits as URL-safe text."""
        return Secret(secrets.token_urlsafe(32))

    def fraction(self) -> float:
        """A number in [0, 1); it spreads due times, so it need not be unguessable."""
        return random.random()  # noqa: S311


WALL_BELIEVED = 10.0
"""After so many seconds the database is asked for its time again, while nobody waits."""


class WallClock:
    """Wall time as the database tells it, carried on by the monotonic clock: a process whose own clock is off by minutes
    or days, or jumps, neither refreshes early nor gives out what is over (TF-17).

    Nobody waits for it once it is known: an answer of the platform in hand needs the time before it can be kept.
    """

    def __init__(self, told: RememberedClocks) -> None:
        self._told = told
        self._known: tuple[float, float] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def now(self) -> float:
        """Unix seconds; as long as no database ever told them, the process's own."""
        if self._known is None:
            await self._ask()
        elif monotonic() - self._known[0] > WALL_BELIEVED and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask())
        if self._known is None:
            return datetime.now(UTC).timestamp()  # noqa: TID251  (the one clock)
        return self._known[1] + monotonic() - self._known[0]

    async def _ask(self) -> None:
        begun = monotonic()
        with suppress(DatabaseUnavailableError):
            told = await self._told.wall()
            self._known = (begun + (monotonic() - begun) / 2, told)


class PlatformClock:
    """Platform time: wall time for production apps; for a sandbox's apps its own time, read again when it has aged.

    An offset once read is remembered, so that a sandbox that is away does not make time jump.
    """

    def __init__(self, reader: SandboxClock, remembered: RememberedClocks, *, believed: float) -> None:
        self._reader = reader
        self._remembered = remembered
        self._wall = WallClock(remembered)
        self._believed = believed
        self._read: dict[str, tuple[float, float]] = {}
        self._reading: dict[str, asyncio.Task[float]] = {}

    async def now(self, clock: str) -> datetime:
        """The time of that clock, aware and in UTC.

        Raises:
            PlatformUnavailableError: the sandbox does not tell its time, and never did.
        """
        offset = 0.0 if clock == WALL else await self._offset(clock)
        return datetime.fromtimestamp(await self._wall.now() + offset, UTC)

    async def _offset(self, clock: str) -> float:
        read = self._read.get(clock)
        if read is not None and monotonic() - read[0] <= self._believed:
            return read[1]
        if clock not in self._reading:
            task = asyncio.create_task(self._fresh(clock))
            self._reading[clock] = task
            task.add_done_callback(lambda _done: self._reading.pop(clock, None))
        return await asyncio.shield(self._reading[clock])

    async def _fresh(self, clock: str) -> float:
        known = self._read.get(clock)
        try:
            offset = await self._reader.offset(clock)
        except ClockUnreadableError as error:
            last = known[1] if known else await self._remembered.remembered(clock)
            if last is None:
                raise PlatformUnavailableError(f"The sandbox at {clock} does not tell its time.") from error
            return last
        if known is None or abs(known[1] - offset) > 1:
            with suppress(DatabaseUnavailableError):  # the time is known all the same
                await self._remembered.remember(clock, offset)
        self._read[clock] = (monotonic(), offset)
        return offset
