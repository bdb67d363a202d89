"""The seller cancels while a call is under way: an answer to what was asked before proves nothing about what came after."""

import asyncio
from typing import Any

from evergrant.actions import receive, refresh, verify
from tests.world_fixture import KEY, World


async def held(world: World, kind: str, path: str) -> Any:
    """The next such call waits at the platform, its work done, until the test lets go of it."""
    fault = {"kind": kind, "path": path, "action": "hold", "barrier": "after_rotate", "times": 1}
    return world.sandbox.post("/faults", fault)["id"]


async def is_waiting(world: World, fault: Any) -> None:
    """Return once a call waits at the platform."""
    for _ in range(500):
        known = await asyncio.to_thread(world.sandbox.get, "/faults")
        if any(one["waiting"] for one in known["items"] if one["id"] == fault):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody came")


async def let_go(world: World, fault: Any) -> None:
    """Let the held call have its answer."""
    await asyncio.to_thread(world.sandbox.post, f"/faults/{fault}/release", {})


def cancel(world: World) -> None:
    """The seller cancels, on the platform's own pages."""
    world.sandbox.post(f"/grants/{world.sandbox.get('/grants', app=KEY)['items'][0]['id']}/cancel")


async def notice_comes(world: World, notification_id: str) -> None:
    """The platform's notice of a cancellation arrives and is digested."""
    assert 200 == await world.deliver(world.deauthorization(await world.now(), notification_id))
    (received,) = await world.hub.ports.books.inbox.take(10)
    assert "suspended" == await receive.digest(received, world.hub.ports)


async def status_and_token(world: World, connection_id: str) -> tuple[str, int]:
    """The connection's status, and how a token read is answered."""
    token = await world.hub.api.get(f"/v1/connections/{connection_id}/token")
    return (await world.connection(connection_id))["status"], token.status_code


async def test_a_refresh_under_way_does_not_resume_what_the_seller_cancelled_meanwhile(world: World) -> None:
    """Refresh sent, seller cancels, notice suspends, answer arrives: no token leaves, and the platform is asked."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.advance("4d")
    fault = await held(world, "token", "/api/v2/token/refresh")
    (taken,) = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
    refreshing = asyncio.create_task(refresh.one(taken, world.hub.ports))
    await is_waiting(world, fault)
    cancel(world)
    await notice_comes(world, "7600000000000000001")
    await let_go(world, fault)

    assert "ok" == await refreshing
    assert ("suspended", 409) == await status_and_token(world, connection_id)
    await world.hub.work()
    assert ("cancelled", 409) == await status_and_token(world, connection_id)
    assert "connection.resumed" not in await world.events(connection_id)


async def test_a_verification_under_way_does_not_answer_a_second_notice(world: World) -> None:
    """The first notice was mistaken and is being refuted when the real one arrives: the platform is asked anew."""
    connection_id = await world.linked()
    await world.hub.work()
    await notice_comes(world, "7600000000000000001")
    fault = await held(world, "api", "/authorization/202309/shops")
    (row,) = await world.hub.ports.books.connections.take_unverified(world.sandbox.url, 10)
    verifying = asyncio.create_task(verify.one(*row, world.hub.ports))
    await is_waiting(world, fault)
    cancel(world)
    await notice_comes(world, "7600000000000000002")
    await let_go(world, fault)

    assert "changed_meanwhile" == await verifying
    assert ("suspended", 409) == await status_and_token(world, connection_id)
    await world.hub.work()
    assert ("cancelled", 409) == await status_and_token(world, connection_id)


async def test_a_refresh_of_what_is_being_verified_is_kept_and_the_verification_goes_on(world: World) -> None:
    """Suspended by a mistaken notice, with an access token past its end: refreshed, asked, resumed."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.advance("8d")
    await notice_comes(world, "7600000000000000001")
    await world.hub.work()

    assert ("active", 200) == await status_and_token(world, connection_id)
    assert 1 == (await world.events(connection_id)).count("connection.resumed")
