"""A connection's life, told as one: what happened, by whom, why, where it stands in the chain; and the signature under it."""

import json
import re
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evergrant.store import chain_proof
from evergrant.web.api.shapes import signed_text
from tests.hub_fixture import EMAIL, PASSWORD
from tests.world_fixture import World


def is_signed(document: dict[str, Any]) -> bool:
    """Checked as the documentation says, with nothing of the hub's."""
    signature = document["signature"]
    bare = {key: value for key, value in document.items() if key != "signature"}
    text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["public_key"])).verify(
            bytes.fromhex(signature["value"]), text
        )
    except InvalidSignature:
        return False
    return True


async def life(world: World, connection_id: str, limit: int) -> list[dict[str, Any]]:
    """All of it, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/v1/connections/{connection_id}/timeline"
        page = (await world.hub.api.get(path, params={"limit": limit, "cursor": cursor})).json()
        assert is_signed(page)
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next_cursor"]
    return found


async def lived(world: World) -> str:
    """A connection that has seen something."""
    hub, connection_id = world.hub, await world.linked()
    path = f"/v1/connections/{connection_id}"
    for _ in range(3):
        assert (await hub.api.get(f"{path}/token")).is_success
    world.sandbox.advance("4d")
    await hub.work()
    await hub.api.post(f"{path}/pause")
    await hub.api.post(f"{path}/resume")
    await world.link_session(purpose="renew", connection_id=connection_id)
    await hub.api.get(f"{path}/token")
    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    await hub.work()
    await hub.api.post(f"{path}/disconnect")
    await hub.work()
    return connection_id


async def test_a_life_is_told_in_order_and_signed(world: World) -> None:
    """Consent, reads, refresh, pause, notice, verification, link, end: each with its actor, reason and place."""
    connection_id = await lived(world)
    told = await life(world, connection_id, 200)
    types = [item["type"] for item in told]

    wanted = ["connection.authorized", "token.read", "token.refreshed", "flow.paused", "flow.resumed"]
    wanted += [
        "link_session.created",
        "token.read",
        "connection.suspended",
        "connection.resumed",
        "connection.cancelled",
    ]
    places = iter(types)
    assert all(each in places for each in wanted), types
    reads = [item["data"] for item in told if item["type"] == "token.read"]
    assert reads == [{"count": 3}, {}]
    by = {item["type"]: item for item in told}
    key = (await world.hub.parts.keys.find(world.hub.api_key)).id  # type: ignore[union-attr]
    assert (key, "vendor_disconnected") == (by["connection.cancelled"]["actor"], by["connection.cancelled"]["why"])
    assert "notice:7600000000000000006" == by["connection.suspended"]["actor"]
    numbers = [item["chain"]["number"] for item in told if item["id"].startswith("aud_")]
    assert numbers == sorted(numbers)
    assert by["token.refreshed"]["happened_at"] > by["connection.authorized"]["happened_at"]
    page = (await world.hub.api.get(f"/v1/connections/{connection_id}/timeline")).json()
    assert is_signed(page)
    assert not is_signed(page | {"items": page["items"][1:]})
    assert signed_text(page) == signed_text(page | {"signature": None})
    async with world.hub.parts.database.connection() as connection:
        signer = world.hub.parts.signer
        assert [] == [flaw async for flaw in chain_proof.flaws(connection, signer, world.hub.tenant_id)]


async def test_pages_of_a_life_leave_nothing_out_and_tell_nothing_twice(world: World) -> None:
    """Whatever the size of a page, forwards; and backwards on the page for people."""
    connection_id = await lived(world)
    told = [item["id"] for item in await life(world, connection_id, 200)]
    for limit in (1, 3, 7):
        assert told == [item["id"] for item in await life(world, connection_id, limit)], limit
    tail = f"/v1/connections/{connection_id}/timeline"
    end = (await world.hub.api.get(tail, params={"limit": 200})).json()["tail_cursor"]
    assert [] == (await world.hub.api.get(tail, params={"cursor": end})).json()["items"]
    for rubbish in ("1", "x.1", "1.x", "1.", "1.2.3", "-1.2"):
        assert 422 == (await world.hub.api.get(tail, params={"cursor": rubbish})).status_code, rubbish

    browser = world.hub.browser
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/login")).text)
    assert csrf
    await browser.post("/login", data={"csrf": csrf[1], "email": EMAIL, "password": PASSWORD, "next": "/"})
    page = await browser.get(f"/connections/{connection_id}/history")
    assert 200 == page.status_code
    for words in ("The access token was read 3 times.", "in the audit chain", "Your team disconnected it."):
        assert words in page.text
    assert 404 == (await browser.get("/connections/con_none/history")).status_code
