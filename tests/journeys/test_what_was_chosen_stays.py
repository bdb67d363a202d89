"""Choices of the vendor for one connection: how it is pulled, how far back, how long buyers stay; and that renewals keep all."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from evergrant.actions import sync
from tests.journeys.seller_center import renew, signed_in
from tests.world_fixture import World

BUYERS = {"recipient_address", "buyer_email", "buyer_message", "user_id"}
NOTHING = {
    "poll_minutes": {"orders": None, "products": None, "inventory": None},
    "first_fetch_days": None,
    "keep_buyer_days": None,
}


async def choose(world: World, connection_id: str, settings: Any, *, status: int = 200) -> Any:
    """Change settings; gives what stands then, or what was refused."""
    answer = await world.hub.api.patch(f"/v1/connections/{connection_id}", json={"settings": settings})
    assert answer.status_code == status, answer.text
    return answer.json()["settings"] if status == 200 else answer.json()["error"]


async def rows(world: World, connection_id: str, kind: str) -> list[str]:
    """Every kept row of a kind, every byte of it."""
    async with world.hub.parts.database.connection() as connection:
        found = await connection.fetch(
            "select r::text as whole from records r where connection_id = $1 and kind = $2 order by position",
            connection_id,
            kind,
        )
    return [row["whole"] for row in found]


async def everything(world: World, connection_id: str) -> dict[str, Any]:
    """What a renewal must leave as it is."""
    kinds = ("orders", "products", "inventory")
    settings = (await world.connection(connection_id))["settings"]
    return {kind: await rows(world, connection_id, kind) for kind in kinds} | {"settings": settings}


def unchanged(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The documents of records, but for the instant of their last change."""
    return [record["document"] | {"update_time": 0} for record in records]


@pytest.mark.requirement("R-PIPE-4", "R-PIPE-5", "R-PIPE-7")
async def test_renewals_leave_orders_products_and_settings_byte_for_byte(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Seller Center while it lives, by a link after its end: the same rows, the same choices, and flows that run."""
    # To write a level back is a change at the platform: it would bring one product anew, with another time of change.
    monkeypatch.setattr(world.hub.ports.books.outages, "_by_writing", False)
    connection_id = await world.linked(period="30d")
    wanted = {"poll_minutes": {"orders": 7, "inventory": 1440}, "first_fetch_days": 30, "keep_buyer_days": 3650}
    await choose(world, connection_id, wanted)
    await world.hub.work()
    before = await everything(world, connection_id)
    counted = [len(before[kind]) for kind in ("orders", "products", "inventory")]
    world.sandbox.advance("10d")
    visitor = await signed_in(world)
    await renew(visitor, "Harbour Lane (GB)")  # thirty days from then on
    world.sandbox.advance("4d")
    await world.hub.work()
    in_seller_center = await everything(world, connection_id)
    renewed = await world.connection(connection_id)
    world.sandbox.advance("400d")
    await world.hub.work()
    ended = await world.connection(connection_id)
    again = await world.linked(period="365d", purpose="renew", connection_id=connection_id)
    by_link = await everything(world, connection_id)
    products = await world.records(connection_id, "products")
    await world.hub.work()
    caught_up = await everything(world, connection_id)
    found = await world.connection(connection_id)

    assert [25, 10, 10] == counted
    assert NOTHING | wanted | {"poll_minutes": {"orders": 7, "products": None, "inventory": 1440}} == before["settings"]
    assert before == in_seller_center
    assert 26 == renewed["days_remaining"]
    assert "connection.renewed" in await world.events(connection_id)
    assert ("expired", connection_id, "active") == (ended["status"], again, found["status"])
    assert before == by_link
    # The check that stock can be written touches one product at the platform; what it says stays.
    assert before | {"products": ()} == caught_up | {"products": ()}
    assert unchanged(products) == unchanged(await world.records(connection_id, "products"))


async def test_a_choice_is_the_connections_own_and_null_takes_it_back(world: World) -> None:
    """What is left out stays, what nobody knows or cannot be is refused in words, and nothing of it is kept."""
    connection_id, other = await world.linked(), await world.linked_elsewhere()
    assert NOTHING == (await world.connection(connection_id))["settings"]
    await choose(world, connection_id, {"poll_minutes": {"orders": 1, "products": 60}, "keep_buyer_days": 3650})
    kept = await choose(world, connection_id, {"poll_minutes": {"products": None}, "first_fetch_days": 365})
    assert {"orders": 1, "products": None, "inventory": None} == kept["poll_minutes"]
    assert (365, 3650) == (kept["first_fetch_days"], kept["keep_buyer_days"])
    no_minutes: list[Any] = [0, 1441, "5", 1.5, True, -1, 10**30]
    no_days: list[Any] = [0, 3651, "7", [], {}]
    refused: list[tuple[Any, str]] = [
        ({"poll_hours": 1}, "settings.poll_hours"),
        ({"poll_minutes": {"stock": 5}}, "settings.poll_minutes.stock"),
        *(({"poll_minutes": {"orders": odd}}, "poll_minutes.orders") for odd in no_minutes),
        *(({"first_fetch_days": odd}, "first_fetch_days") for odd in (366, *no_days)),
        *(({"keep_buyer_days": odd}, "keep_buyer_days") for odd in no_days),
        ({"poll_minutes": [1]}, "poll_minutes"),
        (None, "settings"),
        ("x", "settings"),
    ]
    for odd, named in refused:
        error = await choose(world, connection_id, odd, status=422)
        assert ("invalid_request", True) == (error["code"], named in error["message"]), (odd, error)
    assert kept == (await world.connection(connection_id))["settings"]
    assert NOTHING == (await world.connection(other))["settings"]
    assert NOTHING == await choose(world, connection_id, dict.fromkeys(NOTHING))
    await world.hub.api.delete(f"/v1/connections/{other}")
    await world.hub.work()
    assert "connection_erased" == (await choose(world, other, {"keep_buyer_days": 1}, status=409))["code"]


async def test_flows_are_pulled_as_chosen_and_a_longer_reach_is_made_up_for(world: World) -> None:
    """A first fetch of a week leaves out what is older; choosing a month brings it. The next poll comes when it was chosen."""
    world.sandbox.advance("20d")
    newer = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 2})["orders"]
    connection_id = await world.linked()
    await world.hub.work()
    first = [record["id"] for record in await world.records(connection_id)]
    await choose(world, connection_id, {"first_fetch_days": 30, "poll_minutes": {"orders": 600}})
    await world.hub.work()
    flow = next(each for each in (await world.connection(connection_id))["flows"] if each["shop_id"] == world.shop_id)
    orders = [record["id"] for record in await world.records(connection_id)]
    wait = datetime.fromisoformat(flow["next_run_at"]) - datetime.fromisoformat(flow["last_success_at"])
    flows = {each["name"]: each for each in (await world.connection(connection_id))["flows"]}

    assert sorted(order["id"] for order in newer) == sorted(first)
    assert 27 == len(set(orders)) == len(orders)
    assert flows["orders"]["next_run_at"] > flows["inventory"]["next_run_at"]
    assert wait > timedelta(0)


async def test_buyers_are_taken_out_when_their_time_is_over_and_a_poll_of_the_same_does_not_bring_them_back(
    world: World,
) -> None:
    """By the hub's setting, or the connection's own; every other byte of the order stays. A newer version is kept whole."""
    connection_id = await world.linked()
    await world.hub.work()
    whole = {record["id"]: record["document"] for record in await world.records(connection_id)}
    assert any("recipient_address" in document for document in whole.values())
    world.sandbox.advance("89d")
    await world.hub.work()
    assert whole == {record["id"]: record["document"] for record in await world.records(connection_id)}

    first = next(iter(whole))
    world.sandbox.post("/orders", {"shop": world.shop_id, "orders": [{"id": first, "status": "CANCELLED"}]})
    world.sandbox.advance("2d")
    await choose(world, connection_id, {"first_fetch_days": 365})
    await world.hub.work()
    after = {record["id"]: record["document"] for record in await world.records(connection_id)}
    assert {name: value for name, value in whole.items() if name != first} != after
    for number, document in after.items():
        kept = BUYERS & document.keys()
        assert kept == (BUYERS & document.keys() if number == first else set())
        if number != first:
            assert json.dumps({k: v for k, v in whole[number].items() if k not in BUYERS}) == json.dumps(document)
    assert "user_id" in after[first]

    async with world.hub.parts.database.connection() as connection:
        await connection.execute(
            "update flows set reached = null, next_run_at = $1 where kind = 'orders'", await world.now()
        )
    for run in await world.hub.ports.books.flows.take_due(world.sandbox.url, await world.now(), 20):
        assert "done" == await sync.one(run, world.hub.ports)
    assert after == {record["id"]: record["document"] for record in await world.records(connection_id)}

    await choose(world, connection_id, {"keep_buyer_days": 1})
    await world.hub.work()
    bare = {record["id"]: record["document"] for record in await world.records(connection_id)}
    assert not BUYERS & bare[first].keys()
    assert "CANCELLED" == bare[first]["status"]
