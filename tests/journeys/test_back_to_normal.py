"""Stock is back to normal after one real read and one write that changes nothing, whatever comes between the two."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evergrant.actions import prove
from evergrant.providers.wire import Reply, Request
from tests.journeys.claiming import sql
from tests.journeys.ledgers import calls, flows, gives, lines, outages, wares
from tests.journeys.test_outages import expired, renewed
from tests.world_fixture import World

UPDATE, SEARCH = "inventory/update", "inventory/search"
CHECKED = "select checked_sku from outage_flows where shop_id = $1 and kind = 'stock'"
Between = Callable[[int, Request], Any]


def quantities(request: Request) -> dict[str, int]:
    """What a write says, by variant."""
    return {sku["id"]: sku["inventory"][0]["quantity"] for sku in json.loads(request.body)["skus"]}


async def ledger(world: World, connection_id: str) -> dict[str, Any]:
    """The row of stock in the newest outage."""
    return lines((await outages(world, connection_id))[0], world.shop_id)["stock"]


async def one_check(world: World) -> str:
    """Take the check of the first shop, and make it; what else is due waits."""
    await sql(world, "update flows set lease_until = null where kind = 'stock'")
    checks = await world.hub.ports.books.outages.take_checks(world.sandbox.url, 10)
    return await prove.one(next(check for check in checks if check.shop_id == world.shop_id), world.hub.ports)


class Sending:
    """The way to the platform, where something happens right before a write, or to the answer of a read."""

    def __init__(
        self, world: World, before: Between | None = None, spoiled: Callable[[int, Any], None] | None = None
    ) -> None:
        self._send = world.hub.ports.platform.send
        self._before = before
        self._spoiled = spoiled
        self.writes: list[dict[str, int]] = []
        self.reads = 0

    async def send(self, request: Request, *, once: bool = False) -> Reply:
        """One call."""
        if request.url.endswith(UPDATE):
            self.writes.append(quantities(request))
            if self._before:
                await self._before(len(self.writes), request)
        reply = await self._send(request, once=once)
        if request.url.endswith(SEARCH):
            self.reads += 1
            if self._spoiled:
                body = json.loads(reply.body)
                self._spoiled(self.reads, body["data"]["inventory"][0]["skus"])
                return replace(reply, body=json.dumps(body).encode())
        return reply


async def test_a_level_is_written_back_as_it_was_read_of_a_product_nobody_can_buy(world: World) -> None:
    """One read, one write, one look; the level stays, and the row has both times."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    hidden = await sql(world, "select product_id from wares where shop_id = $1 order by sku_id desc", world.shop_id)
    world.sandbox.post(
        "/products", {"shop": world.shop_id, "products": [{"id": hidden, "status": "SELLER_DEACTIVATED"}]}
    )
    world.sandbox.advance("29d")
    await world.hub.work()
    for each in await wares(world):
        if each["product_id"] != hidden:
            await sql(world, "update wares set status = 'ACTIVATE' where sku_id = $1", each["sku_id"])
    world.sandbox.advance("1d")
    await world.hub.work()
    now = await world.now()
    world.sandbox.advance("1m")
    await renewed(world, connection_id)
    await world.hub.work()
    row = await ledger(world, connection_id)
    log = [line for line in world.sandbox.log(kind="api") if line["path"].endswith(UPDATE)]

    assert [SEARCH, UPDATE, SEARCH] == calls(world, now)[:3]
    assert 1 == calls(world, now).count(UPDATE)
    assert f"/products/{hidden}/" in log[0]["path"]
    assert ("balanced", None) == (row["state"], row["checks"]["trouble"])
    assert row["stopped_at"] < row["checks"]["read_at"] <= row["checks"]["written_at"]
    assert None is (await flows(world, connection_id))["stock"]["last_error"]


async def test_where_writing_is_off_the_row_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read, and not written, and not kept open for it."""
    monkeypatch.setattr(world.hub.parts.outages, "_by_writing", False)
    connection_id = await expired(world)
    now = await world.now()
    world.sandbox.advance("1m")
    await renewed(world, connection_id)
    await world.hub.work()
    row = await ledger(world, connection_id)
    assert ("balanced", "writing_is_off", None) == (
        row["state"],
        row["checks"]["trouble"],
        row["checks"]["written_at"],
    )
    assert [SEARCH] == calls(world, now)[:1]
    assert UPDATE not in calls(world, now)
    assert "closed" == (await outages(world, connection_id))[0]["status"]


async def test_a_shop_that_sells_nothing_has_nothing_to_prove(world: World) -> None:
    """Its products are read first, and the row says that there was nothing to check."""
    shop = {"name": "Bare", "region": "GB", "orders": 0, "products": 0}
    seller = {"name": "Bare Ltd", "email": "bare@bare.example", "password": "sandbox", "region": "GB", "shops": [shop]}
    made = world.sandbox.post("/sellers", seller)
    connection_id = await world.linked_by(made, "bare")
    await world.hub.work()
    world.sandbox.advance("365d")
    await world.hub.work()
    await world.linked_by(made, "bare")
    await world.hub.work()
    (outage,) = await outages(world, connection_id)
    row = lines(outage, made["shops"][0]["id"])["stock"]

    assert ("closed", "balanced", "nothing_to_check") == (outage["status"], row["state"], row["checks"]["trouble"])


async def test_an_order_between_read_and_write_is_taken_off_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two units were sold in between: what was free to sell by mistake is not; one sold after the write changes nothing."""
    connection_id = await expired(world)
    await renewed(world, connection_id)

    def sold(read: int, skus: Any) -> None:
        for sku in skus:
            place = sku["warehouse_inventory"][0]
            place["available_quantity"] = 12 if read == 1 else 11
            place["committed_quantity"] = 1 if read == 1 else 4

    sending = Sending(world, spoiled=sold)
    monkeypatch.setattr(world.hub.ports.platform, "send", sending.send)
    assert "written" == await one_check(world)
    (first, second) = (next(iter(write.values())) for write in sending.writes)
    assert (12, 9) == (first, second)


@pytest.mark.parametrize("killed", [True, False])
async def test_a_level_that_went_out_between_goes_out_again_even_after_a_kill(
    world: World, monkeypatch: pytest.MonkeyPatch, *, killed: bool
) -> None:
    """The vendor's level, written over, waits again; after a kill before the next check, which takes another variant."""
    connection_id = await expired(world)
    await renewed(world, connection_id)
    names = {each["sku_id"]: each["seller_sku"] for each in await wares(world)}
    chosen: list[str] = []

    async def vendor(write: int, request: Request) -> None:
        if write == 1:
            chosen.extend(quantities(request))
            await gives(world, connection_id, names[chosen[0]], 77)
            await sql(world, "update pushes set state = 'done', ended_at = clock_timestamp()")

    sending = Sending(world, before=vendor)

    async def dies(request: Request, *, once: bool = False) -> Reply:
        if killed and request.url.endswith(SEARCH) and len(sending.writes) == 1:
            sending.writes.append({})
            raise KeyboardInterrupt
        return await sending.send(request, once=once)

    monkeypatch.setattr(world.hub.ports.platform, "send", dies)
    if killed:
        with pytest.raises(KeyboardInterrupt):
            await one_check(world)
        assert "done" == await sql(world, "select state from pushes")
    assert "written" == await one_check(world)
    assert "waiting" == await sql(world, "select state from pushes")
    assert killed == (chosen[0] not in sending.writes[-1])


async def test_the_gate_is_asked_before_every_call_of_a_check(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paused between read and write: nothing is written, nothing has failed."""
    connection_id = await expired(world)
    await renewed(world, connection_id)
    send = world.hub.ports.platform.send

    async def paused(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        await world.hub.api.post(f"/v1/connections/{connection_id}/pause", json={"flow": "stock"})
        return reply

    now = await world.now()
    world.sandbox.advance("1m")
    monkeypatch.setattr(world.hub.ports.platform, "send", paused)
    assert "shut: paused_by_vendor" == await one_check(world)
    assert [SEARCH] == calls(world, now)
    assert ("paused", 0) == (
        (await ledger(world, connection_id))["state"],
        await sql(world, "select failures from flows where kind = 'stock' and shop_id = $1", world.shop_id),
    )


async def test_a_refused_variant_gives_way_to_the_next_and_holds_up_orders_for_three_tries_only(world: World) -> None:
    """The row says what the platform says; orders come all the same; and the next variant that is taken proves it."""
    connection_id = await expired(world)
    made = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 3})["orders"]
    refusal = {"kind": "api", "path": "*/inventory/update", "action": "status", "status": 200, "code": 12052049}
    world.sandbox.post("/faults", refusal)
    await renewed(world, connection_id)
    seen: list[tuple[str, bool]] = []
    tried: set[str] = set()
    for _ in range(3):
        await world.hub.work()
        seen.append(
            (
                (await ledger(world, connection_id))["checks"]["trouble"],
                {each["id"] for each in made} <= {each["id"] for each in await world.records(connection_id)},
            )
        )
        tried.add(await sql(world, CHECKED, world.shop_id))
        await sql(world, "update flows set lease_until = null where kind = 'stock'")
    world.sandbox.http.delete("/_sandbox/faults")
    await world.hub.work()

    assert ["refused"] * 3 == [trouble for trouble, _ in seen]
    assert [False, False, True] == [here for _, here in seen]
    assert 3 == len(tried)
    assert "closed" == (await outages(world, connection_id))[0]["status"]
