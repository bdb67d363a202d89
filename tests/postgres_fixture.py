"""A PostgreSQL for tests: one embedded server for the whole run, an empty or a prepared database for each test.

A `conftest.py` imports what it needs:

    from tests.postgres_fixture import database, database_server
"""

import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from evergrant import postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """One server for the run; the workers of a parallel run share it. It forgets at a power cut, and is fast."""
    with postgres.running(home(tmp_path_factory), durability=postgres.Durability.NONE) as server:
        yield server


def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that server lives."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "database"


@pytest.fixture
async def database(database_server: postgres.Server) -> AsyncIterator[str]:
    """The address of an empty database of one's own, gone after the test."""
    async with fresh(database_server) as dsn:
        yield dsn


@asynccontextmanager
async def fresh(server: postgres.Server, template: str = "template0") -> AsyncIterator[str]:
    """A new database, a copy of the template; dropped at the end, whoever is still connected."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    await _run(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield server.dsn_of(name)
    finally:
        await _run(server, f'DROP DATABASE "{name}" WITH (FORCE)')


async def template(server: postgres.Server, name: str, prepare: Callable[[str], Awaitable[None]]) -> str:
    """A database to copy, prepared once per server however many processes ask for it at the same time.

    `prepare` gets its address and must leave no connection open.
    """
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            making = f"{name}_in_the_making"
            await connection.execute(f'DROP DATABASE IF EXISTS "{making}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{making}"')
            await prepare(server.dsn_of(making))
            await connection.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')
    finally:
        await connection.close()
    return name


async def _run(server: postgres.Server, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
