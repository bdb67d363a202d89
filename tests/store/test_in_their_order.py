"""Whoever reads a log from where they stopped misses nothing, however the writers overlap; and old databases follow."""

import asyncio
from datetime import UTC, datetime

import asyncpg

from evergrant.core.connection import Event
from evergrant.store import events, schema
from tests.hub_fixture import Hub
from tests.world_fixture import World

NOW = datetime(2027, 1, 1, tzinfo=UTC)
TWINS = """
insert into tenants (id, name) values ('t1', 'One'), ('t2', 'Two');
insert into apps (tenant_id, id, provider, region, name, key, secret_sealed, service_id, hosts, required_scopes, rotation, clock)
select tenant, id, 'tiktok-shop', 'ROW', id, key, '', '', '{"auth": "http://127.0.0.1:1"}', '{}', 'unknown', 'wall'
from (values ('t1', 'a1', 'k'), ('t1', 'a2', 'k'), ('t2', 'a3', 'k'), ('t2', 'a4', 'other')) as given (tenant, id, key);
insert into notices (tenant_id, app_id, notification_id, body) values ('t1', 'a1', 'n', '');
insert into events (tenant_id, id, type, happened_at, data) values ('t1', 'e1', 'x', now(), '{}'), ('t1', 'e2', 'x', now(), '{}');
"""


async def read_on(hub: Hub, cursor: str, limit: int = 1) -> tuple[list[str], str]:
    """Everything behind a cursor, page by page, and where the log ends now."""
    seen: list[str] = []
    while True:
        page = (await hub.api.get("/v1/events", params={"limit": limit, "cursor": cursor})).json()
        seen += [item["type"] for item in page["items"]]
        cursor = page["tail_cursor"]
        if page["next_cursor"] is None:
            return seen, cursor


async def test_an_event_committed_late_stands_behind_those_read_before(hub: Hub) -> None:
    """Written first, committed last: a reader that went past it in between finds it all the same, and once."""
    database, tenant_id = hub.parts.database, hub.tenant_id
    async with database.transaction() as slow:
        await events.write(slow, tenant_id, None, [Event(type="slow.1"), Event(type="slow.2")], NOW)
        async with database.transaction() as fast:
            await events.write(fast, tenant_id, None, [Event(type=f"fast.{i}") for i in range(3)], NOW)
        first, cursor = await read_on(hub, "")
    second, cursor = await read_on(hub, cursor)
    nothing, same = await read_on(hub, cursor)

    assert ["fast.0", "fast.1", "fast.2"] == first
    assert ["slow.1", "slow.2"] == second
    assert ([], cursor) == (nothing, same)
    assert [*first, *second] == (await read_on(hub, "", limit=50))[0]


async def test_many_writers_at_once_lose_no_reader_an_event(hub: Hub) -> None:
    """Forty transactions that overlap four at a time, and one reader that follows the log meanwhile."""
    seen: list[str] = []
    cursor, room = "", asyncio.Semaphore(4)

    async def write(number: int) -> None:
        async with room, hub.parts.database.transaction() as connection:
            await events.write(connection, hub.tenant_id, None, [Event(type=f"e{number}")], NOW)
            await asyncio.sleep(0.03 * (4 - number % 5))

    writing = asyncio.gather(*[write(number) for number in range(40)])
    while not writing.done():
        found, cursor = await read_on(hub, cursor)
        seen += found
    found, _ = await read_on(hub, cursor)

    assert sorted(f"e{number}" for number in range(40)) == sorted([*seen, *found])


async def test_records_of_one_connection_appear_in_order(world: World) -> None:
    """The second writer waits for the first one's commit, so nobody can read past a record that is still to appear."""
    connection_id = await world.linked()
    database = world.hub.parts.database

    async def insert(connection: asyncpg.Connection, record_id: str) -> None:
        await connection.execute(
            """
            insert into records (tenant_id, connection_id, shop_id, kind, record_id, updated_at, document)
            values ($1, $2, $3, 'orders', $4, now(), '{}')
            """,
            world.hub.tenant_id,
            connection_id,
            world.shop_id,
            record_id,
        )

    async def second() -> None:
        async with database.connection() as connection:
            await insert(connection, "second")

    async with database.transaction() as slow:
        await insert(slow, "first")
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.3)
        assert [] == await world.records(connection_id)
    await waiting

    assert ["first", "second"] == [record["id"] for record in await world.records(connection_id)]


async def test_a_database_of_the_first_revision_is_brought_along(database: str) -> None:
    """Twins that were kept before they were refused stay, as do notices and events; from then on there is no other."""
    connection = await asyncpg.connect(database, server_settings={"search_path": "evergrant"})
    await connection.execute("create schema evergrant")
    await connection.execute((schema.MIGRATIONS / "versions" / "0001_first_floor.sql").read_text(encoding="utf-8"))
    await connection.execute("create table alembic_version (version_num text primary key)")
    await connection.execute("insert into alembic_version values ('0001')")
    await connection.execute(TWINS)
    await asyncio.to_thread(schema.migrate, {"dsn": database})

    twins = await connection.fetch("select id from apps where is_twin order by id")
    assert ["a2"] == [row["id"] for row in twins]
    assert 1 == await connection.fetchval("select priority from notices")
    assert ["e1", "e2"] == [row["id"] for row in await connection.fetch("select id from events order by position")]
    assert schema.newest() == await connection.fetchval("select version_num from alembic_version")
    await connection.close()
