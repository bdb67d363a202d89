"""The database: a pool of connections, transactions, and one honest answer when it is not there."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

import asyncpg

from evergrant.core.errors import DatabaseUnavailableError
from evergrant.store import walls

SCHEMA = "evergrant"
OLDEST_SERVER = 15
COMMAND_SECONDS = 15.0
ACQUIRE_SECONDS = 5.0
HELD_MILLISECONDS = 60_000
"""How long the server keeps a held transaction of somebody who says nothing."""
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


_held: ContextVar[tuple["Database", asyncio.Task[Any] | None, Connection] | None] = ContextVar("held", default=None)


class ServerTooOldError(Exception):
    """The PostgreSQL server is older than Evergrant needs."""


async def _keep_session(_connection: Connection) -> None:
    """Leave a released connection as it is. The one thing a session of ours remembers is whose rows it sees, and whoever
    takes it next says that anew.
    """


@contextmanager
def _honest() -> Iterator[None]:
    """What the driver raises when the server is away is one error."""
    try:
        yield
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):
            raise  # a wrong argument: our mistake
        raise DatabaseUnavailableError from error  # "connection is closed", "pool is closing"
    except GONE as error:
        raise DatabaseUnavailableError from error


class Database:
    """A pool. Everything in `store` runs through `connection` (one statement) or `transaction` (several)."""

    def __init__(self, pool: Any, *, walled: bool = False) -> None:
        self._pool = pool
        self._walled = walled
        self._holds = asyncio.Semaphore(max(1, pool.get_max_size() // 2))

    @classmethod
    async def connect(cls, arguments: Mapping[str, Any], *, size: int = 10, walled: bool = False) -> "Database":
        """Open the pool. `walled`: for the doors; what is asked outside of a request sees nobody's rows, too.

        Raises:
            DatabaseUnavailableError: nothing answers there.
            ServerTooOldError: the server is older than PostgreSQL 15.
        """
        session = {"search_path": SCHEMA, "application_name": "evergrant", "jit": "off"}
        try:
            pool = await asyncpg.create_pool(
                **arguments,
                min_size=min(2, size),
                max_size=size,
                command_timeout=COMMAND_SECONDS,
                server_settings=session | ({"role": walls.ROLE} if walled else {}),
                connection_class=walls.Walled,
                reset=_keep_session,
            )
        except GONE as error:
            raise DatabaseUnavailableError from error
        database = cls(pool, walled=walled)
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
    async def connection(
        self, *, within: float | None = None, of: Collection[str] | None = None
    ) -> AsyncIterator[Connection]:
        """One connection for single statements, which take `within` seconds at the most.

        It sees the rows of the tenants `of`, for statements of many requests at once; otherwise those of the request. A
        request that holds a transaction stays in it.

        Raises:
            DatabaseUnavailableError: the server is away.
        """
        with _honest():
            if of is None and (held := self._own()) is not None:
                async with asyncio.timeout(within), held.transaction():
                    yield held
                return
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                try:
                    async with asyncio.timeout(within):
                        await connection.see(walls.wanted(of, always=self._walled))
                        yield connection
                except asyncpg.InternalClientError as error:
                    connection.terminate()  # the server hung up in the middle of an exchange: never use it again
                    raise DatabaseUnavailableError from error
                except (TimeoutError, asyncio.CancelledError):
                    connection.terminate()  # nobody waits for a server that does not answer, not even to say goodbye
                    raise

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Connection]:
        """One transaction around everything this task does with the database until it ends; what it asks for in between
        is part of it. Half of the connections may be held: those who hold one may need another.

        Raises:
            DatabaseUnavailableError: as `transaction`.
        """
        async with self._holds, self.transaction() as connection:
            await connection.execute(f"set local idle_in_transaction_session_timeout = {HELD_MILLISECONDS}")
            token = _held.set((self, asyncio.current_task(), connection))
            try:
                yield connection
            finally:
                _held.reset(token)

    @property
    def is_held(self) -> bool:
        """Whether this task holds a transaction."""
        return self._own() is not None

    def _own(self) -> Connection | None:
        held = _held.get()
        if held is None or held[0] is not self or held[1] is not asyncio.current_task():
            return None  # a task of its own may run beside the one that holds: it takes another connection
        return held[2]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction. It never spans a call to anything but the database.

        Raises:
            DatabaseUnavailableError: the server is away, or went away before it said whether it committed.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    def visited(self) -> AbstractContextManager[None]:
        """A request: it sees nobody's rows until it enters."""
        return walls.visited()

    def enter(self, tenant_id: str) -> None:
        """From here on the request under way sees this tenant's rows."""
        walls.enter(tenant_id)

    async def unwalled(self) -> str | None:
        """What is missing of the wall between tenants, if anything is."""
        async with self.connection() as connection:
            return await walls.missing(connection)

    async def revision(self) -> str | None:
        """The schema's revision, None for an empty database."""
        async with self.connection() as connection:
            known = await connection.fetchval("select to_regclass('evergrant.alembic_version')")
            return await connection.fetchval("select version_num from alembic_version") if known else None
