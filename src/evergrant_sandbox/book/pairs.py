"""Token pairs, kept. Every change that races is one statement that names what must still hold."""

from dataclasses import dataclass

from evergrant_sandbox.book import grants
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.tokens import Seal

_WIDTH = len(grants.COLUMNS.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A refresh token as the book knows it, with the grant it belongs to."""

    grant: Grant
    serial: int
    consent: int
    ends_at: int
    revoked_at: int | None
    used_at: int | None
    # The pair it gave when it was used, and when that pair's refresh token was used itself.
    successor: int | None
    successor_used_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token as the book knows it, with the grant it belongs to."""

    grant: Grant
    ends_at: int
    revoked_at: int | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPair:
    """What is written when a pair is given out; without an end of its refresh token it is an access token alone."""

    seal: Seal
    consent: int
    scopes: tuple[str, ...]
    access_ends_at: int
    refresh_ends_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A pair with everything the book knows of it; in `stable` mode most pairs have no refresh token."""

    serial: int
    consent: int
    access_ends_at: int
    access_revoked_at: int | None
    refresh_ends_at: int | None
    refresh_revoked_at: int | None
    used_at: int | None
    successor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The pair an app should be holding: the newest of each half, None before the first exchange."""

    access: Seal | None
    refresh: Seal | None


def refresh_token(book: Book, seal: Seal) -> RefreshToken | None:
    """The refresh token of a pair."""
    row = book.one(
        f"SELECT {grants.COLUMNS}, p.consent, p.refresh_ends_at, p.refresh_revoked_at, p.used_at, p.successor,"  # noqa: S608  (column names)
        " (SELECT s.used_at FROM pairs s WHERE s.grant_id = p.grant_id AND s.serial = p.successor)"
        " FROM pairs p JOIN grants g ON g.id = p.grant_id"
        " WHERE p.grant_id = ? AND p.serial = ? AND p.refresh_ends_at IS NOT NULL",
        seal.grant_id,
        seal.serial,
    )
    if row is None:
        return None
    consent, ends_at, revoked_at, used_at, successor, successor_used_at = row[_WIDTH:]
    return RefreshToken(
        grant=grants.read(row),
        serial=seal.serial,
        consent=consent,
        ends_at=ends_at,
        revoked_at=revoked_at,
        used_at=used_at,
        successor=successor,
        successor_used_at=successor_used_at,
    )


def access_token(book: Book, seal: Seal) -> AccessToken | None:
    """The access token of a pair."""
    row = book.one(
        f"SELECT {grants.COLUMNS}, p.access_ends_at, p.access_revoked_at, p.scopes"  # noqa: S608  (column names)
        " FROM pairs p JOIN grants g ON g.id = p.grant_id WHERE p.grant_id = ? AND p.serial = ?",
        seal.grant_id,
        seal.serial,
    )
    if row is None:
        return None
    ends_at, revoked_at, scopes = row[_WIDTH:]
    return AccessToken(grant=grants.read(row), ends_at=ends_at, revoked_at=revoked_at, scopes=tuple(scopes.split()))


def next_serial(book: Book, grant_id: int) -> int:
    """The number the grant's next pair gets."""
    row = book.one("SELECT max(serial) FROM pairs WHERE grant_id = ?", grant_id)
    return (row[0] or 0) + 1 if row else 1


def rotate(book: Book, token: RefreshToken, *, at: int) -> int | None:
    """Use a refresh token up: the number of the pair to give for it, or None if somebody was faster."""
    row = book.one(
        "UPDATE pairs SET used_at = ?1, successor = (SELECT max(m.serial) + 1 FROM pairs m WHERE m.grant_id = ?2)"
        " WHERE grant_id = ?2 AND serial = ?3 AND used_at IS NULL AND refresh_revoked_at IS NULL AND refresh_ends_at > ?1"
        " RETURNING successor",
        at,
        token.grant.id,
        token.serial,
    )
    return row[0] if row else None


def keep(book: Book, pair: NewPair) -> None:
    """Keep a new pair."""
    book.run(
        "INSERT INTO pairs (grant_id, serial, consent, scopes, access_ends_at, refresh_ends_at) VALUES (?, ?, ?, ?, ?, ?)",
        pair.seal.grant_id,
        pair.seal.serial,
        pair.consent,
        " ".join(pair.scopes),
        pair.access_ends_at,
        pair.refresh_ends_at,
    )


def access_ends_at(book: Book, seal: Seal) -> int | None:
    """When the access token of a pair ends."""
    row = book.one("SELECT access_ends_at FROM pairs WHERE grant_id = ? AND serial = ?", seal.grant_id, seal.serial)
    return row[0] if row else None


def newest(book: Book, grant_id: int) -> Newest:
    """The newest of each half."""
    row = book.one(
        "SELECT (SELECT max(serial) FROM pairs WHERE grant_id = ?1),"
        " (SELECT max(serial) FROM pairs WHERE grant_id = ?1 AND refresh_ends_at IS NOT NULL)",
        grant_id,
    )
    access, refresh = row or (None, None)
    return Newest(
        access=Seal(grant_id, access) if access else None,
        refresh=Seal(grant_id, refresh) if refresh else None,
    )


def newest_first(book: Book, grant_id: int, limit: int) -> list[Kept]:
    """The pairs of a grant, the newest first."""
    rows = book.all(
        "SELECT serial, consent, access_ends_at, access_revoked_at, refresh_ends_at, refresh_revoked_at, used_at, successor"
        " FROM pairs WHERE grant_id = ? ORDER BY serial DESC LIMIT ?",
        grant_id,
        limit,
    )
    return [
        Kept(
            serial=row[0],
            consent=row[1],
            access_ends_at=row[2],
            access_revoked_at=row[3],
            refresh_ends_at=row[4],
            refresh_revoked_at=row[5],
            used_at=row[6],
            successor=row[7],
        )
        for row in rows
    ]


def move_end(book: Book, token: RefreshToken) -> None:
    """Let an unchanging refresh token end when its grant now ends."""
    book.run(
        "UPDATE pairs SET refresh_ends_at = ? WHERE grant_id = ? AND serial = ?",
        token.grant.ends_at,
        token.grant.id,
        token.serial,
    )


def revoke_access(book: Book, *, grant_id: int, below: int, at: int) -> None:
    """Kill the access tokens of all pairs before the given number."""
    book.run(
        "UPDATE pairs SET access_revoked_at = ? WHERE grant_id = ? AND serial < ? AND access_revoked_at IS NULL",
        at,
        grant_id,
        below,
    )


def revoke_all(book: Book, *, grant_id: int, at: int) -> None:
    """Kill every token of a grant."""
    _revoke(book, "grant_id = ?2", at, grant_id)


def revoke_consents_before(book: Book, *, grant_id: int, consent: int, at: int) -> None:
    """Kill what earlier consents to the same grant have given."""
    _revoke(book, "grant_id = ?2 AND consent < ?3", at, grant_id, consent)


def revoke_consent(book: Book, *, grant_id: int, consent: int, at: int) -> None:
    """Kill what one consent has given."""
    _revoke(book, "grant_id = ?2 AND consent = ?3", at, grant_id, consent)


def _revoke(book: Book, which: str, *values: int) -> None:
    book.run(
        "UPDATE pairs SET access_revoked_at = coalesce(access_revoked_at, ?1),"  # noqa: S608  (one of three conditions)
        f" refresh_revoked_at = coalesce(refresh_revoked_at, ?1) WHERE {which}"
        " AND (access_revoked_at IS NULL OR refresh_revoked_at IS NULL)",
        *values,
    )
