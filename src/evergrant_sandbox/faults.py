"""Faults: what is to go wrong, with which calls, and who is being held at a barrier. They end with the process."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

# What a fault names when it is meant for notices.
NOTICE = "notice"


class Action(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    DELAY = "delay"
    TRUNCATE = "truncate"
    WRONG_TYPE = "wrong_type"
    LOSE_REPLY = "lose_reply"
    HOLD = "hold"
    DROP = "drop"


class Barrier(StrEnum):
    """Where a call is held."""

    BEFORE_ROTATE = "before_rotate"
    AFTER_ROTATE = "after_rotate"
    HALF_BODY = "half_body"
    FULL_BODY = "full_body"


class Moment(StrEnum):
    """Whether the platform has done its work when it goes wrong."""

    BEFORE_WORK = "before_work"
    AFTER_WORK = "after_work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which calls are meant; what is None does not matter. `path` may hold `*`."""

    app: str | None = None
    grant: int | None = None
    kind: str | None = None
    path: str | None = None
    # The first matching call that is hit, counted from 1 since the fault was set, and how many from there on.
    nth: int = 1
    times: int | None = None
    # So many seconds of real time, then it is over.
    lasts: float | None = None


class InvalidFaultError(Exception):
    """Match and effect do not go together; the sentence says what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What happens to a call that is hit."""

    action: Action
    moment: Moment = Moment.BEFORE_WORK
    status: int = 503
    # Whether the status comes with the platform's envelope around it, and with which code.
    enveloped: bool = True
    code: int = 36009003
    message: str = "Internal error."
    retry_after: int | None = None
    seconds: float = 0.0
    after_bytes: int = 0
    barrier: Barrier = Barrier.BEFORE_ROTATE


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A call that is held."""

    path: str
    app: str
    grant: int | None
    since_wall: float
    # What becomes of it: `continue` or `cut`.
    verdict: asyncio.Future[str]


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault, and what it has done so far."""

    id: str
    match: Match
    effect: Effect
    seen: int = 0
    hits: int = 0
    is_over: bool = False
    waiting: list[Waiting] = field(default_factory=list)
    # Somebody has removed it: what it delays goes on.
    removed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a call is about, as far as it can be known before any work is done."""

    kind: str
    path: str
    app: str
    grant: int | None


class Faults:
    """All faults that are set, in the order they were set; the first one that hits a call decides."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._made = 0

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    @property
    def none_set(self) -> bool:
        """Whether there is nothing to look for; asked with every call."""
        return not self._faults

    def set(self, match: Match, effect: Effect) -> Fault:
        """A new fault.

        Raises:
            InvalidFaultError: what is to happen cannot happen to what was chosen.
        """
        if effect.action is Action.DROP and match.kind not in {None, NOTICE}:
            raise InvalidFaultError("Only notices can be dropped; for calls there is lose_reply.")
        self._made += 1
        fault = Fault(id=f"f{self._made}", match=match, effect=effect)
        self._faults[fault.id] = fault
        if match.lasts is not None:
            asyncio.get_running_loop().call_later(match.lasts, _end, fault)
        return fault

    def find(self, fault_id: str) -> Fault | None:
        """A fault by its id."""
        return self._faults.get(fault_id)

    def release(self, fault: Fault, verdict: str) -> int:
        """Let the held calls of a fault go on, or cut them; gives how many."""
        held = [each for each in fault.waiting if not each.verdict.done()]
        for each in held:
            each.verdict.set_result(verdict)
        return len(held)

    def clear(self, fault_id: str | None = None) -> int:
        """Remove one fault or all; calls they held go on. Gives how many were removed."""
        gone = [fault for fault in self._faults.values() if fault_id in {None, fault.id}]
        for fault in gone:
            self.release(fault, "continue")
            fault.removed.set()
            del self._faults[fault.id]
        return len(gone)

    def hitting(self, subject: Subject) -> Fault | None:
        """The fault that hits this call or notice, if any; counts it. Notices are hit only by faults made for them."""
        hit = None
        for fault in self._faults.values():
            if not _fits(fault, subject):
                continue
            fault.seen += 1
            if hit is None and _is_due(fault):
                fault.hits += 1
                hit = fault
        return hit


def _end(fault: Fault) -> None:
    fault.is_over = True


def _fits(fault: Fault, subject: Subject) -> bool:
    match = fault.match
    kind = NOTICE if fault.effect.action is Action.DROP else match.kind
    return (
        not fault.is_over
        and kind in ({NOTICE} if subject.kind == NOTICE else {None, subject.kind})
        and match.app in {None, subject.app}
        and match.grant in {None, subject.grant}
        and (match.path is None or fnmatchcase(subject.path, match.path))
    )


def _is_due(fault: Fault) -> bool:
    match = fault.match
    return fault.seen >= match.nth and (match.times is None or fault.seen < match.nth + match.times)


async def delay(fault: Fault) -> None:
    """Let the fault's seconds of real time pass, unless it is removed before."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(fault.effect.seconds):
            await fault.removed.wait()


async def hold(fault: Fault, subject: Subject, *, since: float) -> str:
    """Stand at the fault's barrier until somebody lets go; gives the verdict, `continue` or `cut`."""
    waiting = Waiting(
        path=subject.path,
        app=subject.app,
        grant=subject.grant,
        since_wall=since,
        verdict=asyncio.get_running_loop().create_future(),
    )
    fault.waiting.append(waiting)
    try:
        return await waiting.verdict
    finally:
        fault.waiting.remove(waiting)
