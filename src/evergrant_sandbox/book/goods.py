"""Orders and products, kept as the documents they are answered with, beside the columns they are searched by."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.order import Order
from evergrant_sandbox.world.product import Product

_encode = msgspec.json.Encoder().encode
_order = msgspec.json.Decoder(Order)
_product = msgspec.json.Decoder(Product)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page ended: the sorted value and the id of its last row."""

    value: int
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSearch:
    """What an order search asks for; what is None does not matter."""

    shop_id: str
    status: str | None = None
    create_time_ge: int | None = None
    create_time_lt: int | None = None
    update_time_ge: int | None = None
    update_time_lt: int | None = None
    shipping_type: str | None = None
    buyer: str | None = None
    cancel_asked: bool | None = None
    warehouses: str | None = None
    sort_field: str = "create_time"
    sort_order: str = "DESC"
    after: Place | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSearch:
    """What a product search asks for; what is None does not matter. Lists are JSON."""

    shop_id: str
    status: str | None = None
    create_time_ge: int | None = None
    create_time_le: int | None = None
    update_time_ge: int | None = None
    update_time_le: int | None = None
    seller_skus: str | None = None
    sku_ids: str | None = None
    audits: str | None = None
    with_draft: bool | None = None
    # Set when a filter asks for what no product of the sandbox has.
    nothing: bool | None = None
    after: Place | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of documents, how many there are in all, and where to go on."""

    documents: list[bytes]
    total: int
    next: Place | None


# What each filter asks of a row. Only the filters that are set become part of a statement, so that the common searches
# are answered from an index; the few shapes there are stay prepared.
_ORDER_CONDITIONS = {
    "status": "status = ?",
    "create_time_ge": "create_time >= ?",
    "create_time_lt": "create_time < ?",
    "update_time_ge": "update_time >= ?",
    "update_time_lt": "update_time < ?",
    "shipping_type": "shipping_type = ?",
    "buyer": "buyer = ?",
    "cancel_asked": "cancel_asked = ?",
    "warehouses": "warehouse_id IN (SELECT value FROM json_each(?))",
}
_PRODUCT_CONDITIONS = {
    "status": "status = ?",
    "create_time_ge": "create_time >= ?",
    "create_time_le": "create_time <= ?",
    "update_time_ge": "update_time >= ?",
    "update_time_le": "update_time <= ?",
    "seller_skus": "id IN (SELECT product_id FROM skus WHERE seller_sku IN (SELECT value FROM json_each(?)))",
    "sku_ids": "id IN (SELECT product_id FROM skus WHERE id IN (SELECT value FROM json_each(?)))",
    "audits": "CAST(document AS TEXT) ->> '$.audit.status' IN (SELECT value FROM json_each(?))",
    "with_draft": "CAST(document AS TEXT) ->> '$.has_draft' = ?",
    "nothing": "0 = ?",
}
_BEYOND = {"ASC": ">", "DESC": "<"}


def keep_order(book: Book, shop_id: str, order: Order) -> None:
    """Keep an order, new or changed."""
    book.run(
        "INSERT OR REPLACE INTO orders"
        " (id, shop_id, status, create_time, update_time, shipping_type, buyer, cancel_asked, warehouse_id, document)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        order.id,
        shop_id,
        order.status,
        order.create_time,
        order.update_time,
        order.shipping_type,
        order.user_id,
        order.is_buyer_request_cancel,
        order.warehouse_id,
        _encode(order),
    )


def keep_product(book: Book, shop_id: str, product: Product) -> None:
    """Keep a product, new or changed, and what its variants are found by."""
    book.run(
        "INSERT OR REPLACE INTO products (id, shop_id, status, create_time, update_time, document) VALUES (?, ?, ?, ?, ?, ?)",
        product.id,
        shop_id,
        product.status,
        product.create_time,
        product.update_time,
        _encode(product),
    )
    book.run("DELETE FROM skus WHERE product_id = ?", product.id)
    book.many(
        "INSERT INTO skus (id, shop_id, product_id, seller_sku) VALUES (?, ?, ?, ?)",
        [(sku.id, shop_id, product.id, sku.seller_sku) for sku in product.skus],
    )


def order(book: Book, shop_id: str, order_id: str) -> Order | None:
    """One order of a shop."""
    row = book.one("SELECT document FROM orders WHERE id = ? AND shop_id = ?", order_id, shop_id)
    return _order.decode(row[0]) if row else None


def shop_of_order(book: Book, order_id: str) -> str:
    """The id of the shop an order belongs to, or nothing."""
    row = book.one("SELECT shop_id FROM orders WHERE id = ?", order_id)
    return str(row[0]) if row else ""


def order_documents(book: Book, shop_id: str, order_ids: list[str]) -> list[bytes]:
    """The documents of some orders of a shop, in the order asked for; what is not the shop's is left out."""
    rows = [
        book.one("SELECT document FROM orders WHERE id = ? AND shop_id = ?", order_id, shop_id)
        for order_id in order_ids
    ]
    return [row[0] for row in rows if row]


def product(book: Book, shop_id: str, product_id: str) -> Product | None:
    """One product of a shop."""
    row = book.one("SELECT document FROM products WHERE id = ? AND shop_id = ?", product_id, shop_id)
    return _product.decode(row[0]) if row else None


def is_product(book: Book, product_id: str) -> bool:
    """Whether any shop has a product with this id."""
    return book.one("SELECT 1 FROM products WHERE id = ?", product_id) is not None


def products_with(
    book: Book, shop_id: str, *, product_ids: str | None = None, sku_ids: str | None = None
) -> list[Product]:
    """The products of a shop with these ids, or with variants with these ids. Lists are JSON."""
    chosen = "SELECT value FROM json_each(?)"
    if sku_ids is not None:
        chosen = f"SELECT product_id FROM skus WHERE id IN ({chosen})"  # noqa: S608  (no values)
    rows = book.all(
        f"SELECT document FROM products WHERE shop_id = ? AND id IN ({chosen}) ORDER BY create_time DESC, id",  # noqa: S608  (no values)
        shop_id,
        product_ids if sku_ids is None else sku_ids,
    )
    return [_product.decode(row[0]) for row in rows]


def committed(book: Book, shop_id: str) -> dict[tuple[str, str], int]:
    """How many units of each variant are reserved by orders that have not left, by variant and warehouse."""
    rows = book.all(
        "SELECT item.value ->> '$.sku_id', orders.warehouse_id, count(*)"
        " FROM orders, json_each(CAST(orders.document AS TEXT), '$.line_items') AS item"
        " WHERE orders.shop_id = ? AND orders.status IN"
        " ('UNPAID', 'ON_HOLD', 'AWAITING_SHIPMENT', 'PARTIALLY_SHIPPING', 'AWAITING_COLLECTION') GROUP BY 1, 2",
        shop_id,
    )
    return {(sku, warehouse): count for sku, warehouse, count in rows}


def products_of(book: Book, shop_id: str) -> list[Product]:
    """All products of a shop."""
    rows = book.all("SELECT document FROM products WHERE shop_id = ? ORDER BY id", shop_id)
    return [_product.decode(row[0]) for row in rows]


def products_for_sale(book: Book, shop_id: str) -> tuple[Product, ...]:
    """What a buyer can pick from in a shop."""
    rows = book.all("SELECT document FROM products WHERE shop_id = ? AND status = 'ACTIVATE' ORDER BY id", shop_id)
    return tuple(_product.decode(row[0]) for row in rows)


def counts(book: Book, shop_id: str) -> tuple[int, int]:
    """How many orders and how many products a shop has."""
    row = book.one(
        "SELECT (SELECT count(*) FROM orders WHERE shop_id = ?1), (SELECT count(*) FROM products WHERE shop_id = ?1)",
        shop_id,
    )
    return (row[0], row[1]) if row else (0, 0)


def search_orders(book: Book, wanted: OrderSearch) -> Page:
    """One page of a shop's orders."""
    return _search(book, "orders", _ORDER_CONDITIONS, wanted, (wanted.sort_field, wanted.sort_order))


def search_products(book: Book, wanted: ProductSearch) -> Page:
    """One page of a shop's products, the newest first."""
    return _search(book, "products", _PRODUCT_CONDITIONS, wanted, ("create_time", "DESC"))


def _search(
    book: Book,
    table: str,
    conditions: Mapping[str, str],
    wanted: OrderSearch | ProductSearch,
    sorting: tuple[str, str],
) -> Page:
    field, direction = sorting
    where = f"FROM {table} WHERE shop_id = ?"
    values: list[object] = [wanted.shop_id]
    for name, condition in conditions.items():
        value = getattr(wanted, name)
        if value is not None:
            where += f" AND {condition}"
            values.append(value)
    total = book.one(f"SELECT count(*) {where}", *values)
    if wanted.after:
        where += f" AND ({field}, id) {_BEYOND[direction]} (?, ?)"
        values += [wanted.after.value, wanted.after.id]
    rows = book.all(
        f"SELECT {field}, id, document {where} ORDER BY {field} {direction}, id {direction} LIMIT ?",
        *values,
        wanted.limit + 1,
    )
    here = rows[: wanted.limit]
    return Page(
        documents=[row[2] for row in here],
        total=total[0] if total else 0,
        next=Place(value=here[-1][0], id=here[-1][1]) if len(rows) > wanted.limit else None,
    )
