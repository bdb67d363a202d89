"""Notices still to be delivered, with their schedule; a restart goes on where it stopped."""

from dataclasses import dataclass

from evergrant_sandbox.book.database import Book, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice on its way: what it says, where it goes, and how often it was tried."""

    id: str
    app_key: str
    shop_id: str
    # The grant it is about; None when a test sends one of its own making.
    grant_id: int | None
    type: int
    url: str
    body: bytes
    badly_signed: int = 0
    attempts: int = 0
    next_at: int | None
    n: int = 0


_COLUMNS = "n, id, app_key, shop_id, grant_id, type, url, body, badly_signed, attempts, next_at"


def _notice(row: Row) -> Notice:
    n, number, app_key, shop_id, grant_id, kind, url, body, badly_signed, attempts, next_at = row
    return Notice(
        n=n,
        id=number,
        app_key=app_key,
        shop_id=shop_id,
        grant_id=grant_id,
        type=kind,
        url=url,
        body=body,
        badly_signed=badly_signed,
        attempts=attempts,
        next_at=next_at,
    )


def add(book: Book, notice: Notice) -> None:
    """Put a notice on its way."""
    book.run(
        "INSERT INTO notices (id, app_key, shop_id, grant_id, type, url, body, badly_signed, next_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        notice.id,
        notice.app_key,
        notice.shop_id,
        notice.grant_id,
        notice.type,
        notice.url,
        notice.body,
        notice.badly_signed,
        notice.next_at,
    )


def due(book: Book, *, url: str, at: int, limit: int) -> list[Notice]:
    """What one receiver is to be sent now, the earliest first."""
    rows = book.all(
        f"SELECT {_COLUMNS} FROM notices WHERE url = ? AND next_at <= ? ORDER BY next_at, n LIMIT ?",  # noqa: S608  (column names)
        url,
        at,
        limit,
    )
    return [_notice(row) for row in rows]


def receivers_due(book: Book, at: int) -> list[str]:
    """Whom something is due to."""
    return [row[0] for row in book.all("SELECT DISTINCT url FROM notices WHERE next_at <= ?", at)]


def next_due(book: Book, *, besides: frozenset[str] = frozenset()) -> int | None:
    """When the next attempt is due, besides those at some receivers."""
    places = ", ".join("?" * len(besides))
    row = book.one(
        f"SELECT min(next_at) FROM notices WHERE next_at IS NOT NULL AND url NOT IN ({places})",  # noqa: S608  (question marks)
        *besides,
    )
    return row[0] if row else None


def tried(book: Book, notice: Notice, *, next_at: int | None) -> None:
    """Note an attempt, and when the next one follows (None: never)."""
    book.run("UPDATE notices SET attempts = attempts + 1, next_at = ? WHERE n = ?", next_at, notice.n)


def waiting(book: Book, limit: int) -> list[Notice]:
    """What is still on its way, the next due first."""
    rows = book.all(
        f"SELECT {_COLUMNS} FROM notices WHERE next_at IS NOT NULL ORDER BY next_at, n LIMIT ?",  # noqa: S608  (column names)
        limit,
    )
    return [_notice(row) for row in rows]


def found(book: Book, notice_id: str) -> list[Notice]:
    """Everything that was put on its way under one id: to each address, as often as it was."""
    rows = book.all(f"SELECT {_COLUMNS} FROM notices WHERE id = ? ORDER BY n", notice_id)  # noqa: S608  (column names)
    return [_notice(row) for row in rows]


def find(book: Book, notice_id: str) -> Notice | None:
    """A notice by its id, delivered or not; of one that was sent several times, the first."""
    row = book.one(f"SELECT {_COLUMNS} FROM notices WHERE id = ? ORDER BY n LIMIT 1", notice_id)  # noqa: S608  (column names)
    return _notice(row) if row else None
