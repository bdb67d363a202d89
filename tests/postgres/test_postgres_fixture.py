"""The database fixture itself: one server for the run, a database for each test, a prepared one to copy."""

import asyncio
import os

import asyncpg
import pytest

from evergrant import postgres
from tests import postgres_fixture
from tests.postgres import programs

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("run", [1, 2])
async def test_each_test_has_an_empty_database_of_its_own(database: str, run: int) -> None:
    """What one test leaves, the next does not find."""
    await programs.keep(database, f"run {run}")

    assert [f"run {run}"] == await programs.kept(database)


async def test_a_database_is_a_copy_of_a_prepared_one(database_server: postgres.Server) -> None:
    """Prepared once, however many ask at the same time; each copy is its own, and goes although it is in use."""
    prepared: list[str] = []

    async def prepare(dsn: str) -> None:
        prepared.append(dsn)
        await programs.keep(dsn, "prepared")

    names = await asyncio.gather(*(postgres_fixture.template(database_server, "prepared", prepare) for _ in range(5)))
    for name in names:
        async with postgres_fixture.fresh(database_server, name) as dsn:
            in_use = await asyncpg.connect(dsn)
            await programs.keep(dsn, "mine")
            assert ["mine", "prepared"] == await programs.kept(dsn)
        in_use.terminate()

    assert 1 == len(prepared)
    left = await programs.ask(
        database_server.dsn,
        "SELECT count(*) FROM pg_database WHERE starts_with(datname, $1)",
        f"test_{os.getpid()}_",  # a run beside this one has its own
    )
    assert 0 == left


async def test_a_preparation_that_fails_is_tried_again(database_server: postgres.Server) -> None:
    """A half-prepared database is never copied."""

    async def fail(dsn: str) -> None:
        await programs.keep(dsn, "half")
        raise RuntimeError

    async def prepare(dsn: str) -> None:
        await programs.keep(dsn, "whole")

    with pytest.raises(RuntimeError):
        await postgres_fixture.template(database_server, "tried", fail)
    name = await postgres_fixture.template(database_server, "tried", prepare)
    async with postgres_fixture.fresh(database_server, name) as dsn:
        assert ["whole"] == await programs.kept(dsn)
