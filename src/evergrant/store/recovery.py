"""What is held after the database was put back: pairs that may be older than the platform's, until a person decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from evergrant.actions.upkeep import Held
from evergrant.core.connection import Change
from evergrant.store import changes
from evergrant.store.database import Connection, Database

ALL_SECONDS = 600.0
"""How long a statement over every pair there is may take: ten million are some minutes."""

HELD = """
select count(*) from recovery_held h
join tokens t on t.tenant_id = h.tenant_id and t.connection_id = h.connection_id and t.version = h.version
where $1::text is null or h.tenant_id = $1
"""

SOME = """
select h.tenant_id, h.connection_id from recovery_held h
join tokens t on t.tenant_id = h.tenant_id and t.connection_id = h.connection_id and t.version = h.version
order by 1, 2 limit $1
"""

# An answer from the spool to a presentation this database no longer knows of: it is newer than the pair that is held.
HEAL = """
with held as (
    select t.tenant_id, t.connection_id from recovery_held h
    join tokens t on t.tenant_id = h.tenant_id and t.connection_id = h.connection_id and t.version = h.version
    where h.tenant_id = $1 and h.connection_id = $2 and t.version < $4
), kept as (
    update tokens t set version = $4, access_sealed = $5, access_ends = $6, refresh_sealed = $7, refresh_hash = $8,
        refresh_ends = $9, issued_at = $10, due_at = $11, lease_until = null, failures = 0, fence = greatest(fence, $3) + 1
    from held where t.tenant_id = held.tenant_id and t.connection_id = held.connection_id
    returning t.tenant_id, t.connection_id
), ended as (
    update presentations p set outcome = 'outlived', ended_at = now() from kept
    where p.tenant_id = kept.tenant_id and p.connection_id = kept.connection_id
      and (p.outcome is null or p.outcome = 'in_doubt')
), settled as (
    update connections c set in_doubt_since = null from kept
    where c.tenant_id = kept.tenant_id and c.id = kept.connection_id and c.in_doubt_since is not null
), recorded as (
    insert into audit (tenant_id, actor, action, subject, request_id, detail)
    select tenant_id, 'refresh', 'token.refreshed', connection_id, '',
        jsonb_build_object('at', $10::timestamptz, 'after_restore', true) from kept
)
select true from kept
"""

# A pair that may be used up already is a doubt: the refresh protocol shows it once, as a declared probe.
PROBE = """
with freed as (
    delete from recovery_held h using tokens t
    where t.tenant_id = h.tenant_id and t.connection_id = h.connection_id and t.version = h.version
    returning t.tenant_id, t.connection_id, t.fence, t.refresh_hash
), due as (
    update tokens t set fence = t.fence + 1, lease_until = null, due_at = least(t.due_at, t.issued_at) from freed
    where t.tenant_id = freed.tenant_id and t.connection_id = freed.connection_id and t.due_at is not null
), ended as (
    update presentations p set outcome = 'outlived', ended_at = now() from freed
    where p.tenant_id = freed.tenant_id and p.connection_id = freed.connection_id and p.outcome is null
), doubted as (
    insert into presentations (tenant_id, connection_id, fence, refresh_hash, probe, outcome, ended_at)
    select tenant_id, connection_id, fence + 1, refresh_hash, false, 'in_doubt', now() from freed
    where not exists (select from presentations p where p.tenant_id = freed.tenant_id
        and p.connection_id = freed.connection_id and p.refresh_hash = freed.refresh_hash and p.outcome = 'in_doubt')
), flagged as (
    update connections c set in_doubt_since = now() from freed
    where c.tenant_id = freed.tenant_id and c.id = freed.connection_id and c.in_doubt_since is null
), recorded as (
    insert into audit (tenant_id, actor, action, subject, request_id, detail)
    select tenant_id, 'command line', 'token.probed', connection_id, '', '{"reason": "restored"}' from freed
)
select count(*) from freed
"""

FORGET = """
delete from recovery_held h where not exists (select from tokens t
    where t.tenant_id = h.tenant_id and t.connection_id = h.connection_id and t.version = h.version)
"""


async def hold_all(connection: Connection) -> int:
    """Hold every pair that would be refreshed, as it stands and whoever asks, a door too (migration 0015); gives how many."""
    held: int = await connection.fetchval("select hold_all()", timeout=ALL_SECONDS)
    return held


async def heal(connection: Connection, given: Sequence[Any]) -> bool:
    """Put a spooled answer in the place of the held pair it outlives; `given` is what a refresh keeps."""
    return bool(await connection.fetchval(HEAL, *given))


class Recovery:
    """What is held, and what is done with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held(self, tenant_id: str | None = None) -> int:
        """How many pairs are held, of one tenant or of all."""
        async with self._database.connection() as connection:
            count: int = await connection.fetchval(HELD, tenant_id)
        return count

    async def status(self) -> tuple[int, int, datetime | None]:
        """How many are still held, how many a newer pair has proven since, and when that began."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow("select count(*), min(held_at) from recovery_held")
        held = await self.held()
        return held, row[0] - held, row[1]

    async def probe(self) -> int:
        """Let each pair be shown once more, as a declared probe; gives how many."""
        async with self._database.transaction() as connection:
            freed: int = await connection.fetchval(PROBE, timeout=ALL_SECONDS)
            await connection.execute("delete from recovery_held", timeout=ALL_SECONDS)
        return freed

    async def some(self, limit: int) -> Sequence[Held]:
        """Some that are still held."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(SOME, limit)
        return [Held(tenant_id=row["tenant_id"], connection_id=row["connection_id"]) for row in rows]

    async def done(self) -> None:
        """Forget what was held and is proven since, so that no later restore counts it again."""
        async with self._database.connection() as connection:
            await connection.execute(FORGET, timeout=ALL_SECONDS)

    async def give_up(self, held: Held, change: Change) -> None:
        """Keep what was decided of one, and hold it no longer. Raises StaleError."""
        async with self._database.transaction() as connection:
            await changes.lock(connection, held.tenant_id, held.connection_id)
            await changes.keep(connection, change, actor="command line")
            await connection.execute(
                "delete from recovery_held where tenant_id = $1 and connection_id = $2",
                held.tenant_id,
                held.connection_id,
            )
