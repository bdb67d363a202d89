"""Seller Center's products: the list with prices and stock, and another number of what lies in the warehouse."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.acts.trade import UnknownVariantError
from evergrant_sandbox.book import goods
from evergrant_sandbox.book.goods import ProductSearch
from evergrant_sandbox.pages.browser import local_path
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center import listing
from evergrant_sandbox.seller_center.desk import Desk, at_desk
from evergrant_sandbox.world import product
from evergrant_sandbox.world.product import ProductStatus
from evergrant_sandbox.world.roles import Deed, Page, may

# The words of the API, said as a person reads them.
WORDS = {status.value: status.replace("_", " ").capitalize() for status in ProductStatus} | {
    ProductStatus.ACTIVATE.value: "Live",
    ProductStatus.SELLER_DEACTIVATED.value: "Deactivated",
    ProductStatus.PLATFORM_DEACTIVATED.value: "Deactivated by the platform",
    ProductStatus.FREEZE.value: "Frozen",
}
MOST = 99_999


class Products:
    """The products of the chosen shop."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("/seller/products", ("GET",), self.list),
            ("/seller/products/{product_id}/stock", ("POST",), self.restock),
        )
        return [at_desk(self._platform, self._pages, path, methods, Page.PRODUCTS, do) for path, methods, do in table]

    async def list(self, desk: Desk) -> Response:
        """The products, the newest first, of all states or of one."""
        asked = listing.read(desk, ProductStatus)
        wanted = ProductSearch(
            shop_id=desk.chosen_shop().id, status=asked.status, after=asked.after, limit=listing.ROWS
        )
        found = goods.search_products(self._platform.book, wanted)
        return desk.page(
            "seller_center/products.html",
            products=goods.read_products(found),
            total=found.total,
            asked=asked,
            tabs=asked.tabs(WORDS),
            next_page=asked.next(found),
            words=WORDS,
            may_change=may(desk.who.account.role, Deed.CHANGE_STOCK),
            variant_name=product.variant_name,
            warehouse=desk.chosen_shop().warehouse_id,
            most=MOST,
            changed=desk.door.request.query_params.get("changed", ""),
        )

    async def restock(self, desk: Desk) -> Response:
        """Another number of one variant; whoever listens hears of what falls low."""
        fields = await desk.door.browser.form()
        desk.check(Deed.CHANGE_STOCK)
        entered = fields.get("quantity", "").strip()
        if not (entered.isascii() and entered.isdigit() and len(entered) <= len(str(MOST))):
            sentence = f"Go back and enter a whole number from 0 to {MOST}."
            raise RefusedError("invalid_quantity", "The stock was not changed", sentence, status=422)
        sku_id = fields.get("sku", "")
        try:
            self._platform.market.restock_variant(
                desk.chosen_shop(),
                product_id=desk.door.request.path_params["product_id"],
                sku_id=sku_id,
                quantity=int(entered),
                now=desk.now,
            )
        except UnknownVariantError as error:
            sentence = "The shop chosen at the top has no such product. It may be another shop's."
            raise RefusedError("unknown_product", "There is no such product", sentence, status=404) from error
        self._platform.agenda.wake()
        back = local_path(fields.get("back"), otherwise=Page.PRODUCTS)
        mark = "&" if "?" in back else "?"
        return RedirectResponse(f"{back}{mark}changed={sku_id}#sku-{sku_id}", 303)
