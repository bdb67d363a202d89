"""Warehouses, kept: the two every shop has are written down only once they were changed."""

from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.warehouse import Effect, Purpose, Warehouse, first_of


def keep(book: Book, warehouse: Warehouse) -> None:
    """Keep a warehouse, new or changed."""
    book.run(
        "INSERT OR REPLACE INTO warehouses (id, shop_id, name, purpose, effect, is_default) VALUES (?, ?, ?, ?, ?, ?)",
        warehouse.id,
        warehouse.shop_id,
        warehouse.name,
        warehouse.purpose,
        warehouse.effect,
        warehouse.is_default,
    )


def of_shop(book: Book, shop: Shop) -> dict[str, Warehouse]:
    """A shop's warehouses by their ids, the default one first."""
    rows = book.all(
        "SELECT id, shop_id, name, purpose, effect, is_default FROM warehouses WHERE shop_id = ? ORDER BY rowid",
        shop.id,
    )
    found = {each.id: each for each in first_of(shop)}
    for number, shop_id, name, purpose, effect, is_default in rows:
        found[number] = Warehouse(
            id=number,
            shop_id=shop_id,
            name=name,
            purpose=Purpose(purpose),
            effect=Effect(effect),
            is_default=bool(is_default),
        )
    return found


def is_known(book: Book, warehouse_id: str) -> bool:
    """Whether any shop has a warehouse with this id."""
    row = book.one(
        "SELECT 1 FROM warehouses WHERE id = ?1 UNION ALL SELECT 1 FROM shops WHERE warehouse_id = ?1 LIMIT 1",
        warehouse_id,
    )
    return row is not None
