"""What became of each authorization: consents, codes and ends, each with its place between the lines of the log."""

from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.book.database import Book


class What(StrEnum):
    """What happened to an authorization beside the calls."""

    CONSENT = "consent"
    CODE = "code"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened, after the line of the log with the number `line`."""

    at: int
    line: int
    what: What
    detail: str


def note(book: Book, *, grant_id: int, at: int, what: What, detail: str) -> None:
    """Note what has happened."""
    book.run(
        "INSERT INTO history (grant_id, at, line, what, detail)"
        " VALUES (?, ?, coalesce((SELECT max(n) FROM log), 0), ?, ?)",
        grant_id,
        at,
        what,
        detail,
    )


def of_grant(book: Book, grant_id: int) -> list[Happening]:
    """Everything that happened to one authorization, in order."""
    rows = book.all("SELECT at, line, what, detail FROM history WHERE grant_id = ? ORDER BY n", grant_id)
    return [Happening(at=at, line=line, what=What(what), detail=detail) for at, line, what, detail in rows]
