"""What is wrong is the app's, or a clock's, and no seller's: one alarm, nobody is asked to authorize again."""

from datetime import timedelta

import pytest

from evergrant.actions import exchange, sync, watch
from evergrant.core.secret import Secret
from evergrant.providers.tiktok_shop import signing
from tests.world_fixture import KEY, SECRET, World

CLOCK_WRONG = {
    "action": "status",
    "kind": "api",
    "status": 400,
    "code": 36009004,
    "message": "Invalid timestamp. It is earlier than 5 minutes before the current time.",
}


async def test_a_refused_timestamp_while_a_shop_is_connected_is_asked_again_soon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consent is given, the code exchanged, and only the clock was wrong: the grant is not set aside for that."""
    monkeypatch.setattr(exchange, "AGAIN_SOON", timedelta(0))
    world.sandbox.post("/faults", CLOCK_WRONG | {"times": 1})
    person, link = world.hub.new_browser(), await world.link_session()
    gone = await person.get(world.consent(await world.depart(person, link)))
    waiting = await person.get(gone.headers["location"])
    await world.hub.work()

    assert 1 == world.sandbox.get("/faults")["items"][0]["hits"]
    assert 202 == waiting.status_code
    assert 200 == (await person.get(gone.headers["location"])).status_code
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]
    assert 1 == len(world.sandbox.log(kind="token"))


async def alarm(world: World) -> str | None:
    """Since when the platform refuses the app's own credentials."""
    (app,) = (await world.hub.api.get("/v1/apps")).json()["items"]
    since: str | None = app["credentials_refused_at"]
    return since


async def calm(world: World) -> None:
    """Whoever waits because of a refusal tries again now; nobody knows of an alarm."""
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update flows set lease_until = null")
        await connection.execute("update tokens set lease_until = null")
        await connection.execute("update watches set lease_until = null")
        await connection.execute("update apps set refused_at = null")
        await connection.execute("delete from app_paces")


async def test_a_secret_that_was_switched_at_the_platform_is_the_apps_alarm_and_no_sellers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody told us: polls, looks, refreshes and exchanges are refused, notices do not verify; every connection stays."""
    monkeypatch.setattr(sync, "WAITS", {})
    monkeypatch.setattr(sync, "FIRST_WAIT", timedelta(minutes=5))
    ours, theirs = await world.linked(), await world.linked_elsewhere()
    await world.hub.work()
    world.sandbox.post("/apps", {"key": KEY, "secret": "switched_without_a_word"})
    alarms = {}

    world.sandbox.advance("10m")
    await world.hub.work()
    alarms["poll"] = await alarm(world)

    await calm(world)
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update watches set compare_at = looked_at, due_at = looked_at")
    for look in await world.hub.ports.books.watches.take_due(world.sandbox.url, await world.now(), 10):
        assert "misconfigured" == await watch.one(look, world.hub.ports)
    alarms["look"] = await alarm(world)

    await calm(world)
    body = world.deauthorization(await world.now())
    assert 401 == await world.deliver(body, signing.sign_notice(KEY, Secret("switched_without_a_word"), body))
    assert await alarm(world) is None  # anybody can send what does not verify

    world.sandbox.advance("4d")
    assert {"misconfigured"} == set(await refreshed(world))
    alarms["refresh"] = await alarm(world)

    await calm(world)
    person, link = world.hub.new_browser(), await world.link_session()
    gone = await person.get(world.consent(await world.depart(person, link)))
    code = (await person.get(gone.headers["location"])).headers["x-error-code"]
    alarms["exchange"] = await alarm(world)

    assert "app_credentials_invalid" == code
    assert {"poll", "look", "refresh", "exchange"} == {where for where, since in alarms.items() if since}
    for connection_id in (ours, theirs):
        assert "active" == (await world.connection(connection_id))["status"]
        assert {"connection.authorized"} == {
            kind for kind in await world.events(connection_id) if kind.startswith("connection.")
        }

    world.sandbox.post("/apps", {"key": KEY, "secret": SECRET})
    await calm(world)
    await world.hub.work()
    assert 200 == (await world.hub.api.get(f"/v1/connections/{ours}/token")).status_code
    assert await alarm(world) is None


async def refreshed(world: World) -> list[str]:
    """How each presentation of a refresh token came out."""
    await world.hub.work()
    async with world.hub.parts.database.connection() as connection:
        return [row["outcome"] for row in await connection.fetch("select outcome from presentations")]
