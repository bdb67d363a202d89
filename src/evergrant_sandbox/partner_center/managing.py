"""Manage account: a test account is signed in, authorizes an app, gives out a token, and gets test orders."""

import msgspec
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.acts.trade import GivenOrder
from evergrant_sandbox.book import goods, grants
from evergrant_sandbox.book.goods import OrderSearch
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.consent import refusals
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center import development_shops
from evergrant_sandbox.partner_center.desk import Desk, at_desk
from evergrant_sandbox.partner_center.development_shops import PATH, TestAccount
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import development_shop as rules
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.eligibility import Hindrance, hindrance
from evergrant_sandbox.world.order import Order, OrderStatus
from evergrant_sandbox.world.scopes import SCOPES
from evergrant_sandbox.world.tokens import sha256

_SELLER_CENTER = "/seller"
_MOST_AT_ONCE = 10
_ORDERS_SHOWN = 20
# A token goes nowhere, so it needs no Redirect URL.
_NONE_FOR_TOKENS = frozenset({None, Hindrance.NO_REDIRECT_URL})
_SAID = {
    "created": "The test account was created. It is bound to your developer account for good.",
    "reactivated": "The test account was reactivated.",
    "ordered": "Test orders were created.",
    "stepped": "The order's status was changed.",
}


class Managing:
    """One test account."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages
        self._workshop = development_shops.workshop(platform)

    def routes(self) -> list[Route]:
        """Its routes."""
        here = f"{PATH}/{{seller_id}}"
        table = (
            (here, ("GET",), self.show),
            (f"{here}/sign-in", ("POST",), self.sign_in),
            (f"{here}/authorize", ("POST",), self.authorize),
            (f"{here}/token", ("POST",), self.token),
            (f"{here}/reactivate", ("POST",), self.reactivate),
            (f"{here}/orders", ("POST",), self.order),
            (f"{here}/orders/{{order_id}}", ("POST",), self.step),
        )
        return [at_desk(self._platform, self._pages, path, methods, seated) for path, methods, seated in table]

    async def show(self, desk: Desk) -> Response:
        """Everything about the account."""
        book = self._platform.book
        managed = _account(desk)
        orders, products = goods.counts(book, managed.shop.id)
        page = goods.search_orders(book, OrderSearch(shop_id=managed.shop.id, limit=_ORDERS_SHOWN))
        mine = desk.apps()
        authorized = [
            (app, grant)
            for app in mine
            for grant in grants.of_seller(book, app_key=app.key, seller_id=managed.seller.id)
        ]
        return desk.page(
            "partner_center/manage_account.html",
            managed=managed,
            apps=[app for app in mine if self._hindrance(app, managed) is None],
            apps_for_tokens=[app for app in mine if self._hindrance(app, managed) in _NONE_FOR_TOKENS],
            authorized=authorized,
            products=products,
            order_count=orders,
            orders=[msgspec.json.decode(document, type=Order) for document in page.documents],
            next_status=rules.NEXT_STATUS,
            first_statuses=rules.FIRST_STATUSES,
            most_at_once=_MOST_AT_ONCE,
            days=rules.LIFE // DAY,
            said=_SAID.get(desk.door.request.query_params.get("done", ""), ""),
        )

    async def sign_in(self, desk: Desk) -> Response:
        """This browser becomes the test seller's at Seller Center."""
        managed, _ = await self._usable(desk)
        response = RedirectResponse(_SELLER_CENTER, 303)
        desk.door.browser.sign_in(response, managed.account)
        return response

    async def authorize(self, desk: Desk) -> Response:
        """Straight to the approval step, as the test seller."""
        managed, fields = await self._usable(desk)
        app = self._app(desk, fields.get("app", ""), managed, allowed=frozenset({None}))
        response = RedirectResponse(f"/open/authorize?service_id={app.service_id}", 303)
        desk.door.browser.sign_in(response, managed.account)
        return response

    async def token(self, desk: Desk) -> Response:
        """An access token without an authorization link; shown here and nowhere again."""
        managed, fields = await self._usable(desk)
        app = self._app(desk, fields.get("token_app", ""), managed, allowed=_NONE_FOR_TOKENS)
        pair = self._workshop.generate(app, managed.own, now=desk.door.now)
        self._platform.agenda.wake()
        entry = desk.door.entry
        entry.grant_id, entry.shop_id = pair.grant.id, pair.grant.shop_id or ""
        entry.gave_access_sha256, entry.gave_refresh_sha256 = sha256(pair.access_token), sha256(pair.refresh_token)
        scopes = [SCOPES[key] for key in pair.grant.scopes if key in SCOPES]
        return desk.page("partner_center/token.html", managed=managed, app=app, pair=pair, scopes=scopes)

    async def reactivate(self, desk: Desk) -> Response:
        """Another 180 days."""
        managed = _account(desk)
        await desk.form()
        if not managed.expired:
            raise RefusedError(
                "not_expired",
                "The test account has not expired",
                "It can be reactivated once it has. Go back and use it as it is.",
                status=409,
            )
        self._workshop.reactivate(managed.own, now=desk.door.now)
        return _back(managed, "reactivated")

    async def order(self, desk: Desk) -> Response:
        """Test orders come in; apps that listen are told."""
        managed, fields = await self._usable(desk)
        count, status = fields.get("count", ""), fields.get("status", "")
        if count not in {str(each) for each in range(1, _MOST_AT_ONCE + 1)} or status not in rules.FIRST_STATUSES:
            raise RefusedError(
                "invalid_order",
                "The test orders were not created",
                f"Choose how many, from 1 to {_MOST_AT_ONCE}, and a status from the list.",
                status=422,
            )
        wanted = [GivenOrder(status=OrderStatus(status)) for _ in range(int(count))]
        self._platform.market.sell(managed.shop, wanted, now=desk.door.now)
        self._platform.agenda.wake()
        return _back(managed, "ordered")

    async def step(self, desk: Desk) -> Response:
        """An order goes on to the next status, or is cancelled."""
        managed, fields = await self._usable(desk)
        number, status = str(desk.door.request.path_params["order_id"]), fields.get("status", "")
        known = goods.order(self._platform.book, managed.shop.id, number)
        following = rules.NEXT_STATUS.get(known.status) if known else None
        if known is None or following is None or status not in {following, OrderStatus.CANCELLED}:
            raise RefusedError(
                "invalid_step",
                "The order's status was not changed",
                "It may have gone on since the page was shown. Go back, reload and try again.",
                status=409,
            )
        wanted = GivenOrder(id=number, status=OrderStatus(status))
        self._platform.market.sell(managed.shop, [wanted], now=desk.door.now)
        self._platform.agenda.wake()
        return _back(managed, "stepped")

    async def _usable(self, desk: Desk) -> tuple[TestAccount, dict[str, str]]:
        """The account and the submitted fields, if the account has not expired."""
        managed = _account(desk)
        fields = await desk.form()
        if managed.expired:
            raise RefusedError(
                "test_account_expired",
                "This test account has expired",
                f"A test account lives {rules.LIFE // DAY} days. Go back and reactivate it first.",
                status=409,
            )
        return managed, fields

    def _app(self, desk: Desk, key: str, managed: TestAccount, *, allowed: frozenset[Hindrance | None]) -> App:
        app = desk.app(key)
        why = self._hindrance(app, managed)
        if why is not None and why not in allowed:
            raise refusals.hindered(why, app, self._platform.switches)
        return app

    def _hindrance(self, app: App, managed: TestAccount) -> Hindrance | None:
        """Why the test account cannot authorize the app; the same rules as behind the authorization link."""
        return hindrance(app, managed.seller, (managed.shop,))


def _account(desk: Desk) -> TestAccount:
    return development_shops.one_of(desk, str(desk.door.request.path_params["seller_id"]))


def _back(managed: TestAccount, done: str) -> Response:
    return RedirectResponse(f"{managed.path}?done={done}", 303)
