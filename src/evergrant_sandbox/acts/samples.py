"""What a notice says that is sent without data: what it would say about the shop now, for the documented payloads."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from evergrant_sandbox import switches
from evergrant_sandbox.acts import wares
from evergrant_sandbox.acts.trade import NothingForSaleError
from evergrant_sandbox.acts.wares import Source
from evergrant_sandbox.book import goods, grants
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.goods import OrderSearch, ProductSearch
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world import payloads
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.order import Order
from evergrant_sandbox.world.product import Product
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Payloads about a shop's newest order and product, and about its grant."""

    book: Book
    switches: Switches

    def of(self, kind: int, app: App, shop: Shop, *, now: int) -> msgspec.Raw:
        """The payload; an empty one where none is documented, or the world has nothing to say.

        Raises:
            NothingForSaleError: the shop has no order or product to speak of.
        """
        if kind == Topic.SELLER_DEAUTHORIZATION:
            return payloads.deauthorized(shop.id)
        if kind == Topic.UPCOMING_AUTHORIZATION_EXPIRATION:
            return payloads.expiring(shop.id, at=now, ends_at=self._end(app, shop, now))
        if of_order := self._of_orders(now).get(kind):
            return of_order(self._newest_order(shop))
        if of_product := self._of_products(shop, now).get(kind):
            return of_product(self._newest_product(shop))
        return msgspec.Raw(b"{}")

    def open_id(self, app: App, shop: Shop) -> str:
        """How the app knows the seller, for the topics that name no shop; empty without an authorization."""
        for grant in grants.covering(self.book, shop_id=shop.id, seller_id=shop.seller_id):
            if grant.app_key == app.key:
                return grant.open_id
        return ""

    def _of_orders(self, now: int) -> dict[int, Callable[[Order], msgspec.Raw]]:
        return {
            Topic.ORDER_STATUS_CHANGE: payloads.order_changed,
            Topic.RECIPIENT_ADDRESS_UPDATE: payloads.address_changed,
            Topic.PACKAGE_UPDATE: payloads.packages_split,
            Topic.CANCELLATION_STATUS_CHANGE: lambda order: payloads.cancellation_changed(
                order, role="BUYER", status="CANCELLATION_REQUEST_PENDING", at=now
            ),
            Topic.RETURN_STATUS_CHANGE: lambda order: payloads.return_requested(order, at=now),
        }

    def _of_products(self, shop: Shop, now: int) -> dict[int, Callable[[Product], msgspec.Raw]]:
        as_number = self.switches.of(switches.PRODUCT_ID_IN_NOTICE) == "number"
        return {
            Topic.PRODUCT_STATUS_CHANGE: lambda product: payloads.product_status_changed(
                product, word="PRODUCT_STATUS_CHANGED", reason="", as_number=as_number
            ),
            Topic.PRODUCT_INFORMATION_CHANGE: lambda product: payloads.product_changed(
                product, source=Source.SELLER_CENTER, fields=("title",)
            ),
            Topic.PRODUCT_CREATION: lambda product: payloads.product_created(product, at=now, as_number=as_number),
            Topic.INVENTORY_STATUS_CHANGE: lambda product: payloads.stock_low(
                product,
                product.skus[0],
                threshold=wares.ALERT_VALUE,
                committed=wares.committed_of(self.book, shop, product.skus[0]),
            ),
            Topic.PRODUCT_AUDIT_STATUS_CHANGE: lambda product: payloads.product_audited(product, as_number=as_number),
        }

    def _newest_order(self, shop: Shop) -> Order:
        page = goods.search_orders(self.book, OrderSearch(shop_id=shop.id, limit=1))
        if not page.documents:
            raise NothingForSaleError(f"{shop.name} has no order to tell of")
        return msgspec.json.decode(page.documents[0], type=Order)

    def _newest_product(self, shop: Shop) -> Product:
        page = goods.search_products(self.book, ProductSearch(shop_id=shop.id, limit=1))
        if not page.documents:
            raise NothingForSaleError(f"{shop.name} has no product to tell of")
        return msgspec.json.decode(page.documents[0], type=Product)

    def _end(self, app: App, shop: Shop, now: int) -> int:
        for grant in grants.covering(self.book, shop_id=shop.id, seller_id=shop.seller_id):
            if grant.app_key == app.key:
                return grant.ends_at
        return now + 30 * DAY
