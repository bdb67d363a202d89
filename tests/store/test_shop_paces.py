"""The pace of a shop's calls, on real rows: one budget for all workers, and a wait that everybody keeps."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from evergrant.store import shop_paces
from evergrant.store.shop_paces import ShopPaces
from tests.world_fixture import World

NOTHING = timedelta(0)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how many seconds turns were waited for; nobody really sleeps."""
    found = list[float]()

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return found


async def sql(world: World, statement: str) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement)


async def a_shop(world: World) -> tuple[str, str, str]:
    """The first shop of a connection."""
    return (world.hub.tenant_id, await world.linked(), world.shop_id)


async def test_workers_share_one_budget_for_a_shop(
    world: World, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    """Eight at once get one second's worth and one more; a turn that comes soon is waited for; other shops are not slowed."""
    shop = await a_shop(world)
    other = (shop[0], await world.linked_elsewhere(), await sql(world, "select max(shop_id) from shops"))
    workers = [ShopPaces(world.hub.parts.database, per_second=4 / 3600) for _ in range(8)]
    monkeypatch.setattr(shop_paces, "BURST", timedelta(hours=1))
    waits = [wait for _ in range(2) for wait in await asyncio.gather(*(worker.take(shop) for worker in workers))]

    assert 5 == waits.count(NOTHING)
    assert all(timedelta(minutes=14) < wait <= timedelta(minutes=15) for wait in waits if wait)
    assert NOTHING == await workers[0].take(other)
    assert NOTHING == await workers[0].take(("ten_x", "con_x", "1"))

    monkeypatch.setattr(shop_paces, "PATIENCE", timedelta(minutes=15))
    assert not any(slept)
    assert NOTHING == await workers[7].take(shop)
    assert 14 * 60 < slept[-1] <= 15 * 60


async def test_calls_side_by_side_are_no_more_than_a_second_allows(world: World, slept: list[float]) -> None:
    """A wave of 25 at ten a second is ten, and the next ten wait until their last has its turn; a slow shop gets one."""
    shop = await a_shop(world)
    paces = ShopPaces(world.hub.parts.database, per_second=10)
    await sql(world, "update shop_paces set free_at = now() - interval '1 hour', per_second = null")
    first, second = await paces.take_some(shop, 25), await paces.take_some(shop, 25)
    few = await ShopPaces(world.hub.parts.database, per_second=10**6).take_some(shop, 25)
    await sql(world, "update shop_paces set free_at = now() - interval '1 hour', per_second = 0.2")
    slow = await paces.take_some(shop, 25)
    quicker = await sql(world, "select per_second from shop_paces")
    await sql(world, "update shop_paces set free_at = now() - interval '1 hour', per_second = 4")
    again = await paces.take_some(shop, 25)

    assert [(10, NOTHING), (10, NOTHING), (25, NOTHING)] == [first, second, few]
    assert slept[0] == 0
    assert 0.7 < slept[1] <= 0.9
    assert [(1, NOTHING), (4, NOTHING)] == [slow, again]
    assert 0.22 == pytest.approx(quicker)
    assert pytest.approx(4 * 1.1**4) == await sql(world, "select per_second from shop_paces")


async def test_a_wait_the_platform_asked_for_is_everybodys_and_slows_the_shop_for_a_while(
    world: World, slept: list[float]
) -> None:
    """Halved once a wait, never below one call in five seconds, and as set again after some calls that went well."""
    shop = await a_shop(world)
    first, second = (ShopPaces(world.hub.parts.database, per_second=100) for _ in range(2))
    for told in (60, 7, 10**9):
        await first.throttled(shop, timedelta(seconds=told))
    wait = await second.take(shop)

    assert not slept
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    assert 50 == await sql(world, "select per_second from shop_paces")
    for pace in (25, 12.5):
        await sql(world, "update shop_paces set waits_until = now()")
        await second.throttled(shop, timedelta(hours=1))
        assert pace == await sql(world, "select per_second from shop_paces")
    await sql(world, "update shop_paces set waits_until = now(), per_second = 0.3")
    await second.throttled(shop, timedelta(hours=1))
    assert 0.2 == pytest.approx(await sql(world, "select per_second from shop_paces"))

    await sql(world, "update shop_paces set waits_until = now() - interval '1 minute', per_second = 90")
    assert NOTHING == await first.take(shop)
    assert await sql(world, "select per_second between 98 and 100 from shop_paces")
    assert NOTHING == await first.take(shop)
    assert await sql(world, "select per_second is null from shop_paces")


async def test_what_a_request_holds_does_not_hold_the_pace(world: World) -> None:
    """The row is let go of at once, so that no worker waits until a request that calls the platform is done."""
    shop, database = await a_shop(world), world.hub.parts.database
    paces = ShopPaces(database, per_second=1000)
    async with database.held():
        assert NOTHING == await paces.take(shop)
        other = asyncio.create_task(paces.take(shop))
        assert NOTHING == await asyncio.wait_for(other, 5)
