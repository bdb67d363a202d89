"""A change of a connection rests on what was read: what others write meanwhile is theirs."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from evergrant.actions import refresh, steer
from evergrant.actions.ports import StaleError
from evergrant.core import connection, flows, lifecycle
from evergrant.store import changes
from tests.world_fixture import World


async def test_a_pause_decided_before_a_doubt_does_not_take_it_back(world: World) -> None:
    """Read, then a refresh falls in doubt, then the pause is kept: paused, and still in doubt."""
    connection_id = await world.linked()
    book = world.hub.ports.books
    world.sandbox.advance("4d")
    known = await book.connections.find(world.hub.tenant_id, connection_id)
    paused = replace(known, flows=tuple(replace(flow, paused_by_vendor=True) for flow in known.flows))
    change = connection.settle(known, paused, events=(), needs={}, now=await world.now())
    lost = {"kind": "token", "path": "/api/v2/token/refresh", "action": "lose_reply", "moment": "after_work"}
    world.sandbox.post("/faults", lost | {"times": 1})
    (taken,) = await book.tokens.take_due(world.sandbox.url, await world.now(), 10)
    assert "in_doubt" == await refresh.one(taken, world.hub.ports)
    await book.connections.keep(change, actor="key_1")
    found = await world.connection(connection_id)

    assert {"paused"} == {flow["state"] for flow in found["flows"]}
    assert found["in_doubt_since"]
    await steer.resume(world.hub.tenant_id, connection_id, actor="key_1", ports=world.hub.ports)
    assert (await world.connection(connection_id))["in_doubt_since"]


async def test_what_changes_nothing_rests_on_what_was_read_too(world: World) -> None:
    """A second notice of a lapsed authorization is read, then its seller renews, then nothing is kept: it stays renewed."""
    connection_id = await world.linked(period="7d")
    book = world.hub.ports.books
    world.sandbox.advance("8d")
    await world.hub.work()
    known = await book.connections.find(world.hub.tenant_id, connection_id)
    news = lifecycle.News(kind=lifecycle.Kind.DEAUTHORIZATION_NOTICED, at=await world.now())
    change = connection.apply(known, news, needs={}, now=news.at)
    assert change.is_empty
    await book.connections.keep(change, actor="notice")
    assert connection_id == await world.linked()
    with pytest.raises(StaleError):
        await book.connections.keep(change, actor="notice")
    found = await world.connection(connection_id)

    assert "active" == found["status"]
    assert found["token_refresh_due_at"]


async def test_who_holds_a_flow_may_note_an_exception_while_a_change_holds_the_connection(world: World) -> None:
    """The change waits for the flow, and whoever holds the flow names the connection in a new row: nobody waits for both."""
    connection_id = await world.linked()
    tenant_id, database, now = world.hub.tenant_id, world.hub.parts.database, await world.now()
    await world.hub.api.post(f"/v1/connections/{connection_id}/pause")
    missed = world.hub.ports.books.outward.exceptions.missed
    flow = (tenant_id, connection_id, world.shop_id, flows.Kind.ORDERS)
    async with database.transaction() as held:
        await changes.lock(held, tenant_id, connection_id)
        await asyncio.wait_for(missed(flow, "17", now - timedelta(hours=1), now), 5)
    found = (await world.hub.api.get("/v1/exceptions")).json()["items"]

    assert ["17"] == [each["record_id"] for each in found]
