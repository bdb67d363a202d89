"""The pace of every app's calls: breaker, waits and budget in rows that all processes share."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from secrets import token_hex

import structlog

from evergrant.store import walls
from evergrant.store.database import Connection, Database
from evergrant.store.together import Together

FAILURES = 5
"""Calls in a row that do not reach the platform before the breaker opens."""
FIRST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(seconds=20)
"""How long it stays open: twice as long each time, and never so long that the first success comes half a minute late."""
PROBE_LEASE = timedelta(seconds=30)
"""How long the one call that looks may take; longer than the hard limit of a call."""
LONGEST_WAIT = timedelta(hours=1)
IN_FLIGHT = timedelta(seconds=30)
"""How long a process that says nothing more still counts; longer than the hard limit of a call."""

UNREACHED = """
insert into app_paces as p (tenant_id, app_id, failures) select tenant_id, id, 1 from apps where id = $1
on conflict (app_id) do update set failures = p.failures + 1,
    openings = case when p.probing or (p.shut_until is null and p.failures + 1 >= $2) then p.openings + 1 else p.openings end,
    shut_until = case when p.probing or (p.shut_until is null and p.failures + 1 >= $2)
        then now() + least($3::interval * power(2, least(p.openings, 10)), $4::interval) else p.shut_until end,
    why = case when p.probing or (p.shut_until is null and p.failures + 1 >= $2) then 'unreachable' else p.why end,
    probing = false
returning failures, shut_until
"""

REST = """
insert into app_paces as p (tenant_id, app_id, shut_until, why) select tenant_id, id, now() + $2::interval, $3 from apps where id = $1
on conflict (app_id) do update set shut_until = case when p.probing then excluded.shut_until
        else greatest(p.shut_until, excluded.shut_until) end, why = excluded.why, probing = false
"""

# A wait the platform asked for is not cut short by the answer to a call that left before it asked.
REACHED = """
update app_paces set failures = 0, openings = 0, shut_until = null, probing = false, why = null
where app_id = $1 and (failures > 0 or shut_until is not null)
  and (shut_until is null or shut_until <= now() or probing or why = 'unreachable')
"""

ENTER = """
select shut_until is null as closed, coalesce(shut_until <= now(), false) as looks from app_paces where app_id = $1
for update
"""

PROBES = "update app_paces set probing = true, shut_until = now() + $2::interval where app_id = $1"

# The row is written, so that whoever counts after this counts alone.
FILL = """
insert into app_paces as p (tenant_id, app_id, allowance)
select tenant_id, id, $2 from apps where id = any($1) order by id
on conflict (app_id) do update set filled_at = clock_timestamp(), allowance = least($2, p.allowance + $3
    * greatest(extract(epoch from clock_timestamp() - p.filled_at), 0))
returning app_id, allowance
"""

FLYING = """
select app_id, sum(calls)::int as calls from app_calls where app_id = any($1) and until > clock_timestamp() group by app_id
"""

SPEND = "update app_paces set allowance = allowance - $2 where app_id = $1"

FLY = """
insert into app_calls as c (tenant_id, app_id, process, calls, until)
select tenant_id, id, $2, $3, clock_timestamp() + $4::interval from apps where id = $1
on conflict (app_id, process) do update set until = excluded.until,
    calls = case when c.until > clock_timestamp() then c.calls else 0 end + excluded.calls
"""

LAND = "update app_calls set calls = greatest(calls - $3, 0) where app_id = $1 and process = $2"

log = structlog.get_logger("paces")


class Paces:
    """One process's hand on the pace. Without a budget (None) only breaker and waits count, and nothing is written."""

    def __init__(self, database: Database, *, per_second: float | None = None, at_once: int | None = None) -> None:
        self._database = database
        self._per_second = per_second
        self._at_once = at_once
        self._process = token_hex(8)
        self._landings: Together[tuple[str, walls.Seen], None] = Together(self._land)

    @property
    def has_budget(self) -> bool:
        """Whether calls are counted."""
        return self._per_second is not None or self._at_once is not None

    async def enter(self, app_id: str) -> bool:
        """Whether a call may be made now. If so it counts as in flight until `left`."""
        async with self._database.transaction() as connection:
            room = (await self.rooms(connection, [app_id])).get(app_id, 1) if self.has_budget else 1
            known = await connection.fetchrow(ENTER, app_id)
            if room < 1 or (known and not known["closed"] and not known["looks"]):
                return False
            if known and known["looks"]:
                await connection.execute(PROBES, app_id, PROBE_LEASE)
            await self.spend(connection, {app_id: 1})
        return True

    async def left(self, app_id: str) -> None:
        """A call that was let in is over. Whoever was cancelled meanwhile leaves all the same."""
        if self._at_once is not None:
            await asyncio.shield(self._landings.put((app_id, walls.here())))

    async def reached(self, app_id: str) -> None:
        """The platform answered as it should: the breaker closes."""
        async with self._database.connection() as connection:
            if await connection.execute(REACHED, app_id) != "UPDATE 0":
                log.info("pace.closed", app=app_id)

    async def unreached(self, app_id: str) -> None:
        """The platform could not be reached: after some in a row the app rests."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(UNREACHED, app_id, FAILURES, FIRST_REST, LONGEST_REST)
        if row and row["shut_until"] is not None:
            log.warning("pace.open", app=app_id, failures=row["failures"], until=row["shut_until"].isoformat())

    async def rest(self, app_id: str, wait: timedelta, why: str) -> None:
        """The whole app rests, an hour at the most."""
        async with self._database.connection() as connection:
            await connection.execute(REST, app_id, min(wait, LONGEST_WAIT), why)
        log.warning("pace.rest", app=app_id, why=why, seconds=min(wait, LONGEST_WAIT).total_seconds())

    async def rooms(self, connection: Connection, app_ids: Sequence[str]) -> Mapping[str, int]:
        """How many calls each app may begin now. Nobody else begins one before the caller's transaction ends."""
        most = max(self._per_second or 1.0, 1.0)
        rows = await connection.fetch(FILL, list(app_ids), most, self._per_second or 0.0)
        rooms = {row["app_id"]: int(row["allowance"]) for row in rows}
        if self._per_second is None:
            rooms = dict.fromkeys(rooms, 1_000_000)
        if self._at_once is not None:
            flying = {row["app_id"]: row["calls"] for row in await connection.fetch(FLYING, list(app_ids))}
            rooms = {app_id: min(room, self._at_once - flying.get(app_id, 0)) for app_id, room in rooms.items()}
        return {app_id: max(room, 0) for app_id, room in rooms.items()}

    async def spend(self, connection: Connection, calls: Mapping[str, int]) -> None:
        """Note calls that are about to begin."""
        for app_id, count in sorted(calls.items()):
            if self._per_second is not None:
                await connection.execute(SPEND, app_id, float(count))
            if self._at_once is not None:
                await connection.execute(FLY, app_id, self._process, count, IN_FLIGHT)

    async def _land(self, group: Sequence[tuple[str, walls.Seen]]) -> Sequence[None]:
        whose = [seen for _, seen in group]  # of requests; a worker sees the whole house
        tenants = None if None in whose else {tenant for seen in whose for tenant in seen or ()}
        async with self._database.connection(of=tenants) as connection:
            for app_id, count in sorted(Counter(app_id for app_id, _ in group).items()):
                await connection.execute(LAND, app_id, self._process, count)
        return [None] * len(group)
