"""Somebody writes to the database (TS-20): what was moved, changed, cut or aged does not open, loudly, and for nobody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from evergrant.assembly import provisioning
from evergrant.core.secret import Secret
from tests.hub_fixture import PASSWORD, Hub
from tests.world_fixture import World

TOKEN = "update tokens set {0} = $1 where connection_id = $2"
KEY = "update data_keys set {0} = $1 where owner_id = $2"


@asynccontextmanager
async def changed(hub: Hub, statement: str, value: Any, owner: str, back: Any) -> AsyncIterator[None]:
    """One write by somebody who should not, undone afterwards."""
    async with hub.parts.database.connection() as connection:
        await connection.execute(statement, value, owner)
        yield
        await connection.execute(statement, back, owner)


async def rows(hub: Hub, owner: str) -> dict[str, Any]:
    """A connection's token row and its data key."""
    async with hub.parts.database.connection() as connection:
        found = await connection.fetchrow(
            "select * from tokens t join data_keys k on k.owner_id = t.connection_id where t.connection_id = $1", owner
        )
    return dict(found)


async def other_tenants_seal(hub: Hub) -> dict[str, Any]:
    """A sealed value of another tenant, and the data key it opens with."""
    theirs = await provisioning.add_tenant(
        hub.parts, name="Other", email="o@other.example", person="O", password=Secret(PASSWORD)
    )
    app = {"key": "6tamper1", "secret": "another_secret", "service_id": "7000000000000000001"}
    header = {"authorization": f"Bearer {theirs.api_key.reveal()}"}
    assert (await hub.new_browser().post("/v1/apps", json=app, headers=header)).status_code == 201
    async with hub.parts.database.connection() as connection:
        found = await connection.fetchrow(
            "select a.secret_sealed, k.wrapped from apps a join data_keys k on k.owner_id = a.id where a.key = '6tamper1'"
        )
    return dict(found)


async def test_what_somebody_wrote_into_the_database_does_not_open(world: World) -> None:
    """Swapped, aged, flipped at every byte, cut, emptied, under another key: 500 there, 200 elsewhere, and noted."""
    hub, mine, other = world.hub, await world.linked(), await world.linked_elsewhere()
    aged = await rows(hub, mine)
    world.sandbox.advance("4d")
    await hub.work()
    before, theirs, foreign = await rows(hub, mine), await rows(hub, other), await other_tenants_seal(hub)
    assert before["version"] == aged["version"] + 1
    await hub.parts.generations.rotate()
    sealed = before["access_sealed"]
    flipped = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    access = [
        theirs["access_sealed"],
        foreign["secret_sealed"],
        before["refresh_sealed"],
        aged["access_sealed"],
        sealed[:-1],
        sealed[:13],
        b"",
        *flipped,
    ]
    writes = [
        *((TOKEN.format("access_sealed"), value, sealed) for value in access),
        (TOKEN.format("version"), aged["version"], before["version"]),
        (KEY.format("key_number"), 2, 1),
        *((KEY.format("wrapped"), value, before["wrapped"]) for value in (theirs["wrapped"], foreign["wrapped"], b"")),
    ]
    said = set()
    for statement, value, back in writes:
        async with changed(hub, statement, value, mine, back):
            got = await hub.api.get(f"/v1/connections/{mine}/token")
            said.add((got.status_code, got.json()["error"]["code"]))
        assert "sbx" not in got.text
    async with gone(hub, mine):
        assert 500 == (await hub.api.get(f"/v1/connections/{mine}/token")).status_code
    assert {(500, "vault_integrity")} == said
    assert 200 == (await hub.api.get(f"/v1/connections/{mine}/token")).status_code
    assert 200 == (await hub.api.get(f"/v1/connections/{other}/token")).status_code
    assert len(writes) + 1 == await alarms(hub, mine)


@asynccontextmanager
async def gone(hub: Hub, owner: str) -> AsyncIterator[None]:
    """The data key stands under another owner for a while."""
    async with hub.parts.database.connection() as connection:
        await connection.execute("update data_keys set owner_id = 'con_elsewhere' where owner_id = $1", owner)
        yield
        await connection.execute("update data_keys set owner_id = $1 where owner_id = 'con_elsewhere'", owner)


async def alarms(hub: Hub, subject: str) -> int:
    """How often the audit trail says that something of it did not open."""
    async with hub.parts.database.connection() as connection:
        found: int = await connection.fetchval(
            "select count(*) from audit where action = 'vault.integrity_failed' and subject = $1", subject
        )
    return found


async def test_a_refresh_token_that_does_not_open_is_not_presented(world: World) -> None:
    """Two connections' refresh tokens swapped, the data key of one lost: nothing is shown, neither is in doubt."""
    hub, mine, other = world.hub, await world.linked(), await world.linked_elsewhere()
    before, theirs = await rows(hub, mine), await rows(hub, other)
    calls = len(world.sandbox.log(kind="token"))
    world.sandbox.advance("4d")
    column = TOKEN.format("refresh_sealed")
    async with changed(hub, column, theirs["refresh_sealed"], mine, before["refresh_sealed"]), gone(hub, other):
        await hub.work()
    async with hub.parts.database.connection() as connection:
        outcomes = [row["outcome"] for row in await connection.fetch("select outcome from presentations")]

    assert calls == len(world.sandbox.log(kind="token"))
    assert ["not_sent", "not_sent"] == outcomes
    assert (1, 1) == (await alarms(hub, mine), await alarms(hub, other))
    assert [None, None] == [(await world.connection(each))["in_doubt_since"] for each in (mine, other)]
