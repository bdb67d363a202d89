"""Whether stock can be read and written again after an outage: which checks are due, on what, and what came of them.

A level is written back as it was read, so the SKU must not be anybody else's meanwhile: none that has a level waiting is
taken, and what went out for it between the read and the last look goes out again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from evergrant.actions.ledger import Check, Trouble
from evergrant.store import outages
from evergrant.store.database import Connection

LEASE = timedelta(seconds=60)
"""Renewed before each of its calls, and longer than the hard limit of one."""

# What was tried already does not hold up the check: it may be poison.
FRESH = """
exists (select from pushes p where p.tenant_id = r.tenant_id and p.outage_id = r.outage_id and p.connection_id = r.connection_id
    and p.shop_id = r.shop_id and p.kind = 'stock' and p.state = 'waiting' and p.attempts = 0)
"""

SENT = """
exists (select from pushes p where p.tenant_id = r.tenant_id and p.outage_id = r.outage_id and p.connection_id = r.connection_id
    and p.shop_id = r.shop_id and p.kind = 'stock' and p.state = 'done' and p.ended_at >= r.runs_since)
"""

# Stock has caught up when what waited is out and the checks have passed; the flows behind it need wait no longer. A shop
# nothing is known of has to read its products first.
GO_ON = f"""
update flows f set catching_up = null
where f.clock = $1 and f.kind = 'stock' and f.catching_up is not null and f.shut is null and not exists (
    select from outage_flows r where r.tenant_id = f.tenant_id and r.connection_id = f.connection_id
      and r.shop_id = f.shop_id and r.kind = 'stock' and r.balanced_at is null
      and ((r.read_at is null or (r.written_at is null and r.trouble is distinct from 'writing_is_off'))
           and r.trouble is distinct from 'nothing_to_check' or {FRESH}))
returning true
"""  # noqa: S608

TAKE = f"""
with due as (
    select r.tenant_id, r.connection_id, r.shop_id, r.outage_id, r.checked_sku, r.checked_since, {SENT} or not $3 as written
    from outage_flows r
    join flows f on f.tenant_id = r.tenant_id and f.connection_id = r.connection_id and f.shop_id = r.shop_id and f.kind = r.kind
    where f.clock = $1 and r.kind = 'stock' and r.balanced_at is null and r.reopened_at is not null and f.shut is null
      and (f.lease_until is null or f.lease_until < now())
      and (r.read_at is null or (r.written_at is null and r.trouble is distinct from 'writing_is_off')) and not {FRESH}
    order by r.reopened_at limit $2 for update of f skip locked
)
update flows f set fence = f.fence + 1, lease_until = now() + $4
from due where f.tenant_id = due.tenant_id and f.connection_id = due.connection_id and f.shop_id = due.shop_id and f.kind = 'stock'
returning f.tenant_id, f.connection_id, f.shop_id, due.outage_id, f.fence, f.failures, due.written, due.checked_sku, due.checked_since
"""  # noqa: S608

# What nobody can buy is written back with the least risk; where one SKU was refused, the next of those that may be tried is.
CHOOSE = """
with free as materialized (
    select w.product_id, w.sku_id, w.status from wares w
    where w.tenant_id = $1 and w.connection_id = $2 and w.shop_id = $3 and w.status not in ('DELETED', 'FREEZE')
      and ($4 or not exists (select from pushes p where p.tenant_id = w.tenant_id and p.connection_id = w.connection_id
        and p.shop_id = w.shop_id and p.kind = 'stock' and p.state = 'waiting' and (p.entity = w.seller_sku or p.entity in (
            select m.sku from mappings m where m.tenant_id = w.tenant_id and m.connection_id = w.connection_id
              and m.shop_id = w.shop_id and m.sku_id = w.sku_id))))
)
select product_id, sku_id from free
order by status = 'ACTIVATE', sku_id offset $5::bigint % greatest((select count(*) from free), 1) limit 1
"""

SELLS = """
select exists (select from wares where tenant_id = $1 and connection_id = $2 and shop_id = $3
    and status not in ('DELETED', 'FREEZE'))
"""

BEGIN = """
update outage_flows set checked_sku = $5, checked_since = now()
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and outage_id = $4 and kind = 'stock'
"""

# The newest level of the SKU, if it went out while the old one was being written back. It keeps its place.
AGAIN = """
update pushes p set state = 'waiting', due_at = now(), lease_until = null, ended_at = null
where (p.tenant_id, p.id) in (
    select distinct on (p.entity) p.tenant_id, p.id from pushes p
    where p.tenant_id = $1 and p.connection_id = $2 and p.shop_id = $3 and p.kind = 'stock'
      and p.state in ('done', 'waiting') and p.entity = any(array(
        select w.seller_sku from wares w
        where w.tenant_id = $1 and w.connection_id = $2 and w.shop_id = $3 and w.sku_id = $4
        union all
        select m.sku from mappings m
        where m.tenant_id = $1 and m.connection_id = $2 and m.shop_id = $3 and m.sku_id = $4))
    order by p.entity, p.position desc)
  and p.state = 'done' and p.ended_at >= $5
"""

OF_CHECK = """
tenant_id = $1 and connection_id = $2 and shop_id = $3 and outage_id = $4 and kind = 'stock' and balanced_at is null
  and exists (select from flows f where f.tenant_id = $1 and f.connection_id = $2 and f.shop_id = $3 and f.kind = 'stock'
    and f.fence = $5)
"""

READ = f"""
update outage_flows r set read_at = $6, trouble = case when $7 or {SENT} then null else 'writing_is_off' end,
    written_at = case when {SENT} then $6::timestamptz else written_at end
where {OF_CHECK} and reopened_at is not null
"""  # noqa: S608

WROTE = f"""
update outage_flows set written_at = $6, trouble = null, checked_sku = null, checked_since = null
where {OF_CHECK} and reopened_at is not null
"""  # noqa: S608

LOCK = """
select from flows where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = 'stock' for update
"""

RENEW = """
update flows set lease_until = now() + $5
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = 'stock' and fence = $4
returning true
"""

TROUBLED = f"""
update outage_flows r set trouble = $6, written_at = case when {SENT} then coalesce(written_at, $7::timestamptz) else written_at end
where {OF_CHECK}
"""  # noqa: S608

REST = """
update flows set failures = failures + $6::int, last_error = coalesce($7, last_error), lease_until = now() + $5
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = 'stock' and fence = $4
"""


async def take(connection: Connection, clock: str, limit: int, *, by_writing: bool) -> Sequence[Check]:
    """Take checks that are due, in the caller's transaction, each with the SKU it is tried on.

    Where a write was begun and not heard of again, what went out meanwhile goes out again first.
    """
    return [await _check(connection, row) for row in await connection.fetch(TAKE, clock, limit, by_writing, LEASE)]


async def read(connection: Connection, check: Check, now: datetime, *, by_writing: bool) -> None:
    """One real read has passed; where a level that waited went out, so has the write."""
    await _lock(connection, check)
    await connection.execute(READ, *_place(check), check.fence, now, by_writing)
    if check.written:
        await _done(connection, check)


async def wrote(connection: Connection, check: Check, now: datetime) -> None:
    """One harmless write has passed."""
    await _lock(connection, check)
    if check.sku_id:
        await connection.execute(AGAIN, *_place(check)[:3], check.sku_id, check.since)
    await connection.execute(WROTE, *_place(check), check.fence, now)
    await _done(connection, check)


async def troubled(connection: Connection, check: Check, trouble: str, wait: timedelta, now: datetime) -> None:
    """The check has not passed. A level that went out is noted all the same."""
    await _lock(connection, check)
    await connection.execute(TROUBLED, *_place(check), check.fence, trouble, now)
    is_failure = trouble != Trouble.NOTHING_TO_CHECK
    await connection.execute(
        REST, *_place(check)[:3], check.fence, wait, int(is_failure), trouble if is_failure else None
    )


async def let_go(connection: Connection, check: Check, wait: timedelta, *, failed: bool = False) -> None:
    """Nothing was tried. `failed`: and that holds up whoever comes after stock."""
    await connection.execute(REST, *_place(check)[:3], check.fence, wait, int(failed), None)


async def goes_on(connection: Connection, check: Check) -> bool:
    """Renew the lease, if nobody has taken the check over."""
    return bool(await connection.fetchval(RENEW, *_place(check)[:3], check.fence, LEASE))


async def _lock(connection: Connection, check: Check) -> None:
    """Before anything else of it, as a change of the connection does, so that neither waits for the other for ever."""
    await connection.execute(LOCK, *_place(check)[:3])


async def _done(connection: Connection, check: Check) -> None:
    await connection.execute(outages.WAKE, ["balance"])
    await connection.execute(
        """
        update flows set failures = 0, last_error = null, lease_until = null
        where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = 'stock' and fence = $4
        """,
        *_place(check)[:3],
        check.fence,
    )


async def _check(connection: Connection, row: Any) -> Check:
    shop = (row["tenant_id"], row["connection_id"], row["shop_id"])
    if row["checked_sku"]:
        await connection.execute(AGAIN, *shop, row["checked_sku"], row["checked_since"])
    ware = await connection.fetchrow(CHOOSE, *shop, row["written"], row["failures"])
    has_wares = ware is not None or await connection.fetchval(SELLS, *shop)
    is_written = row["written"] or ware is None
    await connection.execute(BEGIN, *shop, row["outage_id"], None if is_written else ware["sku_id"])
    since = await connection.fetchval("select now()")
    return Check(
        tenant_id=row["tenant_id"],
        connection_id=row["connection_id"],
        shop_id=row["shop_id"],
        outage_id=row["outage_id"],
        fence=row["fence"],
        failures=row["failures"],
        written=row["written"],
        product_id=ware["product_id"] if ware else None,
        sku_id=ware["sku_id"] if ware else None,
        has_wares=has_wares,
        since=since,
    )


def _place(check: Check) -> tuple[str, str, str, str]:
    return (check.tenant_id, check.connection_id, check.shop_id, check.outage_id)
