"""More permissions than were given, fewer shops than before: what is told, what stops alone, and what brings it back."""

from typing import Any

import pytest

from evergrant.core.connection import Shop
from evergrant.core.flows import Kind
from evergrant.providers import tiktok_shop
from evergrant.providers.wire import CallRefused, Reply
from tests.world_fixture import KEY, SCOPES, World

MORE = [*SCOPES, "seller.fulfillment.basic"]
NEEDED = {"reason": "new_permissions_needed", "purpose": "rescope"}


async def required(world: World, scopes: list[str]) -> dict[str, Any]:
    """The app requires these from now on; gives it as it is then."""
    answer = await world.hub.api.patch(f"/v1/apps/{world.app_id}", json={"required_scopes": scopes})
    assert answer.status_code == 200, answer.text
    app: dict[str, Any] = answer.json()
    return app


async def rescoped(world: World, connection_id: str, **consent: Any) -> None:
    """The seller consents again by a link that asks for what is missing."""
    person = world.hub.new_browser()
    link = await world.link_session(purpose="rescope", connection_id=connection_id)
    back = await person.get(world.consent(await world.depart(person, link), **consent))
    assert back.status_code == 303, back.text
    found = (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()
    assert "completed" == found["outcome"], found


async def told(world: World, connection_id: str) -> list[list[str]]:
    """What the connection was told it lacks, each time."""
    page = await world.hub.api.get(f"/v1/connections/{connection_id}/timeline", params={"limit": 200})
    return [item["data"]["missing"] for item in page.json()["items"] if item["type"] == "connection.scopes_missing"]


def states(found: dict[str, Any], shop_id: str | None = None) -> dict[str, Any]:
    """Why each flow of a shop stands still, if it does."""
    return {flow["name"]: flow["reason"] for flow in found["flows"] if shop_id in (None, flow["shop_id"])}


@pytest.mark.requirement("R-PIPE-2")
async def test_new_required_scopes_ask_for_a_new_consent_and_it_ends_that(world: World) -> None:
    """The platform's app gets a permission, ours requires it: the same task as for an end, for another reason."""
    connection_id, other = await world.linked(period="30d"), await world.linked_elsewhere()
    await world.hub.work()
    assert (await world.connection(connection_id))["reauthorization"] is None
    world.sandbox.post("/apps", {"kind": "shop", "key": KEY, "scopes": MORE})
    app = await required(world, MORE)
    await required(world, MORE)
    lacking = [await world.connection(each) for each in (connection_id, other)]
    token = await world.hub.api.get(f"/v1/connections/{connection_id}/token")

    assert sorted(MORE) == app["required_scopes"]
    assert [("active", ["seller.fulfillment.basic"], NEEDED)] * 2 == [
        (found["status"], found["missing_scopes"], found["reauthorization"]) for found in lacking
    ]
    assert [[["seller.fulfillment.basic"]]] * 2 == [await told(world, each) for each in (connection_id, other)]
    assert dict.fromkeys(Kind) == states(lacking[0])
    assert (200, ["seller.fulfillment.basic"]) == (token.status_code, token.json()["missing_scopes"])

    await rescoped(world, connection_id, period="30d")
    cured, still = await world.connection(connection_id), await world.connection(other)
    (grant,) = world.sandbox.get("/grants", app=KEY, seller=world.seller["email"])["items"]
    assert sorted(MORE) == sorted(grant["scopes"]) == cured["scopes"]
    assert ([], None) == (cured["missing_scopes"], cured["reauthorization"])
    assert NEEDED == still["reauthorization"]
    assert 1 == len(await told(world, connection_id))

    world.sandbox.advance("31d")
    await world.hub.work()
    over = await world.connection(connection_id)
    assert {"reason": "expired_credentials", "purpose": "renew"} == over["reauthorization"]
    await world.hub.api.post(f"/v1/connections/{other}/disconnect")
    assert (await world.connection(other))["reauthorization"] is None


async def test_a_flow_without_its_permission_stands_still_alone(world: World) -> None:
    """A consent without products: orders flow, products say why not, and the next consent brings them back."""
    connection_id = await world.linked()
    await rescoped(world, connection_id, scopes=["seller.authorization.info", "seller.order.info"])
    await world.hub.work()
    found = await world.connection(connection_id)

    lacking = ["seller.product.basic", "seller.product.write"]
    still = dict.fromkeys(("products", "inventory", "stock"), "scope_missing")
    assert dict.fromkeys(Kind) | still == states(found)
    assert (lacking, NEEDED) == (found["missing_scopes"], found["reauthorization"])
    assert [lacking] == await told(world, connection_id)
    assert 25 == len(await world.records(connection_id))
    await rescoped(world, connection_id)
    await world.hub.work()
    found = await world.connection(connection_id)
    assert (dict.fromkeys(Kind), None) == (states(found), found["reauthorization"])
    assert 10 == len(await world.records(connection_id, "products"))

    refused = [
        await world.hub.api.patch(f"/v1/apps/{app}", json={"required_scopes": given})
        for app, given in ((world.app_id, "all"), (world.app_id, [7]), (world.app_id, None), ("app_none", SCOPES))
    ]
    assert [422, 422, 422, 404] == [answer.status_code for answer in refused]


async def test_a_shop_the_next_consent_leaves_out_stops_alone_and_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two shops in one consent, then one, then both: the lost one pauses with its reason; a person's pause outlives it."""
    shops = [{"name": f"Seto {name}", "region": "GB", "orders": 1, "products": 1} for name in ("One", "Two")]
    given = {"name": "Seto", "email": "sei@seto.example", "password": "sandbox", "region": "JP", "kind": "cross_border"}
    seller = world.sandbox.post("/sellers", given | {"shops": shops})
    kept, lost = sorted(str(shop["id"]) for shop in seller["shops"])
    connection_id = await world.linked_by(seller, "seto")
    await world.hub.work()
    await world.hub.api.post(f"/v1/connections/{connection_id}/pause", json={"flow": "products"})
    read = tiktok_shop.read_shops

    def fewer(reply: Reply) -> tuple[Shop, ...] | CallRefused:
        found = read(reply)
        assert not isinstance(found, CallRefused)
        return tuple(shop for shop in found if shop.id != lost)

    with monkeypatch.context() as patched:
        patched.setattr(tiktok_shop, "read_shops", fewer)
        assert connection_id == await world.linked_by(seller, "seto")
    await world.hub.work()
    found = await world.connection(connection_id)
    tokens = [
        await world.hub.api.get(f"/v1/connections/{connection_id}/token", params={"shop_id": shop_id})
        for shop_id in (kept, lost)
    ]

    assert {kept: "authorized", lost: "not_authorized"} == {shop["id"]: shop["status"] for shop in found["shops"]}
    assert dict.fromkeys(Kind) | {"products": "paused_by_vendor"} == states(found, kept)
    assert dict.fromkeys(Kind, "shop_not_authorized") == states(found, lost)
    assert [200, 409] == [token.status_code for token in tokens]
    assert "shop_not_authorized" == tokens[1].json()["error"]["code"]

    assert connection_id == await world.linked_by(seller, "seto")
    await world.hub.work()
    found = await world.connection(connection_id)
    assert {"authorized"} == {shop["status"] for shop in found["shops"]}
    assert [dict.fromkeys(Kind) | {"products": "paused_by_vendor"}] * 2 == [
        states(found, each) for each in (kept, lost)
    ]
