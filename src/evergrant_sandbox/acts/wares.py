"""Products change: what apps that listen are told of it."""

from enum import StrEnum

from evergrant_sandbox import switches
from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.book import goods
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world import payloads
from evergrant_sandbox.world.product import Product, ProductStatus, Sku
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import Topic

# "LOW_STOCK: defined as available stock <= stock alert value." The value is the seller's to set; this is the sandbox's.
ALERT_VALUE = 5

# "Product status changes by platform", notice 5; what the seller does is not among its words.
_BY_PLATFORM = frozenset({ProductStatus.PLATFORM_DEACTIVATED, ProductStatus.FREEZE})


class Source(StrEnum):
    """Where a product was changed, in the words of notice 15."""

    SELLER_CENTER = "SELLER_CENTER"
    OPEN_API = "OPEN_API"


def tell(herald: Herald, shop: Shop, before: Product | None, after: Product, *, source: Source, at: int) -> int:
    """Notices 16, 5, 37, 15 and 27, whichever fit; gives how many went on their way."""
    as_number = herald.switches.of(switches.PRODUCT_ID_IN_NOTICE) == "number"
    if before is None:
        created = payloads.product_created(after, at=at, as_number=as_number)
        return herald.tell(shop, Topic.PRODUCT_CREATION, created, at=at)
    told = 0
    if word := _word(before.status, after.status):
        reason = "" if word == "PRODUCT_FIRST_PASS_REVIEW" else _REASONS.get(after.status, "")
        changed = payloads.product_status_changed(after, word=word, reason=reason, as_number=as_number)
        told += herald.tell(shop, Topic.PRODUCT_STATUS_CHANGE, changed, at=at)
    if before.audit != after.audit:
        audited = payloads.product_audited(after, as_number=as_number)
        told += herald.tell(shop, Topic.PRODUCT_AUDIT_STATUS_CHANGE, audited, at=at)
    # "Triggered when changes to a live product's properties take effect online."
    if after.status is ProductStatus.ACTIVATE and (fields := _fields(before, after)):
        informed = payloads.product_changed(after, source=source, fields=fields)
        told += herald.tell(shop, Topic.PRODUCT_INFORMATION_CHANGE, informed, at=at)
    known = {sku.id: sku for sku in before.skus}
    for sku in after.skus:
        threshold = _threshold_met(known.get(sku.id), sku)
        if threshold is not None:
            committed = committed_of(herald.book, shop, sku)
            low = payloads.stock_low(after, sku, threshold=threshold, committed=committed)
            told += herald.tell(shop, Topic.INVENTORY_STATUS_CHANGE, low, at=at)
    return told


def committed_of(book: Book, shop: Shop, sku: Sku) -> int:
    """How many pieces of a variant open orders have reserved."""
    return sum(count for (sku_id, _), count in goods.committed(book, shop.id).items() if sku_id == sku.id)


def _word(before: ProductStatus, after: ProductStatus) -> str:
    """What notice 5 calls a change of status; nothing for what it has no word for."""
    if before is after:
        return ""
    if after is ProductStatus.FAILED:
        return "PRODUCT_AUDIT_FAILURE"
    if before is ProductStatus.PENDING and after is ProductStatus.ACTIVATE:
        return "PRODUCT_FIRST_PASS_REVIEW"
    return "PRODUCT_STATUS_CHANGED" if _BY_PLATFORM & {before, after} else ""


# "The reason a product audit was rejected or frozen": no wording is known, so these are the sandbox's.
_REASONS = {
    ProductStatus.FAILED: "The sandbox rejected this product.",
    ProductStatus.FREEZE: "The sandbox froze this product.",
    ProductStatus.PLATFORM_DEACTIVATED: "The sandbox deactivated this product.",
}


def _fields(before: Product, after: Product) -> tuple[str, ...]:
    """What notice 15 calls the properties that changed. Price and stock are no properties of it."""
    fields = ["title"] if before.title != after.title else []
    if [sku.seller_sku for sku in before.skus] != [sku.seller_sku for sku in after.skus]:
        fields.append("others")
    return tuple(fields)


def _threshold_met(before: Sku | None, after: Sku) -> int | None:
    """The threshold the stock has fallen to: 0, or the alert value; None if it has not fallen to one."""
    left, had = _pieces(after), _pieces(before) if before else 0
    for threshold in (0, ALERT_VALUE):
        if left <= threshold < had:
            return threshold
    return None


def _pieces(sku: Sku) -> int:
    return sum(stock.quantity for stock in sku.inventory)
