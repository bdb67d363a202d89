"""Trade goes on: products come into a shop, orders come in and move along, and apps that listen are told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

import msgspec

from evergrant_sandbox.acts import fulfilment, wares
from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.acts.wares import Source
from evergrant_sandbox.book import goods, sellers, settings
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.fields import Count, Digits, Key, Money, Seconds, Text
from evergrant_sandbox.world import order, product
from evergrant_sandbox.world.order import Order, OrderStatus
from evergrant_sandbox.world.product import Price, Product, ProductStatus, Stock
from evergrant_sandbox.world.seller import Shop

# Over how many days the orders of a stocked shop are spread.
SPREAD = 14 * DAY


class NothingForSaleError(Exception):
    """Orders need something to buy."""


class UnknownVariantError(Exception):
    """The shop has no such product, or the product no such variant."""


class GivenOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order as a test wants it: what is left out is made up, and a known id changes that order."""

    id: Digits | None = None
    status: OrderStatus | None = None
    create_time: Seconds | None = None
    buyer_message: Text | None = None


class GivenProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product as a test wants it, likewise. SKU, price and quantity are those of the first variant."""

    id: Digits | None = None
    title: Text | None = None
    status: ProductStatus | None = None
    seller_sku: Key | None = None
    price: Money | None = None
    quantity: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """What came of it."""

    orders: list[Order] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    notices: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Makes goods and orders, repeatable from the world's seed and the shop's counters."""

    book: Book
    herald: Herald

    def stock(self, shop: Shop, count: int, *, now: int) -> list[Product]:
        """New products in a shop."""
        with self.book.transaction():
            new = self._products(shop, count, now)
            for each in new:
                goods.keep_product(self.book, shop.id, each)
        return new

    def bring(self, shop: Shop, count: int, *, now: int) -> Traded:
        """New products while apps listen; whoever does gets notice 16 for each."""
        with self.book.transaction():
            new = self.stock(shop, count, now=now)
            told = sum(wares.tell(self.herald, shop, None, each, source=Source.SELLER_CENTER, at=now) for each in new)
        return Traded(products=new, notices=told)

    def fill(self, shop: Shop, count: int, *, now: int) -> list[Order]:
        """The orders of the last days, as they would stand by now. Nobody is told: they lie in the past."""
        with self.book.transaction():
            new = [
                order.grown(chance, self._order(chance, shop, now - _age(chance)), shop=shop, now=now)
                for chance in self._chances(shop, count)
            ]
            for each in new:
                goods.keep_order(self.book, shop.id, each)
        return new

    def sell(self, shop: Shop, given: Iterable[GivenOrder], *, now: int) -> Traded:
        """Orders come in now, or known ones change; whoever listens is told of each new status.

        Raises:
            NothingForSaleError: the shop has no product for sale.
        """
        changed: list[Order] = []
        told = 0
        with self.book.transaction():
            for wanted in given:
                known = goods.order(self.book, shop.id, wanted.id) if wanted.id else None
                after = self._moved(known, wanted, shop, now) if known else self._new(wanted, shop, now)
                goods.keep_order(self.book, shop.id, after)
                told += fulfilment.tell(self.herald, shop, known, after, at=now)
                changed.append(after)
        return Traded(orders=changed, notices=told)

    def offer(self, shop: Shop, given: Iterable[GivenProduct], *, now: int) -> Traded:
        """Products come into a shop, or known ones change; whoever listens is told."""
        changed: list[Product] = []
        told = 0
        with self.book.transaction():
            for wanted in given:
                known = goods.product(self.book, shop.id, wanted.id) if wanted.id else None
                after = _reworked(known or self._products(shop, 1, now)[0], wanted, shop, now)
                if known is None and wanted.id:
                    after = msgspec.structs.replace(after, id=wanted.id)
                goods.keep_product(self.book, shop.id, after)
                told += wares.tell(self.herald, shop, known, after, source=Source.SELLER_CENTER, at=now)
                changed.append(after)
        return Traded(products=changed, notices=told)

    def restock_variant(self, shop: Shop, *, product_id: str, sku_id: str, quantity: int, now: int) -> Product:
        """Another number of one variant lies in the shop's own warehouse; other warehouses keep theirs.

        Raises:
            UnknownVariantError: the shop has no such product, or the product no such variant.
        """
        with self.book.transaction():
            known = goods.product(self.book, shop.id, product_id)
            sku = next((each for each in known.skus if each.id == sku_id), None) if known else None
            if known is None or sku is None:
                raise UnknownVariantError(f"{shop.name} has no variant {sku_id} of a product {product_id}")
            elsewhere = (each for each in sku.inventory if each.warehouse_id != shop.warehouse_id)
            stocks = (*elsewhere, Stock(warehouse_id=shop.warehouse_id, quantity=quantity))
            return self.restock(shop, known, {sku_id: stocks}, source=Source.SELLER_CENTER, now=now)

    def restock(
        self, shop: Shop, known: Product, stocks: Mapping[str, tuple[Stock, ...]], *, source: Source, now: int
    ) -> Product:
        """The stock of some variants is what somebody says it is, by their ids; the others keep theirs.

        Whoever listens is told of what falls low.
        """
        skus = tuple(
            msgspec.structs.replace(sku, inventory=stocks[sku.id]) if sku.id in stocks else sku for sku in known.skus
        )
        after = msgspec.structs.replace(known, skus=skus, update_time=now)
        with self.book.transaction():
            goods.keep_product(self.book, shop.id, after)
            wares.tell(self.herald, shop, known, after, source=source, at=now)
        return after

    def spread(self, shop: Shop, warehouse_id: str, *, now: int) -> int:
        """Every variant of a shop lies in one more warehouse from now on, with a stock of 0; gives how many do."""
        empty = Stock(warehouse_id=warehouse_id, quantity=0)
        spread = 0
        with self.book.transaction():
            for known in goods.products_of(self.book, shop.id):
                stocks = {
                    sku.id: (*sku.inventory, empty)
                    for sku in known.skus
                    if all(each.warehouse_id != warehouse_id for each in sku.inventory)
                }
                spread += len(stocks)
                if stocks:
                    self.restock(shop, known, stocks, source=Source.SELLER_CENTER, now=now)
        return spread

    def _products(self, shop: Shop, count: int, now: int) -> list[Product]:
        trade = sellers.trade_of(self.book, shop.id)
        _, made = sellers.count_made(self.book, shop.id, products=count)
        return [
            product.make(self._chance(shop, "product", number), shop=shop, number=number, now=now, trade=trade)
            for number in range(made, made + count)
        ]

    def _new(self, wanted: GivenOrder, shop: Shop, now: int) -> Order:
        chance = next(iter(self._chances(shop, 1)))
        made = self._order(chance, shop, now if wanted.create_time is None else wanted.create_time)
        changes: dict[str, str] = {}
        if wanted.id:
            changes["id"] = wanted.id
        if wanted.buyer_message is not None:
            changes["buyer_message"] = wanted.buyer_message
        made = msgspec.structs.replace(made, **changes)
        status = wanted.status or OrderStatus.AWAITING_SHIPMENT
        return made if status is OrderStatus.UNPAID else order.moved(made, status, shop=shop, at=made.create_time)

    def _moved(self, known: Order, wanted: GivenOrder, shop: Shop, now: int) -> Order:
        if wanted.buyer_message is not None:
            known = msgspec.structs.replace(known, buyer_message=wanted.buyer_message, update_time=now)
        return order.moved(known, wanted.status, shop=shop, at=now) if wanted.status else known

    def _order(self, chance: Random, shop: Shop, created: int) -> Order:
        offered = goods.products_for_sale(self.book, shop.id)
        if not offered:
            raise NothingForSaleError(f"{shop.name} has no product for sale")
        return order.make(chance, shop=shop, products=offered, created=created)

    def _chances(self, shop: Shop, count: int) -> Iterable[Random]:
        made, _ = sellers.count_made(self.book, shop.id, orders=count)
        return [self._chance(shop, "order", made + n) for n in range(count)]

    def _chance(self, shop: Shop, what: str, number: int) -> Random:
        return Random(f"{settings.read(self.book, settings.SEED)}:{shop.id}:{what}:{number}")  # noqa: S311  (a repeatable world, no secrets)


def _age(chance: Random) -> int:
    """How long ago an order came in: more of them lately than two weeks ago."""
    return int(SPREAD * chance.random() ** 2)


def _reworked(known: Product, wanted: GivenProduct, shop: Shop, now: int) -> Product:
    first, *others = known.skus
    if wanted.seller_sku is not None:
        first = msgspec.structs.replace(first, seller_sku=wanted.seller_sku)
    if wanted.price is not None:
        price = Price(currency=first.price.currency, tax_exclusive_price=wanted.price, sale_price=wanted.price)
        first = msgspec.structs.replace(first, price=price)
    if wanted.quantity is not None:
        stock = Stock(warehouse_id=shop.warehouse_id, quantity=wanted.quantity)
        first = msgspec.structs.replace(first, inventory=(stock,))
    return msgspec.structs.replace(
        known,
        title=known.title if wanted.title is None else wanted.title,
        status=known.status if wanted.status is None else wanted.status,
        audit=known.audit if wanted.status is None else product.audit_of(wanted.status),
        skus=(first, *others),
        update_time=now,
    )
