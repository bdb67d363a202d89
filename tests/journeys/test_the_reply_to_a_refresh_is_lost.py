"""A refresh whose answer is lost: known at once, never guessed at, and the living access token goes on being served."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from evergrant import postgres
from tests.hub_fixture import a_hub
from tests.sandbox_fixture import Sandbox
from tests.world_fixture import KEY, World, settle

FORGIVING, UNFORGIVING = ("stable", "retry_safe"), ("strict", "family")


@pytest.fixture(params=(*FORGIVING, *UNFORGIVING))
async def moded(
    request: pytest.FixtureRequest, database_server: postgres.Server, sandbox: Sandbox, tmp_path: Path
) -> AsyncIterator[tuple[str, World]]:
    """A world whose platform rotates in one of the four documented ways, and whose hub is told so."""
    async with a_hub(database_server, tmp_path, sandbox_url=sandbox.url) as hub:
        world = await settle(hub, sandbox, rotation=request.param)
        sandbox.post(f"/apps/{KEY}/rotation", {"mode": request.param})
        yield request.param, world


def shown(world: World) -> Counter[str]:
    """How often each refresh token reached the platform."""
    log = world.sandbox.log(kind="token", app=KEY)
    return Counter(entry["token_sha256"] for entry in log if entry["path"].endswith("/refresh"))


async def token(world: World, connection_id: str) -> int:
    """The status of a token read."""
    return (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).status_code


async def lose(world: World, fault: dict[str, Any] | None = None) -> None:
    """Lose the answer to the next refresh, when it is due."""
    given = {
        "kind": "token",
        "path": "/api/v2/token/refresh",
        "action": "lose_reply",
        "moment": "after_work",
        "times": 1,
    }
    world.sandbox.post("/faults", fault or given)
    world.sandbox.advance("4d")


async def test_refreshes_work_in_every_mode(moded: tuple[str, World]) -> None:
    """Three in a row: each refresh token is shown once, or, where it never changes, once a refresh."""
    mode, world = moded
    connection_id = await world.linked()
    for _ in range(3):
        world.sandbox.advance("4d")
        await world.hub.work()
        assert 200 == await token(world, connection_id)
    counted = shown(world)

    assert 3 == counted.total()
    assert (1 if mode == "stable" else 3) == len(counted)


async def test_a_lost_answer_is_healed_where_the_platform_forgives_and_waited_for_where_not(
    moded: tuple[str, World],
) -> None:
    """`stable` and `retry_safe` are asked again at once; the others not before the access token is about to end."""
    mode, world = moded
    connection_id = await world.linked()
    await lose(world)
    await world.hub.work()
    found = await world.connection(connection_id)

    if mode in FORGIVING:
        assert found["in_doubt_since"] is None
        assert 200 == await token(world, connection_id)
        assert 2 == shown(world).most_common(1)[0][1]
        return
    assert found["in_doubt_since"] is not None
    assert "active" == found["status"]
    assert "connection.in_doubt" in await world.events(connection_id)
    assert 1 == shown(world).total()
    ends = datetime.fromisoformat(found["token_expires_at"])
    due = datetime.fromisoformat(found["token_refresh_due_at"])
    assert await world.now() < due < ends


@pytest.mark.parametrize("moded", UNFORGIVING, indirect=True)
async def test_while_in_doubt_the_living_token_is_served_and_nothing_is_revoked(moded: tuple[str, World]) -> None:
    """Waiting costs nothing: until its end the access token works, at the hub and at the platform (reference 3.3)."""
    _mode, world = moded
    connection_id = await world.linked()
    await lose(world)
    await world.hub.work()
    world.sandbox.advance("1d")
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
    await world.hub.work()

    assert 200 == await token(world, connection_id)
    assert "active" == world.sandbox.get("/grants", app=KEY)["items"][0]["status"]
    assert {"running", "not_carried"} == {flow["state"] for flow in (await world.connection(connection_id))["flows"]}


@pytest.mark.parametrize("moded", UNFORGIVING, indirect=True)
async def test_the_one_probe_decides_and_the_seller_is_asked_with_the_honest_reason(moded: tuple[str, World]) -> None:
    """At the end of the access token the refresh token is shown once more; refused, it says why, and a renewal heals."""
    _mode, world = moded
    connection_id = await world.linked()
    await lose(world)
    await world.hub.work()
    world.sandbox.advance("2d")
    world.sandbox.advance("12h")
    await world.hub.work()
    found = await world.connection(connection_id)

    assert ("reauthorization_required", "refresh_outcome_lost") == (found["status"], found["reason"])
    assert 2 == shown(world).total() == shown(world).most_common(1)[0][1]
    assert 409 == await token(world, connection_id)
    await world.linked(purpose="renew", connection_id=connection_id)
    renewed = await world.connection(connection_id)
    assert ("active", None) == (renewed["status"], renewed["in_doubt_since"])


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "truncate", "after_bytes": 60},
        {"action": "wrong_type"},
        {"action": "status", "status": 502, "envelope": False},
    ],
)
async def test_an_answer_that_cannot_be_read_is_a_doubt_too(world: World, fault: dict[str, Any]) -> None:
    """Truncated, HTML, a gateway's error: the platform may have rotated, so nothing is repeated and nobody is blamed."""
    connection_id = await world.linked()
    await lose(world, {"kind": "token", "path": "/api/v2/token/refresh", "times": 1, "moment": "after_work"} | fault)
    await world.hub.work()
    found = await world.connection(connection_id)

    assert "active" == found["status"]
    assert found["in_doubt_since"] is not None
    assert 1 == shown(world).total()


async def test_a_throttled_refresh_waits_and_then_succeeds(world: World) -> None:
    """429: what was shown was not used up, so it may be shown again after the wait."""
    connection_id = await world.linked()
    throttle = {
        "kind": "token",
        "path": "/api/v2/token/refresh",
        "action": "status",
        "status": 429,
        "retry_after": 60,
        "times": 1,
    }
    await lose(world, throttle)
    await world.hub.work()
    assert 1 == shown(world).total()
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update tokens set lease_until = now()")
        await connection.execute("update app_paces set shut_until = now()")
    await world.hub.work()

    assert (await world.connection(connection_id))["in_doubt_since"] is None
    assert 2 == shown(world).total()
    assert 200 == await token(world, connection_id)


async def test_a_refused_refresh_is_final_and_not_repeated(world: World) -> None:
    """The platform ended the grant without a notice: one refusal, one state, no loop."""
    connection_id = await world.linked()
    world.sandbox.post(f"/grants/{world.sandbox.get('/grants', app=KEY)['items'][0]['id']}/deactivate")
    world.sandbox.advance("4d")
    await world.hub.api.post(f"/v1/connections/{connection_id}/pause")
    await world.hub.work()
    world.sandbox.advance("1d")
    await world.hub.work()
    found = await world.connection(connection_id)

    assert "reauthorization_required" == found["status"]
    assert 1 == shown(world).total()


async def test_wrong_app_credentials_end_no_authorization(world: World) -> None:
    """The app's secret was changed at the platform: one alarm at the app, every seller as before."""
    connection_id = await world.linked()
    world.sandbox.post("/apps", {"kind": "shop", "key": KEY, "secret": "changed-at-the-platform"})
    world.sandbox.advance("4d")
    await world.hub.work()
    found = await world.connection(connection_id)

    assert ("active", None) == (found["status"], found["in_doubt_since"])
    assert (await world.hub.api.get("/v1/apps")).json()["items"][0]["credentials_refused_at"]


@pytest.mark.parametrize("proof", ["refresh", "syncs"])
async def test_credentials_that_work_again_end_the_alarm(world: World, proof: str) -> None:
    """Put right at the platform: the next refresh, or the next poll, says so."""
    connection_id = await world.linked()
    await world.hub.work()
    await world.hub.ports.books.apps.refused(world.app_id, True)
    await world.hub.api.post(f"/v1/connections/{connection_id}/{proof}")
    await world.hub.work()

    assert (await world.hub.api.get("/v1/apps")).json()["items"][0]["credentials_refused_at"] is None


@pytest.mark.parametrize("path", ["/order/*", "/authorization/*"])
async def test_a_fresh_token_that_is_refused_as_expired_is_not_refreshed_again(world: World, path: str) -> None:
    """Refresh once, retry once; then the poll and the verification back off, and the pair is left alone."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.advance("1h")
    refuse = {"kind": "api", "path": path, "action": "status", "status": 401, "code": 105002, "message": "Expired"}
    world.sandbox.post("/faults", refuse)
    await world.deliver(world.deauthorization(await world.now()))
    for _ in range(4):
        await asyncio.wait_for(world.hub.work(), 20)
        async with world.hub.parts.database.connection() as connection:
            await connection.execute("update flows set lease_until = null")
            await connection.execute("update connections set verify_after = now() where verify_after is not null")

    assert 1 == shown(world).total()
    expected = "active" if path == "/order/*" else "suspended"
    assert expected == (await world.connection(connection_id))["status"]
