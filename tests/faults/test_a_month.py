"""A month with twenty outages and a worker killed at random moments: at its end hub and platform say the same of everything.

`MONTH_SEEDS=1,2,3` runs more of them.
"""

import os
import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evergrant.providers import tiktok_shop
from evergrant.providers.wire import Access
from tests.faults.month import Month, Worker
from tests.journeys.ledgers import outages, wares
from tests.world_fixture import KEY, World

SEEDS = [int(seed) for seed in os.environ.get("MONTH_SEEDS", "20261122").split(",")]
OUTAGES = 20
A_CALL = timedelta(seconds=3)
"""How late a call may arrive that left before the flow stopped, the log's whole seconds included."""


async def levels_there(month: Month) -> dict[str, int]:
    """What the platform has in stock of each SKU of the vendor's."""
    world, hub = month.world, month.world.hub
    found = await hub.ports.books.tokens.access(hub.tenant_id, month.connection_id)
    assert found
    app = await hub.ports.books.apps.by_id(world.app_id)
    known = await hub.ports.books.connections.find(hub.tenant_id, month.connection_id)
    cipher = next(shop.cipher for shop in known.shops if shop.id == world.shop_id)
    sells = await wares(world)
    products = sorted({ware["product_id"] for ware in sells})
    access = Access(token=found[0], cipher=cipher)
    reply = await hub.ports.platform.send(tiktok_shop.inventory_request(app, access, products, await world.now()))
    read: Any = tiktok_shop.read_levels(reply)
    return {ware["seller_sku"]: sum(n for _, n in read[ware["sku_id"]].level.quantities) for ware in sells}


async def pauses(month: Month) -> dict[str, list[tuple[datetime, datetime]]]:
    """When each flow of the shop stood still, as the event log has it."""
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    since: dict[str, datetime] = {}
    for event in await everything_told(month):
        if event["type"] in ("flow.paused", "flow.resumed") and event["data"]["shop_id"] == month.world.shop_id:
            at, name = datetime.fromisoformat(event["happened_at"]), event["data"]["flow"]
            if event["type"] == "flow.paused":
                since.setdefault(name, at)
            else:
                found.setdefault(name, []).append((since.pop(name), at))
    return found


async def everything_told(month: Month) -> list[dict[str, Any]]:
    """The whole event log."""
    cursor, told = "", list[dict[str, Any]]()
    while True:
        page = (await month.world.hub.api.get("/v1/events", params={"cursor": cursor, "limit": 200})).json()
        told += page["items"]
        if page["next_cursor"] is None:
            return told
        cursor = page["next_cursor"]


def forbidden(world: World, stood_still: dict[str, list[tuple[datetime, datetime]]]) -> list[tuple[str, str]]:
    """Calls for the shop that arrived while the flow they are of stood still."""
    of = {"orders/search": "orders", "products/search": "products", "inventory/update": "stock"}
    calls = [
        (next((of[end] for end in of if entry["path"].endswith(end)), ""), datetime.fromisoformat(entry["at"]))
        for entry in world.sandbox.get("/log", kind="api", app=KEY, limit=10_000)["items"]
        if "shop_cipher" in entry["query"]
    ]
    return [
        (kind, at.isoformat())
        for kind, at in calls
        for stopped, reopened in stood_still.get(kind, [])
        if stopped + A_CALL < at < reopened - A_CALL
    ]


@pytest.mark.processes
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_month_with_twenty_outages_ends_with_everything_once_and_equal(
    world: World, tmp_path: Path, seed: int
) -> None:
    """Every order once and as it last was, stock as the vendor last said, nothing called while it was over, all closed at zero.

    The seed stands in the test's name.
    """
    dice = random.Random(seed)
    world.sandbox.post(f"/apps/{KEY}/rotation", {"mode": "retry_safe", "grace_seconds": 10_000_000})
    connection_id = await world.linked()
    await world.hub.work()
    first = {record["id"] for record in await world.records(connection_id)}
    skus = [ware["seller_sku"] for ware in await wares(world)]
    worker = Worker(world, tmp_path)
    month = Month(world=world, connection_id=connection_id, dice=dice, worker=worker, skus=dice.sample(skus, 6))
    worker.start()
    try:
        for _ in range(OUTAGES):
            for _ in range(dice.randrange(1, 3)):
                await month.step(dice.uniform(1, 10))
            await month.outage()
        await month.quiet()
    finally:
        worker.stop()
    records = await world.records(connection_id)
    found = await outages(world, connection_id)
    there = await levels_there(month)
    stood_still = await pauses(month)

    assert 5 <= worker.kills
    assert [] == [each for each, count in Counter(record["id"] for record in records).items() if count > 1]
    assert first | set(month.orders) == {record["id"] for record in records}
    kept = {record["id"]: (record["document"]["status"], record["document"]["update_time"]) for record in records}
    assert month.orders == {each: kept[each] for each in month.orders}
    assert month.levels == {sku: there[sku] for sku in month.levels}
    assert OUTAGES // 2 <= len(stood_still["orders"]) <= len(stood_still["stock"])
    assert [] == forbidden(world, stood_still)
    assert {("closed", 0)} == {(outage["status"], outage["open"]) for outage in found}
    assert OUTAGES == len(month.told)
    assert 5 <= len(found)
