"""Connect a shop, or renew its connection: a link is made, a browser leaves for the platform and comes back with a code.

A code's day: `come_back` spends the state, `finish` exchanges the code, lists the shops and decides whose connection it
is. Each step is kept before the next begins, so a worker can finish what a killed process began (reliability reference,
crash points C1 to C7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evergrant.actions import pace, stale
from evergrant.actions.ports import AnswerLostError, LinkSession, NotSentError, Ports, SealingKey
from evergrant.actions.suspects import Whose
from evergrant.core import connection, errors, lifecycle, tokens
from evergrant.core.app import WALL, App
from evergrant.core.authorization import PENDING
from evergrant.core.connection import Change, Connection, Event, Shop
from evergrant.core.link import Callback, Claimed, Mode, Purpose
from evergrant.core.secret import Secret
from evergrant.providers import dialects
from evergrant.providers.wire import (
    CallRefused,
    Granted,
    Misconfigured,
    Refused,
    Reply,
    Suspect,
    Throttled,
    Trouble,
    Unreadable,
)

AT_MOST = 20
AGAIN_SOON = timedelta(seconds=2)
MAY_TELL_LATER = frozenset({Trouble.UNAVAILABLE, Trouble.THROTTLED, Trouble.MISCONFIGURED, Trouble.CLOCK_WRONG})
"""Refusals a second try may cure. Of the others none does: the seller withheld the permission, or took it all back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a link is to be for."""

    tenant_id: str
    merchant_id: str
    app_id: str
    purpose: Purpose
    connection_id: str | None
    mode: Mode
    return_to: str | None
    life: timedelta
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where the browser goes, and the secret it must bring back."""

    session: LinkSession
    consent_url: str
    browser: Secret


async def invite(wanted: Wanted, ports: Ports) -> tuple[LinkSession, Secret]:
    """Make a hosted link; gives the session and the handle that stands in its address."""
    now = await ports.clock.now(WALL)
    session = LinkSession(
        tenant_id=wanted.tenant_id,
        id=ports.dice.identifier("lnk"),
        merchant_id=wanted.merchant_id,
        app_id=wanted.app_id,
        purpose=wanted.purpose,
        connection_id=wanted.connection_id,
        mode=wanted.mode,
        return_to=wanted.return_to,
        created_by=wanted.created_by,
        expires_at=now + wanted.life,
    )
    handle = ports.dice.secret()
    expires_at = await ports.books.links.add(session, handle, wanted.life)
    return replace(session, expires_at=expires_at), handle


async def leave(session: LinkSession, ports: Ports, browser: Secret | None = None) -> Departure:
    """Send a browser to the platform with a state of its own; `browser` is what it carries from an earlier departure."""
    app = await ports.books.apps.by_id(session.app_id)
    state, browser = ports.dice.secret(), browser or ports.dice.secret()
    await ports.books.links.depart(session, ports.dice.identifier("req"), state, browser)
    url = dialects.named(app.provider).consent_url(app, state)
    return Departure(session=session, consent_url=url, browser=browser)


async def come_back(callback: Callback, *, app_id: str, browsers: Sequence[Secret], ports: Ports) -> Claimed:
    """Spend the state the browser brought, and keep its code. What the code is worth, `finish` finds out.

    Raises:
        LinkError: there is no state, or it is unknown, spent, too old, another app's or another browser's; or the seller
            refused; or no code came. Nothing was sent to the platform.
    """
    if callback.state is None:
        # Nothing was begun here and nothing granted there: a discarded install, for instance from the platform's store.
        raise errors.StateMissingError if callback.error is None else errors.AuthorizationRefusedError
    claimed = await ports.books.links.claim(callback.state, app_id, browsers, callback.code)
    if callback.error is not None:
        raise await _failed(claimed, errors.AuthorizationRefusedError(), ports)
    if callback.code is None:
        raise await _failed(claimed, errors.CodeMissingError(), ports)
    return claimed


async def finish(claimed: Claimed, ports: Ports) -> None:
    """Turn a kept code into a connection. Called by the door that took the code, and again by a worker if need be.

    Raises:
        PlatformError: the platform cannot be used just now; a worker tries again.
        LinkError: it cannot become a connection; the session says why.
    """
    app = await ports.books.apps.by_id(claimed.app_id)
    kept = await ports.books.exchanges.answer(claimed)
    if kept is None:
        kept = await _exchange(claimed, app, ports)
    granted, granted_at = kept
    shops = await _shops(claimed, app, granted, granted_at, ports)
    await stale.until_kept(lambda: _settle(claimed, app, granted, granted_at, shops, ports))


async def resume(unfinished: tuple[Claimed, str], ports: Ports) -> str:
    """Finish what a killed process left; gives the code of what came of it.

    Raises:
        PlatformError: the platform cannot be used just now; the request will be taken again.
    """
    claimed, stage = unfinished
    match stage:
        case "sent":
            return await _lost(claimed, ports)
        case "overdue":
            return (await _failed(claimed, errors.PlatformUnavailableError(), ports)).code
        case "unplaced":
            return await _unplaced(claimed, ports)
        case _:
            try:
                await finish(claimed, ports)
            except errors.LinkError as error:
                return error.code
            return "finished"


async def _lost(claimed: Claimed, ports: Ports) -> str:
    """The code was shown, and its answer is not in the books: on this machine's disk, perhaps, or nowhere."""
    await ports.books.exchanges.heal()
    error = errors.ExchangeOutcomeLostError()
    app = await ports.books.apps.by_id(claimed.app_id)
    await ports.books.exchanges.lost(claimed, error.code, await ports.clock.now(app.clock))
    return error.code


async def _unplaced(claimed: Claimed, ports: Ports) -> str:
    """For a day the platform did not tell which shops the grant covers: keep the pair, and let the seller try again."""
    kept = await ports.books.exchanges.answer(claimed)
    if kept is None:
        return "finished"
    granted, granted_at = kept
    return (await _aside(claimed, granted, errors.ShopsNotReadableError(), granted_at, ports)).code


async def _exchange(claimed: Claimed, app: App, ports: Ports) -> tuple[Granted, datetime]:
    dialect = dialects.named(app.provider)
    shown = await ports.books.exchanges.begin(claimed)
    if shown is None:
        raise errors.PlatformUnavailableError("This authorization is being finished already. Wait a moment.")
    try:
        reply = await pace.send(app.id, dialect.exchange_request(app, shown.code), ports)
    except NotSentError as error:
        await ports.books.exchanges.put_back(claimed, AGAIN_SOON)
        raise errors.PlatformUnavailableError from error
    except AnswerLostError as error:
        raise await _failed(claimed, errors.ExchangeOutcomeLostError(), ports) from error
    now = await ports.clock.now(app.clock)
    granted = await _read(claimed, app, reply, now, shown.key, ports)
    await ports.books.exchanges.keep_answer(claimed, shown.key, granted, now)
    await ports.books.paces.reached(app.id)
    await ports.books.apps.refused(app.id, False)
    return granted, now


async def _read(claimed: Claimed, app: App, reply: Reply, now: datetime, key: SealingKey, ports: Ports) -> Granted:
    dialect = dialects.named(app.provider)
    match dialect.read_tokens(reply, now):
        case Granted() as granted if app.is_production and granted.pair.access.reveal().partition("_")[2].startswith(
            dialect.SANDBOX_MARK
        ):
            raise await _failed(claimed, errors.SandboxTokenError(), ports)
        case Granted() as granted if granted.user_type not in dialect.SELLER_USER_TYPES:
            raise await _failed(claimed, errors.WrongUserTypeError(), ports)
        case Granted(keeps_refresh=True):  # a first pair has none that could be kept
            raise await _failed(claimed, errors.ExchangeOutcomeLostError(), ports)
        case Granted() as granted:
            return granted
        case Suspect() as suspect:
            whose = Whose(tenant_id=claimed.tenant_id, app_id=app.id, owner_id=claimed.request_id, key=key)
            await ports.books.suspects.keep(whose, suspect, now)
            raise await _failed(claimed, errors.ExchangeOutcomeLostError(), ports)
        case Throttled(wait=wait):
            await ports.books.paces.rest(app.id, wait, "told_to_wait")
            await ports.books.exchanges.put_back(claimed, wait)
            raise errors.PlatformThrottledError
        case Misconfigured():
            await ports.books.apps.refused(app.id, True)
            raise await _failed(claimed, errors.AppCredentialsError(), ports)
        case Refused():
            raise await _failed(claimed, errors.CodeRefusedError(), ports)
        case Unreadable():
            raise await _failed(claimed, errors.ExchangeOutcomeLostError(), ports)


async def _failed(claimed: Claimed, error: errors.EvergrantError, ports: Ports) -> errors.EvergrantError:
    app = await ports.books.apps.by_id(claimed.app_id)
    await ports.books.links.fail(claimed, error.code, await ports.clock.now(app.clock))
    if isinstance(error, errors.LinkError):
        error.session_id = claimed.session_id
    return error


async def _shops(claimed: Claimed, app: App, granted: Granted, granted_at: datetime, ports: Ports) -> tuple[Shop, ...]:
    """The shops the grant covers. A grant that cannot tell is set aside; a platform that cannot tell is asked again."""
    dialect = dialects.named(app.provider)
    request = dialect.shops_request(app, granted.pair.access, await ports.clock.now(app.clock))
    try:
        found = dialect.read_shops(await ports.platform.send(request))
    except (NotSentError, AnswerLostError) as error:
        await ports.books.exchanges.again(claimed, AGAIN_SOON)
        raise errors.PlatformUnavailableError from error
    if not isinstance(found, CallRefused):
        return found
    if found.trouble not in MAY_TELL_LATER:
        raise await _aside(claimed, granted, errors.ShopsNotReadableError(), granted_at, ports)
    await ports.books.exchanges.again(claimed, found.wait or AGAIN_SOON)
    raise errors.PlatformThrottledError if found.trouble is Trouble.THROTTLED else errors.PlatformBadResponseError


async def _settle(
    claimed: Claimed, app: App, granted: Granted, granted_at: datetime, shops: Sequence[Shop], ports: Ports
) -> None:
    """Decide whose connection the grant is, by the shops it proves, never by what the browser says."""
    if not shops:
        raise await _aside(claimed, granted, errors.NoShopsError(), granted_at, ports)
    found = await ports.books.connections.holders(app.id, [shop.id for shop in shops])
    holders = [await ports.books.connections.find(*each) for each in found]
    held = [known for known in holders if not known.is_free_for(claimed.merchant_id)]
    if len(held) > 1:
        raise await _aside(claimed, granted, errors.ShopAlreadyConnectedError(), granted_at, ports)
    known = held[0] if held else None
    if known is not None and known.open_id != granted.open_id:
        raise await _aside(claimed, granted, errors.WrongShopError(), granted_at, ports)
    failure = await _over(claimed, ports) or _mismatch(claimed, known)
    if failure and not (known and known.is_alive):
        raise await _aside(claimed, granted, failure, granted_at, ports)
    change = _change(known or _fresh(claimed, app, granted, ports), app, granted, granted_at, shops)
    if change.why_not:
        raise await _aside(claimed, granted, errors.ConsentOvertakenError(), granted_at, ports)
    due_at = tokens.due_at(issued=granted_at, access_ends=granted.pair.access_ends, jitter=ports.dice.fraction())
    code = failure.code if failure else None
    if not await ports.books.exchanges.complete(claimed, change, granted, due_at=due_at, failure=code):
        raise errors.StateUsedError
    if failure:
        raise failure


async def _over(claimed: Claimed, ports: Ports) -> errors.LinkError | None:
    """Why the link that asked is not to be used any more, if it is not: it brings one result, once."""
    session = await ports.books.links.find(claimed.tenant_id, claimed.session_id)
    if session.is_revoked:
        return errors.LinkRevokedError()
    return errors.LinkUsedError() if session.outcome == "completed" else None


def _mismatch(claimed: Claimed, known: Connection | None) -> errors.LinkError | None:
    """Why the session that asked does not get this grant, if it does not.

    The pair is kept by the living connection whose shop it is in any case (design, section 4: adopted sealed): the
    exchange may already have killed the old pair. What has ended is not brought back by somebody else's link.
    """
    if claimed.connection_id is not None:
        return None if known is not None and known.id == claimed.connection_id else errors.WrongShopError()
    if known is None or (known.tenant_id, known.merchant_id) == (claimed.tenant_id, claimed.merchant_id):
        return None
    return errors.ShopAlreadyConnectedError()


def _fresh(claimed: Claimed, app: App, granted: Granted, ports: Ports) -> Connection:
    return Connection(
        tenant_id=claimed.tenant_id,
        id=ports.dice.identifier("con"),
        merchant_id=claimed.merchant_id,
        app_id=app.id,
        provider=app.provider,
        region=app.region,
        open_id=granted.open_id,
        seller_name=granted.seller_name,
        clock=app.clock,
        authorization=PENDING,
        revision=0,
    )


def _change(known: Connection, app: App, granted: Granted, granted_at: datetime, shops: Sequence[Shop]) -> Change:
    """The connection after this consent: a new end, the shops it covers, every flow as the gate says."""
    news = lifecycle.News(
        kind=lifecycle.Kind.GRANTED, at=granted_at, ends=granted.pair.refresh_ends, scopes=granted.scopes
    )
    needs = dialects.named(app.provider).FLOW_SCOPES
    change = connection.apply(connection.regranted(known, shops), news, needs=needs, now=granted_at)
    lost = known.authorization.scopes - granted.scopes
    told = (Event(type="connection.scopes_changed", data={"lost": sorted(lost)}),) if lost else ()
    return replace(change, before=known, events=(*change.events, *told))


async def _aside(
    claimed: Claimed, granted: Granted, error: errors.LinkError, now: datetime, ports: Ports
) -> errors.LinkError:
    await ports.books.exchanges.set_aside(claimed, granted, error.code, now)
    return error
