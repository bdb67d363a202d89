"""Notices the platform owes: noted when it turns out that it ended an authorization or began to warn, counted when none came."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from evergrant.actions.reading import Entry
from evergrant.actions.watching import Owed
from evergrant.core.authorization import EXPIRING
from evergrant.core.connection import Change, Event
from evergrant.store import audit, events
from evergrant.store.database import Connection

OWE = """
insert into awaited_notices (tenant_id, connection_id, kind, since, app_id, clock, came)
values ($1, $2, $3, $4, $5, $6, false) on conflict do nothing
"""

HEARD = """
update app_watches set heard_at = now(), missed = 0, missed_since = null, missed_told_at = null
where tenant_id = $1 and app_id = $2 and (missed_since is not null or heard_at is null or heard_at < now() - interval '1 minute')
"""

CAME: Mapping[Owed, str] = {
    Owed.DEAUTHORIZATION: """
        delete from awaited_notices where tenant_id = $1 and connection_id = $2 and kind = 'deauthorization'
            and $3::timestamptz is not null
        """,
    Owed.WARNING: """
        insert into awaited_notices (tenant_id, connection_id, kind, since, app_id, clock, came)
        select tenant_id, id, 'warning', $3, app_id, clock, true from connections where tenant_id = $1 and id = $2
        on conflict (tenant_id, connection_id, kind, since) do update set came = true where not awaited_notices.came
        """,
}
"""The warning may be here before we look at the calendar, so it is noted; an ending that was told leaves nothing to await."""

# What is in the inbox and not yet understood may be the very notice: nothing is counted before it is.
COUNT = """
with overdue as (
    delete from awaited_notices where (tenant_id, connection_id, kind, since) in (
        select tenant_id, connection_id, kind, since from awaited_notices o
        where clock = $1 and not came and since <= $2::timestamptz - $3::interval
          and not exists (select from notices n
              where n.tenant_id = o.tenant_id and n.app_id = o.app_id and n.settled_at is null)
        order by since limit 500 for update skip locked)
    returning tenant_id, app_id, since
), by_app as (
    select tenant_id, app_id, count(*)::int as missed, min(since) as since from overdue group by 1, 2
)
update app_watches a set missed = a.missed + by_app.missed, missed_since = least(a.missed_since, by_app.since),
    missed_told_at = case when a.missed_told_at > $2::timestamptz - interval '1 day' then a.missed_told_at else $2 end
from by_app where a.tenant_id = by_app.tenant_id and a.app_id = by_app.app_id
returning a.tenant_id, a.app_id, a.missed, a.missed_since, by_app.missed as now_missed, a.missed_told_at = $2 as tell
"""


async def owe_ended(connection: Connection, change: Change) -> None:
    """Note that a notice is owed, where the platform has ended an authorization and none had said so."""
    if change.was_untold:
        await connection.execute(
            OWE,
            change.after.tenant_id,
            change.after.id,
            Owed.DEAUTHORIZATION,
            change.at,
            change.after.app_id,
            change.after.clock,
        )


async def count(connection: Connection, clock: str, now: datetime, patience: timedelta) -> int:
    """Count what should have come by now in the caller's transaction, and tell of it; gives how many."""
    rows = await connection.fetch(COUNT, clock, now, patience)
    for row in rows:
        if not row["tell"]:
            continue
        data = {"app_id": row["app_id"], "missed": row["missed"], "since": row["missed_since"].isoformat()}
        await events.write(connection, row["tenant_id"], None, [Event(type="notices.missed", data=data)], now)
        entry = Entry(
            tenant_id=row["tenant_id"],
            actor="watch",
            action="notices.missed",
            subject=row["app_id"],
            detail={"missed": row["missed"]},
        )
        await audit.write(connection, [entry])
    return sum(row["now_missed"] for row in rows)


async def owe_warnings(connection: Connection, tenant_id: str, connection_id: str, ends: datetime) -> None:
    """The 30 days before the end have begun: a warning is owed, unless the consent itself is younger than that."""
    await connection.execute(
        """
        insert into awaited_notices (tenant_id, connection_id, kind, since, app_id, clock, came)
        select tenant_id, id, 'warning', $3, app_id, clock, false from connections
        where tenant_id = $1 and id = $2 and authorized_at < $3
        on conflict do nothing
        """,
        tenant_id,
        connection_id,
        ends - EXPIRING,
    )
