"""Outages as they begin, go on and end: in the transaction of the change that stops a flow, or opens it again."""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex

from evergrant.actions.polls import Run
from evergrant.core import flows, outage
from evergrant.core.connection import Change, Event, Flow
from evergrant.core.gate import Why
from evergrant.core.outage import Course, Move, Standing
from evergrant.store import events
from evergrant.store.database import Connection
from evergrant.store.values import from_json

KNOWN = """
select o.id, o.cause, (select json_agg(r) from outage_flows r
    where r.tenant_id = o.tenant_id and r.outage_id = o.id and r.balanced_at is null)::text as rows
from outages o where o.tenant_id = $1 and o.connection_id = $2 and o.closed_at is null order by o.position desc
"""

BEGIN = """
insert into outages (tenant_id, id, connection_id, clock, cause, started_at) values ($1, $2, $3, $4, $5, $6)
"""

# One that was balanced already, and stops again before its outage is closed, has its checks before it once more.
JOIN = """
insert into outage_flows as r (tenant_id, outage_id, connection_id, shop_id, kind, why, stopped_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (tenant_id, outage_id, shop_id, kind) do update set why = excluded.why, stopped_at = excluded.stopped_at,
    reopened_at = null, runs_since = null, expected = null, read_at = null, written_at = null, trouble = null, balanced_at = null
"""

# What it stopped again before is not known to have passed any more.
STANDS = """
update outage_flows set why = $6, trouble = case when $7 = 'paused' then 'paused_by_vendor' end,
    reopened_at = case when $7 = 'runs' then $8::timestamptz end, runs_since = case when $7 = 'runs' then now() end,
    read_at = null, written_at = null
where tenant_id = $1 and outage_id = $2 and connection_id = $3 and shop_id = $4 and kind = $5 and balanced_at is null
"""

# It balances: nothing of it is owed to anybody.
LET_GO = """
update outage_flows set balanced_at = $6, trouble = 'vendor_disconnected'
where tenant_id = $1 and outage_id = $2 and connection_id = $3 and shop_id = $4 and kind = $5 and balanced_at is null
"""

# A poll from before it stopped proves nothing of what came after: its fence is gone.
CATCH_UP = """
update flows set catching_up = $5::smallint, fence = fence + case when $5::smallint is null then 0 else 1 end
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4
"""

GO_ON = """
update outages set cause = $3, ended_at = case when $4 then coalesce(ended_at, $5::timestamptz) end
where tenant_id = $1 and id = $2
"""

# The next stage begins at once, and what balances now is noted at once.
WAKE = "select pg_notify('evergrant_work', work) from unnest($1::text[]) as work"

OF_RUN = """
tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and balanced_at is null and exists (
    select from flows f where f.tenant_id = $1 and f.connection_id = $2 and f.shop_id = $3 and f.kind = $4 and f.fence = $5)
"""


async def follow(connection: Connection, change: Change) -> None:
    """Keep what a change makes of its connection's outages, in the caller's transaction, the connection's row locked."""
    if _shut(change.before.flows) == _shut(change.after.flows):
        return
    whose = change.after
    rows = await connection.fetch(KNOWN, whose.tenant_id, whose.id)
    known = [
        outage.Outage(
            id=row["id"],
            cause=Why(row["cause"]),
            rows={(each["shop_id"], each["kind"]): _row(each) for each in from_json(row["rows"] or "[]")},
        )
        for row in rows
    ]
    for course in outage.follow(change, known):
        outage_id = course.id or await _begun(connection, change, course)
        for move in course.joined:
            place = (whose.tenant_id, outage_id, whose.id, *move.flow)
            await connection.execute(JOIN, *place, move.why, change.at)
        for move in course.moves:
            await _stand(connection, change, outage_id, move)
        ended = (whose.tenant_id, outage_id, course.cause, course.has_ended, change.at)
        await connection.execute(GO_ON, *ended)
        if course.has_ended:
            await connection.execute(WAKE, ["balance"])


async def read(connection: Connection, run: Run, now: datetime) -> None:
    """A whole poll of the gap is done, in the caller's transaction: that was one real read, and it has caught up."""
    if not run.catching_up:
        return
    place = _place(run)
    await connection.execute(
        f"update outage_flows set read_at = $6, trouble = null where {OF_RUN} and reopened_at is not null",  # noqa: S608
        *place,
        now,
    )
    await connection.execute(
        """
        update flows set catching_up = null
        where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5
        """,
        *place,
    )
    await connection.execute(WAKE, ["sync", "balance"])


async def _begun(connection: Connection, change: Change, course: Course) -> str:
    outage_id, whose = f"out_{token_hex(16)}", change.after
    place = (whose.tenant_id, outage_id, whose.id, whose.clock)
    await connection.execute(BEGIN, *place, course.cause, change.at)
    kinds = sorted({kind for _, kind in (move.flow for move in course.joined)})
    told = Event(type="outage.opened", data={"outage_id": outage_id, "cause": course.cause.value, "flows": kinds})
    await events.write(connection, whose.tenant_id, whose.id, [told], change.at)
    return outage_id


async def _stand(connection: Connection, change: Change, outage_id: str, move: Move) -> None:
    whose, (shop_id, kind) = change.after, move.flow
    place = (whose.tenant_id, outage_id, whose.id, shop_id, kind)
    if move.standing is Standing.LET_GO:
        await connection.execute(LET_GO, *place, change.at)
    else:
        await connection.execute(STANDS, *place, move.why, move.standing, change.at)
    stage = flows.STAGES.get(flows.Kind(kind)) if move.standing is Standing.RUNS else None
    await connection.execute(CATCH_UP, whose.tenant_id, whose.id, shop_id, kind, stage)
    if move.standing is Standing.RUNS:
        await connection.execute(WAKE, ["sync", "prove"])


def _row(row: dict[str, str | None]) -> outage.Row:
    if row["trouble"] == "paused_by_vendor":
        standing = Standing.PAUSED
    else:
        standing = Standing.RUNS if row["reopened_at"] else Standing.STOPPED
    return outage.Row(standing=standing, why=Why(row["why"] or ""))


def _shut(known: Sequence[Flow]) -> dict[tuple[str, str], Why | None]:
    return {(flow.shop_id, flow.kind): flow.shut for flow in known}


def _place(run: Run) -> tuple[str, str, str, str, int]:
    return (run.tenant_id, run.connection_id, run.shop_id, run.kind.value, run.fence)
