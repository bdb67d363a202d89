"""Keeps the pairs of many refreshes in one statement: each where the very pair that was shown still stands."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from evergrant.actions.ports import Spooled
from evergrant.store import pairs
from evergrant.store.database import GROUP_SECONDS, ONE_ROWS_FAULT, Connection, Database
from evergrant.store.together import Together

WRITERS = 2
"""Statements under way at the same time; the next answers gather meanwhile."""

# The pair, the end of the attempt and of every older doubt, and the record of it, where the very pair that was shown
# still stands: together or not at all, in one statement, the connection's row first. Such an answer is the newest pair there
# is, whoever holds the lease by now: a fence that has moved moves once more, so that whoever shows the old token
# meanwhile changes nothing.
#
# `unchanged`: only where the answer says nothing new of an active connection; who is not sure leaves it out. A row
# somebody else holds just now is left to its caller alone, so that no answer waits for another's connection.
KEEP = """
with given as (
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::timestamptz[], $7::bytea[],
        $8::bytea[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::text[], $13::text[])
        with ordinality as g (tenant_id, connection_id, fence, version, access_sealed, access_ends, refresh_sealed,
            refresh_hash, refresh_ends, issued_at, due_at, open_id, scopes, place)
), held as (
    select g.* from given g join connections c on c.tenant_id = g.tenant_id and c.id = g.connection_id
    where not $14 or (c.state = 'active' and c.open_id = g.open_id and c.authorization_ends = g.refresh_ends
        and (g.scopes = '' or c.scopes = string_to_array(g.scopes, ' ')))
    order by c.tenant_id, c.id for update of c SKIPPING
), kept as (
    update tokens t set version = g.version, access_sealed = g.access_sealed, access_ends = g.access_ends,
        refresh_sealed = g.refresh_sealed, refresh_hash = g.refresh_hash, refresh_ends = g.refresh_ends,
        issued_at = g.issued_at, due_at = g.due_at, lease_until = null, failures = 0,
        fence = case when t.fence = g.fence then t.fence else t.fence + 1 end
    from held g
    where t.tenant_id = g.tenant_id and t.connection_id = g.connection_id and t.version = g.version - 1
      and exists (select from presentations p where p.tenant_id = t.tenant_id and p.connection_id = t.connection_id
                  and p.fence = g.fence and p.refresh_hash = t.refresh_hash)
    returning t.tenant_id, t.connection_id, g.fence, g.issued_at, g.place
), ended as (
    update presentations p set outcome = case when p.fence = kept.fence then 'ok' else 'outlived' end, ended_at = now()
    from kept
    where p.tenant_id = kept.tenant_id and p.connection_id = kept.connection_id
      and (p.outcome is null or p.outcome = 'in_doubt')
), settled as (
    update connections c set in_doubt_since = null from kept
    where c.tenant_id = kept.tenant_id and c.id = kept.connection_id and c.in_doubt_since is not null
), recorded as (
    insert into audit (tenant_id, actor, action, subject, request_id, detail)
    select tenant_id, 'refresh', 'token.refreshed', connection_id, '', jsonb_build_object('at', issued_at) from kept
)
select place from kept
"""
KEEP_MANY, KEEP_ONE = KEEP.replace("SKIPPING", "skip locked"), KEEP.replace("SKIPPING", "")


async def one(connection: Connection, spooled: Spooled) -> bool:
    """Keep one pair in the caller's transaction, whatever else is changed with it; says whether it was."""
    return bool(await connection.fetch(KEEP_ONE, *_columns([spooled]), False))


class Unchanged:
    """Keeps pairs whose answer says nothing new of the connection, many callers' in one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together: Together[Spooled, bool] = Together(
            self._keep, alone=(*ONE_ROWS_FAULT, asyncpg.DeadlockDetectedError), most=128, writers=WRITERS
        )

    async def keep(self, spooled: Spooled) -> bool:
        """Whether it was kept, and is durable."""
        return await self._together.put(spooled)

    async def _keep(self, group: Sequence[Spooled]) -> Sequence[bool]:
        async with self._database.connection(within=GROUP_SECONDS) as connection:
            rows = await connection.fetch(KEEP_MANY, *_columns(group), True)
        kept = {row["place"] for row in rows}
        return [place in kept for place in range(1, len(group) + 1)]


def given(spooled: Spooled) -> tuple[Any, ...]:
    """What is kept of an answer, in the order KEEP and what heals after a restore take it."""
    pair = pairs.sealed(spooled.key, spooled.granted.pair, spooled.version + 1)
    return (
        spooled.tenant_id,
        spooled.connection_id,
        spooled.fence,
        pair.version,
        pair.access,
        pair.access_ends,
        pair.refresh,
        pair.refresh_hash,
        pair.refresh_ends,
        spooled.at,
        spooled.due_at,
    )


def _columns(group: Sequence[Spooled]) -> list[list[Any]]:
    rows = [(*given(spooled), spooled.granted.open_id, " ".join(sorted(spooled.granted.scopes))) for spooled in group]
    return [list(column) for column in zip(*rows, strict=True)]
