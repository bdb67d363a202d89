"""The fast lane: the doors that are hot are bare functions in front of FastAPI, which serves everything else."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from evergrant.actions import lend, receive
from evergrant.core.errors import (
    DatabaseUnavailableError,
    EvergrantError,
    InvalidRequestError,
    NotFoundError,
    NoticeSignatureError,
    TokenBeingRefreshedError,
    VaultIntegrityError,
)
from evergrant.web import access, given, loans, proxied
from evergrant.web.bodies import header, whole
from evergrant.web.desk import Desk
from evergrant.web.guard import answer_json, answer_problem
from evergrant.web.repeats import Repeats

TOKEN = re.compile(r"^/v1/connections/([^/]+)/token$")
TOKENS = re.compile(r"^/v1/tokens$")
HOOK = re.compile(r"^/hooks/tiktok-shop/([^/]+)$")
TOKEN_SECONDS = 4.5
NOTICE_SECONDS = 1.4
"""How long a hot door waits for the database before it says so: a token read once, a notice before and after its body.
The platform gives a notice three seconds.
"""


class Lanes:
    """Sends hot paths to bare functions, everything else to the application behind."""

    def __init__(self, behind: ASGIApp, desk: Desk) -> None:
        self._behind = behind
        self._desk = desk
        self._proxy = Repeats(proxied.Proxy(desk), desk)

    async def __call__(self, scope: Scope, receive_: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            path, method = scope["path"], scope["method"]
            if method == "GET" and (found := TOKEN.match(path)):
                await self._answered(self._token_soon(scope, found[1]), scope, send)
                return
            if method == "POST" and TOKENS.match(path):
                await self._answered(self._tokens(scope, receive_), scope, send)
                return
            if method == "POST" and (found := HOOK.match(path)):
                await self._answered(self._notice(scope, receive_, found[1]), scope, send)
                return
            if proxied.PATH.match(path):
                await self._proxy(scope, receive_, send)
                return
        await self._behind(scope, receive_, send)

    async def _answered(self, door: "access.Answer", scope: Scope, send: Send) -> None:
        try:
            status, body = await door
        except EvergrantError as error:
            await answer_problem(send, error, scope["state"]["request_id"])
            return
        if body is None:
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await answer_json(send, status, body, {"cache-control": "no-store"})

    async def _token_soon(self, scope: Scope, connection_id: str) -> tuple[int, dict[str, object]]:
        async with _soon(TOKEN_SECONDS):
            return await self._token(scope, connection_id)

    async def _token(self, scope: Scope, connection_id: str) -> tuple[int, dict[str, object]]:
        """GET /v1/connections/{id}/token: the row, the gate, the audit record, and only then the token."""
        desk = self._desk
        shown = access.bearer(header(scope, b"authorization"))
        shop_id, least = _token_query(scope)
        key, found = await desk.keys.for_token(shown, connection_id)
        key = access.admitted(key, "tokens")
        desk.walls.enter(key.tenant_id)
        if found is None:
            raise NotFoundError(loans.NOT_HERE)
        now = await desk.ports.clock.now(found.clock)
        try:
            loan = lend.lend(found, shop_id=shop_id, least=least, now=now)
        except VaultIntegrityError:
            request_id = scope["state"]["request_id"]
            await desk.trail.record(loans.entry(key, connection_id, request_id, "vault.integrity_failed"))
            raise
        except TokenBeingRefreshedError:
            await desk.ports.books.tokens.want(key.tenant_id, connection_id, now, until=now + least)
            raise
        request_id = scope["state"]["request_id"]
        await desk.trail.record(loans.entry(key, connection_id, request_id, detail=loans.at(found, now)))
        return 200, loans.shape(loan)

    async def _tokens(self, scope: Scope, receive_: Receive) -> tuple[int, dict[str, object]]:
        """POST /v1/tokens: the same for up to a hundred connections."""
        shown = access.bearer(header(scope, b"authorization"))
        wanted = loans.wanted(await whole(scope, receive_))
        async with _soon(TOKEN_SECONDS):
            return 200, await loans.batch(self._desk, shown, wanted, scope["state"]["request_id"])

    async def _notice(self, scope: Scope, receive_: Receive, app_id: str) -> tuple[int, None]:
        """POST /hooks/tiktok-shop/{app}: raw bytes, signature, durable row, 200. What it means is asked later."""
        async with _soon(NOTICE_SECONDS):
            app = await self._desk.apps.by_id(app_id)
        signatures = [value for name, value in scope["headers"] if name == b"authorization"]
        body = await whole(scope, receive_)
        if len(signatures) != 1 or not receive.is_theirs(app, body, signatures[0]):
            raise NoticeSignatureError
        async with _soon(NOTICE_SECONDS):
            await self._desk.inbox.put(receive.received(app, body))
        return 200, None


@asynccontextmanager
async def _soon(seconds: float) -> AsyncIterator[None]:
    """Raises DatabaseUnavailableError when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise DatabaseUnavailableError from error


def _token_query(scope: Scope) -> tuple[str | None, timedelta]:
    """`shop_id` and `min_ttl` (seconds) of a token read."""
    if not scope["query_string"]:
        return None, timedelta(0)
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    shop_ids, least = query.get("shop_id", [None]), query.get("min_ttl", ["0"])
    seconds = given.number(least[0], digits=6)
    if len(shop_ids) > 1 or len(least) > 1 or seconds is None:
        raise InvalidRequestError("shop_id and min_ttl may be given once; min_ttl is a number of seconds up to a day.")
    wanted = timedelta(seconds=seconds)
    if wanted > loans.LONGEST_MIN_TTL:
        raise InvalidRequestError("min_ttl is a number of seconds up to a day (86400).")
    return shop_ids[0], wanted
