"""What was chosen for each connection, and the buyers whose time is over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from evergrant.actions.reading import Entry
from evergrant.actions.terms import Aged
from evergrant.core import chosen, flows
from evergrant.core.errors import NotFoundError
from evergrant.store import audit, changes
from evergrant.store.database import Connection, Database
from evergrant.store.values import from_json, json_text

# A poll under way had the shorter reach: its fence is gone, and what it brought stays.
REACH_BACK = """
update flows set reached = least(reached, $3), fence = fence + 1, lease_until = null
where tenant_id = $1 and connection_id = $2 and kind = 'orders' and reached > $3
"""

# Those that wait for the end of a catch-up, too: it may never come.
AGED = """
select c.tenant_id, c.connection_id, c.provider, r.* from (
    select tenant_id, id as connection_id, provider, $2::timestamptz
        - make_interval(days => coalesce((settings ->> 'keep_buyer_days')::int, $3::int)) as before
    from connections where clock = $1) c
cross join lateral (
    (select r.shop_id, r.record_id, r.updated_at, r.document, false as is_staged from records r
     where r.tenant_id = c.tenant_id and r.connection_id = c.connection_id and r.kind = 'orders' and r.redacted_at is null
       and r.updated_at < c.before limit $4)
    union all
    (select g.shop_id, g.record_id, g.updated_at, g.document, true from gap_records g
     where g.tenant_id = c.tenant_id and g.connection_id = c.connection_id and g.kind = 'orders' and g.redacted_at is null
       and g.updated_at < c.before limit $4)) r
limit $4
"""

REDACT = """
update {table} r set document = given.document, redacted_at = now()
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[])
    as given (tenant_id, connection_id, shop_id, record_id, updated_at, document)
where r.tenant_id = given.tenant_id and r.connection_id = given.connection_id and r.shop_id = given.shop_id
  and r.kind = 'orders' and r.record_id = given.record_id and r.updated_at = given.updated_at and r.redacted_at is null
returning true
"""
IN_RECORDS, STAGED = REDACT.format(table="records"), REDACT.format(table="gap_records")


class Terms:
    """What holds for each connection. `keep_buyer_days` is for those of whom nothing else was chosen."""

    def __init__(self, database: Database, *, keep_buyer_days: int) -> None:
        self._database = database
        self._keep_buyer_days = keep_buyer_days

    async def choose(
        self, tenant_id: str, connection_id: str, given: Mapping[str, Any], now: datetime, *, actor: str
    ) -> frozenset[flows.Kind]:
        """Keep what was chosen; gives the flows that are pulled otherwise from now on. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            await changes.lock(connection, tenant_id, connection_id)
            kept = await connection.fetchval(
                "select settings from connections where tenant_id = $1 and id = $2", tenant_id, connection_id
            )
            if kept is None:
                raise NotFoundError("There is no such connection.")
            before = chosen.read(from_json(kept))
            after = chosen.merged(before, given)
            await connection.execute(
                "update connections set settings = $3 where tenant_id = $1 and id = $2",
                tenant_id,
                connection_id,
                json_text(chosen.written(after)),
            )
            news = {kind for kind in flows.PULLED if chosen.plan(kind, before).every != chosen.plan(kind, after).every}
            if await _reaches_back(connection, (tenant_id, connection_id), before, after, now):
                news.add(flows.Kind.ORDERS)
            entry = Entry(
                tenant_id=tenant_id,
                actor=actor,
                action="connection.settings",
                subject=connection_id,
                detail=chosen.written(after),
            )
            await audit.write(connection, [entry])
        return frozenset(news)

    async def aged(self, clock: str, now: datetime, limit: int) -> Sequence[Aged]:
        """Orders whose buyers have been kept for long enough, and are still in them."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(AGED, clock, now, self._keep_buyer_days, limit)
        return [Aged(**dict(row)) for row in rows]

    async def redact(self, orders: Sequence[tuple[Aged, bytes]]) -> int:
        """Keep each of them without its buyer, if it has not changed meanwhile; gives how many."""
        done = 0
        async with self._database.connection() as connection:
            for statement, is_staged in ((IN_RECORDS, False), (STAGED, True)):
                own = [each for each in orders if each[0].is_staged is is_staged]
                if own:
                    done += await _redact(connection, statement, own)
        return done


async def _redact(connection: Connection, statement: str, orders: Sequence[tuple[Aged, bytes]]) -> int:
    rows = await connection.fetch(
        statement,
        [order.tenant_id for order, _ in orders],
        [order.connection_id for order, _ in orders],
        [order.shop_id for order, _ in orders],
        [order.record_id for order, _ in orders],
        [order.updated_at for order, _ in orders],
        [document for _, document in orders],
    )
    return len(rows)


async def _reaches_back(
    connection: Connection, whose: tuple[str, str], before: chosen.Chosen, after: chosen.Chosen, now: datetime
) -> bool:
    """Whether the first fetch goes further back than it did, so that the next poll has to make up for it."""
    reach = chosen.plan(flows.Kind.ORDERS, after).first_reach
    if reach <= chosen.plan(flows.Kind.ORDERS, before).first_reach:
        return False
    moved: str = await connection.execute(REACH_BACK, *whose, now - reach)
    return moved != "UPDATE 0"
