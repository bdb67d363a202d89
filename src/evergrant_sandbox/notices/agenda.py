"""The agenda: what falls due as time passes, in order, each thing stamped with its own due time.

The same loop serves a clock that runs and a clock that is turned. When it is turned, platform time steps from one due
instant to the next and the notices of each are delivered before it steps on, so that a receiver that asks back finds the
platform at that very moment.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from evergrant_sandbox import switches
from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.book import due, notices, settings
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.clock import HOUR, Clock
from evergrant_sandbox.notices.courier import Courier, Turn
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world import warnings


class Agenda:
    """Makes due things happen."""

    def __init__(self, *, book: Book, clock: Clock, switches: Switches, herald: Herald, courier: Courier) -> None:
        self._book = book
        self._clock = clock
        self._switches = switches
        self._herald = herald
        self._courier = courier
        self._turning = asyncio.Lock()
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something new may be due."""
        self._news.set()

    async def turn_to(self, instant: int) -> None:
        """Turn the clock on; returns when everything that fell due on the way has happened and was delivered.

        Raises:
            ValueError: the instant is past.
        """
        async with self._turning:
            if instant < self._clock.now():
                raise ValueError("the clock only goes forward; reset the world to start over")
            await self._courier.settle()
            turn = Turn()
            while (at := self._next_due()) is not None and at <= instant:
                self._set_clock(at)
                self._happen(at)
                self._courier.set_out(at=at, turn=turn, done=self.wake)
                await self._courier.settle()
            self._set_clock(instant)
        self.wake()

    @contextlib.asynccontextmanager
    async def stillness(self) -> AsyncIterator[None]:
        """Nothing falls due and nothing is being delivered; for a reset."""
        async with self._turning:
            await self._courier.settle()
            yield
        self.wake()

    async def run(self) -> None:
        """Let due things happen as the clock runs, until cancelled."""
        while True:
            self._news.clear()
            async with self._turning:
                now = self._clock.now()
                while (at := due.next_due(self._book)) is not None and at <= now:
                    self._happen(at)
                self._courier.set_out(at=now, turn=Turn(), done=self.wake)
            # Not wait_for: in Python 3.11 it can swallow a cancellation that comes with the news.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._news.wait()

    def _pause(self) -> float:
        """How long nothing is due. A receiver that is being served right now wakes the agenda when that is over."""
        at = self._next_due()
        if at is None:
            return HOUR
        wait = at - (self._clock.wall() + self._clock.offset)
        return min(HOUR, max(wait, 1.0 if self._courier.busy else 0.0))

    def _next_due(self) -> int | None:
        times = [
            at
            for at in (due.next_due(self._book), notices.next_due(self._book, besides=self._courier.held))
            if at is not None
        ]
        return min(times, default=None)

    def _set_clock(self, instant: int) -> None:
        if self._clock.now() < instant:
            self._clock.turn_to(instant)
            with self._book.transaction():
                settings.write_offset(self._book, self._clock.offset)

    def _happen(self, at: int) -> None:
        """Everything that is due at one instant, written in one transaction."""
        zone = self._switches.of(switches.DAILY_WARNING_ZONE)
        with self._book.transaction():
            for grant in due.to_lapse(self._book, at):
                due.lapsed(self._book, grant.id)
                if self._switches.of(switches.NOTICE_AT_EXPIRY) == "on":
                    self._herald.deauthorization(grant, at=at)
            for grant in due.to_warn(self._book, at):
                due.warned(self._book, grant.id, warnings.after(at, ends_at=grant.ends_at, zone=zone))
                self._herald.expiration(grant, at=at)
