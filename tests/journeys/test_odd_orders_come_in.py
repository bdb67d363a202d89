"""Orders nobody would make on purpose, and a platform that says wait for an hour: nothing is lost, nothing comes twice."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evergrant.providers.tiktok_shop import requests
from evergrant.providers.wire import Reply, Request
from evergrant.store import records as kept_records
from tests.world_fixture import World

HUGE = 10 * 1024 * 1024
DEEP = 5000


def spoil(world: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[int, bytes], bytes]) -> None:
    """Let every page of orders go through `change`, with its number."""
    send, pages = world.hub.ports.platform.send, list[str]()

    async def spoiled(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        if not request.url.endswith("/orders/search"):
            return reply
        pages.append(request.url)
        return replace(reply, body=change(len(pages), reply.body))

    monkeypatch.setattr(world.hub.ports.platform, "send", spoiled)


async def unreadable(world: World, connection_id: str) -> list[str]:
    """Which records the vendor is told nobody could read."""
    told = await world.hub.api.get(f"/v1/connections/{connection_id}/timeline", params={"limit": 200})
    return [
        number
        for item in told.json()["items"]
        if item["type"] == "flow.record_unreadable"
        for number in item["data"]["record_ids"]
    ]


async def test_odd_orders_are_kept_or_named_and_cost_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten megabytes, control characters, broken bytes, twice the same id, a change on a later page; nested too deeply is named."""
    monkeypatch.setattr(requests, "PAGE_SIZE", 10)
    monkeypatch.setattr(kept_records, "MOST_BYTES", 64 * 1024)
    odd, seen = dict[str, str](), list[dict[str, Any]]()

    def change(number: int, body: bytes) -> bytes:
        whole = json.loads(body)
        rows: list[dict[str, Any]] = whole["data"]["orders"]
        if number == 1:
            odd.update(
                zip(("huge", "nul", "broken", "deep", "twice", "later"), (row["id"] for row in rows), strict=False)
            )
            rows[0]["buyer_message"] = "x" * HUGE
            rows[1]["buyer_message"] = "NUL"
            rows[2]["buyer_message"] = "BROKEN"
            rows[3]["extra"] = "DEEP"
            rows.append(rows[4] | {"buyer_message": "the newer one", "update_time": rows[4]["update_time"] + 1})
            rows.append(rows[4])
            seen.append(rows[5])
        elif number == 2:
            rows.append(seen[0] | {"status": "CANCELLED", "update_time": seen[0]["update_time"] + 1})
        return (
            json.dumps(whole)
            .encode()
            .replace(b'"NUL"', b'"a\0b\x01\n"')
            .replace(b'"BROKEN"', b'"\xff\\ud800"')
            .replace(b'"DEEP"', b"[" * DEEP + b"]" * DEEP)
        )

    spoil(world, monkeypatch, change)
    connection_id = await world.linked()
    await world.hub.work()
    found = await world.records(connection_id)
    documents = {record["id"]: record["document"] for record in found}
    flow = (await world.connection(connection_id))["flows"]

    assert {None} == {each["last_error"] for each in flow}
    assert [odd["deep"]] == await unreadable(world, connection_id)
    assert 24 == len(found) == len(documents)
    assert odd["deep"] not in documents
    assert HUGE == len(documents[odd["huge"]]["buyer_message"])
    assert "a\ufffdb\ufffd\ufffd" == documents[odd["nul"]]["buyer_message"]
    assert "\ufffd\ufffd" == documents[odd["broken"]]["buyer_message"]
    assert "the newer one" == documents[odd["twice"]]["buyer_message"]
    assert "CANCELLED" == documents[odd["later"]]["status"]


async def test_an_hour_of_throttling_is_waited_out_by_every_flow_of_the_shop_and_loses_nothing(world: World) -> None:
    """One 429 in the middle of the pages, and nobody calls for the shop, whoever asks; another shop is not slowed."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.advance("40m")
    await world.hub.work()  # so that nothing but orders is due, and no other call is under way at the refusal
    world.sandbox.post("/orders", {"shop": world.shop_id, "count": 120})
    other = await world.linked_elsewhere()
    fault = {"kind": "api", "path": "*orders/search", "action": "status", "status": 429, "code": 36009002}
    world.sandbox.post("/faults", fault | {"retry_after": 3600, "nth": 2, "times": 1})
    before = len(world.sandbox.log(kind="api"))
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs", json={"flow": "orders"})
    await world.hub.work()
    for _ in range(3):
        await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
        await world.hub.work()
    log = world.sandbox.log(kind="api")[before:]
    refused = next(line for line in log if line["status"] == 429)
    after_it = [line for line in log[log.index(refused) + 1 :] if line["grant"] == refused["grant"]]
    flows = {flow["name"]: flow for flow in (await world.connection(connection_id))["flows"]}
    halfway = [record["id"] for record in await world.records(connection_id)]
    async with world.hub.parts.database.connection() as connection:
        wait = await connection.fetchval(
            "select extract(epoch from waits_until - now()) from shop_paces where connection_id = $1", connection_id
        )
        await connection.execute("update shop_paces set waits_until = now() where connection_id = $1", connection_id)
        await connection.execute("update flows set lease_until = null where connection_id = $1", connection_id)
    await world.hub.work()
    records = [record["id"] for record in await world.records(connection_id)]
    after = {flow["name"]: flow for flow in (await world.connection(connection_id))["flows"]}

    assert [] == after_it
    assert 3500 < wait <= 3600
    assert "throttled" == flows["orders"]["last_error"]
    assert 25 <= len(halfway) < 145
    assert {flow["last_error"] for flow in (await world.connection(other))["flows"]} == {None}
    assert 145 == len(records) == len(set(records))
    assert halfway == records[: len(halfway)]
    assert {None} == {flow["last_error"] for flow in after.values()}
