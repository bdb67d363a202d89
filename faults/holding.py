"""Holds the database against the writes of a worker: its answer is in hand and on disk, and cannot be committed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import asyncpg

from faults.world import Bond, World

BLOCKED_SECONDS = 20.0
LOOK_SECONDS = 0.02

WAITING = """
select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()
"""


class Holding:
    """Rows that nobody else can change."""

    def __init__(
        self, world: World, connection: asyncpg.Connection, transaction: asyncpg.transaction.Transaction
    ) -> None:
        self._world = world
        self._connection = connection
        self._transaction = transaction
        self._open = True

    async def blocked(self, count: int, seconds: float = BLOCKED_SECONDS) -> int:
        """Wait until so many sessions wait for a lock; gives how many do."""
        deadline = monotonic() + seconds
        while True:
            waiting = len(await self._world.sql(WAITING))
            if waiting >= count or monotonic() > deadline:
                return waiting
            await asyncio.sleep(LOOK_SECONDS)

    async def refuse(self) -> None:
        """End the sessions that wait: what they were about to commit is not committed."""
        for row in await self._world.sql(WAITING):
            await self._world.sql("select pg_terminate_backend($1)", row["pid"])
        await asyncio.sleep(LOOK_SECONDS)

    async def release(self) -> None:
        """Let them go on: the server commits, whether anybody still listens or not."""
        if self._open:
            self._open = False
            await self._transaction.rollback()


@asynccontextmanager
async def holding(world: World, bonds: Sequence[Bond]) -> AsyncIterator[Holding]:
    """Hold the rows of these connections."""
    connection = await asyncpg.connect(world.dsn, server_settings={"search_path": "evergrant"})
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("select from connections where id = any($1) for update", [bond.id for bond in bonds])
        held = Holding(world, connection, transaction)
        yield held
        await held.release()
    finally:
        await connection.close()
