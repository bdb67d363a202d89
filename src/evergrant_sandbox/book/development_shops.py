"""Development shops, kept."""

from evergrant_sandbox.book.database import Book, Row
from evergrant_sandbox.world.development_shop import DevelopmentShop, Function, Onboarding

_COLUMNS = "seller_id, developer_id, function, onboarding, made_at, ends_at"


def _development_shop(row: Row) -> DevelopmentShop:
    seller_id, developer_id, function, onboarding, made_at, ends_at = row
    return DevelopmentShop(
        seller_id=seller_id,
        developer_id=developer_id,
        function=Function(function),
        onboarding=Onboarding(onboarding),
        made_at=made_at,
        ends_at=ends_at,
    )


def add(book: Book, new: DevelopmentShop) -> None:
    """Keep a new one."""
    book.run(
        f"INSERT INTO development_shops ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608  (column names)
        new.seller_id,
        new.developer_id,
        new.function,
        new.onboarding,
        new.made_at,
        new.ends_at,
    )


def find(book: Book, *, seller_id: str, developer_id: str) -> DevelopmentShop | None:
    """One of a developer's, by its seller."""
    row = book.one(
        f"SELECT {_COLUMNS} FROM development_shops WHERE seller_id = ? AND developer_id = ?",  # noqa: S608  (column names)
        seller_id,
        developer_id,
    )
    return _development_shop(row) if row else None


def of_developer(book: Book, developer_id: str) -> list[DevelopmentShop]:
    """All of a developer's, oldest first."""
    rows = book.all(
        f"SELECT {_COLUMNS} FROM development_shops WHERE developer_id = ? ORDER BY rowid",  # noqa: S608  (column names)
        developer_id,
    )
    return [_development_shop(row) for row in rows]


def prolong(book: Book, *, seller_id: str, ends_at: int) -> None:
    """Let one live until then."""
    book.run("UPDATE development_shops SET ends_at = ? WHERE seller_id = ?", ends_at, seller_id)


def has_expired(book: Book, seller_id: str, *, now: int) -> bool:
    """Whether a seller is a test account that has expired."""
    return bool(book.one("SELECT 1 FROM development_shops WHERE seller_id = ? AND ends_at <= ?", seller_id, now))
