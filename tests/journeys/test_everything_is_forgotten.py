"""Erasing (TS-31, TS-28): keys first, then every row, whatever is killed on the way; a signed record and pseudonyms stay."""

import asyncio
import json
from base64 import b64decode
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evergrant.actions import claim as claiming
from evergrant.actions import erase
from evergrant.actions.custody import Subject
from evergrant.assembly import provisioning
from evergrant.assembly.house import house
from evergrant.core.errors import NotFoundError, VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.providers import tiktok_shop
from evergrant.providers.wire import Granted, Reply, Request, TokenAnswer
from evergrant.store import keyring, sealing, wiping
from tests.hub_fixture import EMAIL, Hub
from tests.journeys.claiming import installed
from tests.journeys.test_tokens_are_brought_along import brought, held_by_the_vendor
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
    assert ("done", 45) == (done["status"], verified(done)["removed"]["records"])
    assert [] == [table for word in SELLERS_WORDS for table in found_in(after, word)]
    assert [404, 404] == [
        (await hub.api.delete("/v1/merchants/mer_x")).status_code,
        (
            await hub.api.post("/v1/link-sessions", json={"merchant_id": world.merchant_id, "app_id": world.app_id})
        ).status_code,
    ]
    assert world.merchant_id not in (await hub.api.get("/v1/merchants")).text


async def test_nothing_comes_in_for_who_is_being_erased(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that has asked the platform already, a claim that was chosen already, a call made again: all too late.

    What came in all the same, as it could before, is found when somebody asks again, and goes too.
    """
    hub, named = world.hub, {"external_id": "rosa", "name": "Rosa", "email": "rosa@harbour.example"}
    rosa = (await hub.api.post("/v1/merchants", json=named, headers={"idempotency-key": "k"})).json()["id"]
    claim_id = await installed(world, hub.new_browser())
    claim = await hub.parts.quarantine.find(hub.tenant_id, claim_id)
    _, row = await held_by_the_vendor(world, shop=world.seller["shops"][1]["id"])
    link, person = await world.link_session(merchant_id=rosa), hub.new_browser()
    back = world.consent(await world.depart(person, link))
    send, asked = hub.ports.platform.send, []

    async def and_meanwhile(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        asked.append((await hub.api.delete(f"/v1/merchants/{rosa}")).json())
        return reply

    with monkeypatch.context() as patched:
        patched.setattr(hub.ports.platform, "send", and_meanwhile)
        shown = await person.get((await person.get(back)).headers["location"])
        assert (410, "link_revoked") == (shown.status_code, shown.headers["x-error-code"])
    async with hub.parts.database.connection() as connection:
        assert 0 == await connection.fetchval("select count(*) from stray_pairs")
        await connection.execute("update merchants set erased_at = null where id = $1", rosa)
    with monkeypatch.context() as patched:
        patched.setattr(hub.ports.platform, "send", and_meanwhile)
        assert [("refused", "not_found")] == await brought(world, row | {"merchant_id": rosa})
    with pytest.raises(NotFoundError):
        await claiming.take(claim, rosa, actor="somebody", ports=hub.ports)
    assert "running" == asked[0]["status"]
    repeated = await hub.api.post("/v1/merchants", json=named, headers={"idempotency-key": "k"})
    assert (409, False) == (repeated.status_code, "idempotency-replayed" in repeated.headers)
    assert 410 == (await hub.browser.get(urlsplit(link["url"]).path)).status_code
    assert [] == (await hub.api.get("/v1/connections")).json()["items"]
    await hub.work()
    first = (await hub.api.delete(f"/v1/merchants/{rosa}")).json()
    assert ("done", "waiting") == (first["status"], (await hub.api.get(f"/v1/claims/{claim_id}")).json()["status"])

    async with hub.parts.database.connection() as connection:
        await connection.execute("update merchants set erased_at = null where id = $1", rosa)
    late = await world.linked(merchant_id=rosa)
    again = (await hub.api.delete(f"/v1/merchants/{rosa}")).json()
    await hub.work()
    last = (await hub.api.get(f"/v1/erasures/{first['id']}")).json()
    assert [(first["id"], "running"), (first["id"], "done")] == [(each["id"], each["status"]) for each in (again, last)]
    assert verified(last)["data_keys_destroyed"] > verified(first)["data_keys_destroyed"]
    assert "erased" == (await world.connection(late))["status"]


async def test_what_waits_for_a_shop_goes_with_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal answered by another account of the same shop waits, with a living pair: erasing the shop destroys that too."""
    hub, mine, read = world.hub, await world.linked(), tiktok_shop.read_tokens

    def as_another(reply: Reply, now: datetime) -> TokenAnswer:
        answer = read(reply, now)
        assert isinstance(answer, Granted)
        return replace(answer, open_id="another")

    link, person = await world.link_session(purpose="renew", connection_id=mine), hub.new_browser()
    with monkeypatch.context() as patched:
        patched.setattr(tiktok_shop, "read_tokens", as_another)
        await person.get(world.consent(await world.depart(person, link)))
    (waiting,) = (await hub.api.get("/v1/claims")).json()["items"]
    assert ("wrong_shop", mine) == (waiting["reason"], waiting["connection_id"])
    await hub.parts.erasures.begin(hub.tenant_id, Subject.CONNECTION, mine, erasure_id="era_1", actor="somebody")
    assert [] == found_in({"data_keys": (await dump(hub))["data_keys"]}, waiting["id"])
    await hub.api.delete(f"/v1/connections/{mine}")

    assert [] == (await hub.api.get("/v1/claims")).json()["items"]
    assert [] == found_in(await dump(hub), world.shop_id)

    outlet = {**world.seller, "shops": world.seller["shops"][1:]}
    held = [await world.linked(), await replace(world, seller=outlet).linked()]
    known = [await hub.parts.connections.find(hub.tenant_id, one) for one in held]
    both = tuple(shop for one in known for shop in one.shops)
    link = await world.link_session()
    with monkeypatch.context() as patched:
        patched.setattr(tiktok_shop, "read_shops", lambda _reply: both)
        await person.get(world.consent(await world.depart(person, link)))
    (waiting,) = (await hub.api.get("/v1/claims")).json()["items"]
    assert ("shop_already_connected", None) == (waiting["reason"], waiting["connection_id"])
    await hub.api.delete(f"/v1/connections/{held[1]}")
    assert [] == (await hub.api.get("/v1/claims")).json()["items"]
    assert [] == found_in({"data_keys": (await dump(hub))["data_keys"]}, waiting["id"])


async def test_a_workspace_is_erased_and_another_is_unchanged(world: World) -> None:
    """Everything but ids, counts and the trail is gone, logins and keys with it; nobody comes in any more."""
    hub, _ = world.hub, await busy(world)
    other = await provisioning.add_tenant(
        hub.parts, name="Blake Sync", email="bo@blake.example", person="Bo", password=Secret("another pass word")
    )
    header = {"authorization": f"Bearer {other.api_key.reveal()}"}
    app = {"key": "6other", "secret": "other_secret", "service_id": "7000000000000000001"}
    assert (await hub.new_browser().post("/v1/apps", json=app, headers=header)).status_code == 201
    await asyncio.gather(*hub.parts.keys._noting)  # that the key was used is noted a moment later
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
