"""The seller cancels: the notice suspends, the platform's own answer decides, tokens are destroyed, and a return is welcome."""

from datetime import timedelta

import pytest

from evergrant.actions import receive, sync, verify
from evergrant.providers.tiktok_shop import signing
from tests.world_fixture import KEY, World


def grant_of(world: World) -> str:
    """The platform's grant of the app."""
    return str(world.sandbox.get("/grants", app=KEY)["items"][0]["id"])


def asked(world: World) -> int:
    """How often the platform was asked for the shops of a grant: the call that verifies."""
    return sum(entry["path"].endswith("/shops") for entry in world.sandbox.log(kind="api", app=KEY))


async def test_a_cancellation_is_verified_and_then_destroys_the_tokens(world: World) -> None:
    """Notice in, suspended; the platform confirms; cancelled, tokens gone, flows paused with the reason."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")

    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()
    found = await world.connection(connection_id)
    token = await world.hub.api.get(f"/v1/connections/{connection_id}/token")

    assert ("cancelled", "seller_cancelled") == (found["status"], found["reason"])
    assert {("paused", "authorization_cancelled")} == {(flow["state"], flow["reason"]) for flow in found["flows"]}
    assert (409, "authorization_cancelled") == (token.status_code, token.json()["error"]["code"])
    assert await world.hub.ports.books.tokens.access(world.hub.tenant_id, connection_id) is None
    assert ["connection.suspended", "connection.cancelled", "tokens.destroyed"] == [
        kind
        for kind in await world.events(connection_id)
        if kind.startswith(("connection.", "tokens.")) and kind != "connection.authorized"
    ]


async def test_no_token_leaves_while_it_is_being_verified(world: World) -> None:
    """Suspended at once, before anybody has asked the platform."""
    connection_id = await world.linked()
    await world.deliver(world.deauthorization(await world.now()))
    (received,) = await world.hub.ports.books.inbox.take(10)
    await receive.digest(received, world.hub.ports)
    token = await world.hub.api.get(f"/v1/connections/{connection_id}/token")

    assert (409, "authorization_suspended") == (token.status_code, token.json()["error"]["code"])
    assert token.json()["error"]["remedy"] == "wait"


async def test_a_forged_or_mistaken_notice_destroys_nothing(world: World) -> None:
    """The platform says the authorization lives: resumed, flows and token as before."""
    connection_id = await world.linked()
    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()
    found = await world.connection(connection_id)

    assert ("active", None) == (found["status"], found["reason"])
    assert {"running", "not_carried"} == {flow["state"] for flow in found["flows"]}
    assert "connection.resumed" in await world.events(connection_id)


async def test_an_old_notice_does_not_undo_a_newer_consent(world: World) -> None:
    """Cancel, authorize again, and only then the notice of the cancellation arrives."""
    connection_id = await world.linked()
    old = world.deauthorization(await world.now())
    world.sandbox.advance("1h")
    await world.linked()
    await world.hub.work()
    before = asked(world)
    for _ in range(3):
        await world.deliver(old)
        await world.hub.work()

    assert "active" == (await world.connection(connection_id))["status"]
    assert "connection.suspended" not in await world.events(connection_id)
    assert 1 == asked(world) - before


async def test_a_cancellation_that_looks_older_than_the_consent_is_found(world: World) -> None:
    """The platform's clock is behind ours: the notice is judged older, but the platform is asked, and confirms."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    await world.deliver(world.deauthorization(await world.now() - timedelta(minutes=1)))
    await world.hub.work()
    found = await world.connection(connection_id)

    assert ("cancelled", "seller_cancelled") == (found["status"], found["reason"])
    assert await world.hub.ports.books.tokens.access(world.hub.tenant_id, connection_id) is None


async def test_a_notice_after_a_refused_refresh_destroys_nothing_before_it_is_verified(world: World) -> None:
    """The refresh was refused, the access token lives: a mistaken notice leaves it, a real one is confirmed first."""
    connection_id = await world.linked()
    await world.hub.work()
    refuse = {"kind": "token", "path": "/api/v2/token/refresh", "action": "status", "status": 200, "code": 36004005}
    world.sandbox.post("/faults", refuse | {"times": 1})
    await world.hub.api.post(f"/v1/connections/{connection_id}/refresh")
    await world.hub.work()
    assert "reauthorization_required" == (await world.connection(connection_id))["status"]
    before = asked(world)
    await world.deliver(world.deauthorization(await world.now(), "7600000000000000001"))
    await world.hub.work()
    left = await world.hub.ports.books.tokens.access(world.hub.tenant_id, connection_id)
    state = (await world.connection(connection_id))["status"]
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    await world.deliver(world.deauthorization(await world.now(), "7600000000000000002"))
    await world.hub.work()
    found = await world.connection(connection_id)

    assert (True, "reauthorization_required") == (left is not None, state)
    assert 2 == asked(world) - before
    assert ("cancelled", "seller_cancelled") == (found["status"], found["reason"])


async def test_a_notice_counts_once_however_often_it_comes(world: World) -> None:
    """Same id a hundred times: one suspension, one verification."""
    connection_id = await world.linked()
    body = world.deauthorization(await world.now())
    assert {200} == {await world.deliver(body) for _ in range(20)}
    await world.hub.work()
    assert {200} == {await world.deliver(body) for _ in range(5)}
    await world.hub.work()

    assert 1 == (await world.events(connection_id)).count("connection.suspended")


async def test_a_bad_signature_is_refused_and_nothing_is_kept(world: World) -> None:
    """401, whatever the bytes of the signature, and the inbox stays empty."""
    await world.linked()
    body = world.deauthorization(await world.now())

    for signature in ("", "0" * 64, "Bearer abc", "é"):
        assert 401 == await world.deliver(body, signature)
    secret = (await world.hub.parts.apps.by_id(world.app_id)).secret
    assert 401 == await world.deliver(body + b"\n", signing.sign_notice(KEY, secret, body))
    assert [] == list(await world.hub.ports.books.inbox.take(10))


async def test_notices_nobody_understands_are_kept_and_settled(world: World) -> None:
    """A shop of nobody's (a deauthorization: first), an unknown type, no JSON at all: 200, kept, and no harm done."""
    await world.linked()
    for body in (
        b'{"type":99,"timestamp":1767225600,"shop_id":"1","data":{}}',
        b"not json",
        world.deauthorization(await world.now()).replace(world.shop_id.encode(), b"42"),
    ):
        assert 200 == await world.deliver(body)
    taken = list(await world.hub.ports.books.inbox.take(10))

    assert ["unknown_shop", "unknown_type", "unreadable"] == [
        await receive.digest(received, world.hub.ports) for received in taken
    ]


async def test_a_silent_revocation_is_found_at_the_next_call(world: World) -> None:
    """No notice came: the refused call suspends, the verification says gone, and the reason says nobody told us."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
    await world.hub.work()
    found = await world.connection(connection_id)

    assert ("reauthorization_required", "call_refused") == (found["status"], found["reason"])


async def test_the_seller_may_come_back_after_cancelling(world: World) -> None:
    """The same connection lives again, with new tokens, under its old id."""
    connection_id = await world.linked()
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()
    assert "cancelled" == (await world.connection(connection_id))["status"]

    world.sandbox.advance("1m")
    assert connection_id == await world.linked(purpose="renew", connection_id=connection_id)
    token = await world.hub.api.get(f"/v1/connections/{connection_id}/token")
    assert 200 == token.status_code


@pytest.mark.parametrize("code", ["105001", "105002", "36009004", "101000"])
@pytest.mark.parametrize("noticed", [True, False])
async def test_a_dead_token_is_found_whatever_the_platform_calls_it(world: World, code: str, *, noticed: bool) -> None:
    """Nobody wrote down what a deauthorized seller's token answers: each of the codes leads to the same end."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.post("/switches", {"deauthorized_code": code})
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    world.sandbox.advance("1h")
    if noticed:
        await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()

    expected = "cancelled" if noticed else "reauthorization_required"
    assert expected == (await world.connection(connection_id))["status"]


CLOCK_WRONG = {
    "action": "status",
    "kind": "api",
    "status": 400,
    "code": 36009004,
    "message": "Invalid timestamp. It is earlier than 5 minutes before the current time.",
    "times": 1,
}


async def test_a_refused_timestamp_does_not_put_a_verification_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing of the consent: asked again soon, with the right time."""
    monkeypatch.setattr(verify, "AGAIN", timedelta(0))
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    world.sandbox.post("/faults", CLOCK_WRONG)
    await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()

    assert 1 == world.sandbox.get("/faults")["items"][0]["hits"]
    assert "cancelled" == (await world.connection(connection_id))["status"]


async def test_a_refused_timestamp_does_not_stop_a_flow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing of the call either: the flow backs off for a moment, and goes on by itself."""
    monkeypatch.setattr(sync, "FIRST_WAIT", timedelta(0))
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.advance("10m")
    world.sandbox.post("/faults", CLOCK_WRONG)
    await world.hub.work()
    flows = (await world.connection(connection_id))["flows"]

    assert 1 == world.sandbox.get("/faults")["items"][0]["hits"]
    assert {(None, "running"), (None, "not_carried")} == {(flow["last_error"], flow["state"]) for flow in flows}


@pytest.mark.parametrize("code", [105001, 101000])
async def test_a_call_that_is_refused_while_the_consent_stands_does_not_flap(
    world: World, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """One kind of call says gone, the verification says otherwise: resumed, and the refused flow backs off.

    It backs off in real time; for longer here than the slowest machine needs, so that nothing is asked a second time.
    """
    monkeypatch.setattr(sync, "FIRST_WAIT", sync.LONGEST_WAIT)
    connection_id = await world.linked()
    await world.hub.work()
    refuse = {"kind": "api", "path": "/order/*", "action": "status", "status": 401, "code": code, "message": "no"}
    world.sandbox.post("/faults", refuse)
    world.sandbox.advance("10m")
    for _ in range(4):
        await world.hub.work()
    errors = {flow["last_error"] for flow in (await world.connection(connection_id))["flows"]}

    assert "active" == (await world.connection(connection_id))["status"]
    assert 2 >= (await world.events(connection_id)).count("connection.suspended")  # one for each shop's orders
    assert 1 == len(errors - {None})
