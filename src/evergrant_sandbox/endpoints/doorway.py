"""The doorway every machine call goes through: read, spoil if a fault wants it, work and log in one transaction, answer."""

import logging
from collections.abc import Awaitable
from typing import Protocol

from starlette.types import Receive, Scope, Send

from evergrant_sandbox import mischief, wire
from evergrant_sandbox.book import log
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.clock import Clock
from evergrant_sandbox.faults import Fault, Faults, Subject
from evergrant_sandbox.wire import Answer, Call

_log = logging.getLogger(__name__)


class Door(Protocol):
    """One host of the platform."""

    kind: str

    def subject(self, call: Call) -> Subject:
        """What the call is about, found without changing anything."""
        ...

    def answer(self, call: Call, entry: Entry, *, now: int) -> Answer:
        """Do what the call asks for, and note in the log's line what became known. Refusals are answers too."""
        ...

    def broken(self, now: int) -> Answer:
        """What the platform says when it fails itself."""
        ...


class Doorway:
    """Takes calls to their doors."""

    def __init__(self, *, book: Book, clock: Clock, faults: Faults) -> None:
        self._book = book
        self._clock = clock
        self._faults = faults

    async def serve(self, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        """One call from its first byte to its last."""
        call = await wire.read(scope, receive, begun=self._clock.wall())
        if not self._faults.none_set:
            subject = door.subject(call)
            fault = self._faults.hitting(subject)
            if fault is not None:
                await self._spoil(fault, door, call, subject, send)
                return
        await wire.send(await self._work(door, call, self._entry(door, call)), send)

    def _entry(self, door: Door, call: Call) -> Entry:
        return Entry(
            kind=door.kind,
            at=self._clock.now(),
            begun_wall=call.begun,
            method=call.method,
            path=call.path,
            query=call.open_query(),
        )

    async def _work(self, door: Door, call: Call, entry: Entry) -> Answer:
        try:
            with self._book.shared_transaction() as on_disk:
                entry.at = self._clock.now()
                answer = door.answer(call, entry, now=entry.at)
                # How a call that a fault has hit goes out is known when it is over.
                if not entry.fault:
                    entry.status, entry.ended_wall = answer.status, self._clock.wall()
                log.append(self._book, entry)
            await on_disk
        except Exception:  # noqa: BLE001  (the rim: whatever it is, the caller gets the platform's envelope)
            _log.exception("call.failed method=%s path=%s", call.method, call.path)
            return door.broken(self._clock.now())
        return answer

    async def _spoil(self, fault: Fault, door: Door, call: Call, subject: Subject, send: Send) -> None:
        entry = self._entry(door, call)
        entry.app_key, entry.grant_id = subject.app, subject.grant
        entry.fault = f"{fault.id}:{fault.effect.action}"

        def work() -> Awaitable[Answer]:
            return self._work(door, call, entry)

        sent = await mischief.play(fault, call, subject, work=work, to=send)
        entry.status = sent.status if sent else None
        entry.ended_wall = self._clock.wall()
        if entry.n:
            log.close(self._book, entry)
        else:
            log.append(self._book, entry)
