"""Takes the refreshes that are due: each with a lease, a fencing number and a kept attempt, within the pace of its app."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from evergrant.store.database import Connection, Database
from evergrant.store.paces import PROBE_LEASE, Paces

LEASE = timedelta(seconds=60)
"""Longer than the hard limit of a call (20 s), so that a living worker never loses it."""

IS_DUE = """
    t.clock = $1 and t.due_at <= $2 and t.refresh_ends > $2 and (t.lease_until is null or t.lease_until < now())
    and not exists (select from presentations p
                    where p.tenant_id = t.tenant_id and p.connection_id = t.connection_id and p.outcome is null)
    and not exists (select from recovery_held h where h.tenant_id = t.tenant_id
                    and h.connection_id = t.connection_id and h.version = t.version)
"""

# Nothing is shown after the end of the authorization, which is the end of the refresh token: the sweep may be late.
# One statement: the lease, the fencing number and the attempt are there together or not at all. A row whose last
# presentation has no outcome is left to `doubts`; one that is in doubt is presented once more, as a probe. A probe that
# is lost ends the authorization, so it counts as not sent until `holds` says that it is about to be shown.
#
# App by app, the one whose first row has least time left first; an app that rests is passed over, and of one whose rest
# is over a single row is taken, to see, by whoever comes first.
TAKE_DUE = """
with looks as materialized (
    select p.app_id from app_paces p join apps a on a.tenant_id = p.tenant_id and a.id = p.app_id
    where a.clock = $1 and p.shut_until <= now() for update of p skip locked
), free as (
    select a.id, case when l.app_id is null then coalesce(g.room, $3) else 1 end as room,
        a.refused_at is not null or coalesce(p.failures > 0 or p.shut_until is not null, false) as troubled
    from apps a left join app_paces p on p.app_id = a.id left join looks l on l.app_id = a.id
    left join unnest($5::text[], $6::int[]) as g (app_id, room) on g.app_id = a.id
    where a.clock = $1 and (p.shut_until is null or l.app_id is not null) and coalesce(g.room, $3) > 0
), waiting as (
    select free.id, free.room, free.troubled, head.access_ends from free cross join lateral (
        select t.access_ends from tokens t where t.app_id = free.id and IS_DUE order by t.due_at limit 1) head
    order by head.access_ends
), due as (
    select t.tenant_id, t.connection_id, w.troubled from waiting w cross join lateral (
        select t.tenant_id, t.connection_id from tokens t where t.app_id = w.id and IS_DUE
        order by t.due_at limit w.room for update skip locked) t
    limit $3
), taken as (
    update tokens t set fence = fence + 1, lease_until = now() + $4 from due
    where t.tenant_id = due.tenant_id and t.connection_id = due.connection_id
    returning t.*, due.troubled, exists(select from presentations p where p.tenant_id = t.tenant_id
        and p.connection_id = t.connection_id and p.outcome = 'in_doubt' and p.refresh_hash = t.refresh_hash) as probe
), attempts as (
    insert into presentations (tenant_id, connection_id, fence, refresh_hash, probe, outcome)
    select tenant_id, connection_id, fence, refresh_hash, probe, case when probe then 'not_sent' end from taken
), looking as (
    update app_paces p set probing = true, shut_until = now() + $7::interval
    where p.app_id in (select app_id from looks) and p.app_id in (select app_id from taken)
)
select t.*, k.key_number, k.wrapped from taken t
left join data_keys k on k.tenant_id = t.tenant_id and k.owner_id = t.connection_id
""".replace("IS_DUE", IS_DUE)

WITH_DUE = """
select a.id from apps a where a.clock = $1 and exists (select from tokens t where t.app_id = a.id and IS_DUE)
""".replace("IS_DUE", IS_DUE)


async def take(database: Database, paces: Paces, clock: str, now: datetime, limit: int) -> Sequence[Any]:
    """Rows of refreshes that are due and this worker's now."""
    if not paces.has_budget:
        async with database.connection() as connection:
            return await _taken(connection, clock, now, limit, {})
    async with database.transaction() as connection:
        waiting = [row["id"] for row in await connection.fetch(WITH_DUE, clock, now)]
        if not waiting:
            return []
        rows = await _taken(connection, clock, now, limit, await paces.rooms(connection, waiting))
        await paces.spend(connection, Counter(row["app_id"] for row in rows))
        return rows


async def _taken(
    connection: Connection, clock: str, now: datetime, limit: int, rooms: Mapping[str, int]
) -> Sequence[Any]:
    given = (list(rooms), list(rooms.values()))
    rows: Sequence[Any] = await connection.fetch(TAKE_DUE, clock, now, limit, LEASE, *given, PROBE_LEASE)
    return rows
