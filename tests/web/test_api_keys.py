"""API keys: two at a time while one takes the other's place, refused everywhere with the call after their end (TS-23)."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from evergrant.actions.reading import ApiKey
from evergrant.assembly import programs, provisioning
from evergrant.assembly.house import house
from evergrant.cli import keys as command
from evergrant.core.errors import ConflictError, NotFoundError
from evergrant.core.secret import Secret
from evergrant.store.keys import KeptKey, Keys
from evergrant.web import app
from evergrant.web.live import Live
from tests.hub_fixture import ORIGIN, PASSWORD, Hub
from tests.world_fixture import World


def bearer(key: Secret) -> dict[str, str]:
    """The header."""
    return {"authorization": f"Bearer {key.reveal()}"}


async def refused(client: httpx2.AsyncClient, key: Secret, path: str = "/v1/apps") -> str:
    """The code a key is refused with; empty if it is not."""
    answer = await client.get(path, headers=bearer(key))
    return "" if answer.status_code == 200 else str(answer.json()["error"]["code"])


async def test_a_key_is_replaced_and_ended(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same name and scopes; both work during the overlap; a revocation holds at once in every process, on the hot path too."""
    hub = world.hub
    parts, token = hub.parts, f"/v1/connections/{await world.linked()}/token"
    first = await provisioning.add_key(parts, hub.tenant_id, name="orders", scopes=["read", "tokens"], days=30)
    old_id = (await parts.keys.of(hub.tenant_id))[-1].id
    async with parts.database.connection() as connection:  # made 20 days ago
        await connection.execute(
            "update api_keys set created_at = created_at - $2::interval, expires_at = expires_at - $2::interval where id = $1",
            old_id,
            timedelta(days=20),
        )
    second, rotated = await provisioning.rotate_key(parts, hub.tenant_id, old_id, overlap=timedelta(hours=1))
    known = {key.id: key for key in await parts.keys.of(hub.tenant_id)}
    old, ends = known.pop(old_id), rotated.old_ends
    (new,) = (key for key in known.values() if key.replaces)

    assert (old.id, old.expires_at) == (old_id, ends), "earlier than its own end"
    assert new.expires_at == rotated.new_ends
    assert timedelta(seconds=10) > abs(life(new) - timedelta(days=30)), "as long as the old one was to live"
    assert (new.name, new.scopes, new.replaces, new.state) == ("orders", ("read", "tokens"), old_id, "active")
    assert ["", ""] == [await refused(hub.browser, key) for key in (first, second)]
    async with house(parts.settings, parts.arguments, walled=True) as other:
        transport = httpx2.ASGITransport(app=app.build(programs.desk_of(other, Live())))
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as elsewhere:
            assert ["", ""] == [await refused(elsewhere, first, path) for path in ("/v1/apps", token)]
            await parts.keys.revoke(hub.tenant_id, old_id)
            assert ["api_key_revoked"] * 2 == [await refused(elsewhere, first, path) for path in ("/v1/apps", token)]
            assert "" == await refused(elsewhere, second, token)
    await expire(hub, new.id)
    assert "api_key_expired" == await refused(hub.browser, second)

    with pytest.raises(ConflictError):
        await provisioning.rotate_key(parts, hub.tenant_id, old_id, overlap=timedelta(0))
    with pytest.raises(ConflictError):
        await parts.keys.revoke(hub.tenant_id, old_id)
    rival = await provisioning.add_tenant(
        parts, name="Rival", email="r@r.example", person="R", password=Secret(PASSWORD)
    )
    with pytest.raises(NotFoundError):
        await parts.keys.revoke(rival.tenant_id, new.id)
    async with parts.database.connection() as connection:
        told = await connection.fetch(
            "select action, subject from audit where action like 'api_key.%' order by position"
        )
    actions = [(row["action"], row["subject"]) for row in told][1:4]
    assert [("api_key.created", old_id), ("api_key.rotated", new.id), ("api_key.revoked", old_id)] == actions
    monkeypatch.setenv("COLUMNS", "250")
    command.show(await parts.keys.of(hub.tenant_id))
    shown = capsys.readouterr().out
    assert all(word in shown for word in (old_id, new.id, "revoked", "expired", "read, tokens"))
    assert first.reveal() not in shown


async def test_a_keys_life_is_handed_on(hub: Hub) -> None:
    """What replaces an unending key is unending; `days` says otherwise; an old one's overlap is no life to hand on."""
    parts, overlap = hub.parts, timedelta(hours=1)
    (first,) = await parts.keys.of(hub.tenant_id)
    lives = []
    for key_id, days in ((first.id, None), (first.id, 90), (first.id, None)):
        _, rotated = await provisioning.rotate_key(parts, hub.tenant_id, key_id, overlap=overlap, days=days)
        made = (await parts.keys.of(hub.tenant_id))[-1]
        assert made.expires_at == rotated.new_ends
        lives.append(made.expires_at and life(made))
    assert [None, timedelta(days=90), timedelta(days=90)] == lives


def life(key: KeptKey) -> timedelta:
    """How long a key was meant to live."""
    assert key.expires_at
    return key.expires_at - key.created_at


async def test_a_use_is_noted_once_in_a_while_and_nobody_waits_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Coarse: a hundred token reads write once."""
    hub, linked = world.hub, await world.linked()
    await asyncio.gather(*hub.parts.keys._noting)
    made, note, noted = hub.parts.keys, Keys._note, []

    async def counting(book: Keys, key: ApiKey) -> None:
        noted.append(key.id)
        await note(book, key)

    monkeypatch.setattr(Keys, "_note", counting)
    async with hub.parts.database.connection() as connection:
        await connection.execute("update api_keys set used_at = null")
        made._noted.clear()
        await asyncio.gather(*(made.for_token(hub.api_key, linked) for _ in range(100)))
        await asyncio.gather(*made._noting)
        assert 1 == len(noted)
        first = await connection.fetchval("select used_at from api_keys")
        made._noted.clear()  # another process, within the same minute
        await made.for_token(hub.api_key, linked)
        await asyncio.gather(*made._noting)
        assert first == await connection.fetchval("select used_at from api_keys")
    assert first is not None


async def expire(hub: Hub, key_id: str) -> None:
    """Let a key's end be past."""
    async with hub.parts.database.connection() as connection:
        await connection.execute("update api_keys set expires_at = now() - interval '1 second' where id = $1", key_id)
