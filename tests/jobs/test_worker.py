"""The worker over real rows: it goes on whatever fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from evergrant.jobs.worker import Worker
from tests.world_fixture import SCOPES, World

NOBODY_THERE = "http://127.0.0.1:9"


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[None]:
    """A worker, until the end of the story."""
    worker = Worker(world.hub.ports, at_once={"refresh": 10, "sync": 10})
    running = asyncio.create_task(worker.run())
    yield
    worker.stop()
    await running


async def becomes(world: World, connection_id: str, status: str) -> None:
    """Wait until the connection has that status."""
    async with asyncio.timeout(20):
        while (await world.connection(connection_id))["status"] != status:
            await asyncio.sleep(0.05)


async def refreshes(world: World, count: int) -> None:
    """Wait until the platform was shown that many refresh tokens."""
    async with asyncio.timeout(20):
        while len([line for line in world.sandbox.log(kind="token") if line["path"].endswith("/refresh")]) < count:
            await asyncio.sleep(0.05)


async def test_a_clock_that_cannot_be_read_stops_no_other(world: World) -> None:
    """One vendor's sandbox is away; the others' tokens are refreshed and their ends are kept all the same."""
    connection_id = await world.linked(period="30d")
    other = {"key": "6absent", "secret": "absent_secret", "service_id": "7000000000000000043"}
    hosts = {"base_urls": {"sandbox": world.sandbox.url}, "required_scopes": SCOPES}
    away = (await world.hub.api.post("/v1/apps", json=other | hosts)).json()
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update apps set clock = $1 where id = $2", NOBODY_THERE, away["id"])
    async with at_work(world):
        world.sandbox.advance("4d")
        await refreshes(world, 1)
        world.sandbox.advance("27d")
        await becomes(world, connection_id, "expired")
