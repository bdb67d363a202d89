"""What a repeated call of the platform is told, whatever became of the first answer: it is never made twice under one key."""

import asyncio
import json
from datetime import timedelta

import pytest

from evergrant.core.errors import AuditUnavailableError, DatabaseUnavailableError
from evergrant.providers import tiktok_shop
from evergrant.providers.wire import Reply
from evergrant.web import proxied
from tests.journeys.test_calls_through_the_hub import ORDERS, SHOPS, at, called, code, rows, search
from tests.world_fixture import World


async def test_an_erasure_of_another_shop_makes_no_call_new(world: World) -> None:
    """The answers are gone, sealed as they are, and that there was one is not. Of the erased shop nothing stays, not even that."""
    mine, other = await world.linked(), await world.linked_elsewhere()
    key = {"idempotency-key": "k"}
    first = [await search(world, each, headers=key) for each in (mine, other)]
    await rows(
        world,
        "insert into kept_answers select tenant_id, route, 'dead', fingerprint, scope, null, null, null, kept_at, '-infinity'"
        " from kept_answers",
    )
    merchant = await world.hub.api.post("/v1/merchants", json={"external_id": "m", "name": "M"}, headers=key)
    before = called(world)
    erased = await world.hub.api.delete(f"/v1/connections/{mine}")
    kept = await rows(world, "select route, key, status, sealed, media_type from kept_answers order by key")
    again = [await search(world, each, headers=key) for each in (mine, other)]
    reused = await search(world, other, params={"page_size": "6"}, headers=key)
    anew = await world.hub.api.post("/v1/merchants", json={"external_id": "m", "name": "M"}, headers=key)
    await rows(world, "update kept_answers set kept_at = now() - interval '7 days 1 second'")
    later = await search(world, other, headers=key)

    assert [200, 200, 201, 202] == [each.status_code for each in (*first, merchant, erased)]
    route = f"POST /v1/connections/{other}/proxy/order/202309/orders/search"
    assert [(route, "dead", None, None, None), (route, "k", None, None, None)] == [tuple(row) for row in kept]
    assert [(409, "connection_erased"), (504, "call_outcome_unknown")] == [code(each) for each in again]
    assert (422, "idempotency_key_reused") == code(reused)
    assert (409, "conflict") == code(anew), "a call that is none of the platform's is done anew"
    assert (200, before + 1) == (later.status_code, called(world)), "after seven days the key is new"


@pytest.mark.parametrize("meanwhile", ["shop_paces.ShopPaces.take", "audit.Trail.record"])
async def test_a_call_whose_gate_shuts_while_it_waits_does_not_leave(
    world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """For its turn, or for its line in the trail. Its key is free: nothing was done."""
    connection_id = await world.linked()

    async def shut(*_: object) -> timedelta:
        await rows(world, "update connections set state = 'suspended'")
        return timedelta(0)

    with monkeypatch.context() as patched:
        patched.setattr(f"evergrant.store.{meanwhile}", shut)
        refused = await search(world, connection_id, headers={"idempotency-key": "k"})
    before, trail = called(world), await rows(world, "select 1 from audit where action = 'platform.called'")
    await rows(world, "update connections set state = 'active'")
    again = await search(world, connection_id, headers={"idempotency-key": "k"})

    assert (409, "authorization_suspended") == code(refused)
    assert (0, [], 200, 1) == (before, trail, again.status_code, called(world))


async def test_an_answer_that_breaks_the_hub_is_not_known(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform has acted: a repetition must not. Nesting without end breaks nothing: it goes on as it came."""
    connection_id = await world.linked()
    deep = b'{"code": 0, "request_id": "r", "data": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"

    async def deeply(*_: object, **__: object) -> Reply:
        return Reply(status=200, body=deep, media_type="application/json")

    def breaks(*_: object) -> None:
        raise KeyError("nobody thought of that")

    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ports.platform, "send", deeply)
        nested = await search(world, connection_id)
    with monkeypatch.context() as patched:
        patched.setattr(tiktok_shop, "read_call", breaks)
        broken = await search(world, connection_id, headers={"idempotency-key": "k"})
        looked = await world.hub.api.get(at(connection_id, SHOPS))
    again = await search(world, connection_id, headers={"idempotency-key": "k"})

    assert (200, deep) == (nested.status_code, nested.content)
    assert (504, "call_outcome_unknown") == code(broken)
    assert (500, "internal_error") == code(looked)
    assert (504, broken.content, 1) == (again.status_code, again.content, called(world))


async def test_a_repetition_is_told_whose_answer_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the hub's code, or the platform's own id. What could not be kept is told to who asked, and unknown to the others."""
    connection_id = await world.linked()
    ours = {"kind": "api", "path": ORDERS, "action": "lose_reply", "times": 1}
    world.sandbox.post("/faults", ours)
    lost = [await search(world, connection_id, headers={"idempotency-key": "lost"}) for _ in range(2)]
    theirs = [await search(world, connection_id, headers={"idempotency-key": "k"}) for _ in range(2)]

    async def away(*_: object) -> None:
        raise DatabaseUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr("evergrant.store.answers.Answers.keep", away)
        unkept = await search(world, connection_id, headers={"idempotency-key": "unkept"})
    await rows(world, "update kept_answers set lease_until = now() - interval '1 second' where status is null")
    before = called(world)
    unknown = await search(world, connection_id, headers={"idempotency-key": "unkept"})

    assert [(504, "call_outcome_unknown")] * 2 == [code(each) for each in lost]
    assert 1 == len({each.headers["x-platform-request-id"] for each in theirs})
    assert not [each for each in theirs if "x-error-code" in each.headers]
    assert (200, 0) == (unkept.status_code, unkept.json()["code"])
    assert (504, "call_outcome_unknown") == code(unknown)
    assert before == called(world)


async def test_what_is_told_again_is_recorded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who, when, method and path, before it leaves; where that cannot be, it does not."""
    connection_id, key = await world.linked(), {"idempotency-key": "k"}
    answers = [await search(world, connection_id, headers=key) for _ in range(2)]
    told = await rows(world, "select request_id, detail, subject from audit where action = 'platform.told_again'")

    async def full(*_: object) -> None:
        raise AuditUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr("evergrant.store.audit.Trail.record", full)
        refused = await search(world, connection_id, headers=key)

    assert answers[0].content == answers[1].content
    assert [(answers[1].headers["x-request-id"], connection_id)] == [
        (row["request_id"], row["subject"]) for row in told
    ]
    assert {"method": "POST", "path": ORDERS}.items() < json.loads(told[0]["detail"]).items()
    assert (503, "audit_unavailable") == code(refused)


async def test_so_many_calls_are_under_way_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one workspace, and of all; more are told to come back, and not made. Those that have ended count no more."""
    connection_id, begun, go = await world.linked(), asyncio.Semaphore(0), asyncio.Event()

    async def slowly(*_: object, **__: object) -> Reply:
        begun.release()
        await go.wait()
        return Reply(status=200, body=b"{}")

    async def at_once(*_: object) -> timedelta:
        return timedelta(0)

    monkeypatch.setattr(world.hub.ports.platform, "send", slowly)
    monkeypatch.setattr("evergrant.store.shop_paces.ShopPaces.take", at_once)
    calls = [asyncio.create_task(search(world, connection_id)) for _ in range(proxied.AT_ONCE)]
    for _ in calls:
        await begun.acquire()
    more = await asyncio.wait_for(search(world, connection_id), 10)
    monkeypatch.setattr(proxied, "AT_ONCE", proxied.AT_ONCE + 1)
    monkeypatch.setattr(proxied, "AT_ONCE_IN_ALL", len(calls))
    of_all = await asyncio.wait_for(search(world, connection_id), 10)
    go.set()
    done = await asyncio.gather(*calls)
    after = await search(world, connection_id)

    assert [(429, "shop_pace_exceeded")] * 2 == [code(more), code(of_all)]
    assert "1" == more.headers["retry-after"]
    assert {200} == {each.status_code for each in (*done, after)}
