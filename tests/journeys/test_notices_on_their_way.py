"""Notices the whole way: the platform sends them by itself, over a socket, and the hub does what they are for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime

import httpx2
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

from evergrant.stage import cast
from tests.world_fixture import KEY, World

READY_SECONDS = 20.0


@contextlib.asynccontextmanager
async def answering(world: World, port: int) -> AsyncIterator[None]:
    """The hub's door for notices, on a port."""
    server = Server(
        world.hub.transport.app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False
    )
    serving = asyncio.create_task(server.serve())
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(READY_SECONDS), httpx2.AsyncClient(base_url=url, trust_env=False) as http:
            while True:
                with contextlib.suppress(httpx2.TransportError):
                    await http.get("/healthz")
                    break
                await asyncio.sleep(0.05)
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await serving


async def told_of_the_hub(world: World) -> int:
    """The app has the hub's address as its webhook URL; gives the port in it."""
    port = cast.free_port()
    url = f"http://127.0.0.1:{port}/hooks/tiktok-shop/{world.app_id}"
    await steered(world, "/apps", {"key": KEY, "webhook_url": url})
    return port


async def steered(world: World, path: str, body: dict[str, object] | None = None) -> None:
    """Steer the sandbox while the hub in this process goes on answering."""
    await asyncio.to_thread(world.sandbox.post, path, body)


def grant_of(world: World) -> str:
    """The platform's grant of the app."""
    return str(world.sandbox.get("/grants", app=KEY)["items"][0]["id"])


async def settled(world: World) -> list[tuple[str, str]]:
    """What the hub has made of each notice it has received: type and outcome."""
    async with world.hub.parts.database.connection() as connection:
        rows = await connection.fetch("select body, outcome from notices order by received_at, notification_id")
    return [(str(row["body"]), str(row["outcome"])) for row in rows]


async def delivered(world: World, count: int) -> list[tuple[int, str]]:
    """Type and answer of every attempt the platform has made, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            lines = await asyncio.to_thread(world.sandbox.log, kind="notice", app=KEY)
            if len(lines) >= count:
                return [(line["notice"]["type"], line["notice"]["answer"]) for line in lines]
            await asyncio.sleep(0.05)


@pytest.mark.requirement("R-TTS-21")
async def test_the_warning_leaves_thirty_days_ahead_and_arrives_at_the_hub(world: World) -> None:
    """Not at 31 days; at 30 by the platform itself, signed, accepted, and the end it names is the one the hub knows."""
    connection_id = await world.linked(period="90d")
    async with answering(world, await told_of_the_hub(world)):
        ends = datetime.fromisoformat((await world.connection(connection_id))["authorization_expires_at"])
        await steered(world, "/clock", {"advance": "59d"})
        early = await asyncio.to_thread(world.sandbox.log, kind="notice", app=KEY)
        await steered(world, "/clock", {"advance": "1d1m"})
        heard = await delivered(world, 1)
        (sent,) = await asyncio.to_thread(world.sandbox.log, kind="notice", app=KEY)
        await world.hub.work()
        ((_, outcome),) = await settled(world)
        found = await world.connection(connection_id)

    assert [] == early
    assert [(7, "200")] == heard
    assert 30 * 86400 == int(ends.timestamp()) - sent["at_unix"]
    assert "end_confirmed" == outcome
    assert ("active", True, 30) == (found["status"], found["expiring"], found["days_remaining"])
    assert "connection.expiring" in await world.events(connection_id)


@pytest.mark.requirement("R-TTS-25")
async def test_the_seller_cancels_and_the_hub_lets_go(world: World) -> None:
    """The platform's own notice 6, not one the test has written: suspended, verified, cancelled, tokens destroyed."""
    connection_id = await world.linked()
    await world.hub.work()
    async with answering(world, await told_of_the_hub(world)):
        await steered(world, f"/grants/{grant_of(world)}/cancel")
        heard = await delivered(world, 1)
        await world.hub.work()
        found = await world.connection(connection_id)
        events = await world.events(connection_id)

    assert [(6, "200")] == heard
    assert ("cancelled", "seller_cancelled") == (found["status"], found["reason"])
    assert {("paused", "authorization_cancelled")} == {(flow["state"], flow["reason"]) for flow in found["flows"]}
    assert await world.hub.ports.books.tokens.access(world.hub.tenant_id, connection_id) is None
    assert ["connection.suspended", "connection.cancelled", "tokens.destroyed"] == [
        kind for kind in events if kind.startswith(("connection.", "tokens.")) and kind != "connection.authorized"
    ]


async def test_a_hub_that_was_down_for_an_hour_hears_of_the_cancellation_when_it_is_back(world: World) -> None:
    """The first attempts find nobody; the schedule carries the news across the outage, and the hub lets go."""
    connection_id = await world.linked()
    await world.hub.work()
    port = await told_of_the_hub(world)
    await steered(world, f"/grants/{grant_of(world)}/cancel")
    await delivered(world, 1)
    await steered(world, "/clock", {"advance": "1h"})
    async with answering(world, port):
        await steered(world, "/clock", {"advance": "3h"})
        heard = await delivered(world, 4)
        await world.hub.work()

    assert [(6, answer) for answer in ("unreachable", "unreachable", "unreachable", "200")] == heard
    assert "cancelled" == (await world.connection(connection_id))["status"]


async def test_an_order_is_told_and_fetched(world: World) -> None:
    """An order nobody tells of waits for its turn; notice 1 wakes the flow, and it brings both."""
    connection_id = await world.linked()
    await world.hub.work()
    before = {order["id"] for order in await world.records(connection_id)}
    untold = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 1})["orders"][0]["id"]
    await world.hub.work()
    waiting = {order["id"] for order in await world.records(connection_id)}
    async with answering(world, await told_of_the_hub(world)):
        made = await asyncio.to_thread(world.sandbox.post, "/orders", {"shop": world.shop_id, "count": 1})
        heard = await delivered(world, 1)
        await world.hub.work()
    after = {order["id"] for order in await world.records(connection_id)}

    assert [(1, "200")] == heard
    assert before == waiting
    assert {untold, made["orders"][0]["id"]} == after - before
