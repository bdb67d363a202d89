"""Auth codes, kept as SHA-256; used once, in one statement."""

from dataclasses import dataclass

from evergrant_sandbox.book.database import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The grant a code was good for, and which of its consents."""

    grant_id: int
    consent: int


def keep(book: Book, *, sha256: bytes, app_key: str, spent: Spent, ends_at: int) -> None:
    """Keep a new code; codes of earlier consents to the same grant that nobody used are void from now on."""
    book.run("DELETE FROM codes WHERE grant_id = ? AND used_at IS NULL", spent.grant_id)
    book.run(
        "INSERT INTO codes (sha256, app_key, grant_id, consent, ends_at) VALUES (?, ?, ?, ?, ?)",
        sha256,
        app_key,
        spent.grant_id,
        spent.consent,
        ends_at,
    )


def spend(book: Book, *, sha256: bytes, app_key: str, now: int) -> Spent | None:
    """Use a code; None if it is unknown, another app's, over, or was used before."""
    row = book.one(
        "UPDATE codes SET used_at = ? WHERE sha256 = ? AND app_key = ? AND used_at IS NULL AND ends_at > ?1"
        " RETURNING grant_id, consent",
        now,
        sha256,
        app_key,
    )
    return Spent(grant_id=row[0], consent=row[1]) if row else None


def spent_before(book: Book, *, sha256: bytes, app_key: str) -> Spent | None:
    """What a used code of this app was good for."""
    row = book.one(
        "SELECT grant_id, consent FROM codes WHERE sha256 = ? AND app_key = ? AND used_at IS NOT NULL", sha256, app_key
    )
    return Spent(grant_id=row[0], consent=row[1]) if row else None


def grant_of(book: Book, sha256: bytes) -> int | None:
    """The grant a code belongs to, used or not, for the log and for faults."""
    row = book.one("SELECT grant_id FROM codes WHERE sha256 = ?", sha256)
    return row[0] if row else None
