"""The token clock of every connection: due refreshes taken with a lease, answers kept where the fence still matches."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from evergrant.actions.ports import Doubt, SealingKey, Spooled, Taken
from evergrant.core.connection import Change, Event
from evergrant.core.errors import DatabaseUnavailableError, VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted
from evergrant.store import changes, events, pairs, presentations, sealing
from evergrant.store.database import Connection, Database
from evergrant.store.spool import Slip, Spool
from evergrant.store.values import digest

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

SPOOL_KIND = "refresh"
LEASE = timedelta(seconds=60)
"""Longer than the hard limit of a call (20 s), so that a living worker never loses it."""

# Nothing is shown after the end of the authorization, which is the end of the refresh token: the sweep may be late.
# One statement: the lease, the fencing number and the attempt are there together or not at all. A row whose last
# presentation has no outcome is left to `doubts`; one that is in doubt is presented once more, as a probe. A probe that
# is lost ends the authorization, so it counts as not sent until `holds` says that it is about to be shown.
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
    insert into presentations (tenant_id, connection_id, fence, refresh_hash, probe, outcome)
    select tenant_id, connection_id, fence, refresh_hash, probe, case when probe then 'not_sent' end from taken
)
select t.*, k.key_number, k.wrapped from taken t
join data_keys k on k.tenant_id = t.tenant_id and k.owner_id = t.connection_id
"""

# The pair, the end of the attempt and of every older doubt, and the record of it, where the very pair that was shown
# still stands: together or not at all, in one statement, the connection's row first. Such an answer is the newest pair there
# is, whoever holds the lease by now: a fence that has moved moves once more, so that whoever shows the old token
# meanwhile changes nothing.
KEEP = """
with held as (
    select tenant_id, id from connections where tenant_id = $1 and id = $2 for update
), kept as (
    update tokens t set version = $4, access_sealed = $5, access_ends = $6, refresh_sealed = $7, refresh_hash = $8,
        refresh_ends = $9, issued_at = $10, due_at = $11, lease_until = null, failures = 0,
        fence = case when fence = $3 then fence else fence + 1 end
    from held
    where t.tenant_id = held.tenant_id and t.connection_id = held.id and t.version = $4 - 1
      and exists (select from presentations p where p.tenant_id = t.tenant_id and p.connection_id = t.connection_id
                  and p.fence = $3 and p.refresh_hash = t.refresh_hash)
    returning t.tenant_id, t.connection_id
), ended as (
    update presentations p set outcome = case when p.fence = $3 then 'ok' else 'outlived' end, ended_at = now() from kept
    where p.tenant_id = kept.tenant_id and p.connection_id = kept.connection_id
      and (p.outcome is null or p.outcome = 'in_doubt')
), settled as (
    update connections c set in_doubt_since = null from kept
    where c.tenant_id = kept.tenant_id and c.id = kept.connection_id and c.in_doubt_since is not null
), recorded as (
    insert into audit (tenant_id, actor, action, subject, request_id, detail)
    select tenant_id, 'refresh', 'token.refreshed', connection_id, '', '{}' from kept
)
select true from kept
"""

UNREADABLE_AGAIN = timedelta(hours=1)
"""How long a row that does not open is left alone: nothing was sent, and only a person can mend it."""

log = structlog.get_logger("tokens")


class Tokens:
    """Token pairs, by their connection."""

    def __init__(self, database: Database, vault: "Vault", spool: Spool) -> None:
        self._database = database
        self._vault = vault
        self._spool = spool

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Taken]:
        """Take refreshes that are due, each with a lease, a fencing number and a kept attempt.

        None while this machine's disk has no room for an answer. A row that does not open is set aside, alone.
        """
        if not await self._spool.takes():
            return []
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_DUE, clock, now, limit, LEASE)
        taken = []
        for row in rows:
            try:
                taken.append(self._taken(row))
            except VaultIntegrityError:
                log.critical("tokens.unreadable", tenant=row["tenant_id"], connection=row["connection_id"])
                where = (row["tenant_id"], row["connection_id"], row["fence"])
                with suppress(DatabaseUnavailableError):  # then its lease runs out; the others are in hand
                    await self._give_back(where, "not_sent", UNREADABLE_AGAIN)
        return taken

    async def holds(self, taken: Taken) -> bool:
        """Whether the token may be shown: the lease still has the hard limit of a call left. A probe is noted with it."""
        async with self._database.connection() as connection:
            return await presentations.may_be_shown(connection, taken)

    async def spool(self, taken: Taken, granted: Granted, *, at: datetime, due_at: datetime) -> Spooled:
        """Keep an answer on disk, sealed, without asking the database for anything."""
        slip = Slip(
            kind=SPOOL_KIND,
            tenant_id=taken.tenant_id,
            owner_id=taken.connection_id,
            app_id=taken.app_id,
            fence=taken.fence,
            version=taken.version,
            sealed=taken.key.seal("grant", taken.version + 1, pairs.packed(granted)),
            at=at.isoformat(),
            due_at=due_at.isoformat(),
        )
        return _spooled(slip, granted, taken.key, await self._spool.put(slip))

    async def spooled(self) -> Sequence[Spooled]:
        """Answers a killed process left on this machine's disk. One nobody can open any more is set aside."""
        found = []
        for name, slip in self._spool.left():
            if slip.kind != SPOOL_KIND:
                continue
            try:
                async with self._database.connection() as connection:
                    key = await sealing.key_of(connection, self._vault, slip.tenant_id, slip.owner_id)
                granted = pairs.unpacked(key.open("grant", slip.version + 1, slip.sealed))
                found.append(_spooled(slip, granted, key, name))
            except (VaultIntegrityError, ValueError):
                log.critical("tokens.slip_unreadable", slip=name, tenant=slip.tenant_id, connection=slip.owner_id)
                await self._spool.set_aside(name)
        return found

    async def keep(self, spooled: Spooled, change: Change) -> str:
        """Keep a new pair where the one it replaces still stands, and forget it on disk.

        Gives `ok`, or `outlived` if a newer pair stands or the tokens were destroyed meanwhile. Raises StaleError.
        """
        if change.is_empty and not change.events and not change.stops_refreshing:
            async with self._database.connection() as connection:
                if await _replaced(connection, spooled):
                    await self._spool.drop(spooled.name)
                    return "ok"
        async with self._database.transaction() as connection:
            await changes.lock(connection, spooled.tenant_id, spooled.connection_id)
            kept = await _replaced(connection, spooled)
            if kept:
                await changes.keep(connection, change, actor="refresh")
            else:
                await self._outlived(connection, spooled)
        await self._spool.drop(spooled.name)
        return "ok" if kept else "outlived"

    async def give_back(self, taken: Taken, outcome: str, wait: timedelta) -> None:
        """The token was provably not used up: try again after a while."""
        await self._give_back((taken.tenant_id, taken.connection_id, taken.fence), outcome, wait)

    async def end(self, taken: Taken | Doubt, change: Change) -> str:
        """The platform refused the token for good.

        Gives `final`, or `outlived` if a newer pair stands meanwhile and nothing was changed. Raises StaleError.
        """
        async with self._database.transaction() as connection:
            await changes.lock(connection, taken.tenant_id, taken.connection_id)
            attempt = (taken.tenant_id, taken.connection_id, taken.fence)
            ours = await presentations.put_off(connection, attempt, None)
            outcome = "final" if ours else "outlived"
            await presentations.came_out(connection, attempt, outcome)
            if ours:
                await changes.keep(connection, change, actor="refresh")
        return outcome

    async def doubt(self, doubt: Doubt, *, probe_at: datetime, now: datetime) -> None:
        """The outcome is not known: keep serving the access token, and show the refresh token again at `probe_at`."""
        async with self._database.transaction() as connection:
            await changes.lock(connection, doubt.tenant_id, doubt.connection_id)
            attempt = (doubt.tenant_id, doubt.connection_id, doubt.fence)
            ours = await presentations.put_off(connection, attempt, probe_at)
            await presentations.came_out(connection, attempt, "in_doubt" if ours else "outlived")
            if ours:
                await _flag(connection, doubt, probe_at, now)

    async def doubts(self, clock: str) -> Sequence[Doubt]:
        """Attempts whose worker is gone without a word."""
        async with self._database.connection() as connection:
            return await presentations.silent(connection, clock, LEASE)

    async def set_aside(self, spooled: Spooled, why: str) -> None:
        """Keep a pair that is not this connection's, sealed, out of reach."""
        async with self._database.transaction() as connection:
            await self._stray(connection, spooled, why)
        await self._spool.drop(spooled.name)

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
        self,
        tenant_id: str,
        connection_id: str,
        now: datetime,
        *,
        issued_before: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        """Make the refresh due at once, unless its outcome is in doubt or the pair is younger than `issued_before`.

        Nor if the access token that stands by now lives beyond `until`, or a new one would not.
        """
        async with self._database.connection() as connection:
            await connection.execute(
                """
                with wanted as (
                    update tokens t set due_at = least(due_at, $3)
                    where tenant_id = $1 and connection_id = $2 and due_at > $3
                      and ($4::timestamptz is null or issued_at < $4)
                      and ($5::timestamptz is null or (access_ends <= $5 and access_ends - issued_at > $5 - $3))
                      and not exists (
                        select from presentations p where p.tenant_id = t.tenant_id
                          and p.connection_id = t.connection_id and p.outcome = 'in_doubt')
                    returning true)
                select pg_notify('evergrant_work', 'refresh') from wanted
                """,
                tenant_id,
                connection_id,
                now,
                issued_before,
                until,
            )

    async def _give_back(self, where: tuple[str, str, int], outcome: str, wait: timedelta) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                """
                update tokens set lease_until = now() + $4, failures = failures + 1
                where tenant_id = $1 and connection_id = $2 and fence = $3
                """,
                *where,
                wait,
            )
            await presentations.came_out(connection, where, outcome)

    async def _outlived(self, connection: Connection, spooled: Spooled) -> None:
        """A newer pair stands: keep this one aside, unless it is that very pair, brought a second time."""
        where = (spooled.tenant_id, spooled.connection_id)
        stands = await connection.fetchval(
            "select refresh_hash from tokens where tenant_id = $1 and connection_id = $2", *where
        )
        if stands is not None and stands != digest(spooled.granted.pair.refresh.reveal()):
            await self._stray(connection, spooled, "outlived")
        await presentations.came_out(connection, (*where, spooled.fence), "outlived")

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
            failures=row["failures"],
            key=key,
        )

    async def _stray(self, connection: Connection, spooled: Spooled, why: str) -> None:
        tenant_id, app_id, connection_id = spooled.tenant_id, spooled.app_id, spooled.connection_id
        await pairs.set_aside(connection, self._vault, tenant_id, app_id, connection_id, spooled.granted, why)


async def _replaced(connection: Connection, spooled: Spooled) -> bool:
    """Put the new pair in the place of the one it replaces, if that still stands; says whether it did."""
    pair = pairs.sealed(spooled.key, spooled.granted.pair, spooled.version + 1)
    return bool(
        await connection.fetchval(
            KEEP,
            spooled.tenant_id,
            spooled.connection_id,
            spooled.fence,
            pair.version,
            pair.access,
            pair.access_ends,
            pair.refresh,
            pair.refresh_hash,
            pair.refresh_ends,
            spooled.at,
            spooled.due_at,
        )
    )


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


def _spooled(slip: Slip, granted: Granted, key: SealingKey, name: str) -> Spooled:
    return Spooled(
        tenant_id=slip.tenant_id,
        connection_id=slip.owner_id,
        app_id=slip.app_id,
        fence=slip.fence,
        version=slip.version,
        granted=granted,
        at=datetime.fromisoformat(slip.at),
        due_at=datetime.fromisoformat(slip.due_at),
        key=key,
        name=name,
    )
