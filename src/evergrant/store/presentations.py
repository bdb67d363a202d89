"""Each showing of a refresh token: that it was about to be shown, how it came out, and which went silent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from evergrant.actions.ports import Doubt, Taken
from evergrant.store.database import Connection

Attempt = tuple[str, str, int]
"""Tenant, connection, fence."""

CALL_LIMIT = timedelta(seconds=20)
"""The hard limit of a call (net/platform.py)."""

# Rows that are no probe, and probes, which are noted as about to be shown by the same statement.
MAY_BE_SHOWN = """
with given as (
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[])
        with ordinality as g (tenant_id, connection_id, fence, probe, place)
), held as (
    select g.* from given g join tokens t on t.tenant_id = g.tenant_id and t.connection_id = g.connection_id
    where t.fence = g.fence and t.lease_until > now() + $5::interval
), noted as (
    update presentations p set outcome = null from held
    where held.probe and p.tenant_id = held.tenant_id and p.connection_id = held.connection_id and p.fence = held.fence
    returning held.place
)
select place from held where not probe union all select place from noted
"""

CAME_OUT = """
with was as (
    select outcome from presentations where tenant_id = $1 and connection_id = $2 and fence = $3
        and (outcome is null or outcome = 'in_doubt') for update
), ended as (
    update presentations p set outcome = $4, ended_at = now() from was
    where p.tenant_id = $1 and p.connection_id = $2 and p.fence = $3
    returning p.probe, was.outcome is not null as was_doubted
), noted as (
    insert into audit (tenant_id, actor, action, subject, request_id, detail)
    select $1, 'refresh', 'token.not_refreshed', $2, '', jsonb_build_object('outcome', $4::text, 'probe', probe) from ended
)
select was_doubted from ended
"""

# A worker that was frozen says late that it never used the token up: if nothing else is in doubt, nothing is. Due at once,
# whatever the time is on the platform's clock.
NO_DOUBT = """
with sure as (
    update connections c set in_doubt_since = null
    where c.tenant_id = $1 and c.id = $2 and not exists (select from presentations p
        where p.tenant_id = $1 and p.connection_id = $2 and p.outcome = 'in_doubt')
    returning c.tenant_id, c.id
)
update tokens t set due_at = least(t.due_at, t.issued_at) from sure
where t.tenant_id = sure.tenant_id and t.connection_id = sure.id and t.due_at is not null
"""

# What comes of a silent attempt is decided on what was read before: it counts while the attempt is open, and no longer.
NEXT = """
update tokens t set due_at = $4, lease_until = now() + $5::interval, failures = failures + ($5::interval is not null)::int
where tenant_id = $1 and connection_id = $2 and fence = $3 and due_at is not null and exists (
    select from presentations p where p.tenant_id = $1 and p.connection_id = $2 and p.fence = $3
        and (p.outcome is null or p.outcome = 'in_doubt'))
returning true
"""

# An attempt whose fence has moved on without it is over too, once no living worker can hold it any more.
SILENT = """
select t.*, p.fence as shown_under, p.probe from presentations p
join tokens t on t.tenant_id = p.tenant_id and t.connection_id = p.connection_id
where p.outcome is null and t.clock = $1
  and case when t.fence = p.fence then t.lease_until < now() else p.begun_at < now() - $2::interval end
"""


async def may_be_shown(connection: Connection, group: Sequence[Taken]) -> Sequence[bool]:
    """Whether each lease still has the hard limit of a call left: a process may have been frozen since it took it.

    A probe that may is noted as about to be shown, by the same statement.
    """
    given = [(taken.tenant_id, taken.connection_id, taken.fence, taken.probe) for taken in group]
    columns = [list(column) for column in zip(*given, strict=True)]
    places = {row["place"] for row in await connection.fetch(MAY_BE_SHOWN, *columns, CALL_LIMIT)}
    return [place in places for place in range(1, len(group) + 1)]


async def came_out(connection: Connection, attempt: Attempt, outcome: str) -> bool:
    """Note how an attempt came out, unless that is known; says whether it was in doubt before."""
    return bool(await connection.fetchval(CAME_OUT, *attempt, outcome))


async def not_used_up(connection: Connection, attempt: Attempt, outcome: str) -> None:
    """Note that the token was not used up after all, where its connection's row is locked. What was in doubt by that
    attempt alone is in doubt no more.
    """
    if await came_out(connection, attempt, outcome):
        await connection.execute(NO_DOUBT, *attempt[:2])


async def put_off(
    connection: Connection, attempt: Attempt, due_at: datetime | None, wait: timedelta | None = None
) -> bool:
    """Let the token wait until `due_at` (None: for ever); False, and nothing changed, if the attempt has an answer.

    A wait in wall time, whatever the platform's clock says, is one more failure.
    """
    return bool(await connection.fetchval(NEXT, *attempt, due_at, wait))


async def silent(connection: Connection, clock: str, lease: timedelta) -> Sequence[Doubt]:
    """Attempts whose worker is gone without a word."""
    rows: Sequence[Any] = await connection.fetch(SILENT, clock, lease)
    return [
        Doubt(
            tenant_id=row["tenant_id"],
            connection_id=row["connection_id"],
            app_id=row["app_id"],
            fence=row["shown_under"],
            issued_at=row["issued_at"],
            access_ends=row["access_ends"],
            probe=row["probe"],
            failures=row["failures"],
        )
        for row in rows
    ]
