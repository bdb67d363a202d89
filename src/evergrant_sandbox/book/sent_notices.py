"""Notices as the webhook log of Partner Center lists them: each with what its last attempt came to."""

import json
from dataclasses import dataclass

from evergrant_sandbox.book.database import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One notice to one address, on its way or done with."""

    n: int
    id: str
    app_key: str
    shop_id: str
    type: int
    url: str
    body: bytes
    attempts: int
    # None: it was accepted or dropped.
    next_at: int | None
    # What the last attempt came to; empty before the first.
    answer: str


def of_apps(book: Book, *, keys: tuple[str, ...], kind: int | None, before: int, limit: int) -> list[Sent]:
    """The notices of some apps, the newest first, from a number downwards."""
    rows = book.all(
        "SELECT n, id, app_key, shop_id, type, url, body, attempts, next_at,"
        " coalesce((SELECT l.answer FROM log l WHERE l.notice_id = notices.id AND l.notice_id <> ''"
        " AND l.path = notices.url AND l.attempt = notices.attempts ORDER BY l.n DESC LIMIT 1), '')"
        " FROM notices WHERE n < ?1 AND app_key IN (SELECT value FROM json_each(?2)) AND (?3 IS NULL OR type = ?3)"
        " ORDER BY n DESC LIMIT ?4",
        before,
        json.dumps(keys),
        kind,
        limit,
    )
    return [
        Sent(
            n=row[0],
            id=row[1],
            app_key=row[2],
            shop_id=row[3],
            type=row[4],
            url=row[5],
            body=row[6],
            attempts=row[7],
            next_at=row[8],
            answer=row[9],
        )
        for row in rows
    ]


def count(book: Book, keys: tuple[str, ...]) -> int:
    """How many notices some apps were sent."""
    row = book.one("SELECT count(*) FROM notices WHERE app_key IN (SELECT value FROM json_each(?))", json.dumps(keys))
    return int(row[0]) if row else 0
