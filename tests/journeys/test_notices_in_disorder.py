"""Deauthorizations that come late, again and among thousands of others, through the real inbox and the platform."""

import asyncio
from datetime import datetime
from itertools import permutations

from evergrant.actions import receive
from tests.world_fixture import KEY, World


def asked(world: World) -> int:
    """How often the platform was asked for the shops of a grant."""
    return len([line for line in world.sandbox.log(kind="api", app=KEY) if line["path"].endswith("/shops")])


async def cancelled_and_back(world: World, connection_id: str) -> datetime:
    """The seller cancels and consents again within two minutes; gives when it was cancelled. No notice is delivered."""
    world.sandbox.advance("1m")
    at = await world.now()
    world.sandbox.post(f"/grants/{world.sandbox.get('/grants', app=KEY)['items'][0]['id']}/cancel")
    world.sandbox.advance("1m")
    assert connection_id == await world.linked(purpose="renew", connection_id=connection_id)
    return at


def warning(world: World, at: datetime, name: str) -> bytes:
    """A notice of type 7 with some end or other."""
    return (
        f'{{"type":7,"tts_notification_id":"{name}","shop_id":"{world.shop_id}","timestamp":{int(at.timestamp())},'
        f'"data":{{"expiration_time":"{int(at.timestamp()) + 86400}"}}}}'
    ).encode()


async def test_late_notices_in_every_order_leave_the_newest_consent_alone(world: World) -> None:
    """Granted, warned, cancelled, granted, cancelled, granted; then the three notices arrive, each twice, six times over."""
    connection_id = await world.linked()
    first = await cancelled_and_back(world, connection_id)
    second = await cancelled_and_back(world, connection_id)
    await world.hub.work()
    token = (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).json()["access_token"]
    for turn, order in enumerate(permutations(range(3))):
        notices = (
            warning(world, first, f"w{turn}"),
            world.deauthorization(first, f"a{turn}"),
            world.deauthorization(second, f"b{turn}"),
        )
        before = asked(world)
        for number in (*order, *reversed(order)):
            assert 200 == await world.deliver(notices[number])
        await world.hub.work()
        left = await world.hub.api.get(f"/v1/connections/{connection_id}/token")

        assert token == left.json()["access_token"], order
        assert 1 == asked(world) - before, order
    assert "connection.suspended" not in await world.events(connection_id)


async def test_an_old_deauthorization_replayed_a_hundred_times_costs_one_question(world: World) -> None:
    """Authorized, deauthorized, authorized again: the same id is kept once, a new id is believed by nobody and verified."""
    connection_id = await world.linked()
    await world.hub.work()
    at = await world.now()
    assert 200 == await world.deliver(world.deauthorization(at, "old"))
    world.sandbox.post(f"/grants/{world.sandbox.get('/grants', app=KEY)['items'][0]['id']}/cancel")
    await world.hub.work()
    assert "cancelled" == (await world.connection(connection_id))["status"]
    world.sandbox.advance("1m")
    await world.linked(purpose="renew", connection_id=connection_id)
    await world.hub.work()
    before = asked(world)
    assert {200} == set(await asyncio.gather(*(world.deliver(world.deauthorization(at, "old")) for _ in range(100))))
    await world.hub.work()
    again = asked(world) - before
    assert 200 == await world.deliver(world.deauthorization(at, "new"))
    await world.hub.work()

    assert (0, 1) == (again, asked(world) - before)
    assert "active" == (await world.connection(connection_id))["status"]
    assert 1 == (await world.events(connection_id)).count("connection.suspended")


async def test_a_deauthorization_overtakes_ten_thousand_others(world: World) -> None:
    """It came last and is taken first; by the time any of the others is understood, no token leaves and no flow runs."""
    connection_id = await world.linked()
    await world.hub.work()
    body = (
        f'{{"type":1,"shop_id":"{world.shop_id}","timestamp":{int((await world.now()).timestamp())},'
        '"data":{"order_id":"1"}}'
    )
    async with world.hub.parts.database.connection() as connection:
        await connection.execute(
            "insert into notices (tenant_id, app_id, notification_id, body) "
            "select $1, $2, 'order-' || n, $3 from generate_series(1, 10000) n",
            world.hub.tenant_id,
            world.app_id,
            body.encode(),
        )
    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    taken = list(await world.hub.ports.books.inbox.take(3))
    assert 10_001 == 3 + len(await world.hub.ports.books.inbox.take(20_000))
    outcomes = [await receive.digest(each, world.hub.ports) for each in taken]
    refused = await world.hub.api.get(f"/v1/connections/{connection_id}/token")

    assert ["suspended", "flow_shut", "flow_shut"] == outcomes
    assert 409 == refused.status_code
    assert [0, 1, 1] == [each.priority for each in taken]
