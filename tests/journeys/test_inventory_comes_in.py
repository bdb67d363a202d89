"""How many the platform holds: one record a product, asked for as soon as the products are known."""

import json
from dataclasses import replace
from typing import Any

import pytest

from evergrant.core import flows
from evergrant.providers.wire import Reply, Request
from tests.world_fixture import World


def stock_of(records: list[dict[str, Any]]) -> dict[str, int]:
    """Product id -> how many of its first variant."""
    return {each["id"]: each["document"]["skus"][0]["total_available_quantity"] for each in records}


async def asked_again(world: World, connection_id: str) -> list[dict[str, Any]]:
    """What the platform says now."""
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs", json={"flow": "inventory"})
    await world.hub.work()
    return await world.records(connection_id, "inventory")


async def test_stock_comes_in_at_once_and_again_only_where_it_differs(world: World) -> None:
    """The first poll finds no products; the products' own poll makes it due again, and a change in the sandbox shows."""
    connection_id = await world.linked()
    await world.hub.work()
    first = await world.records(connection_id, "inventory")
    products = await world.records(connection_id, "products")
    assert {product["id"] for product in products} == set(stock_of(first))
    assert 10 == len(first)

    world.sandbox.advance("16m")
    again = await asked_again(world, connection_id)
    sold = {"id": products[0]["id"], "quantity": 4321}
    world.sandbox.post("/products", {"shop": world.shop_id, "products": [sold]})
    changed = await asked_again(world, connection_id)

    assert first == again
    assert 4321 == stock_of(changed)[products[0]["id"]]
    assert [each["id"] for each in first] == [each["id"] for each in changed]
    assert 1 == sum(old != new for old, new in zip(first, changed, strict=True))


async def test_a_deleted_product_is_not_asked_for_and_a_bad_row_costs_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was deleted keeps the record it had; a row nobody can read is told of, and the others are kept."""
    connection_id = await world.linked()
    await world.hub.work()
    gone, odd, *_ = await world.records(connection_id, "products")
    world.sandbox.advance("31m")
    world.sandbox.post("/products", {"shop": world.shop_id, "products": [{"id": gone["id"], "status": "DELETED"}]})
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs", json={"flow": "products"})
    await world.hub.work()
    send, asked = world.hub.ports.platform.send, list[str]()

    async def spoiled(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        if not request.url.endswith("/inventory/search"):
            return reply
        asked.extend(json.loads(request.body)["product_ids"])
        body = json.loads(reply.body)
        rows = body["data"]["inventory"]
        rows[:] = [row | {"product_id": 5 if row["product_id"] == odd["id"] else row["product_id"]} for row in rows]
        read = next(row for row in rows if row["product_id"] != 5)
        read["skus"][0]["total_available_quantity"] = 9
        return replace(reply, body=json.dumps(body).encode())

    monkeypatch.setattr(world.hub.ports.platform, "send", spoiled)
    found = await asked_again(world, connection_id)
    told = await world.hub.api.get(f"/v1/connections/{connection_id}/timeline", params={"limit": 200})
    unread = [item["data"] for item in told.json()["items"] if item["type"] == "flow.record_unreadable"]

    assert gone["id"] not in asked
    assert odd["id"] in asked
    assert 10 == len(found)
    assert 9 in stock_of(found).values()
    assert [(flows.Kind.INVENTORY, 1)] == [(data["flow"], data["records"]) for data in unread]
