"""Pairs a vendor brings along: who holds one already, and a new connection kept whole with its pair."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from evergrant.actions.reading import Entry
from evergrant.core.app import App
from evergrant.core.connection import Change
from evergrant.core.connection import Connection as Known
from evergrant.core.errors import NotFoundError
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted
from evergrant.store import audit, changes, connections, pairs
from evergrant.store.apps import identity
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

    async def holders(self, app: App, refresh: Secret) -> Sequence[Known]:
        """What holds this refresh token under the same app of the platform, or has shown it there, whoever keeps it."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select * from refresh_token_held($1, $2)", identity(app), digest(refresh.reveal())
            )
        return await connections.these(self._database, [(row["tenant_id"], row["connection_id"]) for row in rows])

    async def keep(self, change: Change, granted: Granted, *, due_at: datetime, actor: str) -> None:
        """Keep a new connection with its pair. Raises StaleError: somebody else has one of the shops meanwhile."""
        made = change.after
        async with self._database.transaction() as connection:
            await changes.keep(connection, change, actor=actor)
            await pairs.replace(connection, self._vault, made, granted, issued_at=change.at, due_at=due_at)
            entry = Entry(tenant_id=made.tenant_id, actor=actor, action="connection.imported", subject=made.id)
            await audit.write(connection, [entry])
            await connection.execute("select pg_notify('evergrant_work', 'refresh')")
