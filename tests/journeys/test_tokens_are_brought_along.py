"""A vendor brings the tokens it already holds: checked, kept, refreshed; what is refused leaves no trace."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from evergrant.actions.ports import NotSentError
from evergrant.assembly import provisioning
from evergrant.core.secret import Secret
from evergrant.providers import tiktok_shop
from evergrant.providers.wire import Granted
from tests.hub_fixture import PASSWORD, Hub
from tests.journeys.claiming import another_workspace, types
from tests.world_fixture import KEY, World

IMPORT = "/v1/connections/import"


async def held_by_the_vendor(world: World, **consent: Any) -> tuple[Granted, dict[str, Any]]:
    """A pair the vendor got for itself, past the hub, and the row it sends for it."""
    body = {"app": KEY, "seller": world.seller["email"], "shop": world.shop_id, "period": "365d"} | consent
    code = parse_qs(urlsplit(world.sandbox.post("/authorize", body)["redirect_url"]).query)["code"][0]
    app = await world.hub.parts.apps.by_id(world.app_id)
    reply = await world.hub.ports.platform.send(tiktok_shop.exchange_request(app, Secret(code)), once=True)
    granted = tiktok_shop.read_tokens(reply, await world.now())
    assert isinstance(granted, Granted)
    pair = granted.pair
    return granted, {
        "merchant_id": world.merchant_id,
        "app_id": world.app_id,
        "open_id": granted.open_id,
        "access_token": pair.access.reveal(),
        "access_expires_at": pair.access_ends.isoformat(),
        "refresh_token": pair.refresh.reveal(),
        "refresh_expires_at": pair.refresh_ends.isoformat(),
        "scopes": sorted(granted.scopes),
    }


async def brought(world: World, *rows: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """What came of the rows: the result, and the connection or the code."""
    answer = await world.hub.api.post(IMPORT, json={"items": rows})
    assert answer.status_code == 200, answer.text
    assert not [row for row in rows if row["access_token"] in answer.text]
    return [
        (item["result"], item["error"]["code"] if "error" in item else item["connection_id"])
        for item in answer.json()["items"]
    ]


async def kept(world: World) -> dict[str, int]:
    """How many rows there are of what an import would make."""
    tables = ("connections", "tokens", "shops", "data_keys", "events", "stray_pairs", "presentations")
    async with world.hub.parts.database.connection() as connection:
        return {table: await connection.fetchval(f"select count(*) from {table}") for table in tables}  # noqa: S608


async def test_a_pair_is_taken_over_and_the_vendors_copy_is_outlived(world: World) -> None:
    """Imported, refreshed by the ordinary protocol, presented once; syncing; sent twice it is the same."""
    granted, row = await held_by_the_vendor(world)
    calls = len(world.sandbox.log(kind="token"))
    (first,) = await brought(world, row)
    (second,) = await brought(world, row)
    assert ("imported", "already_held") == (first[0], second[0])
    assert first[1] == second[1]
    assert calls == len(world.sandbox.log(kind="token"))

    await world.hub.work()
    shown = await world.connection(str(first[1]))
    token = (await world.hub.api.get(f"/v1/connections/{first[1]}/token")).json()
    assert calls + 1 == len(world.sandbox.log(kind="token"))
    assert token["access_token"] != granted.pair.access.reveal()
    assert ("active", 365) == (shown["status"], shown["days_remaining"])
    assert 25 == len(await world.records(str(first[1])))
    assert [first[1]] == [result[1] for result in await brought(world, row)]
    assert "connection.authorized" in await world.events(str(first[1]))


async def test_what_is_refused_changes_nothing_and_says_why(world: World) -> None:
    """Row by row: half a pair, ended, forged, somebody else's, unknown; then the platform away. Nothing is kept of any."""
    hub = world.hub
    production = await hub.api.post(
        "/v1/apps", json={"key": "6prod", "secret": "prod_secret", "service_id": "7000000000000000009"}
    )
    other = (await hub.api.post("/v1/merchants", json={"external_id": "o", "name": "Other"})).json()["id"]
    theirs = await provisioning.add_tenant(
        hub.parts, name="Other", email="o@other.example", person="O", password=Secret(PASSWORD)
    )
    mine = await world.linked()
    _, row = await held_by_the_vendor(world)
    _, outlet = await held_by_the_vendor(world, shop=world.seller["shops"][1]["id"])
    before = await kept(world)
    earlier, later = "2020-01-01T00:00:00Z", "2400-01-01T00:00:00Z"
    cases = {
        "refresh_token_missing": [row | {"refresh_token": None}],
        "tokens_refused": [
            outlet | {"access_token": "ROW_sbxforged", "refresh_token": "ROW_sbxforged2"},
            outlet | {"access_expires_at": earlier},
            outlet | {"refresh_expires_at": earlier},
        ],
        "invalid_request": [outlet | {"refresh_expires_at": later}],
        "sandbox_token_in_production": [outlet | {"app_id": production.json()["id"]}],
        "shop_already_connected": [row | {"merchant_id": other}],
        "wrong_shop": [row | {"open_id": "another"}],
        "not_found": [outlet | {"merchant_id": "mer_x"}, outlet | {"app_id": "app_x"}],
    }
    rows = [each for some in cases.values() for each in some]
    codes = [code for code, some in cases.items() for _ in some]
    assert [("refused", code) for code in codes] == await brought(world, *rows)
    assert ("already_held", mine) == (await brought(world, row))[0]
    header = {"authorization": f"Bearer {theirs.api_key.reveal()}"}
    foreign = await hub.new_browser().post(IMPORT, json={"items": [outlet]}, headers=header)
    assert "not_found" == foreign.json()["items"][0]["error"]["code"]

    await hub.api.post(f"/v1/connections/{mine}/disconnect")
    assert ("refused", "conflict") == (await brought(world, row))[0]
    after = await kept(world)
    assert before["connections"] == after["connections"]
    assert before["stray_pairs"] == after["stray_pairs"]


async def test_one_grant_is_refreshed_in_one_place(world: World) -> None:
    """Two workspaces keep one app of the platform. What one of them holds, by the shop or by the very refresh token, the
    other cannot bring in; let go of, it can.
    """
    other, tenant = await another_workspace(world)
    theirs = {"merchant_id": other.merchant_id, "app_id": other.app_id}
    await world.linked()
    _, linked = await held_by_the_vendor(world)
    _, outlet = await held_by_the_vendor(world, shop=world.seller["shops"][1]["id"])
    (first,) = await brought(world, outlet)
    calls = len(world.sandbox.log(kind="api"))
    refused = ("refused", "shop_already_connected")
    assert [refused] == await brought(other, outlet | theirs)
    assert calls == len(world.sandbox.log(kind="api")), "a refresh token that is held is known without asking"
    assert [refused] == await brought(other, linked | theirs)
    assert [] == await types(world, tenant)
    await world.hub.api.post(f"/v1/connections/{first[1]}/disconnect")

    assert "imported" == (await brought(other, outlet | theirs))[0][0]


async def test_an_import_is_told_of_as_a_consent_is(world: World) -> None:
    """What the app needs and the pair was not granted is said at once; shops of another market are refused."""
    _, row = await held_by_the_vendor(world)
    ((_, narrow),) = await brought(world, row | {"scopes": ["seller.authorization.info"]})
    assert "connection.scopes_missing" in await world.events(str(narrow))
    american = {"key": KEY, "secret": "story_secret_4f2a9c77", "service_id": "7000000000000000042", "region": "US"}
    app = await world.hub.api.post("/v1/apps", json=american | {"base_urls": {"sandbox": world.sandbox.url}})
    _, outlet = await held_by_the_vendor(world, shop=world.seller["shops"][1]["id"])
    before = await kept(world)

    assert [("refused", "wrong_region")] == await brought(world, outlet | {"app_id": app.json()["id"]})
    assert before == await kept(world)


async def test_while_the_platform_is_away_it_is_asked_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred rows do not wait for a hundred time-outs; nothing is kept, and the same rows are good later."""
    _, row = await held_by_the_vendor(world)
    before, asked = await kept(world), 0

    async def away(_self: object, _request: object, *, once: bool = False) -> None:
        nonlocal asked
        asked += 1
        assert not once
        raise NotSentError

    with monkeypatch.context() as patched:
        patched.setattr(type(world.hub.ports.platform), "send", away)
        assert [("refused", "platform_unavailable")] * 2 == await brought(world, row, row | {"open_id": "b"})
    assert (before, 1) == (await kept(world), asked)
    assert "imported" == (await brought(world, row))[0][0]


SPOILT: tuple[dict[str, Any], ...] = (
    {"access_token": ["ROW_sbxCNRYCNRY"]},
    {"refresh_token": {"ROW_sbxCNRYCNRYCNRYCNRYCNRY": 1}},
    {"access_expires_at": "ROW_sbxCNRY"},
    {"ROW_sbxCNRYCNRYCNRYCNRYCNRY": "x"},
    {"access_token": "ROW_sbxCNRY" * 1000},
    {"access_token": "ROW_sbxCNRY\0"},
)


async def test_a_row_that_cannot_be_read_is_not_repeated(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong is named by its field; the value may be a token, and stands in no answer and no log."""
    row = {
        "merchant_id": "mer_x",
        "app_id": "app_x",
        "open_id": "o",
        "access_token": "ROW_sbxCNRY1",
        "refresh_token": "ROW_sbxCNRY2",
        "access_expires_at": "2026-11-28T12:00:40Z",
        "refresh_expires_at": "2027-11-28T12:00:40Z",
    }
    for spoilt in SPOILT:
        answer = await hub.api.post(IMPORT, json={"items": [row | spoilt]})

        assert 422 == answer.status_code
        assert "items.0" in answer.text
        assert "CNRY" not in answer.text + "".join(capsys.readouterr())
