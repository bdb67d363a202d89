"""What was pulled: orders and products as received, readable in the order in which they first came.

Positions rise in the order of the commits (migration 0004 says how), so nothing ever appears behind a reader's back.
"""

from collections.abc import Sequence
from datetime import datetime

from evergrant.actions.reading import Kept
from evergrant.core import flows
from evergrant.store.database import Database

MOST_BYTES = 8 * 1024 * 1024
"""What one page of records weighs at the most, where it has more than one."""

PAGE = """
select * from (
    select r.*, lead(true, 1, false) over in_order as more, row_number() over in_order as number,
        sum(octet_length(document)) over in_order as bytes
    from (select position, shop_id, record_id, updated_at, document from records
        where tenant_id = $1 and connection_id = $2 and kind = $3 and position > $4 order by position limit $5 + 1) r
    window in_order as (order by position)) page
where number <= $5 and (number = 1 or bytes <= $6) order by position
"""


class Records:
    """Reading what was pulled."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, tenant_id: str, connection_id: str, kind: flows.Kind, *, after: int, limit: int
    ) -> Sequence[Kept]:
        """Records of one kind behind a position; fewer where they are large, and one if there is any."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(PAGE, tenant_id, connection_id, kind, after, limit, MOST_BYTES)
        return [
            Kept(
                position=row["position"],
                shop_id=row["shop_id"],
                record_id=row["record_id"],
                updated_at=row["updated_at"],
                document=row["document"],
                more=row["more"],
            )
            for row in rows
        ]

    async def counts(self, tenant_id: str, connection_id: str) -> dict[tuple[str, str], int]:
        """(shop id, kind) -> how many records are kept."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                select shop_id, kind, count(*) from records where tenant_id = $1 and connection_id = $2
                group by shop_id, kind
                """,
                tenant_id,
                connection_id,
            )
        return {(row["shop_id"], row["kind"]): row["count"] for row in rows}

    async def beginnings(self, tenant_id: str, connection_id: str) -> tuple[datetime | None, datetime | None]:
        """When the first order that is kept began, and when the connection did; platform time."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """
                select (select min(created_at) from records where tenant_id = $1 and connection_id = $2 and kind = 'orders'),
                    (select happened_at from events where tenant_id = $1 and connection_id = $2 order by position limit 1)
                """,
                tenant_id,
                connection_id,
            )
        return row[0], row[1]

    async def begun(self, tenant_id: str, connection_id: str, since: datetime, until: datetime) -> int:
        """How many orders began then."""
        async with self._database.connection() as connection:
            count: int = await connection.fetchval(
                """
                select count(*) from records where tenant_id = $1 and connection_id = $2 and kind = 'orders'
                  and created_at >= $3 and created_at <= $4
                """,
                tenant_id,
                connection_id,
                since,
                until,
            )
        return count
