"""Orders come page by page: whatever the number of pages, the cursor moves only when the last of them was read."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from evergrant.actions import sync
from evergrant.actions.ports import NotSentError
from evergrant.core import flows
from evergrant.providers import tiktok_shop
from evergrant.providers.tiktok_shop import requests
from evergrant.providers.wire import CallRefused, Page, Reply, Request
from tests.world_fixture import World


async def test_a_poll_has_as_many_pages_as_it_needs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than two hundred of them, and not one order is left out."""
    world.sandbox.post("/orders", {"shop": world.shop_id, "count": 200})
    monkeypatch.setattr(requests, "PAGE_SIZE", 1)
    connection_id = await world.linked()
    await world.hub.work()

    assert 225 == len(await world.records(connection_id))


async def test_pages_that_go_in_circles_are_no_success(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The poll fails, says so, and the next one begins where the last success ended."""
    read_page, pull_request = tiktok_shop.read_page, tiktok_shop.pull_request

    def circling(kind: flows.Kind, reply: Reply) -> Page | CallRefused:
        page = read_page(kind, reply)
        return replace(page, next_token="again") if isinstance(page, Page) else page

    def from_the_beginning(*given: Any) -> Request:
        app, kind, access, window, _page_token, now = given
        return pull_request(app, kind, access, window, "", now)

    monkeypatch.setattr(tiktok_shop, "read_page", circling)
    monkeypatch.setattr(tiktok_shop, "pull_request", from_the_beginning)
    connection_id = await world.linked()
    await world.hub.work()
    before = await world.connection(connection_id)
    monkeypatch.undo()
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
    await world.hub.work()

    paged = [flow["last_success_at"] for flow in before["flows"] if flow["name"] in ("orders", "products")]
    assert [None, None] == paged
    assert 25 == len(await world.records(connection_id))
    after = (await world.connection(connection_id))["flows"]
    assert all(flow["last_success_at"] for flow in after if flow["name"] in flows.PULLED)


async def test_a_row_nobody_can_read_stops_no_flow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are kept, the poll is a success, and the vendor is told which one is missing."""
    send, broken = world.hub.ports.platform.send, list[str]()

    async def spoiled(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        if not request.url.endswith("/orders/search"):
            return reply
        body = json.loads(reply.body)
        for row in body["data"]["orders"][:1]:
            broken.append(row["id"])
            row["update_time"] = "yesterday"
        return replace(reply, body=json.dumps(body).encode())

    monkeypatch.setattr(world.hub.ports.platform, "send", spoiled)
    connection_id = await world.linked()
    await world.hub.work()
    found = await world.connection(connection_id)
    timeline = await world.hub.api.get(f"/v1/connections/{connection_id}/timeline", params={"limit": 200})
    told = [item["data"] for item in timeline.json()["items"] if item["type"] == "flow.record_unreadable"]

    assert {None} == {flow["last_error"] for flow in found["flows"]}
    assert 24 == len(await world.records(connection_id))
    assert [{"shop_id": world.shop_id, "flow": "orders", "records": 1, "record_ids": broken}] == told


@pytest.mark.parametrize("updated", [{}, {"update_time": "yesterday"}])
async def test_an_id_no_database_keeps_stops_no_flow(
    world: World, monkeypatch: pytest.MonkeyPatch, updated: dict[str, str]
) -> None:
    """NUL is no text for PostgreSQL, neither as a record's id nor in an event: the others are kept, and it is told."""
    send = world.hub.ports.platform.send

    async def spoiled(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        if not request.url.endswith("/orders/search"):
            return reply
        body = json.loads(reply.body)
        body["data"]["orders"][:1] = [row | {"id": "a\0b"} | updated for row in body["data"]["orders"][:1]]
        return replace(reply, body=json.dumps(body).encode())

    monkeypatch.setattr(world.hub.ports.platform, "send", spoiled)
    connection_id = await world.linked()
    runs = await world.hub.ports.books.flows.take_due(world.sandbox.url, await world.now(), 10)

    assert {"done"} == {await sync.one(run, world.hub.ports) for run in runs}
    assert 24 == len(await world.records(connection_id))
    assert "flow.record_unreadable" in await world.events(connection_id)


async def test_a_poll_that_was_killed_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders come oldest change first: what was kept is not asked for again, and no success is told before the end."""
    monkeypatch.setattr(requests, "PAGE_SIZE", 5)
    connection_id = await world.linked()
    send, asked = world.hub.ports.platform.send, list[Request]()

    async def killed(request: Request, *, once: bool = False) -> Reply:
        asked.append(request)
        if len([known for known in asked if known.url.endswith("/orders/search")]) > 3:
            raise KeyboardInterrupt
        return await send(request, once=once)

    runs = await world.hub.ports.books.flows.take_due(world.sandbox.url, await world.now(), 10)
    (run,) = [run for run in runs if (run.shop_id, run.kind) == (world.shop_id, flows.Kind.ORDERS)]
    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ports.platform, "send", killed)
        with pytest.raises(KeyboardInterrupt):
            await sync.one(run, world.hub.ports)
    kept = [record["updated_at"] for record in await world.records(connection_id)]
    told = await world.events(connection_id)
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update flows set lease_until = null")
    (again,) = [
        run
        for run in await world.hub.ports.books.flows.take_due(world.sandbox.url, await world.now(), 10)
        if (run.shop_id, run.kind) == (world.shop_id, flows.Kind.ORDERS)
    ]
    (orders,) = [flow for flow in (await world.connection(connection_id))["flows"] if flow["name"] == "orders"][:1]
    assert "done" == await sync.one(again, world.hub.ports)

    assert (15, None) == (len(kept), orders["last_success_at"])
    assert again.cursor is not None
    assert max(kept) == again.cursor.isoformat().replace("+00:00", "Z")
    assert "flow.synced" not in told
    assert "flow.synced" in await world.events(connection_id)
    assert 25 == len(await world.records(connection_id))


async def interrupted(world: World, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[int, list[Any]], None]) -> str:
    """A connection whose first poll of orders, page by page through `spoil`, was cut off before the last; gives its id."""
    monkeypatch.setattr(requests, "PAGE_SIZE", 5)
    send, pages = world.hub.ports.platform.send, list[Request]()

    async def spoiled(request: Request, *, once: bool = False) -> Reply:
        if not request.url.endswith("/orders/search"):
            return await send(request, once=once)
        pages.append(request)
        if len(pages) == 11:
            raise NotSentError
        reply = await send(request, once=once)
        body = json.loads(reply.body)
        spoil(len(pages), body["data"]["orders"])
        return replace(reply, body=json.dumps(body).encode())

    monkeypatch.setattr(world.hub.ports.platform, "send", spoiled)
    for _ in range(6):
        world.sandbox.advance("2h")
        world.sandbox.post("/orders", {"shop": world.shop_id, "count": 5})
    connection_id = await world.linked()
    await world.hub.work()
    assert 11 == len(pages)
    return connection_id


async def test_a_poll_that_was_cut_off_tells_of_the_row_nobody_could_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one does not begin behind that row, so the vendor is told of it."""
    broken = list[str]()

    def spoil(page: int, rows: list[Any]) -> None:
        broken.extend(row["id"] for row in rows[:1] if page == 6)
        for row in rows:
            if row["id"] in broken:
                row["update_time"] = "yesterday"

    connection_id = await interrupted(world, monkeypatch, spoil)
    before = await world.events(connection_id)
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update flows set lease_until = null")
    await world.hub.work()

    assert "flow.record_unreadable" not in before
    assert "flow.record_unreadable" in await world.events(connection_id)


async def test_a_row_from_the_future_carries_no_poll_past_its_window(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change a year ahead is kept; what comes before it is asked for all the same."""

    def spoil(_page: int, rows: list[Any]) -> None:
        rows[-1]["update_time"] += 365 * 86400

    await interrupted(world, monkeypatch, spoil)
    async with world.hub.parts.database.connection() as connection:
        reached = await connection.fetchval("select max(reached) from flows where kind = 'orders' and failures > 0")

    assert reached <= await world.now() + timedelta(seconds=1)
