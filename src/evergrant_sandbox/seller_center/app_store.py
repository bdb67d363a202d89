"""The App store: the public and published apps this seller can install, and how an install begins."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.book import apps, grants
from evergrant_sandbox.consent import walks
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center.desk import Desk, at_desk
from evergrant_sandbox.world import eligibility
from evergrant_sandbox.world.app import App, Category
from evergrant_sandbox.world.regions import MARKETS
from evergrant_sandbox.world.roles import Deed, Page, may
from evergrant_sandbox.world.scopes import SCOPES
from evergrant_sandbox.world.seller import Kind, Shop

_KINDS = {Category.CONNECTOR: "Connector", Category.OTHER: "Other app"}
_LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One app of the store, as this seller sees it."""

    app: App
    kind: str
    # For how many of the seller's shops it is installed.
    installed: int
    # The shops it could still be installed for.
    open_shops: tuple[Shop, ...]


class AppStore:
    """List, app page, install."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("", ("GET",), self.store),
            ("/{service_id}", ("GET",), self.app),
            ("/{service_id}/install", ("POST",), self.install),
        )
        return [
            at_desk(self._platform, self._pages, f"{Page.APP_STORE}{path}", methods, Page.APP_STORE, seated)
            for path, methods, seated in table
        ]

    async def store(self, desk: Desk) -> Response:
        """All apps the seller can install, or those a search finds."""
        searched = desk.door.request.query_params.get("q", "").strip()[:_LONGEST_SEARCH]
        listed = [app for app in apps.everyone(self._platform.book) if _is_listed(desk, app)]
        found = [self._offered(desk, app) for app in listed if _fits(app, searched)]
        return desk.page("seller_center/app_store.html", found=found, searched=searched, listed=len(listed))

    async def app(self, desk: Desk) -> Response:
        """What an app does, and which data it asks for."""
        app = self._app(desk)
        return desk.page(
            "seller_center/app_page.html",
            offered=self._offered(desk, app),
            scopes=[SCOPES[key] for key in app.scopes],
            may_install=may(desk.who.account.role, Deed.AUTHORIZE_APPS),
        )

    async def install(self, desk: Desk) -> Response:
        """On to the information form, which asks who is there. A walk from the store has no state, its region is the account's."""
        await desk.door.browser.form()
        app = self._app(desk)
        regions = eligibility.regions_of(desk.who.seller, desk.shops)
        market = next((market.code for market in MARKETS if regions & set(market.regions)), None)
        walk = walks.begin(desk.door, app, state=None, market=market)
        still_open = self._offered(desk, app).open_shops
        wanted = f"?target_shop={_likeliest(desk.chosen_shop(), still_open).id}" if still_open else ""
        return RedirectResponse(f"{walk.path}/form{wanted}", 303)

    def _app(self, desk: Desk) -> App:
        app = apps.find_by_service_id(self._platform.book, desk.door.request.path_params["service_id"])
        if app is None or not _is_listed(desk, app):
            raise RefusedError(
                "not_in_the_store",
                "This app is not in the App store",
                "It does not exist, or it is not listed for your shop: only public and published apps for your region and"
                " kind of seller are. Go back to the App store, or ask the app for its authorization link.",
                status=404,
                way_on=("App store", Page.APP_STORE),
            )
        desk.door.entry.app_key = app.key
        return app

    def _offered(self, desk: Desk, app: App) -> Offered:
        standing = grants.of_seller(self._platform.book, app_key=app.key, seller_id=desk.who.seller.id)
        alive = {grant.shop_id for grant in standing if grant.is_alive(desk.now)}
        shops = eligibility.shops_for(app, desk.who.seller, desk.shops)
        is_whole = desk.who.seller.kind is Kind.CROSS_BORDER
        covered = shops if is_whole and None in alive else [shop for shop in shops if shop.id in alive]
        return Offered(
            app=app,
            kind=_KINDS[app.category],
            installed=len(covered),
            open_shops=tuple(shop for shop in shops if shop not in covered),
        )


def _is_listed(desk: Desk, app: App) -> bool:
    return eligibility.is_in_the_store(app, desk.who.seller, desk.shops)


def _fits(app: App, searched: str) -> bool:
    words = f"{app.name} {app.about} {_KINDS[app.category]}".casefold()
    return all(word in words for word in searched.casefold().split())


def _likeliest(chosen: Shop, still_open: tuple[Shop, ...]) -> Shop:
    """The shop the pages are about, if the app is not installed for it yet."""
    return chosen if chosen in still_open else still_open[0]
