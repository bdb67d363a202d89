"""Exceptions, looked at and ended by hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from evergrant.actions.exceptions import Failed, How
from evergrant.actions.mending import Broken, Cause, Sought, Stage
from evergrant.actions.reading import Entry
from evergrant.core import flows
from evergrant.core.connection import Event
from evergrant.core.errors import NotFoundError
from evergrant.core.gate import REMEDIES, Why
from evergrant.store import audit, events, failing
from evergrant.store.database import Connection, Database
from evergrant.store.pushes import FORGOTTEN_AT_ONCE, KEPT

PAGE = """
select * from exceptions where tenant_id = $1 and position > $2 and ($3::text is null or cause = $3)
  and ($4::text is null or connection_id = $4) and ($5::text is null or state = $5) and ($6::text is null or id = $6)
order by position limit $7
"""

CAUSES = """
select cause, count(*) as count, min(opened_at) as oldest from exceptions
where tenant_id = $1 and state = 'open' and ($2::text is null or connection_id = $2)
group by cause order by count(*) desc, cause
"""

# Records before their exceptions, as whoever settles them locks them.
RECORDS = """
select from pushes where tenant_id = $1 and id = any(array(
    select push_id from exceptions where tenant_id = $1 and connection_id = $2 and id = any($3) and state = 'open'))
order by position for no key update
"""

# What its worker has in hand goes on: it is settled by what comes of it.
END = """
with ended as (
    update exceptions set state = case when $5 then 'dismissed' else 'resolved' end, how = $4, ended_at = now(), parked = false
    where tenant_id = $1 and connection_id = $2 and id = any($3) and state = 'open' returning *
), pushed as (
    update pushes p set state = 'dismissed', ended_at = now(), fence = p.fence + 1 from ended
    where p.tenant_id = ended.tenant_id and p.id = ended.push_id and p.state in ('waiting', 'parked')
      and (p.lease_until is null or p.lease_until < now())
), left_out as (
    update replay_items i set outcome = 'skipped', message = 'It was ended meanwhile.', ended_at = now() from ended
    where i.tenant_id = ended.tenant_id and i.exception_id = ended.id and i.outcome is null
)
select * from ended
"""

# As it stays until this transaction ends: whoever opens the flow finds what is noted now.
SHUT = """
select shut from flows where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 for share
"""

# Asked once the flow is held: who waited for a change would else see the row from before it.
OUTAGE = """
select outage_id from outage_flows
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and balanced_at is null
"""

# A ledger that is open counts them.
FORGET = """
delete from exceptions where ctid = any(array(
    select x.ctid from exceptions x where x.state <> 'open' and x.ended_at < now() - $1::interval
      and not exists (select from outages o where o.tenant_id = x.tenant_id and o.id = x.outage_id and o.closed_at is null)
      and not exists (select from replay_items i where i.tenant_id = x.tenant_id and i.exception_id = x.id)
    order by x.ended_at limit $2))
"""

LET_GO = "select true from connections where tenant_id = $1 and id = $2 and reason = 'vendor_disconnected'"


class Exceptions:
    """Records that failed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, tenant_id: str, sought: Sought) -> Sequence[Broken]:
        """Exceptions in the order in which they came."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                PAGE,
                tenant_id,
                sought.after,
                sought.cause,
                sought.connection_id,
                sought.stage,
                None,
                sought.limit,
            )
        return [broken(row) for row in rows]

    async def find(self, tenant_id: str, exception_id: str) -> Broken:
        """One. Raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(PAGE, tenant_id, 0, None, None, None, exception_id, 1)
        if row is None:
            raise NotFoundError("There is no such exception.")
        return broken(row)

    async def causes(self, tenant_id: str, connection_id: str | None = None) -> Sequence[Cause]:
        """Open ones by cause, the most frequent first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(CAUSES, tenant_id, connection_id)
        return [Cause(cause=row["cause"], count=row["count"], oldest=row["oldest"]) for row in rows]

    async def dismiss(self, tenant_id: str, exception_id: str, at: datetime, *, actor: str) -> Broken:
        """End one by hand: its record is not sent, or looked for, any more. Raises NotFoundError."""
        found = await self.find(tenant_id, exception_id)
        async with self._database.transaction() as connection:
            if await end(connection, tenant_id, found.connection_id, [exception_id], How.BY_HAND, at, dismiss=True):
                entry = Entry(tenant_id=tenant_id, actor=actor, action="exception.dismissed", subject=exception_id)
                await audit.write(connection, [entry])
        return await self.find(tenant_id, exception_id)

    async def missed(
        self, flow: tuple[str, str, str, flows.Kind], record_id: str, since: datetime, at: datetime
    ) -> None:
        """A record came that a shut flow (tenant, connection, shop, kind) could not fetch.

        Nobody waits for it where the vendor let go of the connection.
        """
        tenant_id, connection_id, shop_id, kind = flow
        async with self._database.transaction() as connection:
            shut = await connection.fetchval(SHUT, *flow)
            if shut is None:
                return
            if await connection.fetchval(LET_GO, tenant_id, connection_id):
                return
            why = Why(shut)
            failed = Failed(
                tenant_id=tenant_id,
                connection_id=connection_id,
                shop_id=shop_id,
                kind=kind,
                entity=record_id,
                cause=why.value,
                message=REMEDIES[why],
                outage_id=await connection.fetchval(OUTAGE, *flow),
                since=since,
            )
            await failing.open_all(connection, [failed], at)

    async def forget(self) -> int:
        """Remove what has been over for long, and is in no bulk retry and no open outage; gives how many."""
        async with self._database.connection() as connection:
            done = await connection.execute(FORGET, KEPT, FORGOTTEN_AT_ONCE)
        return int(done.rsplit(" ", 1)[1])


async def end(
    connection: Connection,
    tenant_id: str,
    connection_id: str,
    ids: Sequence[str],
    how: How,
    at: datetime,
    *,
    dismiss: bool,
) -> int:
    """End open exceptions without their records being good; gives how many. `at` is platform time."""
    await connection.execute(RECORDS, tenant_id, connection_id, list(ids))
    rows = await connection.fetch(END, tenant_id, connection_id, list(ids), how, dismiss)
    told = [Event(type="exception.dismissed", data=_facts(row)) for row in rows]
    if not dismiss:
        told = [Event(type="exception.resolved", data={**_facts(row), "how": how.value}) for row in rows]
    await events.write(connection, tenant_id, connection_id, told, at)
    return len(rows)


def broken(row: Mapping[str, Any]) -> Broken:
    """An exception from its row."""
    return Broken(
        position=row["position"],
        id=row["id"],
        connection_id=row["connection_id"],
        shop_id=row["shop_id"],
        kind=flows.Kind(row["kind"]),
        entity=row["entity"],
        cause=row["cause"],
        message=row["message"],
        stage=Stage(row["state"]),
        how=How(row["how"]) if row["how"] else None,
        attempts=row["attempts"],
        parked=row["parked"],
        outage_id=row["outage_id"],
        opened_at=row["opened_at"],
        last_at=row["last_at"],
        ended_at=row["ended_at"],
    )


def _facts(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "shop_id": row["shop_id"],
        "flow": row["kind"],
        "exception_id": row["id"],
        "record_id": row["entity"],
        "cause": row["cause"],
    }
