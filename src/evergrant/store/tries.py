"""Passwords tried: the more were wrong, the longer until the next may be; counted in the database, for every process.

Counted are an account from one address, an account from anywhere, and an address. Whoever is waited for is told how long,
known account or not. A browser that has logged in to an account is counted by itself: no stranger can make it wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from evergrant.actions.reading import Whence
from evergrant.core.errors import TooManyTriesError
from evergrant.core.secret import Secret
from evergrant.store.database import Connection, Database
from evergrant.store.values import digest

FORGIVEN = timedelta(hours=1)
"""After so long without a try the count begins anew."""

KNOWN_FOR = timedelta(days=90)
"""How long a browser that has logged in is told apart from strangers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many tries are free; from then on each waits twice as long as the one before, up to `longest` seconds."""

    free: int
    longest: int

    def wait(self, tries: int) -> timedelta:
        """How long the next has to wait after so many."""
        over = tries - self.free
        return timedelta(seconds=min(self.longest, 2 ** min(over, 16))) if over >= 0 else timedelta(0)


HERE, ACCOUNT, ADDRESS = Limit(free=5, longest=60), Limit(free=50, longest=30), Limit(free=30, longest=60)

FORGET = """
delete from password_tries where key in (
    select key from password_tries
    where seen_at < now() - interval '1 day' and coalesce(succeeded_at < now() - $1::interval, true)
    order by seen_at limit 20 for update skip locked)
"""
COUNT = """
update password_tries t set tries = given.tries, next_at = now() + given.wait, seen_at = now()
from unnest($1::bytea[], $2::int[], $3::interval[]) as given (key, tries, wait) where t.key = given.key
"""
SETTLE = """
update password_tries set tries = case when key = $2 and $3 then 0 else greatest(tries - 1, 0) end,
    next_at = case when key = $2 then now() else next_at end
where key = any($1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try under way: it is counted as a wrong one until it proves right. `keys` begin with its own place's."""

    keys: Sequence[bytes]
    is_known: bool


class Tries:
    """The tries of late."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, account: str, whence: Whence) -> Try:
        """Count a try before it is made, so that many at once are many.

        Raises:
            TooManyTriesError: it comes too soon. It is not counted.
        """
        account = account.lower()
        async with self._database.transaction() as connection:
            await connection.execute(FORGET, KNOWN_FOR)
            known = _of_browser(account, whence.browser) if whence.browser else b""
            is_known = bool(
                await connection.fetchval(
                    "select true from password_tries where key = $1 and succeeded_at > now() - $2::interval",
                    known,
                    KNOWN_FOR,
                )
            )
            limits = {known: HERE} if is_known else _strangers(account, whence.address)
            await _count(connection, limits)
        return Try(keys=list(limits), is_known=is_known)

    async def settle(self, tried: Try, *, is_right: bool) -> None:
        """It was right after all, or was not made."""
        async with self._database.connection() as connection:
            await connection.execute(SETTLE, tried.keys, tried.keys[0], is_right)


async def remember(connection: Connection, account: str, browser: Secret) -> None:
    """Know this browser from strangers: somebody has logged in with it."""
    await connection.execute(
        """
        insert into password_tries (key, succeeded_at) values ($1, now())
        on conflict (key) do update set succeeded_at = now(), seen_at = now(), tries = 0, next_at = now()
        """,
        _of_browser(account.lower(), browser),
    )


async def _count(connection: Connection, limits: dict[bytes, Limit]) -> None:
    keys = sorted(limits)  # everybody locks in this order
    await connection.execute(
        "insert into password_tries (key) select unnest($1::bytea[]) on conflict (key) do nothing", keys
    )
    rows = await connection.fetch(
        "select *, now() as at from password_tries where key = any($1) order by key for update", keys
    )
    at: datetime = rows[0]["at"]
    wait = max(row["next_at"] for row in rows) - at
    if wait > timedelta(0):
        raise TooManyTriesError(ceil(wait.total_seconds()))
    tries = [1 if row["seen_at"] < at - FORGIVEN else row["tries"] + 1 for row in rows]
    waits = [limits[key].wait(count) for key, count in zip(keys, tries, strict=True)]
    await connection.execute(COUNT, keys, tries, waits)


def _strangers(account: str, address: str) -> dict[bytes, Limit]:
    return {
        _key("here", account, address): HERE,
        _key("account", account): ACCOUNT,
        _key("address", address): ADDRESS,
    }


def _of_browser(account: str, browser: Secret) -> bytes:
    return _key("browser", account, browser.reveal())


def _key(kind: str, *parts: str) -> bytes:
    return digest("|".join(("tried", kind, *(digest(part).hex() for part in parts))))
