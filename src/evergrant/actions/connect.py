"""Connect a shop, or renew its connection: a link is made, a browser leaves for the platform and comes back with a code.

A code's day: `come_back` spends the state, `exchange` makes a grant of the code, `finish` decides whose connection it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from evergrant.actions import consent, exchange, stale
from evergrant.actions.ports import LinkSession, Ports
from evergrant.actions.quarantine import Proved
from evergrant.core import errors, tokens
from evergrant.core.app import WALL, App
from evergrant.core.claim import Why
from evergrant.core.connection import Connection
from evergrant.core.link import Callback, Claimed, Mode, Outcome, Purpose
from evergrant.core.secret import Secret
from evergrant.providers import dialects


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


async def again(session: LinkSession, browser: Secret, ports: Ports) -> Departure:
    """Send a browser that came back with the wrong thing off once more, by the same link.

    Raises:
        LinkError: the link is over.
    """
    if session.is_revoked:
        raise errors.LinkRevokedError
    if session.outcome == Outcome.COMPLETED:
        raise errors.LinkUsedError
    if session.expires_at <= await ports.clock.now(WALL):
        raise errors.LinkExpiredError
    return await leave(session, ports, browser)


async def come_back(callback: Callback, *, app_id: str, browsers: Sequence[Secret], ports: Ports) -> Claimed:
    """Spend the state the browser brought, and keep its code. What the code is worth, `finish` finds out.

    Raises:
        LinkError: there is no state, or it is unknown, spent, too old, another app's or another browser's; or the seller
            refused; or no code came. Nothing was sent to the platform.
    """
    if callback.state is None:
        # Nothing was begun here and nothing granted there: a discarded install, for instance from the platform's store.
        raise errors.StateMissingError if callback.error is None else errors.AuthorizationRefusedError
    if callback.code is not None and callback.error is None:
        return await ports.books.links.claim(callback.state, app_id, browsers, callback.code)
    wrong = errors.CodeMissingError() if callback.error is None else errors.AuthorizationRefusedError()
    now = await ports.clock.now((await ports.books.apps.by_id(app_id)).clock)
    claimed = await ports.books.links.claim(callback.state, app_id, browsers, (wrong, now))
    wrong.session_id = claimed.session_id
    raise wrong


async def finish(claimed: Claimed, ports: Ports) -> None:
    """Turn a kept code into a connection. Called by the door that took the code, and again by a worker if need be.

    Raises:
        PlatformError: the platform cannot be used just now; a worker tries again.
        LinkError: it cannot become a connection; the session says why.
    """
    app = await ports.books.apps.by_id(claimed.app_id)
    proved = await exchange.proved(claimed, app, ports)
    await stale.until_kept(lambda: _settle(claimed, app, proved, ports))


async def resume(unfinished: tuple[Claimed, str], ports: Ports) -> str:
    """Finish what a killed process left; gives the code of what came of it. Raises PlatformError: it is taken again."""
    claimed, stage = unfinished
    return await exchange.resumed(claimed, stage, lambda: finish(claimed, ports), ports)


async def _settle(claimed: Claimed, app: App, proved: Proved, ports: Ports) -> None:
    """Decide whose connection the grant is, by the shops it proves, never by what the browser says."""
    granted, shops = proved.granted, proved.shops
    if not shops:
        raise await exchange.aside(claimed, granted, errors.NoShopsError(), proved.at, ports)
    found = await ports.books.connections.holders(app.id, [shop.id for shop in shops])
    holders = [await ports.books.connections.find(*each) for each in found]
    held = [known for known in holders if not known.is_free_for(claimed.merchant_id)]
    elsewhere = await _elsewhere(app, proved, ports)
    if len(held) > 1 or elsewhere:
        raise await _quarantined(claimed, proved, Why.HELD_ELSEWHERE, held, elsewhere, ports)
    known = held[0] if held else None
    if known is not None and known.open_id != granted.open_id:
        raise await _quarantined(claimed, proved, Why.WRONG_SHOP, held, [], ports)
    failure = await _over(claimed, ports) or _mismatch(claimed, known)
    if known is None and isinstance(failure, errors.WrongShopError):
        raise await _quarantined(claimed, proved, Why.WRONG_SHOP, [], [], ports)
    if failure and not (known and known.is_alive):
        raise await exchange.aside(claimed, granted, failure, proved.at, ports)
    change = consent.change(
        known or consent.fresh(app, claimed.merchant_id, granted, ports), app, granted, proved.at, shops
    )
    if change.why_not:
        raise await exchange.aside(claimed, granted, errors.ConsentOvertakenError(), proved.at, ports)
    due_at = tokens.due_at(issued=proved.at, access_ends=granted.pair.access_ends, jitter=ports.dice.fraction())
    code = failure.code if failure else None
    if not await ports.books.exchanges.complete(claimed, change, granted, due_at=due_at, failure=code):
        raise errors.StateUsedError
    if failure:
        raise failure


async def _elsewhere(app: App, proved: Proved, ports: Ports) -> list[Connection]:
    """Living connections others keep of these shops, under the same app of the platform."""
    holders = await ports.books.quarantine.elsewhere(app, [shop.id for shop in proved.shops])
    return [known for known in holders if not known.is_free_for("")]


async def _quarantined(
    claimed: Claimed,
    proved: Proved,
    why: Why,
    held: Sequence[Connection],
    elsewhere: Sequence[Connection],
    ports: Ports,
) -> errors.LinkError:
    """Keep a grant whose owner this link does not prove, and tell those who hold its shop; gives the error.

    It is kept as a matter of the one connection here that holds the shop: with that it is erased.
    """
    of = held[0].id if len(held) == 1 else None
    await ports.books.quarantine.keep(claimed, proved, why, of=of, contested=[*held, *elsewhere])
    return errors.WrongShopError() if why is Why.WRONG_SHOP else errors.ShopAlreadyConnectedError()


async def _over(claimed: Claimed, ports: Ports) -> errors.LinkError | None:
    """Why the link that asked is not to be used any more, if it is not: it brings one result, once."""
    session = await ports.books.links.find(claimed.tenant_id, claimed.session_id)
    if session.is_revoked:
        return errors.LinkRevokedError()
    return errors.LinkUsedError() if session.outcome == Outcome.COMPLETED else None


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
