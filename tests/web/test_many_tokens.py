"""`POST /v1/tokens`: up to a hundred tokens in one answer, each with the yes or no that reading it alone would give."""

from typing import Any

import httpx2
import pytest

from evergrant.core.errors import AuditUnavailableError
from evergrant.core.secret import Secret
from evergrant_sdk import AsyncEvergrant, HubUnavailable, Refused, SellerMustRenew, Token
from tests.hub_fixture import ORIGIN
from tests.world_fixture import World

BODIES: list[Any] = [
    None,
    [],
    {},
    {"ids": []},
    {"ids": "con_1"},
    {"ids": [1]},
    {"ids": [""]},
    {"ids": ["x" * 201]},
    {"ids": ["con_\x00"]},
    {"ids": ["c"] * 101},
    {"ids": ["c"], "min_ttl": -1},
    {"ids": ["c"], "min_ttl": 86_401},
    {"ids": ["c"], "min_ttl": "7"},
    {"ids": ["c"], "shop_id": "7"},
]


async def ask(world: World, body: Any, **given: Any) -> httpx2.Response:
    """A batch read."""
    return await world.hub.api.post("/v1/tokens", json=body, **given)


async def alone(world: World, connection_id: str) -> dict[str, Any]:
    """What reading one alone gives, without what differs from request to request."""
    told: dict[str, Any] = (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).json()
    return bare({"error": told["error"]} if "error" in told else {"token": told})


def bare(item: dict[str, Any]) -> dict[str, Any]:
    """An item without its id and request id."""
    kept = {name: value for name, value in item.items() if name != "id"}
    if "error" in kept:
        kept["error"] = {name: value for name, value in kept["error"].items() if name != "request_id"}
    return kept


async def rows(world: World, statement: str, *given: Any) -> list[Any]:
    """Rows straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return list(await connection.fetch(statement, *given))


async def test_each_answers_as_it_would_alone_and_all_are_recorded_in_one_commit(world: World) -> None:
    """Good, over, damaged, expired, foreign and missing in one answer; the SDK gives values and exceptions for it."""
    good, damaged = await world.linked(), await world.linked_elsewhere()
    ids = [good, damaged, "con_nobody", good]
    await rows(world, "update tokens set access_sealed = access_sealed || '\\x00' where connection_id = $1", damaged)
    answer = await ask(world, {"ids": ids})
    items = answer.json()["items"]

    assert (200, "no-store") == (answer.status_code, answer.headers["cache-control"])
    assert ids == [item["id"] for item in items]
    assert await alone(world, good) == bare(items[0]) == bare(items[3])
    assert "vault_integrity" == items[1]["error"]["code"]
    assert await alone(world, "con_nobody") == bare(items[2])
    assert answer.headers["x-request-id"] == items[2]["error"]["request_id"]
    told = await rows(
        world,
        "select subject, action, count(*) from audit where request_id = $1 group by 1, 2",
        answer.headers["x-request-id"],
    )
    recorded = {(row["subject"], row["action"]): row["count"] for row in told}
    assert {(good, "token.read"): 1, (damaged, "vault.integrity_failed"): 1} == recorded

    await world.hub.api.post(f"/v1/connections/{damaged}/disconnect")
    assert await alone(world, damaged) == bare((await ask(world, {"ids": [damaged]})).json()["items"][0])
    hub = AsyncEvergrant(ORIGIN, world.hub.api_key.reveal(), transport=world.hub.transport)
    values = await hub.tokens(ids)
    assert isinstance(values[good], Token)
    assert isinstance(values[damaged], SellerMustRenew)
    assert isinstance(values["con_nobody"], Refused)


async def test_a_token_that_lives_too_shortly_is_made_due_and_the_others_leave(world: World) -> None:
    """`min_ttl` holds for each; what is short is refreshed at once, and another tenant's key finds none of them."""
    short, fine = await world.linked(), await world.linked_elsewhere()
    ends = await world.now()
    await rows(world, "update tokens set access_ends = $2 where connection_id = $1", short, ends)
    items = (await ask(world, {"ids": [short, fine], "min_ttl": 86_400})).json()["items"]

    assert ["token_being_refreshed", None] == [item.get("error", {}).get("code") for item in items]
    hub = AsyncEvergrant(ORIGIN, world.hub.api_key.reveal(), transport=world.hub.transport)
    assert isinstance((await hub.tokens([short]))[short], HubUnavailable)
    assert 1 == (await rows(world, "select count(*) from tokens where due_at <= $1", await world.now()))[0][0]
    await world.hub.work()
    assert "token" in (await ask(world, {"ids": [short]})).json()["items"][0]

    key = Secret("eg_another_tenants_key_0123456789")
    await rows(world, "insert into tenants (id, name) values ('ten_other', 'Other')")
    await world.hub.parts.keys.add("ten_other", "key_other", key, name="x", scopes=["tokens"])
    headers = {"authorization": f"Bearer {key.reveal()}"}
    foreign = (await ask(world, {"ids": [fine, "con_nobody"]}, headers=headers)).json()["items"]
    assert bare(foreign[0]) == bare(foreign[1])
    await world.hub.parts.keys.add("ten_other", "key_look", Secret("eg_look_0123456789"), name="x", scopes=["read"])
    looks = {"authorization": "Bearer eg_look_0123456789"}
    assert 403 == (await ask(world, {"ids": [fine]}, headers=looks)).status_code
    assert 401 == (await ask(world, {"ids": [fine]}, headers={"authorization": "Bearer eg_nobody"})).status_code


async def test_a_body_that_is_not_asked_for_is_refused(world: World) -> None:
    """422, and nothing is looked up."""
    for body in BODIES:
        answer = await ask(world, body)
        assert (422, "invalid_request") == (answer.status_code, answer.json()["error"]["code"]), body


async def test_nothing_leaves_where_nothing_can_be_recorded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row in the trail, no token, not even the first of many."""
    linked = await world.linked()

    async def refuse(_entries: object) -> None:
        raise AuditUnavailableError

    monkeypatch.setattr(world.hub.parts.trail, "record_all", refuse)
    answer = await ask(world, {"ids": [linked]})

    assert (503, "audit_unavailable") == (answer.status_code, answer.json()["error"]["code"])
    assert "retry-after" in answer.headers
