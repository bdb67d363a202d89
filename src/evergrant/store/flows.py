"""When each flow runs, what it brought, and how far it has come."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from evergrant.actions.polls import Brought, Run
from evergrant.core import flows
from evergrant.core.connection import Event
from evergrant.providers.wire import Record
from evergrant.store import events, gaps, outages, pulled, relooked
from evergrant.store.database import Database

LEASE = timedelta(seconds=25)
"""Renewed with every page, and longer than the hard limit of a call: a killed worker's poll is taken over within half a
minute, the next one's look included."""

SHUT_WAIT = timedelta(seconds=2)

PATIENCE = 3
"""How often in a row an earlier stage of a catch-up may fail before the later ones go past it."""

AT_LONGEST = timedelta(minutes=2)
"""How long stock may hold up the later ones, however little of it fails: what is told to wait has not failed."""

MOST_IDS = 20

TAKE_DUE = """
update flows f set fence = fence + 1, lease_until = now() + $4, wanted = false
where (tenant_id, connection_id, shop_id, kind) in (
    select tenant_id, connection_id, shop_id, kind from flows d
    where clock = $1 and next_run_at <= $2 and (lease_until is null or lease_until < now())
      and (catching_up is null or not exists (
        select from flows e where e.tenant_id = d.tenant_id and e.connection_id = d.connection_id
          and e.shop_id = d.shop_id and e.catching_up < d.catching_up and e.shut is null and e.failures < $5
          and (e.kind <> 'stock' or not exists (select from outage_flows r where r.tenant_id = e.tenant_id
            and r.connection_id = e.connection_id and r.shop_id = e.shop_id and r.kind = e.kind and r.balanced_at is null
            and r.runs_since < now() - $6::interval))))
    order by next_run_at limit $3 for update skip locked)
returning *
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
where tenant_id = $1 and connection_id = $2 and shut is null and next_run_at is not null
  and ($4::text is null or shop_id = $4) and ($5::text is null or kind = $5)
returning true
"""


class Flows:
    """The flows of every shop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Run]:
        """Take polls that are due. Where a shop catches up, an earlier stage goes first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_DUE, clock, now, limit, LEASE, PATIENCE, AT_LONGEST)
        return [
            Run(
                tenant_id=row["tenant_id"],
                connection_id=row["connection_id"],
                shop_id=row["shop_id"],
                kind=flows.Kind(row["kind"]),
                fence=row["fence"],
                cursor=row["reached"],
                failures=row["failures"],
                catching_up=row["catching_up"] is not None,
            )
            for row in rows
        ]

    async def keep_records(
        self, run: Run, records: Sequence[Record], reached: datetime | None = None, total: int | None = None
    ) -> int:
        """Keep records, newest version wins; gives how many were new or newer. Nothing is missing up to `reached`.

        No records at all renew the lease. Orders that were missed wait until the poll is done.
        """
        async with self._database.transaction() as connection:
            if run.catching_up and await gaps.is_open(connection, run, reached, LEASE, total):
                if run.kind is flows.Kind.ORDERS:
                    await gaps.stage(connection, run, records)
                    return 0
                kept = await pulled.keep(connection, run, records, reached, LEASE)
                await gaps.count(connection, run, kept)
                return kept
            return await pulled.keep(connection, run, records, reached, LEASE)

    async def products(self, run: Run, *, after: str, limit: int) -> Sequence[str]:
        """Ids of products of the run's shop behind one of them, in their order; none that was deleted."""
        async with self._database.connection() as connection:
            return await pulled.products(connection, run, after, limit)

    async def done(self, run: Run, brought: Brought, *, next_run_at: datetime, now: datetime) -> None:
        """The poll has everything up to its cursor. A flow shut meanwhile keeps what it reached and stays shut."""
        kept = brought.kept + await self._release(run)
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
            await outages.read(connection, run, now)
            told = _unreadable(run, brought)
            if kept or before["last_success_at"] is None or before["failures"]:
                data = {"shop_id": run.shop_id, "flow": run.kind.value, "records": kept}
                told = [*told, Event(type="flow.synced", data=data)]
            await events.write(connection, run.tenant_id, run.connection_id, told, now)
            await relooked.note(connection, run, brought, now)
        if kept and run.kind is flows.Kind.PRODUCTS:  # what they sell is counted by their ids
            await self.want(run.tenant_id, run.connection_id, now, run.shop_id, flows.Kind.INVENTORY)

    async def _release(self, run: Run) -> int:
        """Give what was missed to the records, in its order, batch by batch; gives how many were new or newer.

        Whoever takes over from a killed worker goes on where it was.
        """
        kept = 0
        async with self._database.connection() as connection:
            if not await gaps.is_staged(connection, run):
                return kept
        while True:
            async with self._database.transaction() as connection:
                released = await gaps.release(connection, run, LEASE)
            kept += released.kept
            if released.records < gaps.BATCH:
                return kept

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

    async def rest(self, run: Run, wait: timedelta) -> None:
        """The shop is called by nobody for a while: let go of the poll until then. It has not failed."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update flows set lease_until = now() + $6
                where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5
                """,
                *_where(run),
                run.fence,
                wait,
            )

    async def shut(self, run: Run) -> None:
        """The gate is shut: let go of the poll; the change that shut it notes why, or is about to."""
        await self.rest(run, SHUT_WAIT)

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
