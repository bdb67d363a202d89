"""Carries requests to the platform and brings whole answers back, or says honestly how far it got.

This is the one module that puts secrets into a URL, because TikTok Shop's token host takes them there: nothing here logs
or raises anything with an address in it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Self

import aiohttp
import structlog
from yarl import URL

from evergrant.actions.ports import AnswerLostError, NotSentError
from evergrant.core.secret import Secret
from evergrant.providers.wire import Reply, Request

CALL_SECONDS = 20.0
"""The hard limit of a call, whole; shorter than any lease (reliability reference, 3.1)."""
CONNECT_SECONDS = 5.0
LARGEST_BODY = 16 * 1024 * 1024

log = structlog.get_logger("platform")


@dataclass(slots=True)
class _Progress:
    """Whether the first byte of a request may have left, and whether it may leave again."""

    once: bool
    left: bool = False


class _SentAgainError(aiohttp.ClientError):
    """The client was about to repeat a request that must not be repeated."""


class HttpPlatform:
    """HTTP to whatever base URL a request names. No redirects, no proxies from the environment, no cookies."""

    def __init__(self, session: aiohttp.ClientSession, fresh: aiohttp.ClientSession) -> None:
        self._session = session
        self._fresh = fresh

    @classmethod
    async def open(cls, *, at_once: int = 50) -> Self:
        """Two ways out: one keeps connections open, one opens a connection for each request.

        The second is for what must not be sent twice, since a refresh token shown twice may revoke its grant: a fresh
        connection cannot turn out to be closed already. aiohttp repeats a GET by itself whenever a connection breaks
        before the answer, on fresh ones too; that is stopped where the headers are about to leave (`_headers_sent`).
        """
        return cls(
            _session(aiohttp.TCPConnector(limit=at_once)),
            _session(aiohttp.TCPConnector(limit=at_once, force_close=True)),
        )

    async def close(self) -> None:
        """Close both."""
        await self._session.close()
        await self._fresh.close()

    async def send(self, request: Request, *, once: bool = False) -> Reply:
        """Send a request and read its whole answer.

        Raises:
            NotSentError: it never left.
            AnswerLostError: it may have arrived, and no whole answer came back within 20 seconds.
        """
        progress = _Progress(once=once)
        session = self._fresh if once else self._session
        begun = asyncio.get_running_loop().time()
        try:
            reply = await self._sent(session, request, progress)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            outcome = "answer_lost" if progress.left else "not_sent"
            self._told(request, outcome, begun, error=type(error).__name__)
            raise (AnswerLostError if progress.left else NotSentError)(type(error).__name__) from None
        self._told(request, "answered", begun, status=reply.status)
        return reply

    async def send_all(self, requests: Sequence[Request]) -> Sequence[Reply | None]:
        """Send requests side by side, none of which does harm twice; None: no whole answer came back."""
        return await asyncio.gather(*(self._sent_or_not(request) for request in requests))

    async def _sent_or_not(self, request: Request) -> Reply | None:
        try:
            return await self.send(request)
        except (NotSentError, AnswerLostError):
            return None

    async def _sent(self, session: aiohttp.ClientSession, request: Request, progress: _Progress) -> Reply:
        url = URL(request.url).with_query([(name, _bare(value)) for name, value in request.query])
        async with session.request(
            request.method,
            url,
            headers={name: _bare(value) for name, value in request.headers},
            data=request.body or None,
            allow_redirects=False,
            trace_request_ctx=progress,
        ) as response:
            body = await response.content.read(LARGEST_BODY + 1)
            while len(body) <= LARGEST_BODY and not response.content.at_eof():
                body += await response.content.read(LARGEST_BODY + 1 - len(body))
            if len(body) > LARGEST_BODY:
                raise ValueError("an answer larger than any the platform gives")
            return Reply(
                status=response.status,
                body=body,
                retry_after=_retry_after(response.headers),
                media_type=response.headers.get("Content-Type", ""),
            )

    @staticmethod
    def _told(request: Request, outcome: str, begun: float, **more: object) -> None:
        url = URL(request.url)
        took = round((asyncio.get_running_loop().time() - begun) * 1000, 1)
        log.info(
            "platform.called", method=request.method, host=url.host, path=url.path, outcome=outcome, ms=took, **more
        )


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(_headers_sent)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        trace_configs=[tracing],
    )


async def _headers_sent(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: aiohttp.TraceRequestHeadersSentParams
) -> None:
    progress = context.trace_request_ctx
    if isinstance(progress, _Progress):
        if progress.left and progress.once:
            raise _SentAgainError
        progress.left = True


def _bare(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds: a number, or a date read against the answer's own `Date`."""
    given = headers.get("Retry-After", "").strip()
    if not given:
        return None
    if given.isdigit():
        return float(given[:9])
    try:
        return (parsedate_to_datetime(given) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds()
    except (TypeError, ValueError):
        return None
