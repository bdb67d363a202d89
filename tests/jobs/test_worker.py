"""The worker over real rows: it goes on whatever fails."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from evergrant.actions.ports import Ports, Received
from evergrant.jobs import timetable
from evergrant.jobs.worker import Worker
from evergrant.store.inbox import Inbox
from tests.world_fixture import SCOPES, World

LOOKS = 400
NOBODY_THERE = "http://127.0.0.1:9"


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[None]:
    """A worker, until the end of the story."""
    worker = Worker(world.hub.ports, at_once={"refresh": 10, "sync": 10})
    running = asyncio.create_task(worker.run())
    yield
    worker.stop()
    await running


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to become so."""
    for _ in range(LOOKS):
        if await look():
            return
        await asyncio.sleep(20 / LOOKS)
    raise AssertionError("it did not become so in 20 s")


def refreshed(world: World) -> bool:
    """Whether the platform was shown a refresh token."""
    return any(line["path"].endswith("/refresh") for line in world.sandbox.log(kind="token"))


async def an_app_elsewhere(world: World) -> None:
    """Another app, whose sandbox is away."""
    other = {"key": "6absent", "secret": "absent_secret", "service_id": "7000000000000000043"}
    hosts = {"base_urls": {"sandbox": world.sandbox.url}, "required_scopes": SCOPES}
    away = (await world.hub.api.post("/v1/apps", json=other | hosts)).json()
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update apps set clock = $1 where id = $2", NOBODY_THERE, away["id"])


async def test_a_clock_that_cannot_be_read_stops_no_other(world: World) -> None:
    """One vendor's sandbox is away; the others' tokens are refreshed and their ends are kept all the same."""
    connection_id = await world.linked(period="30d")
    await an_app_elsewhere(world)
    async with at_work(world):
        world.sandbox.advance("4d")
        await until(lambda: asyncio.to_thread(refreshed, world))
        world.sandbox.advance("27d")
        await until(lambda: has_status(world, connection_id, "expired"))


async def has_status(world: World, connection_id: str, status: str) -> bool:
    """Whether the connection has that status."""
    return bool((await world.connection(connection_id))["status"] == status)


async def test_a_notice_that_cannot_be_digested_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of a batch fails again and again; those behind it are settled at once."""
    connection_id = await world.linked()
    settle = Inbox.settle

    async def stumbling(self: Inbox, received: Received, *given: Any) -> None:
        if received.notification_id == "poison":
            raise RuntimeError("a defect of ours")
        await settle(self, received, *given)

    monkeypatch.setattr(Inbox, "settle", stumbling)
    for name in ("poison", "behind it"):
        assert 200 == await world.deliver(world.deauthorization(await world.now(), name))
    async with at_work(world):
        await until(lambda: was_suspended(world, connection_id))


async def was_suspended(world: World, connection_id: str) -> bool:
    """Whether a deauthorization notice was understood."""
    return "connection.suspended" in await world.events(connection_id)


async def test_a_clock_with_much_to_do_leaves_room_to_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have more than there is room for, at every look: neither waits until the other is done."""
    await an_app_elsewhere(world)
    done, enough = Counter[str](), asyncio.Event()

    async def take(clock: str, _ports: Ports, room: int) -> list[str]:
        return [clock] * room

    async def run(clock: str, _ports: Ports) -> str:
        await asyncio.sleep(0.001)
        done[clock] += 1
        if done.total() == 200:
            enough.set()
        return "done"

    for name, lines in (
        ("DUE", (timetable.Due(name="sync", every=0.5, take=take, run=run),)),
        ("BY_CLOCK", ()),
        ("ONCE", ()),
    ):
        monkeypatch.setattr(timetable, name, lines)
    async with at_work(world):
        await asyncio.wait_for(enough.wait(), 20)

    assert {world.sandbox.url, NOBODY_THERE} == set(done)
    assert min(done.values()) > 50
