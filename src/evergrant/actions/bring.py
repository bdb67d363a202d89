"""Bring in tokens a vendor already holds: each pair is checked with the platform by its access token, then kept and refreshed.

The refresh token is not shown for the check: a pair that is refused here stays as good as it was. A pair that is kept falls
due at once, so that the first refresh proves the rest, and the vendor's own copy is outlived where refresh tokens rotate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evergrant.actions import consent, stale
from evergrant.actions.ports import AnswerLostError, NotSentError, Ports
from evergrant.core import errors, tokens
from evergrant.core.app import App
from evergrant.core.connection import Connection, Shop
from evergrant.core.secret import Secret
from evergrant.core.tokens import TokenPair
from evergrant.providers import dialects
from evergrant.providers.wire import CallRefused, Granted, Trouble

MOST = 100
ENDED = "A connection of this shop has ended here. Make a link that renews it: the seller's consent brings it back."


class RefreshTokenMissingError(errors.EvergrantError):
    """An authorization without its refresh token cannot be kept alive. Send the refresh token, or have the seller consent anew."""

    code = "refresh_token_missing"


class TokensRefusedError(errors.EvergrantError):
    """TikTok does not accept this access token any more, or it has ended. Refresh it once more on your side, then bring it."""

    code = "tokens_refused"


REFUSALS: dict[Trouble, type[errors.EvergrantError]] = {
    Trouble.AUTHORIZATION_GONE: TokensRefusedError,
    Trouble.TOKEN_EXPIRED: TokensRefusedError,
    Trouble.WRONG_SHOP: TokensRefusedError,
    Trouble.SCOPE_MISSING: errors.ShopsNotReadableError,
    Trouble.THROTTLED: errors.PlatformThrottledError,
    Trouble.MISCONFIGURED: errors.AppCredentialsError,
}
"""What the check came to; whatever is not here is the platform's bad day."""

NOT_NOW = (errors.PlatformUnavailableError, errors.PlatformThrottledError, errors.AppCredentialsError)
"""After one of these nothing more is asked for the rows that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One row: whose it is, and the pair as the platform gave it to the vendor. `refresh_ends` is the authorization's end."""

    merchant_id: str
    app_id: str
    access: Secret
    access_ends: datetime
    refresh: Secret | None
    refresh_ends: datetime
    open_id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a row: `imported` or `already_held` with the connection, or `refused` with the error that says why."""

    result: str
    connection_id: str | None = None
    error: errors.EvergrantError | None = None


async def rows(tenant_id: str, given: Sequence[Given], *, actor: str, ports: Ports) -> list[Came]:
    """Bring rows in, one after the other. A row that is refused changes nothing, and nothing of it is kept."""
    came: list[Came] = []
    stopped: dict[str, errors.EvergrantError] = {}
    for row in given:
        try:
            if row.app_id in stopped:
                raise stopped[row.app_id]
            came.append(await _one(tenant_id, row, actor, ports))
        except errors.EvergrantError as error:
            came.append(Came(result="refused", error=error))
            if isinstance(error, NOT_NOW):
                stopped[row.app_id] = error
    return came


async def _one(tenant_id: str, row: Given, actor: str, ports: Ports) -> Came:
    app = await ports.books.apps.by_id(row.app_id)
    if app.tenant_id != tenant_id:
        raise errors.NotFoundError("There is no such app.")
    await ports.books.custody.imports.check_merchant(tenant_id, row.merchant_id)
    now = await ports.clock.now(app.clock)
    pair = _pair(row, app, now)
    held = await ports.books.custody.imports.holders(app, pair.refresh)
    own = next((known for known in held if (known.tenant_id, known.app_id) == (tenant_id, app.id)), None)
    if own is not None:
        return _already(own, row)
    _nobody_elsewhere(held)
    shops = await _shops(app, pair.access, now, ports)
    return await stale.until_kept(lambda: _settle(row, app, pair, shops, now, actor, ports))


def _pair(row: Given, app: App, now: datetime) -> TokenPair:
    """The pair, if it is whole, alive, believable, and from the platform this app speaks to."""
    if not row.refresh:
        raise RefreshTokenMissingError
    mark = dialects.named(app.provider).SANDBOX_MARK
    shown = (row.access.reveal(), row.refresh.reveal())
    if app.is_production and any(token.partition("_")[2].startswith(mark) for token in shown):
        raise errors.SandboxTokenError
    if row.access_ends <= now or row.refresh_ends <= now:
        raise TokensRefusedError
    pair = TokenPair(access=row.access, access_ends=row.access_ends, refresh=row.refresh, refresh_ends=row.refresh_ends)
    if not tokens.is_sane(pair, now):
        raise errors.InvalidRequestError("The ends lie further ahead than TikTok gives: seconds, milliseconds?")
    return pair


async def _shops(app: App, access: Secret, now: datetime, ports: Ports) -> tuple[Shop, ...]:
    dialect = dialects.named(app.provider)
    try:
        found = dialect.read_shops(await ports.platform.send(dialect.shops_request(app, access, now)))
    except (NotSentError, AnswerLostError) as error:
        raise errors.PlatformUnavailableError from error
    if isinstance(found, CallRefused):
        raise REFUSALS.get(found.trouble, errors.PlatformBadResponseError)
    if not found:
        raise errors.NoShopsError
    if any(not dialect.sells_in(app.region, shop.region) for shop in found):
        raise errors.WrongRegionError
    return found


async def _settle(
    row: Given, app: App, pair: TokenPair, shops: Sequence[Shop], now: datetime, actor: str, ports: Ports
) -> Came:
    """Whose the shops are here already decides, as for a consent; somebody else's are told nothing of."""
    shop_ids = [shop.id for shop in shops]
    found = await ports.books.connections.holders(app.id, shop_ids)
    known = [await ports.books.connections.find(*each) for each in found]
    held = [each for each in known if not each.is_free_for(row.merchant_id)]
    if len(held) > 1:
        raise errors.ShopAlreadyConnectedError
    if held:
        return _already(held[0], row)
    _nobody_elsewhere(await ports.books.quarantine.elsewhere(app, shop_ids))
    granted = Granted(
        pair=pair, open_id=row.open_id, user_type=0, seller_name=shops[0].name, region=app.region, scopes=row.scopes
    )
    change = consent.change(consent.fresh(app, row.merchant_id, granted, ports), app, granted, now, shops)
    await ports.books.custody.imports.keep(change, granted, due_at=now, actor=actor)
    return Came(result="imported", connection_id=change.after.id)


def _nobody_elsewhere(holders: Sequence[Connection]) -> None:
    """A grant is refreshed in one place: not where others keep it under the same app of the platform."""
    if any(not holder.is_free_for("") for holder in holders):
        raise errors.ShopAlreadyConnectedError


def _already(known: Connection, row: Given) -> Came:
    if known.merchant_id != row.merchant_id:
        raise errors.ShopAlreadyConnectedError
    if known.open_id != row.open_id:
        raise errors.WrongShopError
    if not known.is_alive:
        raise errors.ConflictError(ENDED)
    return Came(result="already_held", connection_id=known.id)
