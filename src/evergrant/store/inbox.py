"""Notices from the platform, kept raw and once, and settled together with what they change."""

from collections.abc import Sequence
from datetime import timedelta

from evergrant.actions.ports import Received
from evergrant.core.connection import Change
from evergrant.store import changes
from evergrant.store.database import GROUP_SECONDS, ONE_ROWS_FAULT, Database
from evergrant.store.together import Together

LEASE = timedelta(seconds=25)
"""With the look of the next worker, a killed one's notice is taken over within half a minute."""

# Many notices in one commit. A notice that was kept before is not kept again, and its sender is answered all the same.
# In order, so that two groups with the same notices never wait for each other.
PUT = """
with kept as (
    insert into notices (tenant_id, app_id, notification_id, body, priority)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::smallint[]) order by 1, 2, 3
    on conflict do nothing returning true
)
select count(*), pg_notify('evergrant_work', 'digest') from kept
"""

TAKE = """
update notices set lease_until = now() + $2, attempts = attempts + 1
where (tenant_id, app_id, notification_id) in (
    select tenant_id, app_id, notification_id from notices
    where settled_at is null and (lease_until is null or lease_until < now())
    order by priority, position limit $1 for update skip locked)
returning *
"""


class Inbox:
    """The notices."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together: Together[Received, None] = Together(self._put, alone=ONE_ROWS_FAULT, writers=2)

    async def put(self, received: Received) -> None:
        """Return once the notice is durable. Raises DatabaseUnavailableError: then no 200 may be given."""
        await self._together.put(received)

    async def take(self, limit: int) -> Sequence[Received]:
        """Take notices nobody has settled, oldest first; those that end authorizations overtake the rest."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE, limit, LEASE)
        return [
            Received(
                tenant_id=row["tenant_id"],
                app_id=row["app_id"],
                notification_id=row["notification_id"],
                body=row["body"],
                attempts=row["attempts"],
                priority=row["priority"],
            )
            for row in sorted(rows, key=lambda row: (row["priority"], row["position"]))
        ]

    async def settle(self, received: Received, outcome: str, change: Change | None = None) -> None:
        """Note what came of it, together with the change it brought. Raises StaleError."""
        async with self._database.transaction() as connection:
            settled = await connection.fetchval(
                """
                update notices set settled_at = now(), outcome = $4
                where tenant_id = $1 and app_id = $2 and notification_id = $3 and settled_at is null returning true
                """,
                received.tenant_id,
                received.app_id,
                received.notification_id,
                outcome,
            )
            if settled and change is not None:
                await changes.keep(connection, change, actor=f"notice:{received.notification_id}")

    async def put_back(self, received: Received, wait: timedelta) -> None:
        """It cannot be settled yet: again after a while."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update notices set lease_until = now() + $4
                where tenant_id = $1 and app_id = $2 and notification_id = $3
                """,
                received.tenant_id,
                received.app_id,
                received.notification_id,
                wait,
            )

    async def _put(self, group: Sequence[Received]) -> Sequence[None]:
        tenants = {received.tenant_id for received in group}
        async with self._database.connection(within=GROUP_SECONDS, of=tenants) as connection:
            await connection.execute(
                PUT,
                [received.tenant_id for received in group],
                [received.app_id for received in group],
                [received.notification_id for received in group],
                [received.body for received in group],
                [received.priority for received in group],
            )
        return [None] * len(group)
