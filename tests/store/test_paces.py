"""The pace of an app's calls, on real rows: a breaker that lets one look, a wait that all keep, a budget nobody passes."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench import filling
from evergrant.actions.ports import Taken
from evergrant.core.app import WALL
from evergrant.store.database import Database
from evergrant.store.paces import Paces
from evergrant.store.tokens import Tokens
from tests.hub_fixture import Hub

EACH = 20
PLATFORM = "http://127.0.0.1:9"


@pytest.fixture
async def apps(hub: Hub) -> list[str]:
    """Two apps, each with as many due refreshes."""
    now = await hub.now(WALL)
    home = await filling.settle(hub.parts, PLATFORM)
    made = []
    for begin in (0, EACH):
        home = replace(home, app=replace(home.app, id=f"app_{begin}", key=f"key{begin}"))
        await hub.parts.apps.add(home.app, actor="test")
        await filling.connections(
            hub.parts, home, range(begin, begin + EACH), due_at=now, now=now - timedelta(days=1), told=lambda _: None
        )
        made.append(home.app.id)
    return made


def tokens(hub: Hub, paces: Paces) -> Tokens:
    """The token clock, going by another pace than the hub's."""
    known: Any = hub.ports.books.tokens
    return Tokens(hub.parts.database, known._vault, known._spool, known._epochs, paces)


async def take(hub: Hub, limit: int = 100, *, by: Tokens | None = None) -> list[Taken]:
    """What a worker would take now."""
    return list(await (by or hub.ports.books.tokens).take_due(WALL, await hub.now(WALL), limit))


async def sql(hub: Hub, statement: str, *given: Any) -> Any:
    """One value straight from the database."""
    async with hub.parts.database.connection() as connection:
        return await connection.fetchval(statement, *given)


async def rest_is_over(hub: Hub) -> None:
    """The wait of every app has passed."""
    await sql(hub, "update app_paces set shut_until = now() - interval '1 second' returning 1")


async def test_an_open_breaker_shows_nothing_lets_one_look_and_closes_by_a_success(hub: Hub, apps: list[str]) -> None:
    """Of the app that is away no row is taken, the other's all are; when the rest is over, eight takers take one row."""
    away, near = apps
    paces = hub.ports.books.paces
    for _ in range(4):
        await paces.unreached(away)
    assert await paces.enter(away)
    for _ in range(50):
        await paces.unreached(away)
    rest = await sql(hub, "select extract(epoch from shut_until - now())::float from app_paces")

    assert 0 < rest <= 5
    assert {near: EACH} == Counter(one.app_id for one in await take(hub))
    assert not await paces.enter(away)
    assert await paces.enter(near)

    await rest_is_over(hub)
    async with hub.parts.database.transaction() as somebody_looks:
        await somebody_looks.execute("select from app_paces for update")
        assert [] == await asyncio.wait_for(take(hub), 5)
    looking = [one for many in await asyncio.gather(*(take(hub) for _ in range(8))) for one in many]
    assert [away] == [one.app_id for one in looking]
    assert looking[0].troubled
    assert not await paces.enter(away)

    for expected in (10, 20, 20):
        await paces.unreached(away)
        assert 0 < await sql(hub, "select extract(epoch from shut_until - now())::float from app_paces") <= expected
        await rest_is_over(hub)
        assert [True, False] == [await paces.enter(away) for _ in range(2)]
    await paces.reached(away)

    assert {away: EACH - 1} == Counter(one.app_id for one in await take(hub))
    assert await sql(hub, "select (failures, openings, shut_until) is not distinct from (0, 0, null) from app_paces")


async def test_a_success_between_failures_keeps_the_breaker_closed(hub: Hub, apps: list[str]) -> None:
    """In a row means in a row."""
    for _ in range(3):
        for _ in range(4):
            await hub.ports.books.paces.unreached(apps[0])
        await hub.ports.books.paces.reached(apps[0])

    assert 2 * EACH == len(await take(hub))


@pytest.mark.parametrize(("told", "seconds"), [(7, 7), (10**9, 3600)])
async def test_a_whole_app_waits_as_it_was_told_an_hour_at_the_most(
    hub: Hub, apps: list[str], told: int, seconds: int
) -> None:
    """The answer to a call that left before cuts no wait short, and a shorter wait does not either."""
    slow, paces = apps[0], hub.ports.books.paces
    await paces.rest(slow, timedelta(seconds=told), "told_to_wait")
    await paces.rest(slow, timedelta(seconds=1), "told_to_wait")
    await paces.reached(slow)
    left = await sql(hub, "select extract(epoch from shut_until - now())::float from app_paces")

    assert seconds - 5 < left <= seconds
    assert {apps[1]} == {one.app_id for one in await take(hub)}


async def test_a_budget_of_calls_in_flight_is_kept_by_all_processes_together(hub: Hub, apps: list[str]) -> None:
    """Eight processes take at once; what one lets go another gets; what a dead one held comes back after a while."""
    each = [Paces(hub.parts.database, at_once=3) for _ in range(8)]
    books = [tokens(hub, paces) for paces in each]
    found = await asyncio.gather(*(take(hub, by=book) for book in books))
    taken = [one for many in found for one in many]

    assert dict.fromkeys(apps, 3) == Counter(one.app_id for one in taken)
    assert not any([await paces.enter(apps[0]) for paces in each])

    holder = next(paces for paces, many in zip(each, found, strict=True) if apps[0] in {one.app_id for one in many})
    await asyncio.gather(*(holder.left(apps[0]) for _ in range(2)))
    assert [True, True, False] == [await each[7].enter(apps[0]) for _ in range(3)]
    await sql(hub, "update app_calls set until = now() returning 1")
    assert dict.fromkeys(apps, 3) == Counter(one.app_id for one in await take(hub, by=books[0]))


async def test_a_call_made_for_a_request_is_counted_off_behind_the_wall(hub: Hub, apps: list[str]) -> None:
    """What lands is written for many at once, and sees the rows of those who asked."""
    tenant = await sql(hub, "select tenant_id from apps limit 1")
    database = await Database.connect(hub.parts.arguments, size=2, walled=True)
    paces = Paces(database, at_once=1)
    try:
        with database.visited():
            database.enter(tenant)
            assert [True, False] == [await paces.enter(apps[0]) for _ in range(2)]
            await paces.left(apps[0])
            assert await paces.enter(apps[0])
    finally:
        await database.close()


async def test_a_budget_of_calls_a_second_is_one_for_refreshes_and_all_others(hub: Hub, apps: list[str]) -> None:
    """One second's worth at once and no more; then as time goes by. A clock that jumps back gives nothing and takes nothing."""
    first, second = (Paces(hub.parts.database, per_second=0.001) for _ in range(2))
    assert [True, False] == [await first.enter(apps[0]) for _ in range(2)]
    assert [apps[1]] == [one.app_id for one in await take(hub, by=tokens(hub, second))]

    await sql(hub, "update app_paces set filled_at = now() + interval '1 hour' returning 1")
    assert not await second.enter(apps[0])
    await sql(hub, "update app_paces set filled_at = now() - interval '1 day' returning 1")
    assert [True, False] == [await second.enter(apps[0]) for _ in range(2)]


async def test_the_app_with_least_time_left_is_served_first(hub: Hub, apps: list[str]) -> None:
    """And a backlog of one app keeps no row of the other from its turn."""
    await sql(
        hub, "update tokens set access_ends = access_ends - interval '1 day' where app_id = $1 returning 1", apps[1]
    )

    assert {apps[1]} == {one.app_id for one in await take(hub, 5)}
    assert {apps[1]: EACH - 5, apps[0]: 5} == Counter(one.app_id for one in await take(hub, EACH))
