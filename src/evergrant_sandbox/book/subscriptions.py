"""Webhooks of single shops, kept: the address the Event API has set for an app, a shop and a topic."""

from dataclasses import dataclass

from evergrant_sandbox.book.database import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopWebhook:
    """One address for one topic of one shop."""

    type: int
    address: str
    create_time: int
    update_time: int


def keep(book: Book, *, app_key: str, shop_id: str, kind: int, address: str, now: int) -> None:
    """Set the address, or replace it; then it keeps the moment at which it was first set."""
    book.run(
        "INSERT INTO shop_webhooks (app_key, shop_id, type, address, create_time, update_time)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?5)"
        " ON CONFLICT (app_key, shop_id, type)"
        " DO UPDATE SET address = excluded.address, update_time = excluded.update_time",
        app_key,
        shop_id,
        kind,
        address,
        now,
    )


def remove(book: Book, *, app_key: str, shop_id: str, kind: int) -> bool:
    """Forget the address; gives whether there was one."""
    changed = book.run(
        "DELETE FROM shop_webhooks WHERE app_key = ? AND shop_id = ? AND type = ?", app_key, shop_id, kind
    )
    return changed > 0


def listed(book: Book, *, app_key: str, shop_id: str) -> list[ShopWebhook]:
    """What is set for one shop, in the order of the topics' numbers."""
    rows = book.all(
        "SELECT type, address, create_time, update_time FROM shop_webhooks"
        " WHERE app_key = ? AND shop_id = ? ORDER BY type",
        app_key,
        shop_id,
    )
    return [ShopWebhook(type=row[0], address=row[1], create_time=row[2], update_time=row[3]) for row in rows]


def address(book: Book, *, app_key: str, shop_id: str, kind: int) -> str:
    """Where one topic of one shop goes, or nothing."""
    row = book.one(
        "SELECT address FROM shop_webhooks WHERE app_key = ? AND shop_id = ? AND type = ?", app_key, shop_id, kind
    )
    return str(row[0]) if row else ""


def any_of(book: Book, *, app_key: str, kinds: tuple[int, ...]) -> bool:
    """Whether any shop has an address for one of these topics."""
    marks = ", ".join("?" * len(kinds))
    return bool(
        book.one(f"SELECT 1 FROM shop_webhooks WHERE app_key = ? AND type IN ({marks}) LIMIT 1", app_key, *kinds)  # noqa: S608  (marks)
    )
