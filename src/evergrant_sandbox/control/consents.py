"""`/_sandbox/authorize` and `/grants`: consent without a browser, and what sellers and the platform do to it later."""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.acts.consent import Consent, covers_all_shops
from evergrant_sandbox.book import development_shops, grants, pairs, sellers
from evergrant_sandbox.book.grants import Filter
from evergrant_sandbox.clock import read_duration
from evergrant_sandbox.control.apps import app_of
from evergrant_sandbox.control.shapes import GrantView, grant_view
from evergrant_sandbox.control.steering import SteeringError, number_of, read, steer
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import grant as rules
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.eligibility import Hindrance, hindrance, shops_for
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.seller import Account, Role, Seller, Shop
from evergrant_sandbox.world.tokens import Half, Seal, sha256

_YEAR = "365d"
_HINDRANCES = {
    Hindrance.DEACTIVATED: (403, "app_deactivated", "The app was deactivated for good; authorize another."),
    Hindrance.NO_REDIRECT_URL: (409, "api_not_enabled", "The app has no Redirect URL; give it one first."),
    Hindrance.IN_DEVELOPMENT: (
        403,
        "app_in_development",
        "Only test accounts can authorize an app that is not published.",
    ),
    Hindrance.SELLER_TYPE: (403, "seller_type", "The app is not made for sellers of this kind; see its seller_types."),
    Hindrance.REGION: (403, "region_restriction", "The app is for another market than the seller's; see its market."),
}


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A consent without a browser."""

    app: str
    seller: str
    shop: str | None = None
    period: str = _YEAR
    scopes: tuple[str, ...] | None = None
    state: Annotated[str, Meta(max_length=4096)] | None = None


class Renewal(msgspec.Struct, forbid_unknown_fields=True):
    """A renewal in Seller Center; without a period, the one before."""

    period: str | None = None


class Authorized(msgspec.Struct, frozen=True):
    """What came of a consent: the code, and where the browser would be sent with it."""

    code: str
    redirect_url: str
    grant_id: str


class Renewed(msgspec.Struct, frozen=True):
    """What came of a renewal; a code only if Seller Center calls the app back (switch `seller_center_renewal`)."""

    grant: GrantView
    code: str | None
    redirect_url: str | None


class Grants(msgspec.Struct, frozen=True):
    """A page of grants; `next` goes into `after`."""

    items: list[GrantView]
    next: str | None


class Consents:
    """Consents and grants."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._book = platform.book

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/authorize", "POST", self.authorize, status=201),
            steer(self._platform, "/grants", "GET", self.grants),
            steer(self._platform, "/grants/{id}", "GET", self.grant),
            steer(self._platform, "/grants/{id}/cancel", "POST", self.cancel),
            steer(self._platform, "/grants/{id}/deactivate", "POST", self.deactivate),
            steer(self._platform, "/grants/{id}/renew", "POST", self.renew),
        ]

    async def authorize(self, request: Request) -> Authorized:
        """What the consent pages do, in one call."""
        asked = await read(request, Asked)
        app = app_of(self._platform, asked.app)
        account, seller = self._owner(asked.seller)
        if development_shops.has_expired(self._book, seller.id, now=self._platform.clock.now()):
            raise SteeringError("test_account_expired", f"{account.email} has to be reactivated first.", status=409)
        self._admit(app, seller)
        consent = Consent(
            app=app,
            seller=seller,
            shop=self._shop(app, seller, asked.shop),
            period=_seconds(asked.period),
            scopes=_scopes(app, asked.scopes),
            contact_email=account.email,
            contact_phone=seller.phone,
            route=rules.Route.LINK,
        )
        given = self._platform.registry.by_link(consent, state=asked.state, now=self._platform.clock.now())
        self._platform.agenda.wake()
        return Authorized(code=given.code, redirect_url=given.url, grant_id=str(given.grant.id))

    async def grants(self, request: Request) -> Grants:
        """Grants in the order of their ids."""
        limit = number_of(request, "limit", 100, most=1000)
        seller = request.query_params.get("seller")
        wanted = Filter(
            app_key=request.query_params.get("app"),
            seller_id=self._owner(seller)[1].id if seller else None,
            shop_id=request.query_params.get("shop"),
            after=number_of(request, "after", 0, most=2**63 - 1),
            limit=limit,
        )
        found = grants.listed(self._book, wanted)
        following = str(found[-1].id) if len(found) == limit and found else None
        return Grants(items=[self._view(grant) for grant in found], next=following)

    async def grant(self, request: Request) -> GrantView:
        """One grant."""
        return self._view(self._grant(request))

    async def cancel(self, request: Request) -> GrantView:
        """The seller cancels; notice 6 goes out."""
        self._platform.undertaker.cancel(self._grant(request), now=self._platform.clock.now())
        self._platform.agenda.wake()
        return self._view(self._grant(request))

    async def deactivate(self, request: Request) -> GrantView:
        """The platform deactivates; whether notice 6 goes out is a switch."""
        self._platform.undertaker.deactivate(self._grant(request), now=self._platform.clock.now())
        self._platform.agenda.wake()
        return self._view(self._grant(request))

    async def renew(self, request: Request) -> Renewed:
        """The seller renews in Seller Center."""
        asked = await read(request, Renewal)
        grant = self._grant(request)
        period = _seconds(asked.period) if asked.period else grant.period
        given = self._platform.registry.in_seller_center(grant, period=period, now=self._platform.clock.now())
        self._platform.agenda.wake()
        return Renewed(grant=self._view(self._grant(request)), code=given.code or None, redirect_url=given.url or None)

    def _owner(self, who: str) -> tuple[Account, Seller]:
        account = sellers.account(self._book, who)
        seller = sellers.find(self._book, account.seller_id if account else who)
        if seller is None:
            raise SteeringError(
                "unknown_seller", f"Nobody signs in as {who!r}; GET /_sandbox/world lists the sellers.", status=404
            )
        if account is not None and account.role is not Role.OWNER:
            raise SteeringError("not_the_owner", "Only the shop owner may authorize.", status=403)
        return account or sellers.accounts_of(self._book, seller.id)[0], seller

    def _admit(self, app: App, seller: Seller) -> None:
        hindered = hindrance(app, seller, sellers.shops_of(self._book, seller.id))
        if hindered:
            status, code, sentence = _HINDRANCES[hindered]
            raise SteeringError(code, sentence, status=status)
        if self._platform.reviewer.is_full(app, seller_id=seller.id, now=self._platform.clock.now()):
            raise SteeringError(
                "beta_full", "The connector has all the authorizations it may have until it is approved.", status=403
            )

    def _shop(self, app: App, seller: Seller, wanted: str | None) -> Shop | None:
        shops = shops_for(app, seller, sellers.shops_of(self._book, seller.id))
        if not shops:
            raise SteeringError("no_shop", f"{seller.name} has no shop to authorize.", status=409)
        if wanted is None:
            return None if covers_all_shops(seller) else shops[0]
        for shop in shops:
            if wanted in {shop.id, shop.name}:
                return None if covers_all_shops(seller) else shop
        names = ", ".join(f"{shop.id} ({shop.name})" for shop in shops)
        raise SteeringError("unknown_shop", f"{seller.name} has no shop {wanted!r}; there are {names}.", status=404)

    def _grant(self, request: Request) -> Grant:
        given = request.path_params["id"]
        number = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else -1
        grant = grants.find(self._book, number)
        if grant is None:
            raise SteeringError(
                "unknown_grant", f"No grant has the id {given!r}; GET /_sandbox/grants lists them.", status=404
            )
        return grant

    def _view(self, grant: Grant) -> GrantView:
        seller = sellers.find(self._book, grant.seller_id)
        if seller is None:
            raise SteeringError("unknown_seller", "The seller of this grant is gone.", status=404)
        newest = pairs.newest(self._book, grant.id)
        return grant_view(
            grant,
            seller=seller,
            email=sellers.accounts_of(self._book, seller.id)[0].email,
            shops=sellers.shops_covered(self._book, seller_id=seller.id, shop_id=grant.shop_id),
            refresh_sha256=self._hash(Half.REFRESH, grant, newest.refresh),
            access_sha256=self._hash(Half.ACCESS, grant, newest.access),
            now=self._platform.clock.now(),
        )

    def _hash(self, half: Half, grant: Grant, seal: Seal | None) -> str | None:
        return sha256(self._platform.mint.token(half, prefix=grant.prefix, seal=seal)).hex() if seal else None


def _seconds(period: str) -> int:
    try:
        seconds = read_duration(period)
    except ValueError as error:
        raise SteeringError("invalid_period", f"{str(error).capitalize()}.") from error
    if seconds < 1:
        raise SteeringError("invalid_period", "A period is at least a second.")
    return seconds


def _scopes(app: App, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    if wanted is None:
        return app.scopes
    strange = [scope for scope in wanted if scope not in app.scopes]
    if strange or not wanted:
        raise SteeringError("invalid_scopes", f"{app.name} asks for {', '.join(app.scopes)}; name some of these.")
    return tuple(dict.fromkeys(wanted))
