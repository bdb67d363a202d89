"""Pairs a vendor brings along: who holds one already, and a new connection kept whole with its pair."""

from datetime import datetime
from typing import TYPE_CHECKING

from evergrant.actions.reading import Entry
from evergrant.core.connection import Change
from evergrant.core.errors import NotFoundError
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted
from evergrant.store import audit, changes, pairs
from evergrant.store.database import Database
from evergrant.store.values import digest

if TYPE_CHECKING:
    from evergrant.store.vault import Vault


class Imports:
    """Pairs that come from the vendor's own books."""

    def __init__(self, database: Database, vault: "Vault") -> None:
        self._database = database
        self._vault = vault

    async def check_merchant(self, tenant_id: str, merchant_id: str) -> None:
        """Raises NotFoundError unless the tenant has this customer."""
        async with self._database.connection() as connection:
            known = await connection.fetchval(
                "select true from merchants where tenant_id = $1 and id = $2 and erased_at is null",
                tenant_id,
                merchant_id,
            )
        if not known:
            raise NotFoundError("There is no such merchant.")

    async def holder(self, tenant_id: str, app_id: str, refresh: Secret) -> str | None:
        """The connection under the app that holds this refresh token, or has shown it to the platform."""
        async with self._database.connection() as connection:
            found: str | None = await connection.fetchval(
                """
                select c.id from connections c where c.tenant_id = $1 and c.app_id = $2 and (
                    exists (select from tokens t
                            where t.tenant_id = c.tenant_id and t.connection_id = c.id and t.refresh_hash = $3)
                    or exists (select from presentations p
                               where p.tenant_id = c.tenant_id and p.connection_id = c.id and p.refresh_hash = $3))
                """,
                tenant_id,
                app_id,
                digest(refresh.reveal()),
            )
        return found

    async def keep(self, change: Change, granted: Granted, *, due_at: datetime, actor: str) -> None:
        """Keep a new connection with its pair. Raises StaleError: somebody else has one of the shops meanwhile."""
        made = change.after
        async with self._database.transaction() as connection:
            await changes.keep(connection, change, actor=actor)
            await pairs.replace(connection, self._vault, made, granted, issued_at=change.at, due_at=due_at)
            entry = Entry(tenant_id=made.tenant_id, actor=actor, action="connection.imported", subject=made.id)
            await audit.write(connection, [entry])
            await connection.execute("select pg_notify('evergrant_work', 'refresh')")
