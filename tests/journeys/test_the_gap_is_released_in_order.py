"""After an outage the missed orders reach their readers in the order in which they matter, once the whole gap is read."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from evergrant.actions import redact, sync
from evergrant.actions.polls import Run
from evergrant.core import flows
from evergrant.providers.tiktok_shop import requests
from evergrant.providers.wire import Record, Reply, Request
from evergrant.store import gaps
from tests.world_fixture import World

READY = "AWAITING_SHIPMENT"


async def sql(world: World, statement: str, *given: Any) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement, *given)


async def reopened(world: World, connection_id: str) -> None:
    """Write what stands there after an outage of this shop's orders."""
    at = await world.now()
    whose = (world.hub.tenant_id, connection_id)
    await sql(
        world,
        "insert into outages (tenant_id, id, connection_id, clock, cause, started_at) values ($1, 'out_x', $2, $3, 'x', $4)",
        *whose,
        world.sandbox.url,
        at,
    )
    await sql(
        world,
        """
        insert into outage_flows (tenant_id, outage_id, connection_id, shop_id, kind, why, stopped_at, reopened_at)
        values ($1, 'out_x', $2, $3, 'orders', 'x', $4, $4)
        """,
        *whose,
        world.shop_id,
        at,
    )
    await sql(world, "update flows set catching_up = 2 where shop_id = $1 and kind = 'orders'", world.shop_id)


async def a_run(world: World) -> Run:
    """The poll of the first shop's orders, taken by a worker after another has gone."""
    await sql(world, "update flows set lease_until = null, next_run_at = least(next_run_at, $1)", await world.now())
    runs = await world.hub.ports.books.flows.take_due(world.sandbox.url, await world.now(), 10)
    return next(run for run in runs if (run.shop_id, run.kind) == (world.shop_id, flows.Kind.ORDERS))


def missed(world: World) -> list[str]:
    """Two days of trade nobody pulls: what has to be shipped first was changed last. Gives the ids, oldest first."""
    shop, made = world.shop_id, list[str]()
    for _ in range(4):
        world.sandbox.advance("6h")
        told = world.sandbox.post("/orders", {"shop": shop, "count": 4})
        made += [order["id"] for order in told["orders"]]
        ready = [{"id": made[-3], "status": READY}, {"id": made[-2], "status": READY}]
        world.sandbox.post("/orders", {"shop": shop, "orders": ready})
        world.sandbox.advance("1h")
        world.sandbox.post("/orders", {"shop": shop, "orders": [{"id": made[-1], "status": "CANCELLED"}]})
    for number in (13, 9, 5, 1):
        world.sandbox.advance("1h")
        world.sandbox.post(f"/orders/{made[number]}/happenings", {"what": "address_changed"})
    return made


def urgency(record: dict[str, Any]) -> tuple[bool, float, int, str]:
    """Cancelled, then by when it has to be shipped, then by when it changed."""
    document = record["document"]
    cancelled = document["status"] == "CANCELLED" or document["is_buyer_request_cancel"]
    due = document.get("rts_sla_time") or float("inf")
    return (not cancelled, due, document["update_time"], document["id"])


async def test_missed_orders_are_released_by_urgency_and_a_kill_in_the_middle_loses_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is shown before the gap is read; then cancellations, then by deadline, each once, whatever changed meanwhile."""
    monkeypatch.setattr(requests, "PAGE_SIZE", 5)
    monkeypatch.setattr(gaps, "BATCH", 4)
    connection_id = await world.linked()
    await world.hub.work()
    made = missed(world)
    await reopened(world, connection_id)
    send, asked = world.hub.ports.platform.send, list[Request]()

    async def killed(request: Request, *, once: bool = False) -> Reply:
        asked.append(request)
        if len(asked) == 8:
            raise KeyboardInterrupt
        return await send(request, once=once)

    run = await a_run(world)
    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ports.platform, "send", killed)
        with pytest.raises(KeyboardInterrupt):
            await sync.one(run, world.hub.ports)
    unseen = [record["id"] for record in await world.records(connection_id)]
    staged = await sql(world, "select array_agg(record_id) from gap_records")
    world.sandbox.advance("1m")
    changed = next(each for each in made if each in staged)
    world.sandbox.post("/orders", {"shop": world.shop_id, "orders": [{"id": changed, "status": "CANCELLED"}]})
    again = await a_run(world)

    assert (run.catching_up, again.catching_up, run.fence + 1) == (True, True, again.fence)
    assert 25 == len(unseen)
    assert 35 == len(staged)
    assert again.cursor is not None
    assert again.cursor > datetime.fromisoformat((await world.records(connection_id))[-1]["updated_at"])
    assert "done" == await sync.one(again, world.hub.ports)
    records = [record for record in await world.records(connection_id) if record["id"] not in unseen]
    assert sorted(made) == sorted(record["id"] for record in records)
    assert sorted(records, key=urgency) == records
    assert records != sorted(records, key=lambda record: (record["updated_at"], record["id"]))
    assert "CANCELLED" == next(record for record in records if record["id"] == changed)["document"]["status"]
    assert 0 == await sql(world, "select count(*) from gap_records")
    counted = await sql(world, "select array[expected, caught_up] from outage_flows")
    assert [len(made) + len(set(staged) - set(made)), len(made)] == counted


async def test_what_nobody_released_is_released_by_the_next_poll_and_no_outage_keeps_nothing_apart(
    world: World,
) -> None:
    """A worker killed between two batches leaves the rest; a flow without an open outage is polled as ever."""
    connection_id = await world.linked()
    await world.hub.work()
    made = missed(world)
    await reopened(world, connection_id)
    whole = (await sql(world, "select count(*) from records where kind = 'orders'"), "done")
    await sql(world, "update outage_flows set balanced_at = now()")
    assert "done" == await sync.one(await a_run(world), world.hub.ports)
    shown = await world.records(connection_id)
    await sql(
        world,
        """
        with gone as (delete from records where record_id = any($1) returning *)
        insert into gap_records (tenant_id, connection_id, shop_id, kind, record_id, updated_at, rank, document)
        select tenant_id, connection_id, shop_id, kind, record_id, updated_at, 1, document from gone
        """,
        made[:3],
    )
    await sql(world, "update flows set catching_up = null")

    assert (25, "done") == whole
    assert 25 + 16 == len(shown)
    assert "done" == await sync.one(await a_run(world), world.hub.ports)
    records = [record["id"] for record in await world.records(connection_id)]
    assert set(made[:3]) == set(records[-3:])
    assert 25 + 16 == len(records) == len(set(records))


async def test_a_buyer_does_not_wait_for_a_catch_up_that_never_ends(world: World) -> None:
    """Whoever's time is over is taken out of an order that waits to be released; the same version does not bring them back."""
    connection_id = await world.linked()
    await world.hub.work()
    at, book = (await world.now()).replace(microsecond=0), world.hub.ports.books.flows
    whole, bare = b'{"id":"1","buyer_email":"a@b","status":"X"}', b'{"id":"1","status":"X"}'
    await reopened(world, connection_id)
    run = await a_run(world)
    await book.keep_records(run, [Record(id="1", updated_at=at, document=whole)])
    told = []
    for days in ("89d", "2d"):
        world.sandbox.advance(days)
        await redact.sweep(world.sandbox.url, world.hub.ports)
        told.append(await sql(world, "select document from gap_records"))
    await book.keep_records(run, [Record(id="1", updated_at=at, document=whole)])
    told.append(await sql(world, "select document from gap_records"))
    newer = Record(id="1", updated_at=await world.now(), document=whole)
    async with world.hub.parts.database.transaction() as connection:
        await gaps.release(connection, run, timedelta(seconds=30))
    shown = await sql(world, "select document from records where record_id = '1' and redacted_at is not null")
    await book.keep_records(run, [newer])

    assert [whole, bare, bare, bare] == [*told, shown]
    assert whole == await sql(world, "select document from gap_records")
