"""Exceptions of what comes in, and of calls that fail: each with its cause, each ended by what cures it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from evergrant.actions import push
from evergrant.actions.pushes import Came, Standing
from evergrant.core import flows
from evergrant.providers.wire import Reply, Request
from tests.journeys.test_stock_goes_out import at_the_platform, calls, exceptions, give, given, renewed, sent, wares
from tests.world_fixture import World


def ordered(world: World, order_id: str, at: int) -> bytes:
    """A notice of type 1 for the first shop."""
    data = f'{{"order_id":"{order_id}","order_status":"AWAITING_SHIPMENT","update_time":{at}}}'
    return (
        f'{{"type":1,"tts_notification_id":"76{at:017d}","shop_id":"{world.shop_id}","timestamp":{at},"data":{data}}}'
    ).encode()


async def test_an_order_nobody_may_fetch_is_an_exception_until_it_came(world: World) -> None:
    """Its notice comes while the consent is over; the renewal brings it, and it ends by itself."""
    connection_id = await world.linked(period="3d")
    await world.hub.work()
    world.sandbox.advance("4d")
    await world.hub.work()
    (order,) = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 1})["orders"]
    now = int((await world.now()).timestamp())
    assert 200 == await world.deliver(ordered(world, order["id"], now))
    await world.hub.work()
    (missed,) = await exceptions(world)
    await renewed(world, connection_id)
    world.sandbox.advance("1s")
    await world.hub.work()
    (came,) = await exceptions(world, state="resolved")

    assert (order["id"], "orders", "authorization_expired", 0) == tuple(
        missed[name] for name in ("record_id", "flow", "cause", "attempts")
    )
    assert missed["outage_id"]
    assert (missed["id"], "by_itself") == (came["id"], came["how"])
    assert order["id"] in {record["id"] for record in await world.records(connection_id)}


async def test_an_order_that_was_known_already_is_no_exception_for_ever(world: World) -> None:
    """Its notice comes while the consent is over, and says nothing new: no poll brings it again, and the outage closes."""
    connection_id = await world.linked(period="3d")
    await world.hub.work()
    known = (await world.records(connection_id))[0]["id"]
    world.sandbox.advance("4d")
    await world.hub.work()
    assert 200 == await world.deliver(ordered(world, known, int((await world.now()).timestamp())))
    await world.hub.work()
    missed = [each["record_id"] for each in await exceptions(world)]
    await renewed(world, connection_id)
    world.sandbox.advance("1s")
    await world.hub.work()

    assert [known] == missed
    assert [(known, "by_itself")] == [
        (each["record_id"], each["how"]) for each in await exceptions(world, state="resolved")
    ]
    (outage,) = (await world.hub.api.get(f"/v1/connections/{connection_id}/outages")).json()["items"]
    assert outage["closed_at"], outage


async def test_a_row_nobody_can_read_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bulk retry asks from before it, and fails while it is as it was; once it can be read, the next one ends it."""
    send, broken = world.hub.ports.platform.send, list[str]()

    async def spoiled(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        if not request.url.endswith("/orders/search"):
            return reply
        body = json.loads(reply.body)
        for row in body["data"]["orders"]:
            if row["id"] in (broken or [row["id"]]):
                broken[:] = [row["id"]]
                row["update_time"] = "yesterday"
        return replace(reply, body=json.dumps(body).encode())

    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ports.platform, "send", spoiled)
        connection_id = await world.linked()
        await world.hub.work()
        found = await exceptions(world)
        world.sandbox.advance("2d")
        await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
        await world.hub.work()
        failing = (await world.hub.api.post("/v1/replays", json={"cause": "unreadable_record"})).json()
        await world.hub.work()
        failed = (await world.hub.api.get(f"/v1/replays/{failing['id']}")).json()
    begun = (await world.hub.api.post("/v1/replays", json={"cause": "unreadable_record"})).json()
    await world.hub.work()
    over = (await world.hub.api.get(f"/v1/replays/{begun['id']}")).json()

    assert [(broken[0], "orders", "unreadable_record")] == [
        (each["record_id"], each["flow"], each["cause"]) for each in found
    ]
    assert (1, 1, 0) == (failed["total"], failed["failed"], failed["waiting"])
    assert (1, 1, 0) == (over["total"], over["succeeded"], over["waiting"])
    assert broken[0] in {record["id"] for record in await world.records(connection_id)}
    assert ["retried"] == [each["how"] for each in await exceptions(world, state="resolved")]


async def test_what_may_pass_is_tried_again_and_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Throttled: all of the shop wait, and nothing has failed. No answer: an exception, until the next try succeeds."""
    connection_id = await world.linked()
    await world.hub.work()
    first, second, *_ = await wares(world, connection_id)
    send, says = world.hub.ports.platform.send, list[Reply]()

    async def saying(request: Request, *, once: bool = False) -> Reply:
        return says[0] if request.url.endswith("/inventory/update") else await send(request, once=once)

    async def due() -> None:
        async with world.hub.parts.database.connection() as connection:
            await connection.execute("update pushes set due_at = now() where state = 'waiting'")
            await connection.execute("update shop_paces set waits_until = null, free_at = now()")
        await world.hub.work()

    told: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ports.platform, "send", saying)
        says[:] = [Reply(status=429, body=b"", retry_after=3600.0)]
        await give(world, connection_id, **{first["sku"]: 1})
        await world.hub.work()
        await give(world, connection_id, **{second["sku"]: 2})
        told.append((await exceptions(world), await world.hub.work()))
        for status, body in (
            (500, b""),
            (200, b'{"code":105002,"message":"x"}'),
            (200, b'{"code":0,"data":{"errors":1}}'),
        ):
            says[:] = [Reply(status=status, body=body)]
            await due()
            told.append([(each["cause"], each["attempts"], each["parked"]) for each in await exceptions(world)])
    world.sandbox.advance("1s")
    await due()

    assert ([], 0) == told[0]
    assert [("platform_unavailable", 1, False)] * 2 == told[1] == told[2]
    assert [("platform_unavailable", 2, False)] * 2 == told[3]
    assert {"done"} == set((await sent(world, connection_id)).values())
    assert [] == await exceptions(world)
    assert calls(world)


async def test_a_refusal_that_is_the_records_own_stops_nothing_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform says of stock only that the authorization is gone, or the shop another one: a few tries, and a person."""
    connection_id = await world.linked()
    await world.hub.work()
    first, second, *_ = await wares(world, connection_id)
    send, says = world.hub.ports.platform.send, list[bytes]()

    async def saying(request: Request, *, once: bool = False) -> Reply:
        if not request.url.endswith("/inventory/update"):
            return await send(request, once=once)
        says.append(says[0])
        assert len(says) < 20
        return Reply(status=200, body=says[0])

    told: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ports.platform, "send", saying)
        for ware, code in ((first, 105001), (second, 101000)):
            says[:] = [b'{"code":%d,"message":"x"}' % code]
            await give(world, connection_id, **{ware["sku"]: 1})
            for _ in range(push.A_FEW):
                await world.hub.work()
                async with world.hub.parts.database.connection() as connection:
                    waiting = await connection.fetchval(
                        "select max(due_at) > now() + interval '1 second' from pushes where state = 'waiting'"
                    )
                    told.append((code, waiting, (await world.connection(connection_id))["status"]))
                    await connection.execute("update pushes set due_at = now() where state = 'waiting'")
    told_of = await world.events(connection_id)

    assert [
        (code, waits or None, "active") for code in (105001, 101000) for waits in (*[True] * (push.A_FEW - 1), False)
    ] == told
    assert [
        (first["sku"], "platform_denies_authorization", True),
        (second["sku"], "platform_wrong_shop", True),
    ] == [(each["record_id"], each["cause"], each["parked"]) for each in await exceptions(world)]
    assert push.A_FEW <= told_of.count("connection.suspended") < 2 * push.A_FEW  # the check of stock asks, too


async def test_people_and_rules_end_what_nothing_else_does(world: World) -> None:
    """By hand, by rule: dismissed is not sent, resolved counts as good; a rule tries again after its minutes and not before."""
    connection_id = await world.linked()
    await world.hub.work()
    skus = ("BY-HAND", "DISMISS", "RESOLVE", "RETRY")
    await give(world, connection_id, **dict.fromkeys(skus, 1))
    await world.hub.work()
    api, broken = world.hub.api, {each["record_id"]: each for each in await exceptions(world)}
    by_hand = await api.post(f"/v1/exceptions/{broken['BY-HAND']['id']}/dismiss")
    again = await api.post(f"/v1/exceptions/{broken['BY-HAND']['id']}/dismiss")
    rules = []
    async with world.hub.parts.database.connection() as connection:
        for action in ("dismiss", "resolve", "retry"):
            given = {"cause": f"test_{action}", "action": action, "after_minutes": 30, "connection_id": connection_id}
            rules.append((await api.post("/v1/exception-rules", json=given)).json()["id"])
            await connection.execute(
                "update exceptions set cause = $1 where entity = $2", f"test_{action}", action.upper()
            )
        await world.hub.work()
        early = {each["record_id"]: each["state"] for each in await exceptions(world)}
        await connection.execute(
            "update exceptions set opened_at = now() - $1::interval, last_at = now() - $1::interval",
            timedelta(minutes=31),
        )
    await world.hub.work()
    how = {
        each["record_id"]: (each["state"], each["how"])
        for state in ("open", "resolved", "dismissed")
        for each in await exceptions(world, state=state)
    }
    async with world.hub.parts.database.connection() as connection:
        replays = await connection.fetch("select created_by, total from replays")
    removed = [(await api.delete(f"/v1/exception-rules/{rule}")).status_code for rule in (*rules, rules[0])]

    assert (200, "by_hand", 200) == (by_hand.status_code, by_hand.json()["how"], again.status_code)
    assert {"DISMISS": "open", "RESOLVE": "open", "RETRY": "open"} == early
    assert {
        "BY-HAND": ("dismissed", "by_hand"),
        "DISMISS": ("dismissed", "by_rule"),
        "RESOLVE": ("resolved", "by_rule"),
        "RETRY": ("open", None),
    } == how
    assert [(rules[2], 1)] == [(row["created_by"], row["total"]) for row in replays]
    assert [204, 204, 204, 404] == removed
    assert {"exception.opened", "exception.dismissed", "exception.resolved"} <= set(await world.events(connection_id))
    assert {"dismissed": 3, "parked": 1} == {
        stage: list((await sent(world, connection_id)).values()).count(stage) for stage in ("dismissed", "parked")
    }


async def test_of_one_sku_one_level_is_in_hand(world: World) -> None:
    """A newer level waits for the one in somebody's hand; whoever lost the lease settles nothing."""
    connection_id = await world.linked()
    await world.hub.work()
    first, *_ = await wares(world, connection_id)
    pushes, now = world.hub.ports.books.outward.pushes, await world.now()
    await give(world, connection_id, **{first["sku"]: 1})
    (lost,) = await pushes.take_due(world.sandbox.url, now, 10)
    (newer,) = await give(world, connection_id, **{first["sku"]: 2})
    meanwhile = await pushes.take_due(world.sandbox.url, now, 10)
    async with world.hub.parts.database.connection() as connection:
        await connection.execute(
            "update pushes set lease_until = now() - interval '1 second' where lease_until > now()"
        )
    (taken,) = await pushes.take_due(world.sandbox.url, now, 10)
    slept = await push.one(lost, world.hub.ports)
    came = [Came(push=push, state=Standing.PARKED, cause="late", message="late") for push in lost.pushes]
    await pushes.settle(lost, came, now)
    told, broken = await sent(world, connection_id), await exceptions(world)
    await push.one(taken, world.hub.ports)
    (second,) = await pushes.take_due(world.sandbox.url, now, 10)
    async with (
        world.hub.parts.database.connection() as connection
    ):  # as if it had been parked while the newer one was given
        await connection.execute("update pushes set state = 'parked' where id = $1", lost.pushes[0].id)
    await push.one(second, world.hub.ports)
    async with world.hub.parts.database.connection() as connection:
        parked = await connection.fetch("delete from pushes where state <> 'done' returning state, id")
    outdated = [(row["state"], row["id"]) for row in parked]
    await world.hub.work()

    assert ([], [], "lost") == (meanwhile, broken, slept)
    assert [lost.pushes[0].id] == [push.id for push in taken.pushes]
    assert {lost.pushes[0].id: "waiting", newer["id"]: "waiting"} == told
    assert [("superseded", lost.pushes[0].id)] == outdated
    assert {"done"} == set((await sent(world, connection_id)).values())
    assert 2 == len(calls(world))
    assert 2 == (await at_the_platform(world, connection_id))[first["sku"]]


async def test_every_warehouse_of_a_variant_is_named(world: World) -> None:
    """One that lies in two is parked until both are said; a SKU of two variants until one of them is meant."""
    connection_id = await world.linked()
    await world.hub.work()
    first, second, *_ = await wares(world, connection_id)
    async with world.hub.parts.database.connection() as connection:
        mine = await connection.fetchval("select warehouse_ids[1] from wares where sku_id = $1", first["sku_id"])
        await connection.execute(
            "update wares set seller_sku = 'TWINS' where sku_id = any($1)", [first["sku_id"], second["sku_id"]]
        )
    await give(world, connection_id, TWINS=1)
    await world.hub.work()
    ambiguous = [(each["record_id"], each["cause"]) for each in await exceptions(world)]
    other = world.sandbox.post("/warehouses", {"shop": world.shop_id, "name": "East", "stock": True})["id"]
    world.sandbox.advance("1h")
    await world.hub.work()
    await give(world, connection_id, **{first["sku"]: 3})
    await world.hub.work()
    missing = [each["cause"] for each in await exceptions(world) if each["record_id"] == first["sku"]]
    await given(
        world,
        connection_id,
        [{"sku": first["sku"], "quantity": count, "warehouse_id": each} for each, count in ((mine, 4), (other, 5))],
    )
    await world.hub.work()

    assert [("TWINS", "sku_ambiguous")] == ambiguous
    assert ["warehouse_missing"] == missing
    assert 9 == (await at_the_platform(world, connection_id))[first["sku"]]


async def test_nothing_is_sent_while_the_gate_is_shut(world: World) -> None:
    """Taken while it was open, and shut since: the record goes back as it was, and no call leaves."""
    connection_id = await world.linked()
    await world.hub.work()
    first, *_ = await wares(world, connection_id)
    await give(world, connection_id, **{first["sku"]: 1})
    pushes, now = world.hub.ports.books.outward.pushes, await world.now()
    (wave,) = await pushes.take_due(world.sandbox.url, now, 10)
    taken_twice = await pushes.take_due(world.sandbox.url, now, 10)
    await world.hub.api.post(f"/v1/connections/{connection_id}/pause", json={"flow": flows.Kind.STOCK})
    outcome = await push.one(wave, world.hub.ports)
    await world.hub.work()
    held = (await world.hub.api.get(f"/v1/connections/{connection_id}/inventory")).json()["items"]

    assert [] == taken_twice
    assert ("shut: paused_by_vendor", []) == (outcome, calls(world))
    assert [("held", "paused_by_vendor", 0)] == [(each["status"], each["reason"], each["attempts"]) for each in held]
    assert ["paused_by_vendor"] == [each["cause"] for each in await exceptions(world)]
    await world.hub.api.post(f"/v1/connections/{connection_id}/resume", json={"flow": flows.Kind.STOCK})
    await world.hub.work()
    assert 1 == len(calls(world))
    assert [] == await exceptions(world)
