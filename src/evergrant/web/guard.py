"""What every answer carries: a request id, the security headers, one log line; and one honest answer when we break."""

import asyncio
import re
from collections.abc import Callable
from time import perf_counter

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evergrant.core.errors import EvergrantError
from evergrant.web import problems

SECRET_PARTS = re.compile(r"^(/l)/[^/]+")
"""The handle of a hosted link stands in its address and must not stand in our log."""

QUIET = frozenset({"/healthz", "/readyz", "/metrics"})

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
        self, app: ASGIApp, *, request_id: Callable[[], str], form_targets: tuple[str, ...], is_https: bool
    ) -> None:
        self._app = app
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
        begun, status = perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("request.crashed", request_id=request_id, path=_told_path(scope))
            if status:
                raise
            await _broken(sending, request_id)
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


async def _broken(send: Send, request_id: str) -> None:
    await answer_problem(send, EvergrantError(), request_id)


def _told_path(scope: Scope) -> str:
    path: str = scope["path"]
    return SECRET_PARTS.sub(r"\1/…", path) if path.startswith("/l") else path
