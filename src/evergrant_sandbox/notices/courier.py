"""The courier: carries notices to their receivers, three seconds each, and tries again on the platform's schedule."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial

import aiohttp

from evergrant_sandbox import signing, switches
from evergrant_sandbox.book import apps, log, notices
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.book.notices import Notice
from evergrant_sandbox.clock import HOUR, MINUTE, Clock
from evergrant_sandbox.faults import NOTICE, Fault, Faults, Subject
from evergrant_sandbox.notices import spoiling
from evergrant_sandbox.notices.heard import Heard
from evergrant_sandbox.notices.spoiling import DROPPED, Parcel
from evergrant_sandbox.switches import Switches

# "Retries after 2 minutes, 30 minutes, 3 hours and 12 hours, then dropped." Webhooks overview, captured 2025-12-03.
SCHEDULE = (2 * MINUTE, 30 * MINUTE, 3 * HOUR, 12 * HOUR)
PATIENCE = 3.0

# How many shops' notices travel to one receiver side by side; those of one shop keep their order.
ABREAST = 16
_BATCH = 256
# While the clock is being turned, a receiver that was silent this often in a row is not asked again in that turn.
SILENCES = 3

TIMEOUT = "timeout"
UNREACHABLE = "unreachable"
ASSUMED = "assumed_silent"
_SILENT = frozenset({TIMEOUT, UNREACHABLE})


@dataclass(slots=True)
class Turn:
    """What is remembered while the clock is being turned: how often each receiver was silent in a row."""

    silences: dict[str, int] = field(default_factory=dict)

    def has_given_up(self, url: str) -> bool:
        """Whether the receiver is not asked again."""
        return self.silences.get(url, 0) >= SILENCES

    def heard(self, url: str, answer: str) -> None:
        """Note what came back."""
        if answer in _SILENT:
            self.silences[url] = self.silences.get(url, 0) + 1
        else:
            self.silences[url] = 0


class Courier:
    """One lane a receiver, so that a slow one holds up nobody else."""

    def __init__(
        self, *, book: Book, clock: Clock, switches: Switches, faults: Faults, session: aiohttp.ClientSession
    ) -> None:
        self._book = book
        self._clock = clock
        self._switches = switches
        self._faults = faults
        self._session = session
        self._lanes: dict[str, asyncio.Task[None]] = {}
        # Receivers whose lane stands at a barrier, with how many notices, and the news that one does.
        self._held: Counter[str] = Counter()
        self._stopped = asyncio.Event()

    def set_out(self, *, at: int, turn: Turn, done: Callable[[], None]) -> None:
        """Start a lane to every receiver something is due to, unless one is on its way already."""
        for url in notices.receivers_due(self._book, at):
            if url not in self._lanes:
                lane = asyncio.create_task(self._lane(url, at, turn))
                self._lanes[url] = lane
                lane.add_done_callback(partial(self._arrived, url, done))

    async def settle(self) -> None:
        """Wait until every lane has ended, or stands at a barrier where only a release can move it."""
        while moving := [lane for url, lane in self._lanes.items() if url not in self._held]:
            self._stopped.clear()
            stopped = asyncio.create_task(self._stopped.wait())
            ended, _ = await asyncio.wait([*moving, stopped], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            for lane in ended:
                lane.result()

    @property
    def busy(self) -> frozenset[str]:
        """The receivers a lane is under way to."""
        return frozenset(self._lanes)

    @property
    def held(self) -> frozenset[str]:
        """The receivers whose lane stands at a barrier: nothing comes to them until it is released."""
        return frozenset(self._held)

    def _arrived(self, url: str, done: Callable[[], None], _: asyncio.Task[None]) -> None:
        self._lanes.pop(url, None)
        done()

    async def _lane(self, url: str, at: int, turn: Turn) -> None:
        while batch := notices.due(self._book, url=url, at=at, limit=_BATCH):
            if turn.has_given_up(url):
                self._assume(batch)
                continue
            by_shop: dict[str, list[Notice]] = {}
            for notice in batch:
                by_shop.setdefault(notice.shop_id, []).append(notice)
            gate = asyncio.Semaphore(ABREAST)
            await asyncio.gather(*(self._in_order(waiting, gate, turn) for waiting in by_shop.values()))

    async def _in_order(self, waiting: list[Notice], gate: asyncio.Semaphore, turn: Turn) -> None:
        async with gate:
            for notice in waiting:
                await self._attempt(notice, turn)

    async def _attempt(self, notice: Notice, turn: Turn) -> None:
        begun = self._clock.wall()
        at = self._clock.now()
        subject = Subject(kind=NOTICE, path=notice.url, app=notice.app_key, grant=notice.grant_id)
        fault = self._faults.hitting(subject)
        if fault is None:
            heard = await self._send(notice, spoiling.whole(notice.body))
        else:
            heard = await self._spoilt(notice, fault, subject, begun)
        turn.heard(notice.url, heard.answer)
        with self._book.transaction():
            self._note(notice, heard, at=at, begun=begun, fault=fault)

    async def _spoilt(self, notice: Notice, fault: Fault, subject: Subject, begun: float) -> Heard:
        return await spoiling.play(
            fault,
            subject,
            notice.body,
            since=begun,
            post=partial(self._send, notice),
            standing=partial(self._standing, notice.url),
        )

    @contextmanager
    def _standing(self, url: str) -> Iterator[None]:
        """A lane stands at a barrier: nobody waits for it."""
        self._held[url] += 1
        self._stopped.set()
        try:
            yield
        finally:
            self._held -= Counter((url,))

    def _assume(self, batch: list[Notice]) -> None:
        """Take it that a receiver that has been silent is still silent: each attempt has failed, none was made."""
        with self._book.transaction():
            for notice in batch:
                self._note(notice, Heard(ASSUMED), at=self._clock.now(), begun=self._clock.wall())

    def _note(self, notice: Notice, heard: Heard, *, at: int, begun: float, fault: Fault | None = None) -> None:
        notices.tried(self._book, notice, next_at=self._next(notice, heard, at))
        entry = self._entry(notice, heard, at=at, begun=begun)
        if fault is not None:
            entry.fault = f"{fault.id}:{fault.effect.action}"
        log.append(self._book, entry)

    async def _send(self, notice: Notice, parcel: Parcel) -> Heard:
        app = apps.find(self._book, notice.app_key)
        secret = app.secret if app else ""
        signature = signing.sign_notice(app_key=notice.app_key, secret=secret, body=notice.body)
        if notice.badly_signed:
            signature = signature[::-1]
        headers = {
            "Authorization": signature,
            "Content-Type": parcel.content_type,
            "Content-Length": str(parcel.length),
        }
        timeout = aiohttp.ClientTimeout(sock_connect=PATIENCE)
        try:
            async with (
                _patience(parcel.released),
                self._session.post(
                    notice.url, data=parcel.body, headers=headers, allow_redirects=False, timeout=timeout
                ) as response,
            ):
                return Heard(str(response.status), has_body=await _has_body(response))
        except TimeoutError:
            return Heard(TIMEOUT)
        # ValueError: an address no request can be made to, such as a name with an empty label.
        except (aiohttp.ClientError, OSError, ValueError):
            return Heard(UNREACHABLE)

    def _next(self, notice: Notice, heard: Heard, at: int) -> int | None:
        """When the next attempt follows; None when it was accepted, or tried for the last time."""
        accepted = {"200", DROPPED}
        if self._switches.of(switches.ANSWER_401_TO_NOTICE) == "accepted":
            accepted.add("401")
        too_long = heard.has_body and self._switches.of(switches.BODY_OF_ANSWER_TO_NOTICE) == "retried"
        if (heard.answer in accepted and not too_long) or notice.attempts >= len(SCHEDULE):
            return None
        return at + SCHEDULE[notice.attempts]

    def _entry(self, notice: Notice, heard: Heard, *, at: int, begun: float) -> Entry:
        return Entry(
            kind="notice",
            at=at,
            begun_wall=begun,
            ended_wall=self._clock.wall(),
            method="POST",
            path=notice.url,
            app_key=notice.app_key,
            grant_id=notice.grant_id,
            shop_id=notice.shop_id,
            status=int(heard.answer) if heard.answer.isdigit() else None,
            message="the answer had a body" if heard.has_body else "",
            notice_type=notice.type,
            notice_id=notice.id,
            attempt=notice.attempts + 1,
            answer=heard.answer,
        )


@asynccontextmanager
async def _patience(released: asyncio.Event | None) -> AsyncIterator[None]:
    """A receiver's three seconds; for a notice that is held they begin when it is let go."""
    async with asyncio.timeout(None if released else PATIENCE) as limit:
        if released is None:
            yield
            return
        waiting = asyncio.create_task(_begin(limit, released))
        try:
            yield
        finally:
            waiting.cancel()


async def _begin(limit: asyncio.Timeout, released: asyncio.Event) -> None:
    await released.wait()
    limit.reschedule(asyncio.get_running_loop().time() + PATIENCE)


async def _has_body(response: aiohttp.ClientResponse) -> bool:
    """One byte is enough to know, and nobody is made to send it all."""
    try:
        return bool(await response.content.read(1))
    except aiohttp.ClientPayloadError:
        return True
