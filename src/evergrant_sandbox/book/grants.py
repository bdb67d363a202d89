"""Grants, kept: found by id, by target, by what falls due; changed in single statements that name what must hold."""

from dataclasses import dataclass

from evergrant_sandbox.book.database import Book, Row
from evergrant_sandbox.world.grant import EndedBy, Grant, State

# What `read` reads, of a grant called g in the statement.
COLUMNS = (
    "g.id, g.app_key, g.seller_id, g.shop_id, g.open_id, g.prefix, g.scopes, g.granted_at, g.period, g.ends_at, g.state,"
    " g.ended_at, g.ended_by, g.consents, g.contact_email, g.contact_phone"
)
_SELECT = f"SELECT {COLUMNS} FROM grants g"  # noqa: S608  (column names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which grants a list is about; what is None does not matter."""

    app_key: str | None = None
    seller_id: str | None = None
    shop_id: str | None = None
    after: int = 0
    limit: int = 100


def target_of(*, seller_id: str, shop_id: str | None) -> str:
    """What a consent is for, as one word: two consents of one app for the same target are the same grant."""
    return f"shop:{shop_id}" if shop_id else f"seller:{seller_id}"


def read(row: Row) -> Grant:
    """A grant out of its columns."""
    return Grant(
        id=row[0],
        app_key=row[1],
        seller_id=row[2],
        shop_id=row[3],
        open_id=row[4],
        prefix=row[5],
        scopes=tuple(row[6].split()),
        granted_at=row[7],
        period=row[8],
        ends_at=row[9],
        state=State(row[10]),
        ended_at=row[11],
        ended_by=EndedBy(row[12]),
        consents=row[13],
        contact_email=row[14],
        contact_phone=row[15],
    )


def keep(book: Book, grant: Grant, *, warn_at: int | None, lapse_at: int | None) -> None:
    """Keep a grant as a consent has made or renewed it."""
    book.run(
        "INSERT INTO grants (id, app_key, seller_id, shop_id, target, open_id, prefix, scopes, granted_at, period, ends_at,"
        " state, ended_at, ended_by, consents, contact_email, contact_phone, warn_at, lapse_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at,"
        " period = excluded.period, ends_at = excluded.ends_at, state = excluded.state, ended_at = excluded.ended_at,"
        " ended_by = excluded.ended_by, consents = excluded.consents, contact_email = excluded.contact_email,"
        " contact_phone = excluded.contact_phone, warn_at = excluded.warn_at, lapse_at = excluded.lapse_at",
        grant.id,
        grant.app_key,
        grant.seller_id,
        grant.shop_id,
        target_of(seller_id=grant.seller_id, shop_id=grant.shop_id),
        grant.open_id,
        grant.prefix,
        " ".join(grant.scopes),
        grant.granted_at,
        grant.period,
        grant.ends_at,
        grant.state,
        grant.ended_at,
        grant.ended_by,
        grant.consents,
        grant.contact_email,
        grant.contact_phone,
        warn_at,
        lapse_at,
    )


def find(book: Book, grant_id: int) -> Grant | None:
    """A grant by its id."""
    row = book.one(f"{_SELECT} WHERE g.id = ?", grant_id)
    return read(row) if row else None


def find_by_target(book: Book, *, app_key: str, seller_id: str, shop_id: str | None) -> Grant | None:
    """The grant of an app for a target, alive or over."""
    target = target_of(seller_id=seller_id, shop_id=shop_id)
    row = book.one(f"{_SELECT} WHERE g.app_key = ? AND g.target = ?", app_key, target)
    return read(row) if row else None


def of_seller(book: Book, *, app_key: str, seller_id: str) -> list[Grant]:
    """All grants of one seller to one app."""
    return [read(row) for row in book.all(f"{_SELECT} WHERE g.seller_id = ? AND g.app_key = ?", seller_id, app_key)]


def covering(book: Book, *, shop_id: str, seller_id: str) -> list[Grant]:
    """All grants, to whatever app, that cover a shop and were not ended by anybody."""
    rows = book.all(
        f"{_SELECT} WHERE g.seller_id = ? AND (g.shop_id = ? OR g.shop_id IS NULL) AND g.state = 'active'",
        seller_id,
        shop_id,
    )
    return [read(row) for row in rows]


def listed(book: Book, wanted: Filter) -> list[Grant]:
    """Grants in the order of their ids."""
    given = {"g.app_key = ?": wanted.app_key, "g.seller_id = ?": wanted.seller_id, "g.shop_id = ?": wanted.shop_id}
    # Only what is asked for becomes part of the statement, so that a seller's few are found among very many by an index.
    asked = {condition: value for condition, value in given.items() if value is not None}
    where = " AND ".join(["g.id > ?", *asked])
    rows = book.all(f"{_SELECT} WHERE {where} ORDER BY g.id LIMIT ?", wanted.after, *asked.values(), wanted.limit)
    return [read(row) for row in rows]


def newest(book: Book, limit: int) -> list[Grant]:
    """The grants consented to last."""
    return [read(row) for row in book.all(f"{_SELECT} ORDER BY g.granted_at DESC, g.id LIMIT ?", limit)]


def count(book: Book) -> int:
    """How many grants there are."""
    row = book.one("SELECT count(*) FROM grants")
    return int(row[0]) if row else 0


def count_alive(book: Book, *, app_key: str, now: int) -> int:
    """How many authorizations an app has that are not over."""
    row = book.one("SELECT count(*) FROM grants WHERE app_key = ? AND state = 'active' AND ends_at > ?", app_key, now)
    return int(row[0]) if row else 0


def end(book: Book, grant_id: int, *, state: State, by: EndedBy, at: int) -> bool:
    """End a living grant; False if somebody was faster, or the clock."""
    changed = book.run(
        "UPDATE grants SET state = ?, ended_by = ?, ended_at = ?, warn_at = NULL, lapse_at = NULL"
        " WHERE id = ? AND state = 'active' AND ends_at > ?3",
        state,
        by,
        at,
        grant_id,
    )
    return changed == 1
