"""The token clock of every connection: due refreshes taken with a lease, answers kept where the fence still matches."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from evergrant.actions.ports import Doubt, StaleError, Taken
from evergrant.actions.reading import Entry
from evergrant.core.connection import Change, Event
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted
from evergrant.store import audit, changes, events, pairs, sealing
from evergrant.store.database import Connection, Database
from evergrant.store.spool import Slip, Spool

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

SPOOL_KIND = "refresh"
LEASE = timedelta(seconds=60)
"""Longer than the hard limit of a call (20 s, net/platform.py), so that a living worker never loses its lease."""

# Nothing is shown after the end of the authorization, which is the end of the refresh token: the sweep may be late.
# One statement: the lease, the fencing number and the attempt are there together or not at all. A row whose last
# presentation has no outcome is left to `doubts`; one that is in doubt is presented once more, as a probe.
TAKE_DUE = """
with due as (
    select tenant_id, connection_id from tokens t
    where clock = $1 and due_at <= $2 and refresh_ends > $2 and (lease_until is null or lease_until < now())
      and not exists (select from presentations p
                      where p.tenant_id = t.tenant_id and p.connection_id = t.connection_id and p.outcome is null)
    order by due_at limit $3 for update skip locked
), taken as (
    update tokens t set fence = fence + 1, lease_until = now() + $4 from due
    where t.tenant_id = due.tenant_id and t.connection_id = due.connection_id
    returning t.*, exists(select from presentations p where p.tenant_id = t.tenant_id
        and p.connection_id = t.connection_id and p.outcome = 'in_doubt' and p.refresh_hash = t.refresh_hash) as probe
), attempts as (
    insert into presentations (tenant_id, connection_id, fence, refresh_hash, probe)
    select tenant_id, connection_id, fence, refresh_hash, probe from taken
)
select t.*, k.key_number, k.wrapped from taken t
join data_keys k on k.tenant_id = t.tenant_id and k.owner_id = t.connection_id
"""

KEEP = """
update tokens set version = $4, access_sealed = $5, access_ends = $6, refresh_sealed = $7, refresh_hash = $8,
    refresh_ends = $9, issued_at = $10, due_at = $11, lease_until = null, failures = 0
where tenant_id = $1 and connection_id = $2 and fence = $3 returning true
"""

OUTCOME = """
update presentations set outcome = $4, ended_at = now()
where tenant_id = $1 and connection_id = $2 and fence = $3 and (outcome is null or outcome = 'in_doubt')
"""

DOUBTS = """
select t.*, p.probe from presentations p
join tokens t on t.tenant_id = p.tenant_id and t.connection_id = p.connection_id and t.fence = p.fence
where p.outcome is null and t.clock = $1 and t.lease_until < now()
"""


class _Spooled(msgspec.Struct):
    version: int
    access: bytes
    access_ends: datetime
    refresh: bytes
    refresh_hash: bytes
    refresh_ends: datetime


class Tokens:
    """Token pairs, by their connection."""

    def __init__(self, database: Database, vault: "Vault", spool: Spool) -> None:
        self._database = database
        self._vault = vault
        self._spool = spool

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Taken]:
        """Take refreshes that are due, each with a lease, a fencing number and a kept attempt."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_DUE, clock, now, limit, LEASE)
        return [self._taken(row) for row in rows]

    async def keep(self, taken: Taken, granted: Granted, *, due_at: datetime, now: datetime, change: Change) -> str:
        """Keep a new pair: on disk first, then where the fence still matches.

        Gives `ok`, or `stray` if the lease was lost and the pair is kept aside. Raises StaleError.
        """
        async with self._database.connection() as connection:
            key = await sealing.key_of(connection, self._vault, taken.tenant_id, taken.connection_id)
        pair = pairs.sealed(key, granted.pair, taken.version + 1)
        name = await self._spool.put(_slip(taken, pair, due_at, now))
        try:
            async with self._database.transaction() as connection:
                where = (taken.tenant_id, taken.connection_id, taken.fence)
                if not change.is_empty:
                    await changes.lock(connection, taken.tenant_id, taken.connection_id)
                kept = await _keep_pair(connection, where, pair, now, due_at)
                if kept:
                    await changes.keep(connection, change, actor="refresh")
                    await _refreshed(connection, where)
                else:
                    await self._stray(connection, taken, granted, "lease_lost")
        except StaleError:
            await self._spool.drop(name)
            raise
        await self._spool.drop(name)
        return "ok" if kept else "stray"

    async def give_back(self, taken: Taken, outcome: str, wait: timedelta) -> None:
        """The token was provably not used up: try again after a while."""
        async with self._database.transaction() as connection:
            await connection.execute(OUTCOME, taken.tenant_id, taken.connection_id, taken.fence, outcome)
            await connection.execute(
                """
                update tokens set lease_until = now() + $4, failures = failures + 1
                where tenant_id = $1 and connection_id = $2 and fence = $3
                """,
                taken.tenant_id,
                taken.connection_id,
                taken.fence,
                wait,
            )

    async def end(self, taken: Taken | Doubt, change: Change) -> str:
        """The platform refused the token for good.

        Gives `final`, or `outlived` if a newer pair stands meanwhile and nothing was changed. Raises StaleError.
        """
        async with self._database.transaction() as connection:
            await changes.lock(connection, taken.tenant_id, taken.connection_id)
            ours = await connection.fetchval(
                """
                update tokens set due_at = null, lease_until = null
                where tenant_id = $1 and connection_id = $2 and fence = $3 returning true
                """,
                taken.tenant_id,
                taken.connection_id,
                taken.fence,
            )
            outcome = "final" if ours else "outlived"
            await connection.execute(OUTCOME, taken.tenant_id, taken.connection_id, taken.fence, outcome)
            if ours:
                await changes.keep(connection, change, actor="refresh")
        return outcome

    async def doubt(self, doubt: Doubt, *, probe_at: datetime, now: datetime) -> None:
        """The outcome is not known: keep serving the access token, and show the refresh token again at `probe_at`."""
        async with self._database.transaction() as connection:
            await changes.lock(connection, doubt.tenant_id, doubt.connection_id)
            ours = await connection.fetchval(
                """
                update tokens set due_at = $4, lease_until = null
                where tenant_id = $1 and connection_id = $2 and fence = $3 and due_at is not null returning true
                """,
                doubt.tenant_id,
                doubt.connection_id,
                doubt.fence,
                probe_at,
            )
            await connection.execute(
                OUTCOME, doubt.tenant_id, doubt.connection_id, doubt.fence, "in_doubt" if ours else "outlived"
            )
            if ours:
                await _flag(connection, doubt, probe_at, now)

    async def doubts(self, clock: str) -> Sequence[Doubt]:
        """Attempts whose worker is gone without a word."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(DOUBTS, clock)
        return [
            Doubt(
                tenant_id=row["tenant_id"],
                connection_id=row["connection_id"],
                app_id=row["app_id"],
                fence=row["fence"],
                issued_at=row["issued_at"],
                access_ends=row["access_ends"],
                probe=row["probe"],
            )
            for row in rows
        ]

    async def set_aside(self, taken: Taken, granted: Granted, why: str) -> None:
        """Keep a pair that is not this connection's, sealed, out of reach."""
        async with self._database.transaction() as connection:
            await self._stray(connection, taken, granted, why)

    async def access(self, tenant_id: str, connection_id: str) -> tuple[Secret, datetime] | None:
        """The access token and its end, for our own calls; None if they were destroyed."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """
                select t.version, t.access_sealed, t.access_ends, k.key_number, k.wrapped from tokens t
                join data_keys k on k.tenant_id = t.tenant_id and k.owner_id = t.connection_id
                where t.tenant_id = $1 and t.connection_id = $2
                """,
                tenant_id,
                connection_id,
            )
        if row is None:
            return None
        key = sealing.opened(self._vault, tenant_id, connection_id, row["key_number"], row["wrapped"])
        return key.open("access_token", row["version"], row["access_sealed"]), row["access_ends"]

    async def want(
        self, tenant_id: str, connection_id: str, now: datetime, *, issued_before: datetime | None = None
    ) -> None:
        """Make the refresh due at once, unless its outcome is in doubt or the pair is younger than `issued_before`."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                with wanted as (
                    update tokens t set due_at = least(due_at, $3)
                    where tenant_id = $1 and connection_id = $2 and due_at > $3
                      and ($4::timestamptz is null or issued_at < $4) and not exists (
                        select from presentations p where p.tenant_id = t.tenant_id
                          and p.connection_id = t.connection_id and p.outcome = 'in_doubt')
                    returning true)
                select pg_notify('evergrant_work', 'refresh') from wanted
                """,
                tenant_id,
                connection_id,
                now,
                issued_before,
            )

    async def heal(self) -> int:
        """Bring answers that reached the disk but not the database to the database; gives how many were wanted."""
        healed = 0
        for name, slip in self._spool.left():
            if slip.kind != SPOOL_KIND:
                continue
            if await self._heal_one(slip):
                healed += 1
                await self._spool.drop(name)
            else:
                await self._spool.set_aside(name)
        return healed

    async def _heal_one(self, slip: Slip) -> bool:
        found = msgspec.msgpack.decode(slip.sealed, type=_Spooled)
        pair = pairs.SealedPair(
            version=found.version,
            access=found.access,
            access_ends=found.access_ends,
            refresh=found.refresh,
            refresh_hash=found.refresh_hash,
            refresh_ends=found.refresh_ends,
        )
        at, due_at = datetime.fromisoformat(slip.at), datetime.fromisoformat(slip.due_at)
        async with self._database.transaction() as connection:
            where = (slip.tenant_id, slip.owner_id, slip.fence)
            kept = await _keep_pair(connection, where, pair, at, due_at)
            if kept:
                await _refreshed(connection, where)
        return kept

    def _taken(self, row: Any) -> Taken:
        key = sealing.opened(self._vault, row["tenant_id"], row["connection_id"], row["key_number"], row["wrapped"])
        return Taken(
            tenant_id=row["tenant_id"],
            connection_id=row["connection_id"],
            app_id=row["app_id"],
            fence=row["fence"],
            version=row["version"],
            refresh=key.open("refresh_token", row["version"], row["refresh_sealed"]),
            issued_at=row["issued_at"],
            access_ends=row["access_ends"],
            probe=row["probe"],
        )

    async def _stray(self, connection: Connection, taken: Taken, granted: Granted, why: str) -> None:
        await pairs.set_aside(connection, self._vault, taken.tenant_id, taken.app_id, taken.connection_id, granted, why)
        await connection.execute(OUTCOME, taken.tenant_id, taken.connection_id, taken.fence, "outlived")


async def _keep_pair(
    connection: Connection, where: tuple[str, str, int], pair: pairs.SealedPair, now: datetime, due_at: datetime
) -> bool:
    """Replace the pair where tenant, connection and fence match; says whether they did."""
    return bool(
        await connection.fetchval(
            KEEP,
            *where,
            pair.version,
            pair.access,
            pair.access_ends,
            pair.refresh,
            pair.refresh_hash,
            pair.refresh_ends,
            now,
            due_at,
        )
    )


async def _refreshed(connection: Connection, where: tuple[str, str, int]) -> None:
    tenant_id, connection_id, _fence = where
    await connection.execute(OUTCOME, *where, "ok")
    await connection.execute(
        "update connections set in_doubt_since = null where tenant_id = $1 and id = $2 and in_doubt_since is not null",
        tenant_id,
        connection_id,
    )
    entry = Entry(tenant_id=tenant_id, actor="refresh", action="token.refreshed", subject=connection_id)
    await audit.write(connection, [entry])


async def _flag(connection: Connection, doubt: Doubt, probe_at: datetime, now: datetime) -> None:
    flagged = await connection.fetchval(
        """
        update connections set in_doubt_since = $3
        where tenant_id = $1 and id = $2 and in_doubt_since is null returning true
        """,
        doubt.tenant_id,
        doubt.connection_id,
        now,
    )
    if flagged:
        told = Event(type="connection.in_doubt", data={"next_attempt_at": probe_at.isoformat()})
        await events.write(connection, doubt.tenant_id, doubt.connection_id, [told], now)


def _slip(taken: Taken, pair: pairs.SealedPair, due_at: datetime, now: datetime) -> Slip:
    content = _Spooled(
        version=pair.version,
        access=pair.access,
        access_ends=pair.access_ends,
        refresh=pair.refresh,
        refresh_hash=pair.refresh_hash,
        refresh_ends=pair.refresh_ends,
    )
    return Slip(
        kind=SPOOL_KIND,
        tenant_id=taken.tenant_id,
        owner_id=taken.connection_id,
        fence=taken.fence,
        sealed=msgspec.msgpack.encode(content),
        at=now.isoformat(),
        due_at=due_at.isoformat(),
    )
