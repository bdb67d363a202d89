"""How Alembic reaches the database: over asyncpg, one transaction for all pending steps, one migrator at a time."""

import asyncio
from typing import TYPE_CHECKING

from alembic import context
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from evergrant.store import locks

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

SCHEMA = "evergrant"


def _migrate(connection: "Connection") -> None:
    connection.execute(text("set local lock_timeout = '10s'"))
    connection.execute(text(f"select pg_advisory_xact_lock({locks.MIGRATION})"))
    connection.execute(text(f"create schema if not exists {SCHEMA}"))
    connection.execute(text(f"set local search_path = {SCHEMA}"))
    context.configure(connection=connection, version_table_schema=SCHEMA)
    with context.begin_transaction():
        context.run_migrations()


async def _main() -> None:
    arguments = context.config.attributes["connect_arguments"]
    engine = create_async_engine("postgresql+asyncpg://", connect_args=arguments, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_main())
