"""What others do at the same moment as a worker that sends stock: nobody waits for both, nothing is overlooked."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

from evergrant.actions.exceptions import How
from evergrant.actions.mending import Choice
from evergrant.actions.pushes import Level
from evergrant.core import connection as core_connection
from evergrant.core import flows, lifecycle
from evergrant.providers import tiktok_shop
from evergrant.store import changes, finding, migrations
from evergrant.store import exceptions as by_hand
from tests.journeys.test_stock_goes_out import exceptions, give, sent, wares
from tests.world_fixture import World

MOMENT = 0.3
"""Seconds in which the other one comes as far as it can; nothing is measured by them."""

NEW_KINDS = re.compile(r"^insert into flows .*?;", re.MULTILINE | re.DOTALL)


async def test_a_bulk_retry_locks_records_before_their_exceptions(world: World) -> None:
    """As whoever settles them does; so does whoever ends them by hand."""
    connection_id = await world.linked()
    await world.hub.work()
    await give(world, connection_id, UNKNOWN=1)
    await world.hub.work()
    (broken,) = await exceptions(world)
    database, replays = world.hub.parts.database, world.hub.ports.books.outward.replays
    where = (world.hub.tenant_id, connection_id, [broken["id"]])

    async def ended() -> None:
        async with database.transaction() as connection:
            await by_hand.end(connection, *where, How.BY_HAND, await world.now(), dismiss=True)

    for other in (replays.begin(world.hub.tenant_id, Choice(ids=[broken["id"]]), actor="key_1"), ended()):
        async with database.transaction() as settling:
            await settling.execute("update pushes set attempts = attempts + 1")
            waiting = asyncio.ensure_future(other)
            await asyncio.wait({waiting}, timeout=MOMENT)
            await settling.execute("update exceptions set attempts = attempts + 1")
        await waiting

    assert {"dismissed"} == set((await sent(world, connection_id)).values())


async def test_a_product_that_comes_at_the_same_moment_is_seen(world: World) -> None:
    """Whoever looks for a SKU waits for whoever is just saying what it is."""
    connection_id = await world.linked()
    await world.hub.work()
    (first, *_), shop = await wares(world, connection_id), (world.hub.tenant_id, connection_id, world.shop_id)
    await give(world, connection_id, LATER=12)
    pushes, now = world.hub.ports.books.outward.pushes, await world.now()
    async with world.hub.parts.database.transaction() as keeping:
        await keeping.execute("update wares set seller_sku = 'LATER' where sku_id = $1", first["sku_id"])
        await finding.revive(keeping, shop, ["LATER"])
        looking = asyncio.ensure_future(pushes.take_due(world.sandbox.url, now, 10))
        await asyncio.wait({looking}, timeout=MOMENT)

    assert ["LATER"] == [push.sku for wave in await looking for push in wave.pushes]


async def test_what_is_of_a_shop_that_waits_stands_aside(world: World) -> None:
    """It is due when the wait is over, so that nobody looks at it again and again."""
    connection_id = await world.linked()
    await world.hub.work()
    first, *_ = await wares(world, connection_id)
    shop = (world.hub.tenant_id, connection_id, world.shop_id)
    await give(world, connection_id, **{first["sku"]: 1})
    await world.hub.ports.books.shop_paces.throttled(shop, timedelta(hours=1))
    taken = await world.hub.ports.books.outward.pushes.take_due(world.sandbox.url, await world.now(), 10)
    async with world.hub.parts.database.connection() as connection:
        over = await connection.fetchval("select p.due_at = w.waits_until from pushes p, shop_paces w")

    assert ([], True) == (taken, over)


async def test_flows_that_are_new_are_paused_where_products_are(world: World) -> None:
    """What migration 0017 makes of a connection from before it."""
    connection_id = await world.linked()
    await world.hub.work()
    await world.hub.api.post(f"/v1/connections/{connection_id}/pause", json={"flow": "products"})
    (make,) = NEW_KINDS.findall((Path(migrations.__path__[0]) / "versions/0017_flows.sql").read_text())
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("delete from flows where kind not in ('orders', 'products')")
        await connection.execute(make)
        rows = await connection.fetch(
            "select kind, shut, paused_by_vendor, next_run_at from flows where kind <> 'orders' order by kind"
        )

    assert [
        (kind, "paused_by_vendor", True, None) for kind in ("inventory", "prices", "products", "shipments", "stock")
    ] == [tuple(row) for row in rows]


async def test_what_is_given_while_a_flow_is_being_shut_is_counted_in_its_outage(world: World) -> None:
    """Whoever waits for the change sees the outage it has begun; so does a notice that comes at that moment."""
    connection_id = await world.linked(period="1d")
    await world.hub.work()
    world.sandbox.advance("25h")
    parts, now = world.hub.parts, await world.now()
    levels = [Level(sku="ANY", shop_id=world.shop_id, quantity=3)]
    orders = (world.hub.tenant_id, connection_id, world.shop_id, flows.Kind.ORDERS)
    outward = world.hub.ports.books.outward
    async with parts.database.transaction() as shutting:
        known = await world.hub.ports.books.connections.find(world.hub.tenant_id, connection_id)
        news = lifecycle.News(kind=lifecycle.Kind.LAPSED, at=now)
        change = core_connection.apply(known, news, needs=tiktok_shop.FLOW_SCOPES, now=now)
        await changes.keep(shutting, change, actor="test")
        given = asyncio.ensure_future(outward.pushes.give(world.hub.tenant_id, connection_id, levels, now))
        told = asyncio.ensure_future(outward.exceptions.missed(orders, "5760", now, now))
        await asyncio.wait({given, told}, timeout=MOMENT)
        assert not given.done()
    await asyncio.gather(given, told)

    (outage,) = (await world.hub.api.get(f"/v1/connections/{connection_id}/outages")).json()["items"]
    assert [outage["id"]] * 2 == [failed["outage_id"] for failed in await exceptions(world)]
