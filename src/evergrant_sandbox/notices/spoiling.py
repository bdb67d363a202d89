"""How a fault is played out on a notice: late, cut short, wrong, held, lost on its way, or delivered and never believed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from evergrant_sandbox import faults
from evergrant_sandbox.faults import Action, Barrier, Fault, Moment, Subject
from evergrant_sandbox.notices.heard import Heard

DROPPED = "dropped_by_fault"
LOST = "reply_lost_by_fault"
CUT = "cut_by_fault"

_PAGE = b"<!doctype html><html><head><title>Notice</title></head><body><h1>Notice</h1></body></html>\n"


class _CutError(Exception):
    """The connection is to be closed in the middle of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is put on the wire for a notice: a body that may stop on the way, and the length the head promises."""

    body: bytes | AsyncIterator[bytes]
    length: int
    content_type: str = "application/json"
    # Set when somebody who holds it lets go: the receiver's three seconds begin then. None: nobody does.
    released: asyncio.Event | None = None


# Sends a parcel and gives what came of it.
Post = Callable[[Parcel], Awaitable[Heard]]


def whole(body: bytes) -> Parcel:
    """A notice as it should be."""
    return Parcel(body=body, length=len(body))


async def play(
    fault: Fault,
    subject: Subject,
    body: bytes,
    *,
    since: float,
    post: Post,
    standing: Callable[[], AbstractContextManager[None]],
) -> Heard:
    """Deliver a notice as the fault wants it; gives what the platform takes for the answer.

    `standing` is entered while somebody holds the notice.
    """
    effect = fault.effect
    match effect.action:
        case Action.DROP:
            return Heard(DROPPED)
        case Action.HOLD:
            return await _hold(fault, subject, body, since=since, post=post, standing=standing)
        case Action.LOSE_REPLY:
            await post(whole(body))
            return Heard(LOST)
        case Action.TRUNCATE:
            await post(Parcel(body=_cut_after(body[: effect.after_bytes]), length=len(body)))
            return Heard(CUT)
        case Action.WRONG_TYPE:
            return await post(Parcel(body=_PAGE, length=len(_PAGE), content_type="text/html"))
        case Action.DELAY:
            await faults.delay(fault)
            return await post(whole(body))
        case Action.STATUS:
            if effect.moment is Moment.AFTER_WORK:
                await post(whole(body))
            return Heard(str(effect.status))


async def _hold(
    fault: Fault,
    subject: Subject,
    body: bytes,
    *,
    since: float,
    post: Post,
    standing: Callable[[], AbstractContextManager[None]],
) -> Heard:
    is_cut = False
    released = asyncio.Event()

    async def stand() -> None:
        nonlocal is_cut
        with standing():
            is_cut = await faults.hold(fault, subject, since=since) == "cut"

    async def stopping(here: int) -> AsyncIterator[bytes]:
        yield body[:here]
        await stand()
        released.set()
        if is_cut:
            raise _CutError
        yield body[here:]

    barrier = fault.effect.barrier
    if barrier is Barrier.HALF_BODY:
        answer = await post(Parcel(body=stopping(len(body) // 2), length=len(body), released=released))
        return Heard(CUT) if is_cut else answer
    if barrier is Barrier.BEFORE_ROTATE:
        await stand()
        return Heard(CUT) if is_cut else await post(whole(body))
    # After the work, and after the whole body: the receiver has it, the platform does not know yet.
    answer = await post(whole(body))
    await stand()
    return Heard(LOST) if is_cut else answer


async def _cut_after(part: bytes) -> AsyncIterator[bytes]:
    yield part
    raise _CutError
