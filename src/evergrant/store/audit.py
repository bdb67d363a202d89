"""The audit trail: who did what to which secret or setting. What needs a record waits until its record is durable."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg
from structlog.contextvars import get_contextvars

from evergrant.actions.reading import Entry
from evergrant.core.errors import AuditUnavailableError, DatabaseUnavailableError
from evergrant.store import values
from evergrant.store.database import GROUP_SECONDS, ONE_ROWS_FAULT, Connection, Database
from evergrant.store.together import Together

INSERT = """
insert into audit (tenant_id, actor, action, subject, request_id, detail)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
"""


async def write(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write entries in the caller's transaction. Those that do not name a request belong to the one being answered."""
    answered = get_contextvars().get("request_id", "")
    await _insert(connection, [replace(entry, request_id=entry.request_id or answered) for entry in entries])


async def _insert(connection: Connection, entries: Sequence[Entry]) -> None:
    await connection.execute(
        INSERT,
        [entry.tenant_id for entry in entries],
        [entry.actor for entry in entries],
        [entry.action for entry in entries],
        [entry.subject for entry in entries],
        [entry.request_id for entry in entries],
        [values.json_text(entry.detail) for entry in entries],
    )


class Trail:
    """Writes entries of their own, many callers in one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together: Together[Entry, None] = Together(self._commit, alone=ONE_ROWS_FAULT)

    async def record(self, entry: Entry) -> None:
        """Return once the entry is durable.

        Raises:
            AuditUnavailableError: it could not be written; whatever waited for it must not happen.
        """
        try:
            if self._database.is_held:  # in the request's own transaction, which it must not wait for
                async with self._database.connection() as connection:
                    await write(connection, [entry])
                return
            await self._together.put(entry)
        except (DatabaseUnavailableError, asyncpg.PostgresError) as error:
            raise AuditUnavailableError from error

    async def record_all(self, entries: Sequence[Entry]) -> None:
        """Return once all entries are durable, by one commit. Raises AuditUnavailableError."""
        if not entries:
            return
        try:
            await self._commit(entries)
        except (DatabaseUnavailableError, asyncpg.PostgresError) as error:
            raise AuditUnavailableError from error

    async def _commit(self, entries: Sequence[Entry]) -> Sequence[None]:
        tenants = {entry.tenant_id for entry in entries}
        async with self._database.connection(within=GROUP_SECONDS, of=tenants) as connection:
            await _insert(connection, entries)
        return [None] * len(entries)
