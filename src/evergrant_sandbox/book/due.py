"""What falls due by itself at a grant: the expiry warnings and the natural end, only for apps that would hear of it."""

from evergrant_sandbox.book import grants
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.warnings import AHEAD


def next_due(book: Book) -> int | None:
    """When the next warning or end is due."""
    row = book.one(
        "SELECT min(due) FROM (SELECT min(warn_at) AS due FROM grants WHERE warn_at IS NOT NULL"
        " UNION ALL SELECT min(lapse_at) FROM grants WHERE lapse_at IS NOT NULL)"
    )
    return row[0] if row else None


def to_warn(book: Book, at: int) -> list[Grant]:
    """Grants whose warning is due."""
    rows = book.all(f"SELECT {grants.COLUMNS} FROM grants g WHERE g.warn_at <= ? ORDER BY g.warn_at, g.id", at)  # noqa: S608  (column names)
    return [grants.read(row) for row in rows]


def to_lapse(book: Book, at: int) -> list[Grant]:
    """Grants whose end is due."""
    rows = book.all(f"SELECT {grants.COLUMNS} FROM grants g WHERE g.lapse_at <= ? ORDER BY g.lapse_at, g.id", at)  # noqa: S608  (column names)
    return [grants.read(row) for row in rows]


def warned(book: Book, grant_id: int, next_at: int | None) -> None:
    """Note that a warning went out and when the next one follows."""
    book.run("UPDATE grants SET warn_at = ? WHERE id = ?", next_at, grant_id)


def lapsed(book: Book, grant_id: int) -> None:
    """Note that the end was seen."""
    book.run("UPDATE grants SET lapse_at = NULL, warn_at = NULL WHERE id = ?", grant_id)


def listen(book: Book, *, app_key: str, now: int, next_midnight: int) -> None:
    """Let an app that has a webhook URL from now on hear of its living grants; what it missed is not made up for."""
    book.run(
        "UPDATE grants SET lapse_at = ends_at,"
        " warn_at = CASE WHEN ends_at - ?1 > ?2 THEN ends_at - ?1 WHEN ?3 < ends_at THEN ?3 END"
        " WHERE app_key = ?4 AND state = 'active' AND ends_at > ?2",
        AHEAD,
        now,
        next_midnight,
        app_key,
    )


def fall_silent(book: Book, app_key: str) -> None:
    """Let an app without a webhook URL cost nothing when the clock is turned."""
    book.run("UPDATE grants SET lapse_at = NULL, warn_at = NULL WHERE app_key = ?", app_key)
