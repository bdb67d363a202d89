"""The token clock of every connection: due refreshes taken with a lease, answers kept where the fence still matches."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from evergrant.actions.ports import Doubt, SealingKey, Spooled, Taken
from evergrant.actions.reading import Entry
from evergrant.actions.suspects import Whose
from evergrant.core.connection import Change, Event
from evergrant.core.errors import DatabaseUnavailableError, VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted
from evergrant.store import audit, changes, events, keeping, pairs, presentations, recovery, sealing, taking
from evergrant.store.database import GROUP_SECONDS, ONE_ROWS_FAULT, Connection, Database
from evergrant.store.epochs import Epochs
from evergrant.store.paces import Paces
from evergrant.store.spool import Slip, Spool
from evergrant.store.together import Together
from evergrant.store.values import digest

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

SPOOL_KIND = "refresh"
UNREADABLE_AGAIN = timedelta(hours=1)
"""How long a row that does not open is left alone: nothing was sent, and only a person can mend it."""

OLD_AGAIN = timedelta(seconds=5)
"""How long a row is left alone that could not be counted before it was to be shown."""

log = structlog.get_logger("tokens")


class Tokens:
    """Token pairs, by their connection."""

    def __init__(self, database: Database, vault: "Vault", spool: Spool, epochs: Epochs, paces: Paces) -> None:
        self._database = database
        self._vault = vault
        self._spool = spool
        self._epochs = epochs
        self._paces = paces
        self._unchanged = keeping.Unchanged(database)
        self._unused: dict[presentations.Attempt, tuple[str, timedelta]] = {}
        """Attempts that used nothing up, while the database does not take them back."""
        self._holding: Together[Taken, bool] = Together(self._hold, alone=ONE_ROWS_FAULT)

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Taken]:
        """Take refreshes that are due, each with a lease, a fencing number and a kept attempt.

        None while this machine's disk has no room for an answer. A row that does not open is set aside, alone.
        """
        await self._bring_back()
        if not await self._spool.takes():
            return []
        rows = await taking.take(self._database, self._paces, clock, now, limit)
        if not await self._may_be_shown(rows):
            await self._bring_back()
            return []
        taken = []
        for row in rows:
            try:
                taken.append(self._taken(row))
            except VaultIntegrityError:
                log.critical("tokens.unreadable", tenant=row["tenant_id"], connection=row["connection_id"])
                with suppress(DatabaseUnavailableError):  # the others are in hand
                    await self._give_back(_attempt(row), "not_sent", UNREADABLE_AGAIN)
                    await self._alarm(row)
                    await self._paces.left(row["app_id"])
        return taken

    async def _may_be_shown(self, rows: Sequence[Any]) -> bool:
        """Whether what was just taken is counted before it is shown. If not, or nobody knows, it goes back."""
        mine = {_attempt(row): ("not_sent", OLD_AGAIN) for row in rows}
        self._unused |= mine
        if rows and not await self._epochs.rise():
            return False
        for attempt in mine:
            del self._unused[attempt]
        return True

    async def holds(self, taken: Taken) -> bool:
        """Whether the token may be shown: the lease still has the hard limit of a call left. A probe is noted with it."""
        return await self._holding.put(taken)

    async def _hold(self, group: Sequence[Taken]) -> Sequence[bool]:
        async with self._database.connection(within=GROUP_SECONDS) as connection:
            return await presentations.may_be_shown(connection, group)

    async def spool(self, taken: Taken | Whose, granted: Granted, *, at: datetime, due_at: datetime) -> Spooled:
        """Keep an answer on disk, sealed, without asking the database for anything."""
        slip = Slip(
            kind=SPOOL_KIND,
            tenant_id=taken.tenant_id,
            owner_id=taken.owner_id if isinstance(taken, Whose) else taken.connection_id,
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

    async def keep_unchanged(self, spooled: Spooled) -> bool:
        """Keep a new pair that says nothing new of its connection, together with others; False if it has to be looked at."""
        if not await self._unchanged.keep(spooled):
            return False
        await self._spool.drop(spooled.name)
        return True

    async def keep(self, spooled: Spooled, change: Change) -> str:
        """Keep a new pair where the one it replaces still stands, and forget it on disk.

        Gives `ok`, or `outlived` if a newer pair stands or the tokens were destroyed meanwhile. Raises StaleError.
        """
        async with self._database.transaction() as connection:
            await changes.lock(connection, spooled.tenant_id, spooled.connection_id)
            kept = await keeping.one(connection, spooled) or await recovery.heal(connection, keeping.given(spooled))
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

    async def doubt(
        self, doubt: Taken | Doubt, *, probe_at: datetime, now: datetime, wait: timedelta | None = None
    ) -> None:
        """The outcome is not known: keep serving the access token, and show the refresh token again at `probe_at`, but not
        before the wait, which a failure costs, is over.
        """
        async with self._database.transaction() as connection:
            await changes.lock(connection, doubt.tenant_id, doubt.connection_id)
            attempt = (doubt.tenant_id, doubt.connection_id, doubt.fence)
            ours = await presentations.put_off(connection, attempt, probe_at, wait)
            await presentations.came_out(connection, attempt, "in_doubt" if ours else "outlived")
            if ours:
                await _flag(connection, doubt, probe_at, now)

    async def doubts(self, clock: str) -> Sequence[Doubt]:
        """Attempts whose worker is gone without a word."""
        async with self._database.connection() as connection:
            return await presentations.silent(connection, clock, taking.LEASE)

    async def set_aside(self, spooled: Spooled, why: str) -> None:
        """Keep a pair that is not this connection's, sealed, out of reach."""
        async with self._database.transaction() as connection:
            await self._stray(connection, spooled, why)
            told = [Event(type=f"connection.{why}")]
            await events.write(connection, spooled.tenant_id, spooled.connection_id, told, spooled.at)
        log.critical("tokens.set_aside", why=why, tenant=spooled.tenant_id, connection=spooled.connection_id)
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
            await want(connection, tenant_id, [connection_id], now, issued_before, until)

    async def want_all(
        self, tenant_id: str, connection_ids: Sequence[str], now: datetime, *, until: datetime | None = None
    ) -> None:
        """The same for many."""
        async with self._database.connection() as connection:
            await want(connection, tenant_id, connection_ids, now, None, until)

    async def _alarm(self, row: Any) -> None:
        """What does not open is for a person to look at: it stands in the audit trail, too."""
        where = (row["tenant_id"], row["connection_id"])
        entry = Entry(tenant_id=where[0], actor="refresh", action="vault.integrity_failed", subject=where[1])
        async with self._database.connection() as connection:
            await audit.write(connection, [entry])

    async def _give_back(self, attempt: presentations.Attempt, outcome: str, wait: timedelta) -> None:
        """Note that nothing was used up; where the database is away, as soon as it is back: this process alone knows it."""
        try:
            async with self._database.transaction() as connection:
                await changes.lock(connection, *attempt[:2])
                await connection.execute(
                    """
                    update tokens set lease_until = now() + $4, failures = failures + 1
                    where tenant_id = $1 and connection_id = $2 and fence = $3
                    """,
                    *attempt,
                    wait,
                )
                await presentations.not_used_up(connection, attempt, outcome)
        except DatabaseUnavailableError:
            self._unused[attempt] = (outcome, wait)
            raise

    async def _bring_back(self) -> None:
        """Give back what the database did not take when it was given back. Raises DatabaseUnavailableError: still not."""
        while self._unused:
            attempt, (outcome, wait) = self._unused.popitem()
            await self._give_back(attempt, outcome, wait)

    async def _outlived(self, connection: Connection, spooled: Spooled) -> None:
        """A newer pair stands: keep this one aside, unless it was kept before and is brought a second time."""
        where = (spooled.tenant_id, spooled.connection_id)
        stands = await connection.fetchval(
            """
            select refresh_hash from tokens t where tenant_id = $1 and connection_id = $2 and not exists (
                select from presentations p where p.tenant_id = t.tenant_id and p.connection_id = t.connection_id
                  and p.fence = $3 and p.outcome = 'ok')
            """,
            *where,
            spooled.fence,
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
            refresh_ends=row["refresh_ends"],
            probe=row["probe"],
            failures=row["failures"],
            troubled=row["troubled"],
            key=key,
        )

    async def _stray(self, connection: Connection, spooled: Spooled, why: str) -> None:
        tenant_id, app_id, connection_id = spooled.tenant_id, spooled.app_id, spooled.connection_id
        where = (tenant_id, app_id, connection_id)
        await pairs.set_aside(connection, self._vault, *where, spooled.granted, why, issued_at=spooled.at)


def _attempt(row: Any) -> presentations.Attempt:
    return row["tenant_id"], row["connection_id"], row["fence"]


async def want(
    connection: Connection,
    tenant_id: str,
    connection_ids: Sequence[str],
    now: datetime,
    issued_before: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """Make refreshes due at once, in the caller's transaction; never one whose outcome is in doubt."""
    await connection.execute(
        """
        with wanted as (
            update tokens t set due_at = least(due_at, $3)
            where tenant_id = $1 and connection_id = any($2) and due_at > $3
              and ($4::timestamptz is null or issued_at < $4)
              and ($5::timestamptz is null or (access_ends <= $5 and access_ends - issued_at > $5 - $3))
              and not exists (
                select from presentations p where p.tenant_id = t.tenant_id
                  and p.connection_id = t.connection_id and p.outcome = 'in_doubt')
            returning true)
        select pg_notify('evergrant_work', 'refresh') from wanted limit 1
        """,
        tenant_id,
        list(connection_ids),
        now,
        issued_before,
        until,
    )


async def _flag(connection: Connection, doubt: Taken | Doubt, probe_at: datetime, now: datetime) -> None:
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
