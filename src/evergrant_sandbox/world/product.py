"""Products with their variants, prices and stock, as the product search answers them (wire sheet 6.2)."""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from random import Random

import msgspec
from msgspec import UNSET, UnsetType

from evergrant_sandbox.clock import DAY
from evergrant_sandbox.world import catalogue, ids
from evergrant_sandbox.world.catalogue import Goods
from evergrant_sandbox.world.regions import REGIONS, Region
from evergrant_sandbox.world.seller import Shop


class ProductStatus(StrEnum):
    """Where a product stands; `ALL` exists in searches only."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    FAILED = "FAILED"
    ACTIVATE = "ACTIVATE"
    SELLER_DEACTIVATED = "SELLER_DEACTIVATED"
    PLATFORM_DEACTIVATED = "PLATFORM_DEACTIVATED"
    FREEZE = "FREEZE"
    DELETED = "DELETED"


class Price(msgspec.Struct, frozen=True):
    """Money is a decimal string on this wire."""

    currency: str
    tax_exclusive_price: str
    sale_price: str


class Stock(msgspec.Struct, frozen=True):
    """How many lie in one warehouse, and how many more can be ordered before they are there."""

    warehouse_id: str
    quantity: int
    backorder_quantity: int | UnsetType = UNSET
    handling_time: int | UnsetType = UNSET


class StatusInfo(msgspec.Struct, frozen=True):
    """Whether a variant is for sale."""

    status: str = "NORMAL"


class Audit(msgspec.Struct, frozen=True):
    """The state of the last review."""

    status: str = "NONE"


# "NONE: not applicable for audit as it is still in a draft, frozen, or deactivated state." Products search (202502).
_AUDITS = {
    ProductStatus.PENDING: Audit(status="AUDITING"),
    ProductStatus.FAILED: Audit(status="FAILED"),
    ProductStatus.ACTIVATE: Audit(status="APPROVED"),
}


class Sku(msgspec.Struct, frozen=True):
    """One variant. `name` is the sandbox's own and stays off the product search."""

    id: str
    seller_sku: str
    price: Price
    inventory: tuple[Stock, ...]
    status_info: StatusInfo = StatusInfo()


class Product(msgspec.Struct, frozen=True):
    """One product of one shop."""

    id: str
    title: str
    status: ProductStatus
    create_time: int
    update_time: int
    sales_regions: tuple[str, ...]
    has_draft: bool
    audit: Audit
    skus: tuple[Sku, ...]


def audit_of(status: ProductStatus) -> Audit:
    """Where the review of a product of this status stands."""
    return _AUDITS.get(status, Audit())


def money(amount: Decimal, region: Region) -> str:
    """An amount as a decimal string, rounded to the smallest step of the region's currency."""
    steps = (amount / region.step).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return format(steps * region.step, "f")


def price_in(pounds: Decimal, region: Region) -> Price:
    """A price a shop of the region would ask; a fifth of it is tax, except where prices are quoted without."""
    asked = Decimal(money(pounds * region.rate, region))
    untaxed = asked if region.code == "US" else asked / Decimal("1.2")
    return Price(currency=region.currency, tax_exclusive_price=money(untaxed, region), sale_price=money(asked, region))


def goods_of(shop: Shop, trade: str | None = None) -> tuple[Goods, ...]:
    """What a shop sells: the trade named, or the one its region is known for."""
    chosen = trade or catalogue.TRADE_OF_REGION.get(shop.region, catalogue.GENERAL_TRADE)
    return catalogue.TRADES[chosen]


def make(chance: Random, *, shop: Shop, number: int, now: int, trade: str | None = None) -> Product:
    """The shop's product number `number` (from 0), repeatable from the dice. The first is always for sale."""
    goods = goods_of(shop, trade)
    line = goods[number % len(goods)]
    edition = number // len(goods)
    region = REGIONS[shop.region]
    created = now - chance.randrange(20 * DAY, 400 * DAY)
    suffix = f"-{edition + 1}" if edition else ""
    skus = tuple(
        Sku(
            id=ids.digits(chance.randbytes, prefix="1729", length=19),
            seller_sku=f"{line.stem}-{_short(variant)}{suffix}",
            price=price_in(line.price * (1 + Decimal(step) / 10), region),
            inventory=(Stock(warehouse_id=shop.warehouse_id, quantity=chance.choice((0, 3, 12, 27, 48, 80, 140))),),
        )
        for step, variant in enumerate(line.variants)
    )
    identifier, withdrawn = ids.digits(chance.randbytes, prefix="1729", length=19), chance.random() < 0.06
    status = ProductStatus.SELLER_DEACTIVATED if number and withdrawn else ProductStatus.ACTIVATE
    return Product(
        id=identifier,
        title=line.title + (f" (edition {edition + 1})" if edition else ""),
        status=status,
        create_time=created,
        update_time=chance.randrange(created, now),
        sales_regions=(shop.region,),
        has_draft=False,
        audit=audit_of(status),
        skus=skus,
    )


def in_stock(product: Product) -> int:
    """How many there are of all variants in all warehouses."""
    return sum(stock.quantity for sku in product.skus for stock in sku.inventory)


def variant_name(sku: Sku) -> str:
    """What the buyer picked, in words: the variant of the catalogue, or the seller's own code."""
    stem, _, rest = sku.seller_sku.partition("-")
    return _VARIANTS.get(f"{stem}-{rest.partition('-')[0]}", sku.seller_sku)


def _short(variant: str) -> str:
    return "".join(letter for letter in variant.upper() if letter.isalnum())[:8]


_VARIANTS = {
    f"{line.stem}-{_short(variant)}": variant
    for goods in catalogue.TRADES.values()
    for line in goods
    for variant in line.variants
}
