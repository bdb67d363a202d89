"""The platform's API for the vendor's own code: taken from a request here, answered as the platform answered."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from evergrant.actions import call
from evergrant.actions.reading import ApiKey
from evergrant.core.errors import (
    CallOutcomeUnknownError,
    EvergrantError,
    InvalidRequestError,
    PaceExceededError,
    PlatformUnavailableError,
    TokenBeingRefreshedError,
    VaultIntegrityError,
)
from evergrant.providers.wire import Call, Request
from evergrant.web import access, loans, problems
from evergrant.web.bodies import header, whole
from evergrant.web.desk import Desk
from evergrant.web.guard import answer_problem, note_crash

PATH = re.compile(r"^/v1/connections/([^/]+)/proxy(/.*)$", re.DOTALL)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
SCOPE = "tokens"
"""Whoever may read the token may do all this with it anyway, and nobody else should."""

AT_ONCE, AT_ONCE_IN_ALL = 8, 64
"""Calls under way in this process: of one workspace, and of all. Each may hold bodies of both sides, and a way out."""
A_MOMENT = timedelta(seconds=1)

MOST_PARAMETERS = 200
LONGEST_MEDIA_TYPE = 200
NO_SHOP = "none"
BODILESS = frozenset({204, 304})


class Proxy:
    """`ANY /v1/connections/{id}/proxy/{path}`, as a bare ASGI function."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._calls = Counter[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        try:
            made = await self._made(scope, receive)
        except EvergrantError as error:
            await answer_problem(send, error, scope["state"]["request_id"])
            return
        headers = [(b"cache-control", b"no-store"), *_headers(made)]
        body = b"" if made.status in BODILESS else made.body
        if made.status not in BODILESS:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": made.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _made(self, scope: Scope, receive: Receive) -> call.Made:
        desk, found = self._desk, PATH.match(scope["path"])
        assert found
        scope["state"]["is_final"] = False
        if scope["method"] not in METHODS:
            raise problems.MethodNotAllowedError
        shown = access.bearer(header(scope, b"authorization"))
        key = access.admitted(await desk.keys.find(shown), SCOPE)
        desk.walls.enter(key.tenant_id)
        scope["state"]["scope"] = SCOPE  # what an answer kept for a repetition asks for, too
        wanted = await _wanted(scope, receive, key, found[1], found[2])
        with self._under_way(key.tenant_id):
            return await self._called(wanted, scope, key)

    async def _called(self, wanted: call.Wanted, scope: Scope, key: ApiKey) -> call.Made:
        desk, connection_id = self._desk, wanted.connection_id
        request_id = scope["state"]["request_id"]
        try:
            ready = await call.ready(wanted, desk.ports)
        except VaultIntegrityError:
            await desk.trail.record(loans.entry(key, connection_id, request_id, "vault.integrity_failed"))
            raise
        detail = {"method": wanted.call.method, "path": wanted.call.path, "at": ready.now.isoformat()}
        await desk.trail.record(loans.entry(key, connection_id, request_id, "platform.called", detail))
        return await self._once_sent(ready, await call.signed(ready, desk.ports), scope)

    @contextmanager
    def _under_way(self, tenant_id: str) -> Iterator[None]:
        """One of the tenant's calls. Raises PaceExceededError."""
        if self._calls[tenant_id] >= AT_ONCE or self._calls.total() >= AT_ONCE_IN_ALL:
            raise PaceExceededError(A_MOMENT)
        self._calls[tenant_id] += 1
        try:
            yield
        finally:
            self._calls[tenant_id] -= 1
            self._calls = +self._calls  # who has none under way is not kept

    async def _once_sent(self, ready: call.Ready, request: Request, scope: Scope) -> call.Made:
        """From here on the platform may have acted: whatever comes of it is what a repetition is told, unless it says that
        nothing was done.
        """
        scope["state"]["is_final"] = True
        try:
            made = await call.make(ready, request, self._desk.ports)
        except (PlatformUnavailableError, TokenBeingRefreshedError):
            scope["state"]["is_final"] = False
            raise
        except CallOutcomeUnknownError:
            raise
        except Exception as error:
            if request.method not in call.CHANGING:
                raise
            note_crash(error, scope["state"]["request_id"], scope)
            raise CallOutcomeUnknownError from error
        scope["state"]["is_final"] = made.wait is None
        return made


async def _wanted(scope: Scope, receive: Receive, key: ApiKey, connection_id: str, path: str) -> call.Wanted:
    query = _query(scope["query_string"])
    shop_ids = [value for name, value in query if name == "shop_id"]
    ciphers = [value for name, value in query if name == "shop_cipher"]
    if len(shop_ids) > 1:
        raise InvalidRequestError("The parameter shop_id is given more than once.")
    if header(scope, b"x-tts-access-token"):
        raise InvalidRequestError("Leave out the header x-tts-access-token: the hub sets it on every call.")
    is_bare = ciphers == [NO_SHOP]
    if is_bare and shop_ids:
        raise InvalidRequestError("A call with shop_cipher=none is about no shop, so leave out shop_id.")
    return call.Wanted(
        tenant_id=key.tenant_id,
        connection_id=connection_id,
        call=Call(
            method=scope["method"],
            path=path,
            query=tuple(each for each in query if each[0] != "shop_id" and not (is_bare and each[0] == "shop_cipher")),
            body=await whole(scope, receive),
            media_type=_media_type(scope),
        ),
        shop_id=shop_ids[0] if shop_ids else None,
        is_bare=is_bare,
    )


def _query(given: bytes) -> list[tuple[str, str]]:
    """The parameters, decoded: the signature is made of decoded values."""
    try:
        return parse_qsl(given.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise InvalidRequestError(
            f"The parameters cannot be read: at most {MOST_PARAMETERS} of them, percent-encoded UTF-8."
        ) from None


def _media_type(scope: Scope) -> str:
    given = header(scope, b"content-type")
    if len(given) > LONGEST_MEDIA_TYPE or not (given.isascii() and given.isprintable()):
        raise InvalidRequestError("The header content-type cannot be read.")
    return given


def _headers(made: call.Made) -> list[tuple[bytes, bytes]]:
    """What goes on to the caller: what the body is, the platform's own id of the call, and how long to wait."""
    known = {
        "content-type": made.media_type,
        "x-platform-request-id": made.request_id,
        "retry-after": "" if made.wait is None else str(-(-made.wait // timedelta(seconds=1))),
    }
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in known.items() if value]
