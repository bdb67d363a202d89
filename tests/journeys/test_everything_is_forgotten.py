"""Erasing (TS-31, TS-28): keys first, then every row, whatever is killed on the way; a signed record and pseudonyms stay."""

import json
from base64 import b64decode
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evergrant.actions import erase
from evergrant.actions.custody import Subject
from evergrant.assembly import provisioning
from evergrant.assembly.house import house
from evergrant.core.errors import VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.store import keyring, sealing, wiping
from tests.hub_fixture import EMAIL, Hub
from tests.world_fixture import World

SELLERS_WORDS = ("Harbour Lane", "harbour", "rosa@")


BROKEN = ("", "select 1/0 where $1::text <> $2::text")
"""Where the process is killed: what the transaction did before is undone, what others did before stays."""


async def dump(hub: Hub) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    async with hub.parts.database.connection() as connection:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'evergrant' order by 1")
        return {
            table: [row["line"] for row in await connection.fetch(f'select t::text as line from "{table}" t')]  # noqa: S608
            for (table,) in tables
        }


def found_in(tables: dict[str, list[str]], word: str) -> list[str]:
    """The tables that hold a word: as it is, or as a bytea column shows it."""
    forms = (word, word.encode().hex())
    return [table for table, lines in tables.items() if any(form in line for form in forms for line in lines)]


async def busy(world: World) -> tuple[str, str]:
    """Two connections of two customers with records, notices and links; gives the ids."""
    mine, other = await world.linked(), await world.linked_elsewhere()
    await world.hub.work()
    assert await world.deliver(world.deauthorization(await world.now(), "7600000000000000077")) == 200
    await world.hub.work()
    await world.link_session(purpose="renew", connection_id=mine)
    return mine, other


async def test_a_connection_is_erased_and_the_others_do_not_notice(world: World) -> None:
    """No key, no token, no name, no order, no notice of it; the trail holds its id; the record verifies; twice is once."""
    hub, (mine, other) = world.hub, await busy(world)
    before = await dump(hub)
    assert all(found_in(before, word) for word in ("Harbour Lane", world.shop_id))
    theirs = [line for line in before["records"] + before["tokens"] if other in line]
    opens = await world.connection(other)

    got = await hub.api.delete(f"/v1/connections/{mine}")
    again = await hub.api.delete(f"/v1/connections/{mine}")
    after = await dump(hub)

    assert [(202, "done"), (202, "done")] == [(each.status_code, each.json()["status"]) for each in (got, again)]
    assert got.json() == again.json() == (await hub.api.get(f"/v1/erasures/{got.json()['id']}")).json()
    assert [got.json()] == (await hub.api.get("/v1/erasures")).json()["items"]
    assert verified(got.json())["removed"]["records"] >= 25
    assert {"audit", "audit_links", "connections", "erasures", "events"} == set(found_in(after, mine))
    assert ["merchants"] == found_in(after, "Harbour Lane")
    assert [] == found_in(after, world.shop_id)
    assert theirs == [line for line in after["records"] + after["tokens"] if other in line]
    assert opens == await world.connection(other)
    assert 200 == (await hub.api.get(f"/v1/connections/{other}/token")).status_code
    assert ("erased", []) == ((shown := await world.connection(mine))["status"], shown["shops"])
    refused = await hub.api.get(f"/v1/connections/{mine}/token")
    assert 409 == refused.status_code
    assert "connection.erased" in await world.events(mine)
    assert 404 == (await hub.api.delete("/v1/connections/con_x")).status_code
    assert 200 == (await world.hub.browser.get("/login")).status_code

    anew = await world.linked()
    assert anew != mine
    assert 200 == (await hub.api.get(f"/v1/connections/{anew}/token")).status_code


def verified(erasure: dict[str, Any]) -> dict[str, Any]:
    """The statement of a record whose signature holds, and no longer holds when a letter of it is changed."""
    key = Ed25519PublicKey.from_public_bytes(b64decode(erasure["public_key"]))
    key.verify(b64decode(erasure["signature"]), erasure["statement"].encode())
    with pytest.raises(InvalidSignature):
        key.verify(b64decode(erasure["signature"]), erasure["statement"].replace("era_", "erb_").encode())
    said: dict[str, Any] = json.loads(erasure["statement"])
    return said


async def test_a_merchant_is_erased_however_often_the_worker_is_killed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key is left when the answer comes. Killed at each of its statements in turn, the job ends by itself."""
    hub, (mine, _) = world.hub, await busy(world)
    asked = (await hub.api.delete(f"/v1/merchants/{world.merchant_id}")).json()
    assert "running" == asked["status"]
    assert await hub.ports.books.tokens.access(hub.tenant_id, mine) is None
    async with hub.parts.database.connection() as connection:
        with pytest.raises(VaultIntegrityError):
            await sealing.key_of(connection, hub.parts.keys._vault, hub.tenant_id, mine)
    statements = list(wiping.OF_CONNECTION)
    for at in range(len(statements) + 1):
        broken = [*statements[:at], BROKEN, *statements[at:]]
        monkeypatch.setattr(wiping, "OF_CONNECTION", broken)
        (erasure,) = await hub.parts.erasures.take(10)
        with pytest.raises(Exception, match="division by zero"):
            await erase.one(erasure, hub.ports)
        async with hub.parts.database.connection() as connection:
            await connection.execute("update erasures set lease_until = null")
    monkeypatch.setattr(wiping, "OF_CONNECTION", statements)
    await hub.work()

    done = (await hub.api.get(f"/v1/erasures/{asked['id']}")).json()
    after = await dump(hub)
    assert ("done", 35) == (done["status"], verified(done)["removed"]["records"])
    assert [] == [table for word in SELLERS_WORDS for table in found_in(after, word)]
    assert [404, 404] == [
        (await hub.api.delete("/v1/merchants/mer_x")).status_code,
        (
            await hub.api.post("/v1/link-sessions", json={"merchant_id": world.merchant_id, "app_id": world.app_id})
        ).status_code,
    ]
    assert world.merchant_id not in (await hub.api.get("/v1/merchants")).text


async def test_a_workspace_is_erased_and_another_is_unchanged(world: World) -> None:
    """Everything but ids, counts and the trail is gone, logins and keys with it; nobody comes in any more."""
    hub, _ = world.hub, await busy(world)
    other = await provisioning.add_tenant(
        hub.parts, name="Blake Sync", email="bo@blake.example", person="Bo", password=Secret("another pass word")
    )
    header = {"authorization": f"Bearer {other.api_key.reveal()}"}
    app = {"key": "6other", "secret": "other_secret", "service_id": "7000000000000000001"}
    assert (await hub.new_browser().post("/v1/apps", json=app, headers=header)).status_code == 201
    before = await dump(hub)
    begun = await erase.ask(hub.tenant_id, Subject.TENANT, hub.tenant_id, actor="command line", ports=hub.ports)
    done = await erase.finish(begun, hub.ports)
    after = await dump(hub)

    words = (*SELLERS_WORDS, EMAIL, "Olive", "Acme", "Cobble", "cora@", "story_secret", world.shop_id)
    assert [] == [(word, table) for word in words for table in found_in(after, word)]
    assert all(found_in(before, word) for word in words[:1] + words[3:6])
    assert done.signature
    assert [] == [line for line in after["data_keys"] if hub.tenant_id in line]
    kept = {table: [line for line in lines if other.tenant_id in line] for table, lines in before.items()}
    assert kept == {table: [line for line in lines if other.tenant_id in line] for table, lines in after.items()}
    assert 401 == (await hub.api.get("/v1/connections")).status_code
    assert 200 == (await hub.new_browser().get("/v1/apps", headers=header)).status_code
    assert [(other.tenant_id, "Blake Sync")] == list(await hub.parts.people.tenants())


async def test_what_was_erased_does_not_open_from_yesterdays_dump_once_its_generation_is_gone(world: World) -> None:
    """The dump and every key there is, after the rotation: nothing of the erased opens. A dump since then is as good as ever."""
    hub, mine, other = world.hub, await world.linked(), await world.linked_elsewhere()
    yesterday = await wrapped(hub)
    await hub.parts.generations.rotate()
    await hub.work()
    today = await wrapped(hub)
    await hub.api.delete(f"/v1/connections/{mine}")
    await hub.parts.generations.retire(1)

    async with house(hub.parts.settings, hub.parts.arguments) as anew:
        vault = await keyring.open_vault(anew.database, hub.parts.settings.data_dir / "keys")
        for owner in (mine, other):
            with pytest.raises(VaultIntegrityError):
                sealing.opened(vault, hub.tenant_id, owner, *yesterday[owner])
        sealing.opened(vault, hub.tenant_id, other, *today[other])
        async with anew.database.connection() as connection:
            with pytest.raises(VaultIntegrityError):
                await sealing.key_of(connection, vault, hub.tenant_id, mine)


async def wrapped(hub: Hub) -> dict[str, tuple[int, bytes]]:
    """The data keys as a dump has them."""
    async with hub.parts.database.connection() as connection:
        rows = await connection.fetch("select owner_id, key_number, wrapped from data_keys")
    return {row["owner_id"]: (row["key_number"], row["wrapped"]) for row in rows}
