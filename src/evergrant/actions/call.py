"""Call the platform for the vendor's own code: at the shop's pace, signed and authorized, and only while the gate is open."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evergrant.actions import admission
from evergrant.actions.ports import AnswerLostError, NotSentError, Ports
from evergrant.core import errors, gate, tokens
from evergrant.core.app import App
from evergrant.core.connection import Connection, Shop
from evergrant.core.secret import Secret
from evergrant.providers import dialects
from evergrant.providers.wire import Access, Call, CallRefused, Request, Trouble

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Never sent a second time by itself, and a lost answer to them is not known to have done nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be called, and for which shop. `is_bare`: no shop is told, whatever the platform's paths say."""

    tenant_id: str
    connection_id: str
    call: Call
    shop_id: str | None = None
    is_bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A call that may be made. `paced` is the shop at whose pace it is made."""

    wanted: Wanted
    app: App
    paced: Shop | None
    access: Access
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the platform answered. `wait` is how long it asks to wait."""

    status: int
    media_type: str
    body: bytes
    request_id: str
    wait: timedelta | None


async def ready(wanted: Wanted, ports: Ports) -> Ready:
    """Everything the call needs, once its turn has come, if it may be made then.

    Raises:
        NotFoundError: there is no such connection, or it has no such shop.
        PathRefusedError: it is no call of the platform's API.
        InvalidRequestError: it sets what only the hub sets, or does not say which shop it is about.
        ShutError: the authorization is not alive, or does not cover the shop.
        TokenBeingRefreshedError: the authorization is alive, its token is not.
        PaceExceededError: the shop is called as fast as it may be.
    """
    known = await ports.books.connections.find(wanted.tenant_id, wanted.connection_id)
    dialect = dialects.named(known.provider)
    if not dialect.is_call(wanted.call.path):
        raise errors.PathRefusedError
    _sets_nothing_of_ours(wanted.call, dialect.OURS)
    app = await ports.books.apps.by_id(known.app_id)
    shop = _let_in(known, wanted, await ports.clock.now(app.clock))
    paced = shop or next(iter(known.shops), None)
    if paced is not None:
        wait = await ports.books.shop_paces.take((known.tenant_id, known.id, paced.id))
        if wait:
            raise errors.PaceExceededError(wait)
    known, now = await _now(wanted, app, ports)
    shop = _let_in(known, wanted, now)
    token = await _token(known, now, ports)
    return Ready(
        wanted=wanted, app=app, paced=paced, access=Access(token=token, cipher=shop.cipher if shop else None), now=now
    )


async def signed(prepared: Ready, ports: Ports) -> Request:
    """The call as it leaves, right before it does. Raises ShutError: the gate was shut meanwhile."""
    wanted, app = prepared.wanted, prepared.app
    known, now = await _now(wanted, app, ports)
    _let_in(known, wanted, now)
    return dialects.named(app.provider).call_request(app, wanted.call, prepared.access, now)


async def make(prepared: Ready, request: Request, ports: Ports) -> Made:
    """Make the call, once, and do what its answer asks of the hub.

    Raises:
        PlatformUnavailableError: it provably did nothing.
        CallOutcomeUnknownError: it may have changed something, and no whole answer came back.
        TokenBeingRefreshedError: the platform calls the token expired; it did nothing, and another one is on its way.
    """
    changes = request.method in CHANGING
    try:
        reply = await ports.platform.send(request, once=changes)
    except NotSentError as error:
        raise errors.PlatformUnavailableError from error
    except AnswerLostError as error:
        raise (errors.CallOutcomeUnknownError if changes else errors.PlatformUnavailableError) from error
    answer = dialects.named(prepared.app.provider).read_call(reply, prepared.access.token)
    if answer.refused is not None:
        await _refused(prepared, answer.refused, ports)
    return Made(
        status=reply.status,
        media_type=reply.media_type,
        body=answer.body,
        request_id=answer.request_id,
        wait=answer.refused.wait if answer.refused else None,
    )


async def told_at(tenant_id: str, connection_id: str, ports: Ports) -> datetime:
    """What time it is for a connection whose call is told again."""
    known = await ports.books.connections.find(tenant_id, connection_id)
    return await ports.clock.now((await ports.books.apps.by_id(known.app_id)).clock)


def _sets_nothing_of_ours(call: Call, ours: frozenset[str]) -> None:
    names = [name for name, _ in call.query]
    mine = sorted(ours.intersection(name.lower() for name in names))
    if mine:
        raise errors.InvalidRequestError(f"Leave out {', '.join(mine)}: the hub sets it on every call.")
    if len(set(names)) < len(names):
        raise errors.InvalidRequestError(
            "A parameter is given more than once, and the platform's signature knows each once."
        )


async def _now(wanted: Wanted, app: App, ports: Ports) -> tuple[Connection, datetime]:
    known = await ports.books.connections.find(wanted.tenant_id, wanted.connection_id)
    return known, await ports.clock.now(app.clock)


def _let_in(known: Connection, wanted: Wanted, now: datetime) -> Shop | None:
    """The shop the call is about, if it is about one. Raises ShutError."""
    _open(gate.for_token(known.authorization, now))
    shop = _shop(known, wanted, is_needed=dialects.named(known.provider).takes_cipher(wanted.call.path))
    if shop is not None:
        decided = gate.for_flow(
            known.authorization, required=frozenset(), shop_authorized=shop.authorized, paused_by_vendor=False, now=now
        )
        _open(decided)
    return shop


def _open(decided: gate.Gate) -> None:
    if not decided.open:
        assert decided.why is not None
        raise gate.ShutError(decided.why)


def _shop(known: Connection, wanted: Wanted, *, is_needed: bool) -> Shop | None:
    """The shop whose cipher goes along: the one named, the only one, or none where the platform wants none."""
    if wanted.is_bare:
        return None
    if wanted.shop_id is not None:
        found = next((shop for shop in known.shops if shop.id == wanted.shop_id), None)
        if found is None:
            raise errors.NotFoundError("This connection has no such shop.")
        return found
    if not is_needed:
        return None
    if len(known.shops) != 1:
        raise errors.InvalidRequestError("This connection has several shops, or none: say which one with shop_id.")
    return known.shops[0]


async def _token(known: Connection, now: datetime, ports: Ports) -> Secret:
    found = await ports.books.tokens.access(known.tenant_id, known.id)
    if found is None or found[1] <= now:
        await ports.books.tokens.want(known.tenant_id, known.id, now, until=now)
        raise errors.TokenBeingRefreshedError
    return found[0]


async def _refused(prepared: Ready, refusal: CallRefused, ports: Ports) -> None:
    """The same as a poll does, but for a refusal the caller's own parameters may bring about: that suspends nothing."""
    wanted, paced = prepared.wanted, prepared.paced
    match refusal.trouble:
        case Trouble.TOKEN_EXPIRED:
            now = prepared.now
            await ports.books.tokens.want(wanted.tenant_id, wanted.connection_id, now, issued_before=now - tokens.FRESH)
            raise errors.TokenBeingRefreshedError
        case Trouble.AUTHORIZATION_GONE:
            await admission.suspend(
                wanted.tenant_id, wanted.connection_id, prepared.app, prepared.now, ports, actor="proxy"
            )
        case Trouble.THROTTLED if paced is not None and refusal.wait is not None:
            await ports.books.shop_paces.throttled((wanted.tenant_id, wanted.connection_id, paced.id), refusal.wait)
        case _:
            pass
