"""The seller cancels: the notice suspends, the platform's own answer decides, tokens are destroyed, and a return is welcome."""

from evergrant.actions import receive
from evergrant.providers.tiktok_shop import signing
from tests.world_fixture import KEY, World


def grant_of(world: World) -> str:
    """The platform's grant of the app."""
    return str(world.sandbox.get("/grants", app=KEY)["items"][0]["id"])


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
    assert {"running"} == {flow["state"] for flow in found["flows"]}
    assert "connection.resumed" in await world.events(connection_id)


async def test_an_old_notice_does_not_undo_a_newer_consent(world: World) -> None:
    """Cancel, authorize again, and only then the notice of the cancellation arrives."""
    connection_id = await world.linked()
    old = world.deauthorization(await world.now())
    world.sandbox.advance("1h")
    await world.linked()
    await world.deliver(old)
    await world.hub.work()

    assert "active" == (await world.connection(connection_id))["status"]
    assert "connection.suspended" not in await world.events(connection_id)


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
