"""The ledger of outages, counted from the tables: what each flow missed, what was made good, what is open; and closing it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from evergrant.actions.exceptions import How
from evergrant.actions.ledger import Check, Line, Outage, Trouble
from evergrant.core import flows
from evergrant.core.connection import Event
from evergrant.core.errors import NotFoundError
from evergrant.core.gate import Why
from evergrant.store import events, failing, outages, stock_checks
from evergrant.store.database import Connection, Database

# One row a flow, and every number in it counted from the rows it is about: what waits, what failed, what is read and not
# released yet. What of a gap is not read is what the platform says it holds, less what has come. A record that failed and
# came with a poll of the gap was counted by that poll; one nobody could read then was not.
COUNTED = """
select r.*, r.caught_up + case when r.superseded is null then p.sent + x.mended else 0 end as good,
    coalesce(r.superseded, p.superseded + x.superseded) as outdated, coalesce(r.given_up, p.dismissed + x.dismissed) as dropped,
    p.waiting + x.failed + case when r.read_at is null and r.balanced_at is null
        then greatest(coalesce(r.expected, 0) - r.caught_up, g.staged) else g.staged end as still
from outage_flows r
cross join lateral (
    select count(*) filter (where state in ('waiting', 'parked')) as waiting,
        count(*) filter (where state = 'superseded') as superseded, count(*) filter (where state = 'dismissed') as dismissed,
        count(*) filter (where state not in ('waiting', 'parked', 'superseded', 'dismissed')) as sent
    from pushes p where p.tenant_id = r.tenant_id and p.outage_id = r.outage_id and p.connection_id = r.connection_id
      and p.shop_id = r.shop_id and p.kind = r.kind
) p
cross join lateral (
    select count(*) filter (where state = 'open') as failed, count(*) filter (where how = 'superseded') as superseded,
        count(*) filter (where state = 'dismissed') as dismissed,
        count(*) filter (where state = 'resolved' and (how in ('by_hand', 'by_rule') or cause = 'unreadable_record')) as mended
    from exceptions x where x.tenant_id = r.tenant_id and x.outage_id = r.outage_id and x.connection_id = r.connection_id
      and x.shop_id = r.shop_id and x.kind = r.kind and x.push_id is null
) x
cross join lateral (
    select count(*) as staged from gap_records g where r.balanced_at is null and g.tenant_id = r.tenant_id
      and g.connection_id = r.connection_id and g.shop_id = r.shop_id and g.kind = r.kind
) g
"""

LINES = f"{COUNTED} where r.tenant_id = $1 and r.outage_id = any($2) order by r.shop_id, r.kind"

AT_ONCE = 100
"""Outages looked at, and closed, in one round."""

# Outages with a row that may balance, behind the one that was looked at last: round and round, so that each has its turn.
NEXT = """
select o.tenant_id, o.id from outages o where o.clock = $1 and o.closed_at is null and (o.tenant_id, o.id) > ($2, $3)
  and exists (select from outage_flows r where r.tenant_id = o.tenant_id and r.outage_id = o.id
    and r.balanced_at is null and (r.reopened_at is not null or r.trouble = 'paused_by_vendor'))
order by o.tenant_id, o.id limit $4
"""

# A flow nothing is carried of owes nothing; one that was paused by hand owes what waits for it, and what was not read.
# This asks whether anything is open, where the ledger counts how much: it is asked every second.
BALANCE = """
with counted as (
    select r.* from unnest($1::text[], $4::text[]) as given (tenant_id, outage_id)
    join outage_flows r on r.tenant_id = given.tenant_id and r.outage_id = given.outage_id
    where r.balanced_at is null and (r.reopened_at is not null or r.trouble = 'paused_by_vendor')
      and (r.read_at is not null or coalesce(r.expected, 0) <= r.caught_up)
      and not exists (select from pushes p where p.tenant_id = r.tenant_id and p.outage_id = r.outage_id
        and p.state in ('waiting', 'parked') and p.connection_id = r.connection_id and p.shop_id = r.shop_id and p.kind = r.kind)
      and not exists (select from exceptions x where x.tenant_id = r.tenant_id and x.outage_id = r.outage_id and x.state = 'open'
        and x.connection_id = r.connection_id and x.shop_id = r.shop_id and x.kind = r.kind and x.push_id is null)
      and not exists (select from gap_records g where g.tenant_id = r.tenant_id and g.connection_id = r.connection_id
        and g.shop_id = r.shop_id and g.kind = r.kind)
)
update outage_flows r set balanced_at = $2 from counted c
where r.tenant_id = c.tenant_id and r.outage_id = c.outage_id and r.shop_id = c.shop_id and r.kind = c.kind
  and r.balanced_at is null
  and (r.reopened_at is not distinct from c.reopened_at and r.trouble is not distinct from c.trouble)
  and (c.kind = any($3) or (c.read_at is not null and (c.kind <> 'stock' or c.written_at is not null or c.trouble = 'writing_is_off'))
    or (c.kind = 'stock' and (c.trouble = 'paused_by_vendor' or (c.trouble = 'nothing_to_check' and exists (
        select from flows f where f.tenant_id = c.tenant_id and f.connection_id = c.connection_id and f.shop_id = c.shop_id
          and f.kind = 'products' and (f.shut is not null or f.last_success_at >= c.reopened_at))))))
returning true
"""

OVER = """
select o.tenant_id, o.id from outages o where o.clock = $1 and o.closed_at is null and o.ended_at is not null
  and not exists (select from outage_flows r where r.tenant_id = o.tenant_id and r.outage_id = o.id and r.balanced_at is null)
order by o.ended_at limit $2
"""

# Whoever stops a flow holds the connection's row: what is being stopped is not closed.
CLOSE = """
update outages o set closed_at = $3, ended_at = coalesce(o.ended_at, $3)
where (o.tenant_id, o.id) in (
    select o.tenant_id, o.id from outages o join connections c on c.tenant_id = o.tenant_id and c.id = o.connection_id
    where o.tenant_id = $1 and o.id = $2 and o.closed_at is null and o.ended_at is not null for no key update of c skip locked)
  and not exists (select from outage_flows r where r.tenant_id = o.tenant_id and r.outage_id = o.id and r.balanced_at is null)
returning o.tenant_id, o.id, o.connection_id, o.cause
"""

# Rows they were counted from are forgotten one day.
KEEP_COUNTS = f"""
with counted as ({COUNTED} where r.tenant_id = $1 and r.outage_id = $2)
update outage_flows r set caught_up = c.good, superseded = c.outdated, given_up = c.dropped from counted c
where r.tenant_id = c.tenant_id and r.outage_id = c.outage_id and r.shop_id = c.shop_id and r.kind = c.kind and r.superseded is null
"""  # noqa: S608

LEFT_OVER = """
select shop_id, kind, array_agg(entity order by entity) as entities from exceptions
where tenant_id = $1 and outage_id = $2 and state = 'open' and connection_id = $3 group by shop_id, kind order by shop_id, kind
"""

PAGE = """
select * from outages where tenant_id = $1 and ($2::text is null or connection_id = $2) and ($3::text is null or id = $3)
  and ($4::bigint = 0 or position < $4) and ($6::boolean is null or (closed_at is null) = $6)
order by position desc limit $5
"""


class Outages:
    """The ledger of every connection."""

    def __init__(self, database: Database, *, by_writing: bool) -> None:
        self._database = database
        self._by_writing = by_writing
        self._turns: dict[str, tuple[str, ...]] = {}

    async def balance(self, clock: str, now: datetime) -> int:
        """Note which flows balance, and close the outages all of whose flows do; gives how many were noted."""
        async with self._database.connection() as connection:
            if await connection.fetch(stock_checks.GO_ON, clock):
                await connection.execute(outages.WAKE, ["sync"])
            looked_at = await connection.fetch(NEXT, clock, *self._turns.get(clock, ("", "")), AT_ONCE)
            self._turns[clock] = tuple(looked_at[-1]) if len(looked_at) == AT_ONCE else ("", "")
            tenants, ids = [row["tenant_id"] for row in looked_at], [row["id"] for row in looked_at]
            not_carried = sorted(kind.value for kind in flows.NOT_CARRIED)
            rows = await connection.fetch(BALANCE, tenants, now, not_carried, ids)
            over = await connection.fetch(OVER, clock, AT_ONCE)
        return len(rows) + await self._close_all([tuple(row) for row in over], now)

    async def _close_all(self, over: Sequence[tuple[str, str]], now: datetime) -> int:
        """Each in a transaction of its own: one that cannot be closed keeps no other open."""
        closed, failed = 0, None
        for tenant_id, outage_id in over:
            try:
                async with self._database.transaction() as connection:
                    row = await connection.fetchrow(CLOSE, tenant_id, outage_id, now)
                    if row is not None:
                        await _close(connection, row, now)
                        closed += 1
            except Exception as error:  # noqa: BLE001  (it stays open, and is tried again; the worker logs it)
                failed = error
        if failed:
            raise failed
        return closed

    async def take_checks(self, clock: str, limit: int) -> Sequence[Check]:
        """Take checks of stock that are due: what waited has gone out, and no read or no write has passed yet."""
        async with self._database.transaction() as connection:
            return await stock_checks.take(connection, clock, limit, by_writing=self._by_writing)

    async def goes_on(self, check: Check) -> bool:
        """Whether the check is still this worker's; if so, for another lease."""
        async with self._database.connection() as connection:
            return await stock_checks.goes_on(connection, check)

    async def read(self, check: Check, now: datetime) -> None:
        """One real read has passed."""
        async with self._database.transaction() as connection:
            await stock_checks.read(connection, check, now, by_writing=self._by_writing)

    async def wrote(self, check: Check, now: datetime) -> None:
        """One harmless write has passed; what went out for its SKU meanwhile goes out again."""
        async with self._database.transaction() as connection:
            await stock_checks.wrote(connection, check, now)

    async def troubled(self, check: Check, trouble: str, wait: timedelta, now: datetime) -> None:
        """The check has not passed: again after a while."""
        async with self._database.transaction() as connection:
            await stock_checks.troubled(connection, check, trouble, wait, now)

    async def let_go(self, check: Check, wait: timedelta, *, failed: bool = False) -> None:
        """Nothing was tried: again after a while. `failed`: it counts as a try that failed."""
        async with self._database.transaction() as connection:
            await stock_checks.let_go(connection, check, wait, failed=failed)

    async def page(self, tenant_id: str, connection_id: str, *, before: int, limit: int) -> Sequence[Outage]:
        """Outages of a connection, the newest first, those before a position (0: from the newest)."""
        return await self._these(tenant_id, connection_id, None, before, limit)

    async def all(
        self, tenant_id: str, *, is_open: bool, before: int, limit: int, connection_id: str | None = None
    ) -> Sequence[Outage]:
        """Outages that are not closed, or that are, of all connections or one; the newest first, those before a position."""
        return await self._these(tenant_id, connection_id, None, before, limit, is_open=is_open)

    async def find(self, tenant_id: str, outage_id: str) -> Outage:
        """One outage. Raises NotFoundError."""
        found = await self._these(tenant_id, None, outage_id, 0, 1)
        if not found:
            raise NotFoundError("There is no such outage.")
        return found[0]

    async def _these(
        self,
        tenant_id: str,
        connection_id: str | None,
        outage_id: str | None,
        before: int,
        limit: int,
        *,
        is_open: bool | None = None,
    ) -> Sequence[Outage]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(PAGE, tenant_id, connection_id, outage_id, before, limit, is_open)
            found = await connection.fetch(LINES, tenant_id, [row["id"] for row in rows])
        return [
            Outage(
                id=row["id"],
                position=row["position"],
                connection_id=row["connection_id"],
                cause=Why(row["cause"]),
                started_at=row["started_at"],
                ended_at=row["ended_at"],
                closed_at=row["closed_at"],
                lines=tuple(_line(line) for line in found if line["outage_id"] == row["id"]),
            )
            for row in rows
        ]


async def _close(connection: Connection, row: Any, now: datetime) -> None:
    """Nothing is open any more: what failed only because flows had stopped is good now."""
    for left in await connection.fetch(LEFT_OVER, row["tenant_id"], row["id"], row["connection_id"]):
        whose = (row["tenant_id"], row["connection_id"], left["shop_id"], flows.Kind(left["kind"]))
        await failing.settle(connection, whose, left["entities"], How.BY_ITSELF, now)
    await connection.execute(KEEP_COUNTS, row["tenant_id"], row["id"])
    lines = [_line(line) for line in await connection.fetch(LINES, row["tenant_id"], [row["id"]])]
    data: dict[str, str | int | list[str] | None] = {
        "outage_id": row["id"],
        "cause": row["cause"],
        "missed": sum(line.missed for line in lines),
        "caught_up": sum(line.caught_up for line in lines),
        "superseded": sum(line.superseded for line in lines),
        "given_up": sum(line.given_up for line in lines),
    }
    await events.write(
        connection, row["tenant_id"], row["connection_id"], [Event(type="outage.closed", data=data)], now
    )


def _line(row: Any) -> Line:
    kind = flows.Kind(row["kind"])
    is_unread = kind in flows.PULLED and row["read_at"] is None and row["balanced_at"] is None
    return Line(
        shop_id=row["shop_id"],
        kind=kind,
        why=Why(row["why"]),
        state=_state(row),
        stopped_at=row["stopped_at"],
        reopened_at=row["reopened_at"],
        expected=row["expected"],
        caught_up=row["good"],
        superseded=row["outdated"],
        given_up=row["dropped"],
        open=row["still"],
        is_known=not is_unread or row["expected"] is not None,
        read_at=row["read_at"],
        written_at=row["written_at"],
        trouble=row["trouble"],
        balanced_at=row["balanced_at"],
    )


def _state(row: Any) -> str:
    """`balanced`, `paused` (by hand), `stopped`, `catching_up`, or `owing`: it runs, and something of it is still open."""
    if row["balanced_at"]:
        return "balanced"
    if row["trouble"] == Trouble.PAUSED_BY_VENDOR:
        return "paused"
    if row["reopened_at"] is None:
        return "stopped"
    return "owing" if row["read_at"] else "catching_up"
