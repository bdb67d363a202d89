"""The second wall between tenants: a statement that forgot its tenant still shows nobody else's rows."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from evergrant import postgres, settings
from evergrant.actions.reading import Filter
from evergrant.assembly import provisioning
from evergrant.assembly.house import House, StartError, house
from evergrant.core.secret import Secret
from evergrant.store import connections, schema, walls
from evergrant.store.connections import Connections
from evergrant.store.database import Database
from tests import hub_fixture, postgres_fixture
from tests.hub_fixture import Hub
from tests.world_fixture import World

EVERYBODYS = {"alembic_version", "clocks", "epochs", "password_tries", "vault_keys"}
"""Tables that hold no tenant's rows."""


@pytest.fixture
async def dsn(database_server: postgres.Server) -> AsyncIterator[str]:
    """A database with the schema and nothing else."""
    async with postgres_fixture.fresh(database_server, await hub_fixture.template(database_server)) as made:
        yield made


async def rival(parts: House) -> str:
    """Another tenant; gives its id."""
    made = await provisioning.add_tenant(
        parts, name="Rival", email="r@r.example", person="R", password=Secret("rrrrrrrr")
    )
    return made.tenant_id


async def test_no_table_of_a_tenant_is_without_a_policy(hub: Hub) -> None:
    """Every table is either known to hold nobody's rows, or walled; no view goes round the wall."""
    async with hub.parts.database.connection() as connection:
        tables = await connection.fetch(
            """
            select relname, relrowsecurity and exists (select from pg_policy p where p.polrelid = c.oid) as is_walled
            from pg_class c where relnamespace = 'evergrant'::regnamespace and relkind in ('r', 'p')
            """
        )
        views = await connection.fetchval(
            "select count(*) from pg_class where relnamespace = 'evergrant'::regnamespace and relkind in ('v', 'm')"
        )
        open_to_all = await connection.fetch(
            """
            select proname from pg_proc where pronamespace = 'evergrant'::regnamespace and prosecdef
              and (has_function_privilege('public', oid, 'execute') or proconfig is null)
            """
        )

    assert EVERYBODYS == {row["relname"] for row in tables if not row["is_walled"]}
    assert views == 0
    assert [] == open_to_all, "a function that runs as the owner is for the doors alone, and fixes its search_path"


async def test_a_statement_without_its_tenant_leaks_no_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant clause is taken out of the list of connections and of everything asked here: 0 rows leak."""
    linked = await world.linked()
    database, other = world.hub.parts.database, await rival(world.hub.parts)
    mine = world.hub.tenant_id
    tables = await _tables(database)
    monkeypatch.setattr(
        "evergrant.store.connections.LISTED",
        connections.LISTED.replace("where c.tenant_id = $1 and c.id > $2", "where $1 <> '' and c.id > $2"),
    )
    for tenant, sees in ((mine, [linked]), (other, [])):
        with walls.visited():
            walls.enter(tenant)
            found = await Connections(database).page(tenant, Filter())
            assert sees == [known.connection.id for known in found]
    seen: dict[str | None, dict[str, set[str]]] = {}
    for whose in (mine, other, None):
        with walls.visited():
            if whose:
                walls.enter(whose)
            async with database.connection() as connection:
                seen[whose] = {table: await _owners(connection, table) for table in tables}
    assert all(owners <= {mine} for owners in seen[mine].values()), seen[mine]
    assert {"connections", "tokens", "shops", "events", "audit"} <= {
        name for name, owners in seen[mine].items() if owners
    }
    assert all(owners <= {other} for owners in seen[other].values()), seen[other]
    assert not any(seen[None].values()), "before a credential is known nobody's rows are seen"


async def test_nobody_inherits_whose_rows_are_seen(world: World) -> None:
    """One pooled connection, many requests side by side and one after the other: each sees its own, or nothing."""
    await world.linked()
    mine, other = world.hub.tenant_id, await rival(world.hub.parts)
    database = await Database.connect(world.hub.parts.arguments, size=2, walled=True)

    async def request(tenant: str | None) -> set[str]:
        with walls.visited():
            if tenant:
                walls.enter(tenant)
            await asyncio.sleep(0)
            async with database.connection() as connection:
                return await _owners(connection, "audit")

    try:
        asked = [mine, other, None] * 15
        answers = await asyncio.gather(*(request(tenant) for tenant in asked))
        assert [{tenant} - {None} for tenant in asked] == answers
        async with database.connection() as connection:
            assert set() == await _owners(connection, "audit"), "outside of every request"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("update vault_keys set proof = ''")
        async with database.connection(of={mine}) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await connection.execute(
                    "insert into events (tenant_id, id, type, happened_at, data) values ($1, 'e', 't', now(), '{}')",
                    other,
                )
        async with database.connection(of={mine, other}) as connection:
            assert {mine, other} == await _owners(connection, "audit")
    finally:
        await database.close()


async def test_a_house_without_its_wall_does_not_open_and_migrate_puts_it_up(dsn: str, tmp_path: Path) -> None:
    """As after a restore that brought neither grants nor policies."""
    owner = await asyncpg.connect(dsn)
    try:
        await owner.execute("drop policy wall on evergrant.tokens; revoke select on evergrant.shops from evergrant_web")
        with pytest.raises(StartError, match=r"tokens has no policy.*evergrant migrate") as caught:
            await _open(tmp_path, dsn)
        assert caught.value.code == "walls_missing"
        await asyncio.to_thread(schema.migrate, {"dsn": dsn})
        await _open(tmp_path, dsn)
        assert await owner.fetchval("select has_table_privilege('evergrant_web', 'evergrant.shops', 'select')")
    finally:
        await owner.close()


async def _open(folder: Path, dsn: str) -> None:
    async with house(settings.read(data_dir=folder), {"dsn": dsn}, walled=True):
        pass


async def _tables(database: Database) -> list[str]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            """
            select table_name from information_schema.columns
            where table_schema = 'evergrant' and column_name = 'tenant_id' order by 1
            """
        )
    return [row["table_name"] for row in rows]


async def _owners(connection: asyncpg.Connection, table: str) -> set[str]:
    """Whose rows a statement without any condition sees."""
    rows = await connection.fetch(f"select distinct tenant_id from {table}")  # noqa: S608  (a name from the catalogue)
    return {row["tenant_id"] for row in rows}
