"""`Idempotency-Key`: a changing call made twice acts once, and is answered twice with the same status and bytes."""

import hashlib
import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evergrant.actions import call
from evergrant.actions.reading import ApiKey
from evergrant.actions.repeating import ONCE_ONLY, Answer, Keeping, Place
from evergrant.core.errors import EvergrantError, IdempotencyKeyReusedError
from evergrant.web import access, loans, problems
from evergrant.web.bodies import whole
from evergrant.web.desk import Desk
from evergrant.web.guard import answer_problem

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LONGEST = 255

NOT_KEPT_ROUTES = frozenset({"POST /v1/tokens"})
"""What they give must be fresh, and is not to be kept."""

REACHING_OUT = frozenset({"POST /v1/connections/import"})
"""They speak to the platform before they answer, so no transaction may span them. Only what is safe to be run again after a
crash may stand here: an import decides each row by what is kept already.
"""

ONCE_ONLY_PLACE = re.compile(
    r"^(?P<method>[A-Z]+) /v1/connections/(?P<connection>[^/]+)/proxy(?P<path>/.*)$", re.DOTALL
)

TOLD_AGAIN = (b"x-error-code", b"x-platform-request-id")
"""Headers that are part of what was said: whose answer it is, and the platform's own id of the call."""

NOTHING_DONE = frozenset({400, 401, 403, 405, 413, 415, 422})
COMES_BACK = 503
"""Answers that say to try again are not kept: the next try is to be a try."""

log = structlog.get_logger("web")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What the application answered, and what broke there, if anything did."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    broke: Exception | None = None

    @property
    def is_worth_keeping(self) -> bool:
        return self.status not in NOTHING_DONE and self.status != COMES_BACK


class Repeats:
    """In front of the API's changing calls."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not is_repeatable(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"idempotency-key"]
        if not given:
            await self._app(scope, receive, send)
            return
        try:
            await self._once(scope, receive, send, given)
        except EvergrantError as error:
            await answer_problem(send, error, scope["state"]["request_id"])

    async def _once(self, scope: Scope, receive: Receive, send: Send, given: list[str]) -> None:
        key = await self._caller(scope)
        if key is None:
            await self._app(scope, receive, send)  # which says what is wrong with it
            return
        if len(given) > 1 or not 0 < len(given[0]) <= LONGEST or not given[0].isprintable():
            raise problems.IdempotencyKeyInvalidError
        self._desk.walls.enter(key.tenant_id)
        place = Place(tenant_id=key.tenant_id, route=_route(scope), key=given[0])
        body = await whole(scope, receive)
        fingerprint = hashlib.sha256(scope["query_string"] + b"\n" + body).digest()
        kept = await self._desk.answers.find(place) or await self._first(scope, receive, body, place, fingerprint)
        if isinstance(kept, _Said):
            await _send(send, kept)
            if kept.broke:
                raise kept.broke
            return
        _may_be_told(kept, fingerprint, key)
        if _is_once(place):
            await self._recorded(place, key, scope["state"]["request_id"])
        known = {"content-type": kept.media_type, **kept.headers, "idempotency-replayed": "true"}
        headers = tuple((name.encode(), value.encode("latin-1")) for name, value in known.items())
        await _send(send, _Said(status=kept.status, headers=headers, body=kept.body))

    async def _first(
        self, scope: Scope, receive: Receive, body: bytes, place: Place, fingerprint: bytes
    ) -> "_Said | Answer":
        """What is said to the first call at this place, kept for the others; or what was kept while this one waited."""
        said = None
        try:
            async with self._alone(place, fingerprint) as keeping:
                if keeping.earlier is not None:
                    return keeping.earlier
                said = await self._said(scope, receive, body)
                if scope["state"].get("is_final", said.is_worth_keeping):
                    await keeping.keep(_answer(said, scope, fingerprint))
        except Exception as error:
            if said is None or not _is_once(place):
                raise
            # The platform has acted, and who asked is told so. The place stays taken: to the others it is not known.
            log.warning("answer.not_kept", request_id=scope["state"]["request_id"], error=type(error).__name__)
        return said

    async def _recorded(self, place: Place, key: ApiKey, request_id: str) -> None:
        """What the platform said leaves again: that stands in the trail first, as the call itself does."""
        found = ONCE_ONLY_PLACE.match(place.route)
        assert found
        now = await call.told_at(place.tenant_id, found["connection"], self._desk.ports)
        detail = {"method": found["method"], "path": found["path"], "at": now.isoformat()}
        entry = loans.entry(key, found["connection"], request_id, "platform.told_again", detail)
        await self._desk.trail.record(entry)

    async def _caller(self, scope: Scope) -> ApiKey | None:
        """Whose call it is; None if it is nobody's who may come in."""
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
        try:
            key = await self._desk.keys.find(access.bearer(shown))
        except problems.DoorError:
            return None
        return None if key is None or key.revoked or key.expired else key

    def _alone(self, place: Place, fingerprint: bytes) -> AbstractAsyncContextManager[Keeping]:
        answers, once = self._desk.answers, _is_once(place)
        if once or place.route in REACHING_OUT:
            return answers.leased(place, fingerprint, once=once)
        return answers.alone(place)

    async def _said(self, scope: Scope, receive: Receive, body: bytes) -> _Said:
        """What the application says to this body. Whatever breaks there is an answer, too."""
        said = _Said(status=0, headers=(), body=b"")
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def receiving() -> Message:
            return given.pop() if given else await receive()

        async def hearing(message: Message) -> None:
            nonlocal said
            if message["type"] == "http.response.start":
                said = replace(said, status=message["status"], headers=tuple(message.get("headers", ())))
            elif message["type"] == "http.response.body":
                said = replace(said, body=said.body + message.get("body", b""))

        try:
            await self._app(scope, receiving, hearing)
        except Exception as error:  # noqa: BLE001  (kept and told, then raised again: the Guard notes it)
            content = problems.encoded(EvergrantError(), scope["state"]["request_id"])
            headers = ((b"content-type", b"application/json"), (b"x-error-code", EvergrantError.code.encode()))
            return _Said(status=500, headers=headers, body=content, broke=error)
        return said


def is_repeatable(method: str, path: str) -> bool:
    """Whether a call looks at the key."""
    return method in CHANGING and path.startswith("/v1/") and f"{method} {path}" not in NOT_KEPT_ROUTES


def _route(scope: Scope) -> str:
    return f"{scope['method']} {scope['path']}"


def _is_once(place: Place) -> bool:
    return re.match(ONCE_ONLY, place.route) is not None


def _answer(said: _Said, scope: Scope, fingerprint: bytes) -> Answer:
    headers = _headers(said)
    return Answer(
        fingerprint=fingerprint,
        scope=scope["state"].get("scope", ""),
        status=said.status,
        media_type=headers.get(b"content-type", b"").decode("latin-1"),
        headers={name.decode(): headers[name].decode("latin-1") for name in TOLD_AGAIN if name in headers},
        body=said.body,
    )


def _headers(said: _Said) -> Mapping[bytes, bytes]:
    return {name.lower(): value for name, value in said.headers}


def _may_be_told(kept: Answer, fingerprint: bytes, key: ApiKey) -> None:
    """Raises unless the same was asked, by a key that may ask it."""
    if kept.scope and kept.scope not in key.scopes:
        raise problems.ApiKeyScopeMissingError(f"This API key lacks the scope `{kept.scope}`.")
    if kept.fingerprint != fingerprint:
        raise IdempotencyKeyReusedError


async def _send(send: Send, said: _Said) -> None:
    length = [] if any(name.lower() == b"content-length" for name, _ in said.headers) else [b"%d" % len(said.body)]
    headers = [*said.headers, *((b"content-length", value) for value in length)]
    await send({"type": "http.response.start", "status": said.status, "headers": headers})
    await send({"type": "http.response.body", "body": said.body})
