"""The database: a pool of connections, transactions, and one honest answer when it is not there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from evergrant.core.errors import DatabaseUnavailableError

SCHEMA = "evergrant"
OLDEST_SERVER = 15
COMMAND_SECONDS = 15.0
ACQUIRE_SECONDS = 5.0
GROUP_SECONDS = 5.0
"""How long a commit of many callers' rows may take: the next group waits for it."""

GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.TooManyConnectionsError,
    asyncpg.exceptions.DiskFullError,
)
"""What asyncpg raises when the server is away, starting, stopping, full, or hung up on us."""

ONE_ROWS_FAULT = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.exceptions.ProgramLimitExceededError,
)
"""What is wrong with a row, not with the server: a value it cannot keep, a parent that is gone, a key too long to index."""

Connection = Any
"""An asyncpg connection or its pool proxy: the driver ships no types."""


class ServerTooOldError(Exception):
    """The PostgreSQL server is older than Evergrant needs."""


async def _keep_session(_connection: Connection) -> None:
    """Leave a released connection as it is: no code of ours sets session state (stack reference, section 3)."""


class Database:
    """A pool. Everything in `store` runs through `connection` (one statement) or `transaction` (several)."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, arguments: Mapping[str, Any], *, size: int = 10) -> "Database":
        """Open the pool.

        Raises:
            DatabaseUnavailableError: nothing answers there.
            ServerTooOldError: the server is older than PostgreSQL 15.
        """
        try:
            pool = await asyncpg.create_pool(
                **arguments,
                min_size=min(2, size),
                max_size=size,
                command_timeout=COMMAND_SECONDS,
                server_settings={"search_path": SCHEMA, "application_name": "evergrant", "jit": "off"},
                reset=_keep_session,
            )
        except GONE as error:
            raise DatabaseUnavailableError from error
        database = cls(pool)
        async with database.connection() as connection:
            version = connection.get_server_version()
        if version.major < OLDEST_SERVER:
            await database.close()
            raise ServerTooOldError(f"PostgreSQL {version.major} is too old: Evergrant needs {OLDEST_SERVER} or newer.")
        return database

    async def close(self) -> None:
        """Close every connection, now if they do not end by themselves within a moment."""
        try:
            await asyncio.wait_for(self._pool.close(), timeout=2.0)
        except (TimeoutError, *GONE):
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self, *, within: float | None = None) -> AsyncIterator[Connection]:
        """One connection for single statements, which take `within` seconds at the most.

        Raises:
            DatabaseUnavailableError: the server is away.
        """
        try:
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                try:
                    async with asyncio.timeout(within):
                        yield connection
                except asyncpg.InternalClientError as error:
                    connection.terminate()  # the server hung up in the middle of an exchange: never use it again
                    raise DatabaseUnavailableError from error
                except (TimeoutError, asyncio.CancelledError):
                    connection.terminate()  # nobody waits for a server that does not answer, not even to say goodbye
                    raise
        except asyncpg.InterfaceError as error:
            if isinstance(error, ValueError):
                raise  # a wrong argument: our mistake
            raise DatabaseUnavailableError from error  # "connection is closed", "pool is closing"
        except GONE as error:
            raise DatabaseUnavailableError from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction. It never spans a call to anything but the database.

        Raises:
            DatabaseUnavailableError: the server is away, or went away before it said whether it committed.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def revision(self) -> str | None:
        """The schema's revision, None for an empty database."""
        async with self.connection() as connection:
            known = await connection.fetchval("select to_regclass('evergrant.alembic_version')")
            return await connection.fetchval("select version_num from alembic_version") if known else None
