"""What lies ahead: notices 7, ends of authorizations, attempts at notices, the next first."""

from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.book import grants, notices
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.notices import Notice
from evergrant_sandbox.world.grant import Grant


class Sort(StrEnum):
    """What falls due."""

    WARNING = "warning"
    END = "end"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """One thing that falls due, and what it is about."""

    at: int
    sort: Sort
    grant: Grant | None = None
    notice: Notice | None = None


def upcoming(book: Book, *, now: int, limit: int) -> list[Ahead]:
    """What falls due next, in order."""
    warned = book.all(
        f"SELECT {grants.COLUMNS}, g.warn_at FROM grants g WHERE g.warn_at IS NOT NULL ORDER BY g.warn_at LIMIT ?",  # noqa: S608  (column names)
        limit,
    )
    ending = book.all(
        f"SELECT {grants.COLUMNS} FROM grants g WHERE g.state = 'active' AND g.ends_at > ? ORDER BY g.ends_at LIMIT ?",  # noqa: S608  (column names)
        now,
        limit,
    )
    found = [Ahead(at=row[-1], sort=Sort.WARNING, grant=grants.read(row)) for row in warned]
    found += [Ahead(at=grant.ends_at, sort=Sort.END, grant=grant) for grant in map(grants.read, ending)]
    found += [Ahead(at=each.next_at or now, sort=Sort.NOTICE, notice=each) for each in notices.waiting(book, limit)]
    return sorted(found, key=lambda each: each.at)[:limit]


def next_end(book: Book, *, after: int) -> int | None:
    """The first end of a running authorization after an instant."""
    row = book.one("SELECT min(ends_at) FROM grants WHERE state = 'active' AND ends_at > ?", after)
    return row[0] if row else None
