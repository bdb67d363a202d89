"""The event log: what happened to whom, in order, told to open pages the moment it is committed.

Positions rise in the order of the commits (migration 0004 says how), so nothing ever appears behind a reader's back.
"""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex

from evergrant.actions.reading import Happened
from evergrant.core.connection import Event
from evergrant.store import values
from evergrant.store.database import Connection, Database

CHANNEL = "evergrant_events"

OLDEST_FIRST = """
select id, position, type, connection_id, happened_at, data from events
where tenant_id = $1 and position > $2 and ($3::text is null or connection_id = $3)
order by position limit $4
"""

NEWEST_FIRST = """
select id, position, type, connection_id, happened_at, data from events
where tenant_id = $1 and ($2 = 0 or position < $2) and ($3::text is null or connection_id = $3)
order by position desc limit $4
"""


async def write(
    connection: Connection, tenant_id: str, connection_id: str | None, events: Sequence[Event], at: datetime
) -> None:
    """Append events in the caller's transaction; listeners hear of them when it commits."""
    if not events:
        return
    await connection.execute(
        """
        insert into events (tenant_id, id, type, connection_id, happened_at, data)
        select $1, given.id, given.type, $4, $5, given.data
        from unnest($2::text[], $3::text[], $6::jsonb[]) as given (id, type, data)
        """,
        tenant_id,
        [f"evt_{token_hex(16)}" for _ in events],
        [event.type for event in events],
        connection_id,
        at,
        [values.json_text(event.data) for event in events],
    )
    await connection.execute("select pg_notify($1, $2)", CHANNEL, f"{tenant_id} {connection_id or '-'}")


class Events:
    """Reading the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, tenant_id: str, *, after: int, limit: int, connection_id: str | None = None, newest_first: bool = False
    ) -> Sequence[Happened]:
        """Events behind a position, in order; or, newest first, those before it (0: from the newest)."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                NEWEST_FIRST if newest_first else OLDEST_FIRST, tenant_id, after, connection_id, limit
            )
        return [
            Happened(
                id=row["id"],
                position=row["position"],
                type=row["type"],
                connection_id=row["connection_id"],
                happened_at=row["happened_at"],
                data=values.from_json(row["data"]),
            )
            for row in rows
        ]
