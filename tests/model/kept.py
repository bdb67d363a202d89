"""Connections to the database that outlive the processes of the model, as the server does: opening them is dear.

A process that dies leaves them at rest, or they are closed: what it had not committed is rolled back either way. What it
kept in memory beside them (its pool, its locks, its groups of writers) is dropped with it.
"""

import asyncio
from typing import Any

import asyncpg

from evergrant.store import walls
from evergrant.store.database import SCHEMA, Database, _keep_session

SIZE = 2
PATIENCE = 200
"""Times ten milliseconds: so long may a statement of the dead take that is on its way already."""

SESSION = {
    "search_path": SCHEMA,
    "application_name": "evergrant",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}


class Kept:
    """A pool whose `close` leaves the connections to the next process."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: Any = None

    async def connect(self, _arguments: Any, *, size: int = SIZE, walled: bool = False) -> Database:
        """What a process is given for `Database.connect`."""
        assert not walled, "the model has no doors"
        assert size <= SIZE
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=SIZE,
                max_size=SIZE,
                statement_cache_size=1000,
                max_cached_statement_lifetime=0,
                server_settings=SESSION,
                connection_class=walls.Walled,
                reset=_keep_session,
            )
        return Database(self)

    def acquire(self, *, timeout: float) -> Any:
        """One connection."""
        return self._pool.acquire(timeout=timeout)

    def get_max_size(self) -> int:
        """How many there are."""
        return SIZE

    def terminate(self) -> None:
        """Let go of all of them, now."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def close(self) -> None:
        """Leave them to the next process, as soon as nobody uses them."""
        for _ in range(PATIENCE):
            if self._pool is None or self._pool.get_idle_size() == self._pool.get_size():
                return
            await asyncio.sleep(0.01)
        self.terminate()

    async def end(self) -> None:
        """No process comes any more."""
        if self._pool is not None:
            await asyncio.wait_for(self._pool.close(), 5.0)
