"""When each flow runs, what it brought, and how far it has come."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from evergrant.actions.polls import Brought, Run
from evergrant.core import flows
from evergrant.core.connection import Event
from evergrant.providers.wire import Record
from evergrant.store import events
from evergrant.store.database import Database

LEASE = timedelta(seconds=25)
"""Renewed with every page, and longer than the hard limit of a call: a killed worker's poll is taken over within half a
minute, the next one's look included."""

MOST_IDS = 20

TAKE_DUE = """
update flows f set fence = fence + 1, lease_until = now() + $4, wanted = false
where (tenant_id, connection_id, shop_id, kind) in (
    select tenant_id, connection_id, shop_id, kind from flows
    where clock = $1 and next_run_at <= $2 and (lease_until is null or lease_until < now())
    order by next_run_at limit $3 for update skip locked)
returning *
"""

# Newest version wins; the same version seen again is not counted, but the platform tells whole seconds, and a record may
# change twice within one. The lease is renewed with every page, and a killed poll goes on where it was, as far as is known.
KEEP_RECORDS = """
with lease as (
    update flows set lease_until = now() + $9, reached = greatest(reached, $10)
    where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5
), kept as (
    insert into records (tenant_id, connection_id, shop_id, kind, record_id, updated_at, document)
    select $1, $2, $3, $4, given.id, given.updated_at, given.document
    from unnest($6::text[], $7::timestamptz[], $8::bytea[]) as given (id, updated_at, document)
    on conflict (tenant_id, connection_id, shop_id, kind, record_id) do update
        set updated_at = excluded.updated_at, document = excluded.document, kept_at = now()
        where excluded.updated_at > records.updated_at
            or (excluded.updated_at = records.updated_at and excluded.document is distinct from records.document)
    returning true
)
select count(*) from kept
"""


DONE = """
with before as (
    select last_success_at, failures from flows
    where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5 for update
)
update flows set reached = $6, last_success_at = $8::timestamptz, last_error = null, failures = 0, lease_until = null,
    next_run_at = case when shut is null then case when wanted then $8::timestamptz else $7::timestamptz end end, wanted = false
from before
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5
returning before.last_success_at, before.failures
"""

# Whoever asks cuts a back-off of ours short, but never the wait the platform told us.
WANT = """
update flows set next_run_at = least(next_run_at, $3), wanted = true,
    lease_until = case when failures > 0 and last_error is distinct from 'throttled' then null else lease_until end
where tenant_id = $1 and connection_id = $2 and shut is null
  and ($4::text is null or shop_id = $4) and ($5::text is null or kind = $5)
returning true
"""


class Flows:
    """The flows of every shop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Run]:
        """Take polls that are due."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_DUE, clock, now, limit, LEASE)
        return [
            Run(
                tenant_id=row["tenant_id"],
                connection_id=row["connection_id"],
                shop_id=row["shop_id"],
                kind=flows.Kind(row["kind"]),
                fence=row["fence"],
                cursor=row["reached"],
                failures=row["failures"],
            )
            for row in rows
        ]

    async def keep_records(self, run: Run, records: Sequence[Record], reached: datetime | None = None) -> int:
        """Keep records, newest version wins; gives how many were new or newer. Nothing is missing up to `reached`.

        No records at all renew the lease.
        """
        latest = {record.id: record for record in sorted(records, key=lambda record: record.updated_at)}
        async with self._database.connection() as connection:
            kept: int = await connection.fetchval(
                KEEP_RECORDS,
                *_where(run),
                run.fence,
                list(latest),
                [record.updated_at for record in latest.values()],
                [record.document for record in latest.values()],
                LEASE,
                reached,
            )
        return kept

    async def done(self, run: Run, brought: Brought, *, next_run_at: datetime, now: datetime) -> None:
        """The poll has everything up to its cursor. A flow shut meanwhile keeps what it reached and stays shut."""
        async with self._database.transaction() as connection:
            before = await connection.fetchrow(
                DONE,
                *_where(run),
                run.fence,
                brought.cursor,
                next_run_at,
                now,
            )
            if before is None:
                return
            told = _unreadable(run, brought)
            if brought.kept or before["last_success_at"] is None or before["failures"]:
                data = {"shop_id": run.shop_id, "flow": run.kind.value, "records": brought.kept}
                told = [*told, Event(type="flow.synced", data=data)]
            await events.write(connection, run.tenant_id, run.connection_id, told, now)

    async def failed(self, run: Run, error: str, wait: timedelta) -> None:
        """The poll brought nothing, or not all: again after a while."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update flows set last_error = $6, failures = failures + 1, lease_until = now() + $7
                where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5
                """,
                *_where(run),
                run.fence,
                error,
                wait,
            )

    async def shut(self, run: Run) -> None:
        """The gate is shut: let go of the poll; the change that shut it notes why, or is about to."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update flows set lease_until = now() + interval '2 seconds'
                where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5
                """,
                *_where(run),
                run.fence,
            )

    async def want(
        self, tenant_id: str, connection_id: str, now: datetime, shop_id: str | None, kind: flows.Kind | None
    ) -> int:
        """Make polls due at once; gives how many were open."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                WANT,
                tenant_id,
                connection_id,
                now,
                shop_id,
                kind,
            )
            if rows:
                await connection.execute("select pg_notify('evergrant_work', 'sync')")
        return len(rows)


def _unreadable(run: Run, brought: Brought) -> list[Event]:
    """The vendor is told of rows that could not be kept, by the platform's ids for them, and goes without no others."""
    if not brought.unreadable:
        return []
    ids = [found for found in brought.unreadable if found][:MOST_IDS]
    data = {
        "shop_id": run.shop_id,
        "flow": run.kind.value,
        "records": len(brought.unreadable),
        "record_ids": ids,
    }
    return [Event(type="flow.record_unreadable", data=data)]


def _where(run: Run) -> tuple[str, str, str, str]:
    return (run.tenant_id, run.connection_id, run.shop_id, run.kind.value)
