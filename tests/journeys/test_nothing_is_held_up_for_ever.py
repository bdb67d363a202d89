"""What does not get through after an outage holds up nothing else for ever, and its row is open no longer than it owes."""

import asyncio
from datetime import timedelta

import pytest

from evergrant.providers.wire import Reply, Request
from tests.journeys.claiming import sql, told
from tests.journeys.ledgers import calls, gives, lines, outages, wares
from tests.journeys.test_back_to_normal import SEARCH, UPDATE, ledger, one_check
from tests.journeys.test_exceptions_are_made_good import ordered
from tests.journeys.test_outages import expired, failed, renewed
from tests.world_fixture import World


async def arrived(world: World, connection_id: str, made: list[dict[str, str]]) -> bool:
    """Whether all of these orders are kept."""
    return {each["id"] for each in made} <= {record["id"] for record in await world.records(connection_id)}


async def test_levels_that_fail_for_ever_hold_up_orders_for_three_tries_only(world: World) -> None:
    """Every SKU has a level that waits, TikTok answers none of the writes: no check can be made, and orders come all the same."""
    connection_id = await expired(world)
    for each in await wares(world):
        await gives(world, connection_id, each["seller_sku"], 5)
    made = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 3})["orders"]
    world.sandbox.post("/faults", {"kind": "api", "path": f"*/{UPDATE}", "action": "status", "status": 503})
    await renewed(world, connection_id)
    here: list[bool] = []
    for _ in range(3):
        await world.hub.work()
        here.append(await arrived(world, connection_id, made))
        await sql(world, "update flows set lease_until = null where kind = 'stock'")
        await sql(world, "update pushes set due_at = now() + interval '1 hour'")
    assert [False, True] == [here[0], here[-1]]


async def test_one_free_variant_is_found_among_those_that_wait(world: World) -> None:
    """All but one have a level waiting, and a check has failed before: the free one is tried all the same."""
    connection_id = await expired(world)
    sells = await wares(world)
    for each in sells[1:]:
        await gives(world, connection_id, each["seller_sku"], 5)
    await renewed(world, connection_id)
    await sql(world, "update pushes set attempts = 1, due_at = now() + interval '1 hour'")
    await sql(world, "update flows set failures = 1 where kind = 'stock'")
    assert "written" == await one_check(world)


async def test_levels_that_are_told_to_wait_hold_up_orders_for_two_minutes(world: World) -> None:
    """Their calls are throttled, which is no failure: nothing is counted, and the orders wait no longer than so."""
    connection_id = await expired(world)
    await gives(world, connection_id, (await wares(world))[0]["seller_sku"], 5)
    made = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 3})["orders"]
    await renewed(world, connection_id)
    await sql(world, "update pushes set due_at = now() + interval '1 hour'")
    await world.hub.work()
    assert not await arrived(world, connection_id, made)
    await sql(world, "update outage_flows set runs_since = now() - interval '2 minutes'")
    await world.hub.work()
    assert await arrived(world, connection_id, made)


async def test_a_check_that_is_throttled_slows_the_shop_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One refusal is told to the pace once."""
    connection_id = await expired(world)
    await renewed(world, connection_id)
    world.sandbox.post("/faults", {"kind": "api", "path": "*/inventory/search", "action": "status", "status": 429})
    waits: list[timedelta] = []

    async def throttled(_shop: tuple[str, str, str], wait: timedelta) -> None:
        waits.append(wait)

    monkeypatch.setattr(world.hub.ports.books.shop_paces, "throttled", throttled)
    assert "throttled" == await one_check(world)
    assert 1 == len(waits)


async def noticed(world: World, order: dict[str, str], number: int) -> None:
    """The platform tells of an order."""
    at = int((await world.now()).timestamp()) + number
    assert 200 == await world.deliver(ordered(world, order["id"], at))


async def test_a_connection_the_vendor_lets_go_of_owes_nothing(world: World) -> None:
    """A level that waits and an order that was told of count as given up, the outage closes, and nothing is taken in after."""
    connection_id = await expired(world)
    sku = (await wares(world))[0]["seller_sku"]
    first, second = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 2})["orders"]
    await gives(world, connection_id, sku, 5)
    await noticed(world, first, 0)
    await world.hub.work()
    assert 2 == (await outages(world, connection_id))[0]["open"]
    answer = await world.hub.api.post(f"/v1/connections/{connection_id}/disconnect")
    assert 200 == answer.status_code
    await noticed(world, second, 1)
    await world.hub.work()
    (closed,) = await outages(world, connection_id)
    given = {"items": [{"sku": sku, "shop_id": world.shop_id, "quantity": 4}]}
    refused = await world.hub.api.put(f"/v1/connections/{connection_id}/inventory", json=given)

    assert ("closed", 2, 2, 0) == tuple(closed[name] for name in ("status", "missed", "given_up", "open"))
    assert {"vendor_disconnected"} == {line["checks"]["trouble"] for line in closed["flows"]}
    assert [("dismissed", "by_hand")] * 2 == await failed(world)
    assert "dismissed" == await sql(world, "select state from pushes")
    assert (409, "authorization_cancelled") == told(refused)
    assert "outage.closed" in await world.events(connection_id)


async def test_an_order_that_was_told_of_counts_once(world: World) -> None:
    """Three orders, two of them noticed while nobody could fetch them: the renewal brings three, and three were missed."""
    connection_id = await expired(world)
    made = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 3})["orders"]
    for number, order in enumerate(made[:2]):
        await noticed(world, order, number)
    await world.hub.work()
    (lasts,) = await outages(world, connection_id)
    await renewed(world, connection_id)
    await world.hub.work()
    (closed,) = await outages(world, connection_id)
    row = lines(closed, world.shop_id)["orders"]

    assert (2, 2) == (lasts["missed"], lasts["open"])
    assert [("resolved", "by_itself")] * 2 == await failed(world)
    assert ("closed", 3, 3, 0) == (closed["status"], row["missed"], row["caught_up"], row["open"])


async def test_a_bare_shop_whose_products_are_paused_has_nothing_to_prove(world: World) -> None:
    """Nobody will read its products, so nobody waits until they are read."""
    shop = {"name": "Bare", "region": "GB", "orders": 0, "products": 0}
    seller = {"name": "Bare Ltd", "email": "bare@bare.example", "password": "sandbox", "region": "GB", "shops": [shop]}
    made = world.sandbox.post("/sellers", seller)
    connection_id = await world.linked_by(made, "bare")
    await world.hub.api.post(f"/v1/connections/{connection_id}/pause", json={"flow": "products"})
    await world.hub.work()
    world.sandbox.advance("365d")
    await world.hub.work()
    await world.linked_by(made, "bare")
    await world.hub.work()
    (outage,) = await outages(world, connection_id)
    row = lines(outage, made["shops"][0]["id"])["stock"]
    assert ("closed", "balanced", "nothing_to_check") == (outage["status"], row["state"], row["checks"]["trouble"])


async def test_a_level_that_went_out_is_noted_where_nothing_is_sold_any_more(world: World) -> None:
    """There is nothing to read, but a write has gone through, and the row says so."""
    connection_id = await expired(world)
    await gives(world, connection_id, (await wares(world))[0]["seller_sku"], 5)
    await renewed(world, connection_id)
    await sql(world, "update pushes set state = 'done', ended_at = now()")
    await sql(world, "delete from wares")
    assert "nothing_to_check" == await one_check(world)
    row = await ledger(world, connection_id)
    assert row["checks"]["written_at"]
    assert None is row["checks"]["read_at"]


async def test_whoever_notes_a_check_locks_its_flow_before_anything_else_of_it(world: World) -> None:
    """As a change of the connection does, so that neither waits for the other for ever."""
    connection_id = await expired(world)
    await renewed(world, connection_id)
    (check,) = [
        each
        for each in await world.hub.ports.books.outages.take_checks(world.sandbox.url, 10)
        if each.shop_id == world.shop_id
    ]
    now, database, ledgers = await world.now(), world.hub.parts.database, world.hub.ports.books.outages
    flow = "select from flows where shop_id = $1 and kind = 'stock' for update"
    row = "select from outage_flows where shop_id = $1 and kind = 'stock' for update nowait"
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    notes = (
        ledgers.read(check, now),
        ledgers.troubled(check, "unavailable", timedelta(0), now),
        ledgers.wrote(check, now),
    )
    for note in notes:
        async with database.transaction() as connection:
            await connection.execute(flow, world.shop_id)
            noting = asyncio.create_task(note)
            for _ in range(1000):
                if await sql(world, waiting):
                    break
                await asyncio.sleep(0.005)
            else:
                pytest.fail("it does not ask for the flow")
            await connection.execute(row, world.shop_id)
        await noting
    assert (await ledger(world, connection_id))["checks"]["written_at"]


async def test_a_check_that_lost_its_lease_calls_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen after the read, and taken over meanwhile: nothing is written; while it is ours, every call renews the lease."""
    connection_id = await expired(world)
    await renewed(world, connection_id)
    send = world.hub.ports.platform.send
    left = "select lease_until > now() + interval '50 seconds' from flows where kind = 'stock' and shop_id = $1"
    renews: list[bool] = []

    async def frozen(request: Request, *, once: bool = False) -> Reply:
        renews.append(await sql(world, left, world.shop_id))
        reply = await send(request, once=once)
        await sql(
            world, "update flows set lease_until = now(), fence = fence + $1 where kind = 'stock'", len(renews) - 1
        )
        return reply

    now = await world.now()
    world.sandbox.advance("1m")
    monkeypatch.setattr(world.hub.ports.platform, "send", frozen)
    assert "lost" == await one_check(world)
    assert [True, True] == renews
    assert [SEARCH, UPDATE] == calls(world, now)
