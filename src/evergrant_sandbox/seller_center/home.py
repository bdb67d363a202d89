"""Seller Center's home: what a seller sees first, and the choice among several shops."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.book import apps, goods, grants
from evergrant_sandbox.book.goods import OrderSearch, ProductSearch
from evergrant_sandbox.pages.browser import local_path
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center.desk import SHOP_COOKIE, Desk, at_desk
from evergrant_sandbox.world import product
from evergrant_sandbox.world.grant import Grant, Status
from evergrant_sandbox.world.order import OrderStatus
from evergrant_sandbox.world.product import ProductStatus
from evergrant_sandbox.world.roles import Page

_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An app whose authorization ends soon, or has ended."""

    app_name: str
    grant: Grant
    is_over: bool


class Home:
    """The first page, and the shop switcher in the frame of all pages."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            at_desk(self._platform, self._pages, Page.HOME, ("GET",), Page.HOME, self.home),
            at_desk(self._platform, self._pages, "/seller/shop", ("POST",), Page.HOME, self.choose_shop),
        ]

    async def home(self, desk: Desk) -> Response:
        """Orders to ship, products, apps that end soon."""
        book, shop = self._platform.book, desk.shop
        waiting = unpaid = on_sale = None
        if shop is not None:
            ship = OrderSearch(
                shop_id=shop.id, status=OrderStatus.AWAITING_SHIPMENT, sort_order="ASC", limit=_MOST_SHOWN
            )
            waiting = goods.search_orders(book, ship)
            unpaid = goods.search_orders(book, OrderSearch(shop_id=shop.id, status=OrderStatus.UNPAID, limit=1)).total
            sale = ProductSearch(shop_id=shop.id, status=ProductStatus.ACTIVATE, limit=1)
            on_sale = goods.search_products(book, sale).total
        return desk.page(
            "seller_center/home.html",
            to_ship=waiting.total if waiting else 0,
            unpaid=unpaid or 0,
            on_sale=on_sale or 0,
            sold_out=_sold_out(desk),
            next_orders=goods.read_orders(waiting) if waiting else [],
            endings=self._endings(desk) if Page.APPS in desk.rights.pages else [],
        )

    async def choose_shop(self, desk: Desk) -> Response:
        """Another of the seller's shops is the one the pages are about from now on."""
        fields = await desk.door.browser.form()
        chosen = next((shop for shop in desk.shops if shop.id == fields.get("shop")), None)
        if chosen is None:
            raise RefusedError(
                "unknown_shop", "This shop is not yours", "Choose one from the list at the top.", status=404
            )
        response = RedirectResponse(local_path(fields.get("back"), otherwise=Page.HOME), 303)
        response.set_cookie(SHOP_COOKIE, chosen.id, httponly=True, samesite="lax", path="/")
        return response

    def _endings(self, desk: Desk) -> list[Ending]:
        """Of the chosen shop: what ends within 30 days and what has lapsed, the most urgent first."""
        book, found = self._platform.book, []
        for grant in grants.listed(book, grants.Filter(seller_id=desk.who.seller.id)):
            about_here = grant.shop_id is None or (desk.shop is not None and grant.shop_id == desk.shop.id)
            status = grant.status(desk.now)
            if about_here and grant.ends_soon(desk.now) and status in {Status.ACTIVE, Status.EXPIRED}:
                app = apps.find(book, grant.app_key)
                name = app.name if app else grant.app_key
                found.append(Ending(app_name=name, grant=grant, is_over=status is Status.EXPIRED))
        return sorted(found, key=lambda each: each.grant.ends_at)


def _sold_out(desk: Desk) -> int:
    if desk.shop is None:
        return 0
    products = goods.products_for_sale(desk.platform.book, desk.shop.id)
    return sum(not product.in_stock(each) for each in products)
