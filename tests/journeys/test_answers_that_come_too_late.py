"""The seller cancels while a call is under way: an answer to what was asked before proves nothing about what came after."""

import asyncio
from typing import Any

import pytest

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


async def lost(world: World) -> str:
    """A connection renewed an hour after its consent, whose refresh was answered by the platform and never kept here."""
    connection_id = await world.linked()
    world.sandbox.advance("1h")
    await world.linked(purpose="renew", connection_id=connection_id)
    await world.hub.work()
    world.sandbox.advance("4d")
    (taken,) = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
    await world.refreshed_by_the_platform(taken.refresh)
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update tokens set lease_until = now() - interval '1 second'")
    assert 1 == await refresh.doubts(world.sandbox.url, world.hub.ports)
    return connection_id


async def sealed(world: World) -> tuple[int, int]:
    """How many pairs are kept, and how many connections the platform is to be asked about."""
    async with world.hub.parts.database.connection() as connection:
        return (
            await connection.fetchval("select count(*) from tokens"),
            await connection.fetchval("select count(*) from connections where verify_after is not null"),
        )


def asked(world: World) -> int:
    """How often the platform was asked for the shops of a grant."""
    return len([line for line in world.sandbox.log(kind="api") if line["path"].endswith("/shops")])


async def test_a_replayed_notice_destroys_nothing_after_a_lost_answer(world: World) -> None:
    """The refresh outcome is lost, so nobody can say whether the consent stands; an old notice does not say it either."""
    old = world.deauthorization(await world.now())
    connection_id = await lost(world)
    world.sandbox.advance("4d")
    await world.hub.work()
    before = asked(world)
    assert 200 == await world.deliver(old)
    await world.hub.work()
    found = await world.connection(connection_id)

    assert ("reauthorization_required", "refresh_outcome_lost") == (found["status"], found["reason"])
    assert (1, 0) == await sealed(world)
    assert before == asked(world)


@pytest.mark.parametrize("reason", ["call_refused", "refresh_outcome_lost", "refresh_refused"])
async def test_only_a_final_refusal_stands_for_an_answer(world: World, reason: str) -> None:
    """With no token to ask with, a notice ends what the platform has refused for good, and nothing else."""
    connection_id = await world.linked()
    await world.hub.work()
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update connections set state = 'reauthorization_required', reason = $1", reason)
        await connection.execute("update tokens set access_ends = issued_at, due_at = null")
    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()
    found = await world.connection(connection_id)

    if reason == "refresh_refused":
        assert ("cancelled", (0, 0)) == (found["status"], await sealed(world))
    else:
        assert ("reauthorization_required", reason) == (found["status"], found["reason"])
        assert (1, 0) == await sealed(world)


async def test_a_dead_token_proves_nothing_while_a_refresh_is_in_doubt(world: World) -> None:
    """The platform rotated, the answer was lost, and the old access token died of that: nothing is destroyed for it."""
    connection_id = await lost(world)
    gone = {"kind": "api", "path": "/authorization/*", "action": "status", "status": 401, "code": 105001}
    world.sandbox.post("/faults", gone)
    await notice_comes(world, "7600000000000000001")
    before = asked(world)
    await world.hub.work()

    assert asked(world) > before
    assert "suspended" == (await world.connection(connection_id))["status"]
    assert (1, 1) == await sealed(world)


async def test_a_dead_token_proves_nothing_after_a_lost_answer(world: World) -> None:
    """The probe was refused while the access token had some time left: that the platform forgot it was to be expected."""
    connection_id = await world.linked()
    await world.hub.work()
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update connections set state = 'reauthorization_required'")
        await connection.execute("update connections set reason = 'refresh_outcome_lost'")
    gone = {"kind": "api", "path": "/authorization/*", "action": "status", "status": 401, "code": 105001}
    world.sandbox.post("/faults", gone)
    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()

    assert "reauthorization_required" == (await world.connection(connection_id))["status"]
    assert (1, 0) == await sealed(world)


async def test_a_missing_scope_is_the_word_of_a_living_token(world: World) -> None:
    """A mistaken notice, and an app without the scope the question needs: the connection is resumed all the same."""
    connection_id = await world.linked()
    await world.hub.work()
    await notice_comes(world, "7600000000000000001")
    refuse = {"kind": "api", "path": "/authorization/*", "action": "status", "status": 401, "code": 105005}
    world.sandbox.post("/faults", refuse)
    await world.hub.work()

    assert ("active", 200) == await status_and_token(world, connection_id)
    assert (1, 0) == await sealed(world)


@pytest.mark.parametrize(
    ("refuse", "seconds"),
    [({"status": 429, "code": 36009002, "retry_after": 900}, 900), ({"status": 400, "code": 36009010}, 300)],
)
async def test_a_question_nobody_answers_is_not_put_again_at_once(
    world: World, refuse: dict[str, int], seconds: int
) -> None:
    """The platform's own wait is kept; what asking again will not cure is asked seldom."""
    await world.linked()
    await world.hub.work()
    await notice_comes(world, "7600000000000000001")
    world.sandbox.post("/faults", {"kind": "api", "path": "/authorization/*", "action": "status"} | refuse)
    await world.hub.work()
    async with world.hub.parts.database.connection() as connection:
        left = await connection.fetchval("select extract(epoch from verify_after - now())::int from connections")

    assert seconds - 20 < left <= seconds
