"""Faults made for notices, on a real socket: what the receiver gets, what the platform believes, and what it tries again."""

import asyncio
from typing import Any

import pytest

from tests.sandbox.kit import Sandbox, eventually
from tests.sandbox.receiving import Receiver


async def cancelled(sandbox: Sandbox, receiver: Receiver, **fault: Any) -> Any:
    """A fault for notices, then a cancellation that causes one; gives the fault."""
    app = await sandbox.app(webhook_url=receiver.url)
    pair = await sandbox.connected(app, await sandbox.seller())
    made = await sandbox.steer("faults", kind="notice", app=app["key"], **fault)
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    return made


async def answers(sandbox: Sandbox) -> list[tuple[str, str]]:
    """What the platform believes of each attempt, and which fault hit it."""
    lines = (await sandbox.ask("log", kind="notice"))["items"]
    return [(each["notice"]["answer"], each["fault"].partition(":")[2]) for each in lines]


async def answered(sandbox: Sandbox, count: int) -> list[tuple[str, str]]:
    """The same, once there are so many."""

    async def enough() -> Any:
        found = await answers(sandbox)
        return found if len(found) >= count else None

    found: list[tuple[str, str]] = await eventually(enough)
    return found


@pytest.mark.parametrize(
    ("fault", "believed", "deliveries"),
    [
        ({"action": "lose_reply"}, "reply_lost_by_fault", 2),
        ({"action": "status", "status": 503}, "503", 1),
        ({"action": "status", "status": 503, "moment": "after_work"}, "503", 2),
        ({"action": "truncate", "after_bytes": 20}, "cut_by_fault", 1),
    ],
)
async def test_a_notice_that_went_wrong_is_tried_again(
    sandbox: Sandbox, receiver: Receiver, fault: dict[str, Any], believed: str, deliveries: int
) -> None:
    """Two minutes later, whether the receiver had it or not; the log says which fault it was."""
    await cancelled(sandbox, receiver, times=1, **fault)
    await answered(sandbox, 1)
    await sandbox.steer("clock", advance="2m")

    assert [(believed, fault["action"]), ("200", "")] == await answers(sandbox)
    assert deliveries == len(receiver.deliveries)
    assert 1 == len({delivery.body for delivery in receiver.deliveries})


async def test_a_notice_of_the_wrong_type_is_a_page(sandbox: Sandbox, receiver: Receiver) -> None:
    """HTML under the real notice's signature."""
    await cancelled(sandbox, receiver, action="wrong_type", times=1)
    (delivery,) = await receiver.wait_for(1)

    assert "text/html" == delivery.headers["Content-Type"]
    assert delivery.body.startswith(b"<!doctype html>")


async def test_a_notice_can_be_late(sandbox: Sandbox, receiver: Receiver) -> None:
    """It arrives, and the platform waits with it."""
    await cancelled(sandbox, receiver, action="delay", seconds=0.3, times=1)
    early = len(receiver.deliveries)
    await receiver.wait_for(1)

    assert 0 == early
    assert [("200", "delay")] == await answered(sandbox, 1)


@pytest.mark.parametrize(
    ("barrier", "before", "believed_when_cut"),
    [
        ("before_rotate", 0, "cut_by_fault"),
        ("half_body", 0, "cut_by_fault"),
        ("after_rotate", 1, "reply_lost_by_fault"),
        ("full_body", 1, "reply_lost_by_fault"),
    ],
)
@pytest.mark.parametrize("verdict", ["continue", "cut"])
async def test_a_notice_is_held_until_it_is_released(
    sandbox: Sandbox, receiver: Receiver, barrier: str, before: int, believed_when_cut: str, verdict: str
) -> None:
    """At every barrier; meanwhile the clock can be turned, and then it goes on or is cut."""
    fault = await cancelled(sandbox, receiver, action="hold", barrier=barrier, times=1)

    async def waiting() -> Any:
        return (await sandbox.ask("faults"))["items"][0]["waiting"]

    held = await eventually(waiting)
    async with asyncio.timeout(5):
        await sandbox.steer("clock", advance="1h")
    delivered, logged = len(receiver.deliveries), await answers(sandbox)
    released = await sandbox.steer(f"faults/{fault['id']}/release", verdict=verdict)

    assert receiver.url == held[0]["path"]
    assert ((before, []), {"count": 1}) == ((delivered, logged), released)
    assert ("200" if verdict == "continue" else believed_when_cut, "hold") == (await answered(sandbox, 1))[0]


async def test_a_reset_does_not_wait_for_a_notice_that_is_held(sandbox: Sandbox, receiver: Receiver) -> None:
    """It lets it go first; what was delivered belongs to the old world."""
    await cancelled(sandbox, receiver, action="hold", barrier="before_rotate")

    async def waiting() -> Any:
        return (await sandbox.ask("faults"))["items"][0]["waiting"]

    await eventually(waiting)
    async with asyncio.timeout(5):
        await sandbox.steer("reset")

    assert [] == (await sandbox.ask("faults"))["items"]
    assert 1 == len(receiver.deliveries)
    assert [] == await answers(sandbox)


async def test_a_reset_does_not_wait_for_a_notice_that_is_late(sandbox: Sandbox, receiver: Receiver) -> None:
    """Nor does anybody who removes the fault: an hour's delay ends with it."""
    fault = await cancelled(sandbox, receiver, action="delay", seconds=3600)

    async def hit() -> Any:
        return (await sandbox.ask("faults"))["items"][0]["hits"]

    await eventually(hit)
    async with asyncio.timeout(5):
        assert 200 == (await sandbox.client.call("DELETE", f"/_sandbox/faults/{fault['id']}")).status
        await receiver.wait_for(1)
        await cancelled(sandbox, receiver, action="delay", seconds=3600)
        await eventually(hit)
        await sandbox.steer("reset")

    assert 2 == len(receiver.deliveries)


async def test_a_receiver_has_three_seconds_once_a_notice_is_let_go(sandbox: Sandbox, receiver: Receiver) -> None:
    """However long it was held: one that never answers keeps neither the clock nor a reset waiting."""
    receiver.delay = 60
    fault = await cancelled(sandbox, receiver, action="hold", barrier="half_body", times=1)

    async def waiting() -> Any:
        return (await sandbox.ask("faults"))["items"][0]["waiting"]

    await eventually(waiting)
    await sandbox.steer(f"faults/{fault['id']}/release")
    async with asyncio.timeout(6):
        await receiver.wait_for(1)
        receiver.delay = 0
        await sandbox.steer("clock", advance="1m")

    assert [("timeout", "hold")] == await answers(sandbox)


async def test_of_two_notices_that_are_held_one_may_be_let_go(sandbox: Sandbox, receiver: Receiver) -> None:
    """The other stands where it stood, and nobody waits for it."""
    app = await sandbox.app(webhook_url=receiver.url)
    first = await sandbox.steer("faults", kind="notice", action="hold", nth=1, times=1)
    second = await sandbox.steer("faults", kind="notice", action="hold", nth=2, times=1)
    for _ in range(2):
        seller = await sandbox.seller()
        await sandbox.steer("notices", type=1, app=app["key"], shop=seller["shops"][0]["id"], delay="1h")
    await sandbox.steer("clock", advance="1h")

    async def both() -> Any:
        return [1, 1] == [len(each["waiting"]) for each in (await sandbox.ask("faults"))["items"]]

    await eventually(both)
    await sandbox.steer(f"faults/{first['id']}/release")
    await answered(sandbox, 1)
    async with asyncio.timeout(5):
        await sandbox.steer("clock", advance="1h")

    assert {"count": 1} == await sandbox.steer(f"faults/{second['id']}/release")


async def test_a_fault_that_names_no_kind_leaves_notices_alone(sandbox: Sandbox, receiver: Receiver) -> None:
    """What is to go wrong with calls does not touch what the platform sends."""
    app = await sandbox.app(webhook_url=receiver.url)
    pair = await sandbox.connected(app, await sandbox.seller())
    await sandbox.steer("faults", action="status", app=app["key"])
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    await receiver.wait_for(1)

    assert [("200", "")] == await answered(sandbox, 1)
    assert 0 == (await sandbox.ask("faults"))["items"][0]["seen"]


async def test_a_fault_is_over_after_its_time(sandbox: Sandbox) -> None:
    """Then calls go through again, and the list says so."""
    app = await sandbox.app()
    await sandbox.steer("faults", action="status", kind="token", status=503, lasts_seconds=0.2)
    first = await sandbox.client.get("/api/v2/token/refresh", app_key=app["key"])

    async def over() -> Any:
        return (await sandbox.ask("faults"))["items"][0].get("over")

    await eventually(over)

    assert 503 == first.status
    assert 200 == (await sandbox.client.get("/api/v2/token/refresh", app_key=app["key"])).status
    assert 1 == (await sandbox.ask("faults"))["items"][0]["hits"]
