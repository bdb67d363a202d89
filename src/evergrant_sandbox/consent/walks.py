"""A walk through the consent pages: how it begins, how it is found again, and who may walk it."""

from dataclasses import dataclass, replace

from evergrant_sandbox import switches
from evergrant_sandbox.book import apps, sellers, visits
from evergrant_sandbox.book.visits import Visit
from evergrant_sandbox.consent import refusals
from evergrant_sandbox.pages.browser import SignedIn
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.world.app import App, AppMarket
from evergrant_sandbox.world.eligibility import hindrance, hindrance_of_all, regions_of
from evergrant_sandbox.world.regions import MARKETS, Market
from evergrant_sandbox.world.seller import Role

# One base address stands for both portals; only a client that keeps the real names tells them apart (wire sheet 1.1).
_US_HOSTS = frozenset({"services.us.tiktokshop.com", "services.tiktokshops.us"})
_OTHER_HOSTS = frozenset({"services.tiktokshop.com"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A walk under way: what was asked for, by which app, and by whom."""

    visit: Visit
    app: App
    who: SignedIn | None

    @property
    def path(self) -> str:
        """Where the walk goes on."""
        return f"/authorize/{self.visit.handle}"


def begin(door: Door, app: App, *, state: str | None, market: str | None) -> Walk:
    """A new walk of this browser. Without a market the prompt asks for it."""
    platform, who = door.platform, door.browser.who()
    new = Visit(
        handle=platform.dice(18).hex(),
        browser=door.browser.id,
        app_key=app.key,
        state=state,
        market=market,
        redirect_url=app.redirect_url,
    )
    door.entry.app_key = app.key
    with platform.book.transaction():
        visits.begin(platform.book, new, wall=int(platform.clock.wall()))
    return Walk(visit=new, app=app, who=who)


def find(door: Door) -> Walk:
    """The walk the path names.

    Raises:
        RefusedError: it is over, or another browser's.
    """
    platform = door.platform
    found = visits.find(platform.book, handle=door.request.path_params["handle"], browser=door.browser.id)
    app = apps.find(platform.book, found.app_key) if found else None
    if found is None or app is None:
        raise refusals.over()
    _check_app(door, app)
    if platform.switches.of(switches.REDIRECT_URL_CHANGE) == "next_walk" and found.redirect_url:
        app = replace(app, redirect_urls=(found.redirect_url,))
    return Walk(visit=found, app=app, who=door.browser.who())


def app_behind(door: Door) -> App:
    """The app a link names.

    Raises:
        RefusedError: there is none, or it belongs to the other portal.
    """
    query, book = door.request.query_params, door.platform.book
    if door.request.url.path == "/oauth/authorize":
        app = apps.find(book, query.get("app_key", ""))
    else:
        app = apps.find_by_service_id(book, query.get("service_id", ""))
        confused = None if app else apps.find(book, query.get("service_id", ""))
        if confused:
            raise refusals.app_key_as_service(confused)
    if app is None:
        raise refusals.unknown_service()
    host = door.request.url.hostname
    is_at_home = app.market is AppMarket.ALL or host not in (_OTHER_HOSTS if app.market is AppMarket.US else _US_HOSTS)
    if not is_at_home:
        raise refusals.other_portal(app)
    _check_app(door, app)
    return app


def consenting(door: Door, walk: Walk) -> SignedIn:
    """Who may consent: the owner, where the app is for this seller.

    Raises:
        RefusedError: somebody else, or nobody.
    """
    who = walk.who
    if who is None:
        raise RefusedError("signed_out", "You are signed out", "Open the app's authorization link again.")
    platform = door.platform
    shops = sellers.shops_of(platform.book, who.seller.id)
    hindered = hindrance(walk.app, who.seller, shops)
    if hindered:
        raise refusals.hindered(hindered, walk.app, platform.switches, way_on=refusals.switch_account(walk.path))
    chosen = market_called(walk.visit.market)
    sells_there = chosen is None or regions_of(who.seller, shops) & set(chosen.regions)
    if chosen and not sells_there and platform.switches.of(switches.WRONG_REGION) == "refused":
        raise refusals.wrong_region(chosen.name, who, region_path=f"{walk.path}/region")
    if platform.reviewer.is_full(walk.app, seller_id=who.seller.id, now=door.now):
        raise refusals.beta_full(walk.app)
    if who.account.role is not Role.OWNER:
        raise refusals.not_the_owner(who, path=walk.path)
    return who


def _check_app(door: Door, app: App) -> None:
    door.entry.app_key = app.key
    nobody = hindrance_of_all(app)
    if nobody:
        raise refusals.hindered(nobody, app, door.platform.switches)


def market_called(code: str | None) -> Market | None:
    """A line of the prompt by its code."""
    return next((market for market in MARKETS if market.code == code), None)
