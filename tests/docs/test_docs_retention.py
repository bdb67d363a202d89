"""Every table of the schema has a line that says what erasing removes of it."""

import asyncpg

from evergrant import postgres
from tests import hub_fixture, postgres_fixture
from tests.docs import pages


async def test_every_table_has_a_decision(database_server: postgres.Server) -> None:
    """A new table that nobody thought about is found here, before a person asks to be forgotten."""
    async with postgres_fixture.fresh(database_server, await hub_fixture.template(database_server)) as dsn:
        connection = await asyncpg.connect(dsn)
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'evergrant'")
        await connection.close()

    assert {row["tablename"] for row in rows} == set(pages.first_cells(pages.read("reference/retention.md")))
