"""How a fault is played out on the wire: held, late, wrong, cut short, or done and never answered."""

import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from starlette.types import Send

from evergrant_sandbox import faults, wire
from evergrant_sandbox.faults import Action, Barrier, Fault, Moment, Subject
from evergrant_sandbox.wire import Answer, Call

_PROXY_PAGE = (
    b"<!doctype html><html><head><title>502 Bad Gateway</title></head>"
    b"<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>\n"
)
_HTML = b"text/html"


class Cut(Exception):  # noqa: N818  (no error: somebody asked for it)
    """The connection is to be closed without another byte."""


async def play(
    fault: Fault, call: Call, subject: Subject, *, work: Callable[[], Awaitable[Answer]], to: Send
) -> Answer | None:
    """Answer a call as the fault wants it; gives what was sent in full or in part, None if nothing was."""
    try:
        return await _play(fault, call, subject, work=work, to=to)
    except Cut:
        cut_connection(call.client)
        return None


async def _play(
    fault: Fault, call: Call, subject: Subject, *, work: Callable[[], Awaitable[Answer]], to: Send
) -> Answer | None:
    effect = fault.effect
    match effect.action:
        case Action.HOLD:
            return await _hold(fault, call, subject, work=work, to=to)
        case Action.LOSE_REPLY:
            await work()
            raise Cut
        case Action.TRUNCATE:
            answer = await work()
            await _send_part(answer, effect.after_bytes, to)
            return answer
        case Action.DELAY:
            if effect.moment is Moment.BEFORE_WORK:
                await faults.delay(fault)
            answer = await work()
            if effect.moment is Moment.AFTER_WORK:
                await faults.delay(fault)
        case _:
            if effect.moment is Moment.AFTER_WORK:
                await work()
            answer = _wrong_answer(fault)
    await wire.send(answer, to)
    return answer


async def _hold(
    fault: Fault, call: Call, subject: Subject, *, work: Callable[[], Awaitable[Answer]], to: Send
) -> Answer:
    barrier = fault.effect.barrier
    if barrier is Barrier.BEFORE_ROTATE:
        await _wait(fault, call, subject)
    answer = await work()
    if barrier is Barrier.AFTER_ROTATE:
        await _wait(fault, call, subject)
    if barrier in {Barrier.BEFORE_ROTATE, Barrier.AFTER_ROTATE}:
        await wire.send(answer, to)
        return answer
    here = len(answer.body) // 2 if barrier is Barrier.HALF_BODY else len(answer.body)
    await to(wire.start_of(answer))
    await to({"type": "http.response.body", "body": answer.body[:here], "more_body": True})
    await _wait(fault, call, subject)
    await to({"type": "http.response.body", "body": answer.body[here:], "more_body": False})
    return answer


async def _wait(fault: Fault, call: Call, subject: Subject) -> None:
    if await faults.hold(fault, subject, since=call.begun) == "cut":
        raise Cut


async def _send_part(answer: Answer, length: int, to: Send) -> None:
    """The head and the first bytes of an answer. The server cuts the connection when no more comes."""
    await to(wire.start_of(answer))
    await to({"type": "http.response.body", "body": answer.body[:length], "more_body": True})


def _wrong_answer(fault: Fault) -> Answer:
    effect = fault.effect
    if effect.action is Action.WRONG_TYPE:
        return Answer(200, _PROXY_PAGE, _HTML)
    headers = ((b"retry-after", str(effect.retry_after).encode()),) if effect.retry_after is not None else ()
    if not effect.enveloped:
        return Answer(effect.status, _PROXY_PAGE, _HTML, headers)
    envelope = {"code": effect.code, "data": None, "message": effect.message, "request_id": f"fault-{fault.id}"}
    return Answer(effect.status, msgspec.json.encode(envelope), headers=headers)


def cut_connection(client: tuple[str, int]) -> None:
    """Close the connection to a client under the server's feet.

    An ASGI program cannot leave a call unanswered: the server would answer 500 for it. So the connection is looked up
    among the process's own sockets and shut down.
    """
    for number in _open_files():
        try:
            copy = os.dup(number)
        except OSError:
            continue
        try:
            connection = socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
            continue
        with connection, contextlib.suppress(OSError):
            if connection.getpeername()[:2] == client:
                connection.shutdown(socket.SHUT_RDWR)


def _open_files() -> list[int]:
    folder = Path("/proc/self/fd")
    listed = folder if folder.is_dir() else Path("/dev/fd")
    return [int(entry.name) for entry in listed.iterdir() if entry.name.isdigit()]
