"""What every answer carries: a request id, the security headers, one log line; and one honest answer when we break."""

import re
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from time import perf_counter

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from evergrant.core.errors import EvergrantError
from evergrant.web import given, problems

SECRET_PARTS = re.compile(r"^(/l)/[^/]+")
"""The handle of a hosted link stands in its address and must not stand in our log."""

QUIET = frozenset({"/healthz", "/readyz", "/metrics"})

SayNo = Callable[[Scope, Receive, Send, EvergrantError], Awaitable[None]]
"""Answers with an error: a page for people, JSON for programs."""

log = structlog.get_logger("web")


def security_headers(form_targets: tuple[str, ...]) -> tuple[tuple[bytes, bytes], ...]:
    """Headers of every answer. `form_targets` are origins a form may end up at by a redirect: the consent pages."""
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            f"form-action 'self' {' '.join(form_targets)}".strip(),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )
    return (
        (b"content-security-policy", policy.encode()),
        (b"x-frame-options", b"DENY"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    )


class Guard:
    """The outermost layer of the hub."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        say_no: SayNo,
        request_id: Callable[[], str],
        visited: Callable[[], AbstractContextManager[None]],
        form_targets: tuple[str, ...],
        is_https: bool,
    ) -> None:
        self._app = app
        self._visited = visited
        self._say_no = say_no
        self._request_id = request_id
        headers = security_headers(form_targets)
        if is_https:
            headers += ((b"strict-transport-security", b"max-age=63072000"),)
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_id()
        scope.setdefault("state", {})["request_id"] = request_id
        added = (*self._headers, (b"x-request-id", request_id.encode()))
        begun, status, is_whole = perf_counter(), 0, False

        async def sending(message: Message) -> None:
            nonlocal status, is_whole
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)
            is_whole = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            with self._visited():
                await self._served(scope, receive, sending)
        except Exception as error:
            note_crash(error, request_id, scope)
            if not status:
                await answer_problem(sending, EvergrantError(), request_id)
            elif not is_whole:
                raise  # the server cuts the connection: nobody takes half an answer for a whole one
        finally:
            if scope["path"] not in QUIET:
                took = round((perf_counter() - begun) * 1000, 1)
                log.info(
                    "request.done",
                    request_id=request_id,
                    method=scope["method"],
                    path=_told_path(scope),
                    status=status,
                    ms=took,
                )

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = given.refusal(scope)
        if refused is None:
            try:
                with bound_contextvars(request_id=scope["state"]["request_id"]):
                    await self._app(scope, given.limited(receive), send)
            except given.BodyTooLargeError:
                refused = problems.TooLargeError()
        if refused is not None:
            await self._say_no(scope, receive, send, refused)


async def answer_json(send: Send, status: int, body: object, headers: dict[str, str] | None = None) -> None:
    """Send a whole JSON answer from a bare ASGI function."""
    content = msgspec.json.encode(body)
    raw = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    raw += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})


async def answer_problem(send: Send, error: EvergrantError, request_id: str) -> None:
    """Send an error as JSON from a bare ASGI function."""
    body = problems.body_of(error, request_id)
    await answer_json(send, problems.status_of(error), body, problems.headers_of(error))


def note_crash(error: Exception, request_id: str, scope: Scope) -> None:
    """Where it broke and what kind of error it was. Not its words: a database repeats the values it was given."""
    way = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    kinds = [type(error).__qualname__]
    while (cause := error.__cause__ or error.__context__) is not None and isinstance(cause, Exception):
        error = cause
        kinds.append(type(error).__qualname__)
    log.error("request.crashed", request_id=request_id, path=_told_path(scope), error=kinds, way=way)


def _told_path(scope: Scope) -> str:
    path: str = scope["path"]
    return SECRET_PARTS.sub(r"\1/…", path) if path.startswith("/l") else path
