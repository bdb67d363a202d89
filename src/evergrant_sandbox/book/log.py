"""The log: every call received and every notice sent, with a rising number; of token values only the SHA-256."""

from dataclasses import dataclass

from evergrant_sandbox.book.database import Book, Row

_COLUMNS = (
    "kind, at, begun_wall, ended_wall, method, path, query, app_key, grant_id, shop_id, status, code, message,"
    " token_sha256, gave_access_sha256, gave_refresh_sha256, notice_type, notice_id, attempt, answer, fault"
)
_INSERT = f"INSERT INTO log ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  (column names)


@dataclass(slots=True, kw_only=True)
class Entry:
    """One line. It is filled in while the call goes through the doors, so that a refusal names all that was known."""

    kind: str
    at: int
    begun_wall: float
    ended_wall: float | None = None
    method: str = ""
    path: str = ""
    # The query without its secrets.
    query: str = ""
    app_key: str = ""
    grant_id: int | None = None
    shop_id: str = ""
    # The HTTP status; None while or when no answer was given.
    status: int | None = None
    # The platform's code in the answer's envelope, and its sentence on a refusal.
    code: int | None = None
    message: str = ""
    token_sha256: bytes | None = None
    gave_access_sha256: bytes | None = None
    gave_refresh_sha256: bytes | None = None
    notice_type: int | None = None
    notice_id: str = ""
    attempt: int | None = None
    # What the receiver of a notice answered: a status, `timeout`, `refused`, `assumed`, `dropped_by_fault`.
    answer: str = ""
    fault: str = ""
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines are wanted; what is None or empty does not matter. With `before`, those nearest before it."""

    kinds: tuple[str, ...] = ()
    app_key: str | None = None
    grant_id: int | None = None
    shop_id: str | None = None
    # One of `STATUSES`, or an HTTP status.
    status: str | None = None
    notice_id: str | None = None
    after: int = 0
    before: int | None = None
    limit: int = 1000


# How a call went, by a word; a number is an HTTP status.
STATUSES = {
    "accepted": "status BETWEEN 200 AND 299 AND coalesce(code, 0) = 0",
    "refused": "(status >= 400 OR code > 0)",
    "4xx": "status BETWEEN 400 AND 499",
    "5xx": "status BETWEEN 500 AND 599",
    "none": "status IS NULL",
    "fault": "fault != ''",
}


def is_status(given: str) -> bool:
    """Whether lines can be picked by this."""
    return given in STATUSES or (len(given) == 3 and given.isascii() and given.isdigit())


def append(book: Book, entry: Entry) -> int:
    """Write a line and give its number."""
    entry.n = book.insert(
        _INSERT,
        entry.kind,
        entry.at,
        entry.begun_wall,
        entry.ended_wall,
        entry.method,
        entry.path,
        entry.query,
        entry.app_key,
        entry.grant_id,
        entry.shop_id,
        entry.status,
        entry.code,
        entry.message,
        entry.token_sha256,
        entry.gave_access_sha256,
        entry.gave_refresh_sha256,
        entry.notice_type,
        entry.notice_id,
        entry.attempt,
        entry.answer,
        entry.fault,
    )
    return entry.n


def begin_anew(book: Book, entry: Entry, *, after: int) -> None:
    """Write the first line of an emptied log, with a number beyond the old ones: whoever follows the log goes on."""
    append(book, entry)
    book.run("UPDATE log SET n = ? WHERE n = ?", after + 1, entry.n)


def close(book: Book, entry: Entry) -> None:
    """Say how a call that was held back or spoilt went out in the end."""
    book.run(
        "UPDATE log SET ended_wall = ?, status = ?, fault = ? WHERE n = ?",
        entry.ended_wall,
        entry.status,
        entry.fault,
        entry.n,
    )


def read(book: Book, wanted: Filter) -> list[Entry]:
    """Lines in the order of their numbers."""
    conditions, values = _conditions(wanted)
    order = "n" if wanted.before is None else "n DESC"
    rows = book.all(
        f"SELECT n, {_COLUMNS} FROM log WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?",  # noqa: S608  (conditions from below)
        *values,
        wanted.limit,
    )
    return [_entry(row) for row in (rows if wanted.before is None else reversed(rows))]


def find(book: Book, n: int) -> Entry | None:
    """One line by its number."""
    row = book.one(f"SELECT n, {_COLUMNS} FROM log WHERE n = ?", n)  # noqa: S608  (column names)
    return _entry(row) if row else None


def _conditions(wanted: Filter) -> tuple[list[str], list[object]]:
    """What the lines must fulfil, and the values in it."""
    given = {
        "n < ?": wanted.before,
        "app_key = ?": wanted.app_key,
        "grant_id = ?": wanted.grant_id,
        "shop_id = ?": wanted.shop_id,
        "notice_id != '' AND notice_id = ?": wanted.notice_id,
    }
    conditions: list[str] = ["n > ?", *(each for each, value in given.items() if value is not None)]
    values: list[object] = [wanted.after, *(value for value in given.values() if value is not None)]
    if wanted.kinds:
        conditions.append(f"kind IN ({', '.join('?' * len(wanted.kinds))})")
        values += wanted.kinds
    if wanted.status in STATUSES:
        conditions.append(STATUSES[wanted.status])
    elif wanted.status is not None:
        conditions.append("status = ?")
        values.append(int(wanted.status))
    return conditions, values


def last(book: Book) -> int:
    """The number of the newest line."""
    row = book.one("SELECT max(n) FROM log")
    return int(row[0] or 0) if row else 0


def _entry(row: Row) -> Entry:
    return Entry(
        n=row[0],
        kind=row[1],
        at=row[2],
        begun_wall=row[3],
        ended_wall=row[4],
        method=row[5],
        path=row[6],
        query=row[7],
        app_key=row[8],
        grant_id=row[9],
        shop_id=row[10],
        status=row[11],
        code=row[12],
        message=row[13],
        token_sha256=row[14],
        gave_access_sha256=row[15],
        gave_refresh_sha256=row[16],
        notice_type=row[17],
        notice_id=row[18],
        attempt=row[19],
        answer=row[20],
        fault=row[21],
    )
