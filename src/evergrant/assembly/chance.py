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


class PlatformClock:
    """Platform time: wall time for production apps; for a sandbox's apps its own time, read again when it has aged.

    An offset once read is remembered, so that a sandbox that is away does not make time jump.
    """

    def __init__(self, reader: SandboxClock, remembered: RememberedClocks, *, believed: float) -> None:
        self._reader = reader
        self._remembered = remembered
        self._believed = believed
        self._read: dict[str, tuple[float, float]] = {}
        self._reading: dict[str, asyncio.Task[float]] = {}

    async def now(self, clock: str) -> datetime:
        """The time of that clock, aware and in UTC.

        Raises:
            PlatformUnavailableError: the sandbox does not tell its time, and never did.
        """
        wall = datetime.now(UTC)  # noqa: TID251  (the one clock)
        if clock == WALL:
            return wall
        return datetime.fromtimestamp(wall.timestamp() + await self._offset(clock), UTC)

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
