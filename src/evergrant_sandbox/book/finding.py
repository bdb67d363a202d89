"""Authorizations, looked for by words, app and status, page by page."""

from dataclasses import dataclass

from evergrant_sandbox.book import grants
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.grant import Grant, Status

_BY_STATUS = {
    Status.ACTIVE: "g.state = 'active' AND g.ends_at > ?1",
    Status.EXPIRED: "g.state = 'active' AND g.ends_at <= ?1",
    Status.CANCELLED: "g.state = 'cancelled'",
    Status.DEACTIVATED: "g.state = 'deactivated'",
}
_WORDS = (
    "(g.seller_id IN (SELECT id FROM sellers WHERE name LIKE ?2 ESCAPE '\\' OR id = ?3"
    " UNION SELECT seller_id FROM accounts WHERE email LIKE ?2 ESCAPE '\\')"
    " OR EXISTS (SELECT 1 FROM shops s WHERE s.seller_id = g.seller_id AND (g.shop_id IS NULL OR g.shop_id = s.id)"
    " AND (s.name LIKE ?2 ESCAPE '\\' OR s.id = ?3 OR s.code = ?3))"
    " OR CAST(g.id AS TEXT) = ?3 OR g.open_id = ?3)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; what is None or empty does not matter. Words are a part of a name or address, or a whole id."""

    words: str = ""
    app_key: str | None = None
    status: Status | None = None
    skip: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of authorizations, the newest consent first, and how many there are in all."""

    grants: list[Grant]
    total: int


def search(book: Book, wanted: Search, *, now: int) -> Found:
    """The authorizations that fit."""
    part = wanted.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    fits = " AND ".join(
        [
            _BY_STATUS[wanted.status] if wanted.status else "?1 IS NOT NULL",
            _WORDS if wanted.words else "?2 IS NOT NULL AND ?3 IS NOT NULL",
            "(?4 IS NULL OR g.app_key = ?4)",
        ]
    )
    values = (now, f"%{part}%", wanted.words, wanted.app_key)
    total = book.one(f"SELECT count(*) FROM grants g WHERE {fits}", *values)  # noqa: S608  (conditions from above)
    rows = book.all(
        f"SELECT {grants.COLUMNS} FROM grants g WHERE {fits} ORDER BY g.granted_at DESC, g.id LIMIT ?5 OFFSET ?6",  # noqa: S608  (conditions from above)
        *values,
        wanted.limit,
        wanted.skip,
    )
    return Found(grants=[grants.read(row) for row in rows], total=int(total[0]) if total else 0)
