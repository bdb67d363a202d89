"""`/_sandbox/orders` and `/products`: more of either in a shop, as a count or as given documents."""

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.acts.trade import GivenOrder, GivenProduct
from evergrant_sandbox.book import sellers
from evergrant_sandbox.clock import rfc3339
from evergrant_sandbox.control.steering import SteeringError, read, steer
from evergrant_sandbox.fields import Count
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.seller import Shop


class OrdersGiven(msgspec.Struct, forbid_unknown_fields=True):
    """New orders, as a count or one by one; changes of known ones."""

    shop: str
    count: Count = 0
    orders: tuple[GivenOrder, ...] = ()


class ProductsGiven(msgspec.Struct, forbid_unknown_fields=True):
    """New products, as a count or one by one; changes of known ones."""

    shop: str
    count: Count = 0
    products: tuple[GivenProduct, ...] = ()


class OrderLine(msgspec.Struct, frozen=True):
    """An order, in short."""

    id: str
    status: str
    create_time: int
    update_time: int
    total_amount: str
    currency: str


class OrdersSaid(msgspec.Struct, frozen=True):
    """What came in, and how many notices went on their way."""

    at: str
    orders: list[OrderLine]
    notices: int


class ProductLine(msgspec.Struct, frozen=True):
    """A product, in short."""

    id: str
    title: str
    status: str
    skus: list[str]


class ProductsSaid(msgspec.Struct, frozen=True):
    """What came in, and how many notices went on their way."""

    at: str
    products: list[ProductLine]
    notices: int


class Trade:
    """Orders and products."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/orders", "POST", self.sell, status=201),
            steer(self._platform, "/products", "POST", self.offer, status=201),
        ]

    async def sell(self, request: Request) -> OrdersSaid:
        """Orders come in, or change; whoever listens is told."""
        given = await read(request, OrdersGiven)
        now = self._platform.clock.now()
        wanted = [*(GivenOrder() for _ in range(given.count)), *given.orders]
        traded = self._platform.market.sell(self._shop(given.shop), wanted, now=now)
        self._platform.agenda.wake()
        lines = [
            OrderLine(
                id=order.id,
                status=order.status,
                create_time=order.create_time,
                update_time=order.update_time,
                total_amount=order.payment.total_amount,
                currency=order.payment.currency,
            )
            for order in traded.orders
        ]
        return OrdersSaid(at=rfc3339(now), orders=lines, notices=traded.notices)

    async def offer(self, request: Request) -> ProductsSaid:
        """Products come into a shop, or change; whoever listens is told."""
        given = await read(request, ProductsGiven)
        now = self._platform.clock.now()
        shop = self._shop(given.shop)
        brought = self._platform.market.bring(shop, given.count, now=now)
        changed = self._platform.market.offer(shop, given.products, now=now)
        self._platform.agenda.wake()
        lines = [
            ProductLine(
                id=product.id,
                title=product.title,
                status=product.status,
                skus=[sku.seller_sku for sku in product.skus],
            )
            for product in (*brought.products, *changed.products)
        ]
        return ProductsSaid(at=rfc3339(now), products=lines, notices=brought.notices + changed.notices)

    def _shop(self, shop_id: str) -> Shop:
        shop = sellers.shop(self._platform.book, shop_id)
        if shop is None:
            raise SteeringError(
                "unknown_shop", f"No shop has the id {shop_id!r}; GET /_sandbox/world lists them.", status=404
            )
        return shop
