"""A consent for another shop, region or kind of user than was asked for: nothing is overwritten, and it is cured at once."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx2
import pytest

from evergrant.providers import tiktok_shop
from evergrant.providers.wire import Granted, Reply, TokenAnswer
from tests.journeys.claiming import claimed, field, log_in, sql
from tests.world_fixture import KEY, World


async def outcome(person: httpx2.AsyncClient, back: str) -> httpx2.Response:
    """Come back, and follow to the page that says how it came out."""
    first = await person.get(back)
    assert first.status_code == 303, first.text
    return await person.get(first.headers["location"])


async def session(world: World, link: dict[str, Any]) -> dict[str, Any]:
    """How far a link has come."""
    found: dict[str, Any] = (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()
    return found


def ends(world: World) -> dict[str, int]:
    """The end of every grant of the app, at the platform, by shop."""
    grants = world.sandbox.get("/grants", app=KEY)["items"]
    return {shop["id"]: grant["ends_at_unix"] for grant in grants for shop in grant["shops"]}


async def ends_here(world: World, *connection_ids: str) -> dict[str, int]:
    """The same as the hub has it."""
    found = [await world.connection(connection_id) for connection_id in connection_ids]
    return {
        each["shops"][0]["id"]: int(datetime.fromisoformat(each["authorization_expires_at"]).timestamp())
        for each in found
    }


def astray(world: World) -> list[dict[str, Any]]:
    """Business calls for a shop with the token of a grant that does not cover it."""
    covers = {
        grant["id"]: {shop["id"] for shop in grant["shops"]} | {shop["cipher"] for shop in grant["shops"]}
        for grant in world.sandbox.get("/grants", app=KEY)["items"]
    }
    calls = [entry for entry in world.sandbox.log(kind="api", app=KEY) if "shop_cipher" in entry["query"]]
    assert calls
    return [
        entry
        for entry in calls
        if entry["code"] or not any(name in entry["query"] for name in covers[entry["grant"] or ""])
    ]


async def two_shops(world: World, period: str = "30d") -> tuple[str, str, str]:
    """Connections of both shops of the seller; gives both, and the second shop."""
    outlet, person = str(world.seller["shops"][1]["id"]), world.hub.new_browser()
    first, link = await world.linked(period=period), await world.link_session()
    await person.get(world.consent(await world.depart(person, link), shop_id=outlet, period=period))
    return first, (await session(world, link))["result"]["connection_id"], outlet


@pytest.mark.requirement("R-PIPE-40", "R-PIPE-41")
async def test_the_wrong_shop_leaves_the_right_one_alone_and_is_put_right_at_once(world: World) -> None:
    """Renewing A, the seller chooses B: only B's end moves, there and here; by the same link A is renewed a moment later."""
    first, second, outlet = await two_shops(world)
    await world.hub.work()
    world.sandbox.advance("1d")
    before, here = ends(world), await ends_here(world, first, second)
    token = (await world.hub.api.get(f"/v1/connections/{first}/token")).json()
    person = world.hub.new_browser()
    link = await world.link_session(purpose="renew", connection_id=first)
    page = await outcome(person, world.consent(await world.depart(person, link), shop_id=outlet, period="180d"))
    wrong, wrong_here = ends(world), await ends_here(world, first, second)
    told = await session(world, link)

    assert (409, "wrong_shop") == (page.status_code, page.headers["x-error-code"])
    assert "This link is for Harbour Lane, and Harbour Lane Outlet was authorized." in page.text
    assert {"expected": ["Harbour Lane"], "chosen": ["Harbour Lane Outlet"]} == {
        side: [shop["name"] for shop in told["mismatch"][side]] for side in ("expected", "chosen")
    }
    assert before == here
    assert wrong == wrong_here
    assert before[world.shop_id] == wrong[world.shop_id]
    assert before[outlet] < wrong[outlet]
    meanwhile = (await world.hub.api.get(f"/v1/connections/{first}/token")).json()
    assert token["access_token"] == meanwhile["access_token"]

    again = await person.post(f"/done/{link['id']}", data={"csrf": field(page, "csrf")})
    state = httpx2.URL(again.headers["location"]).params["state"]
    assert (await person.get(world.consent(state, period="365d"))).status_code == 303
    right, right_here = ends(world), await ends_here(world, first, second)

    assert "completed" == (await session(world, link))["outcome"]
    assert (await session(world, link))["mismatch"] is None
    assert right == right_here
    assert wrong[outlet] == right[outlet]
    assert wrong[world.shop_id] < right[world.shop_id]
    assert 2 == len((await world.hub.api.get("/v1/connections")).json()["items"])
    await world.hub.work()
    assert [] == astray(world)
    over = await person.post(f"/done/{link['id']}", data={"csrf": field(page, "csrf")})
    assert (409, "link_already_used") == (over.status_code, over.headers["x-error-code"])
    assert 403 == (await person.post(f"/done/{link['id']}", data={"csrf": "x"})).status_code
    assert 403 == (await world.hub.new_browser().post(f"/done/{link['id']}", data={"csrf": "x"})).status_code


async def test_two_tabs_crossed_at_once_leave_both_shops_what_they_are(world: World) -> None:
    """A's link answered with B and B's with A, together, again and again: each connection is its one shop for life (I8)."""
    first, second, outlet = await two_shops(world)
    identity = "select string_agg(concat_ws('|', id, app_id, region, open_id), ',' order by id) from connections"
    before = await sql(world, identity)
    person = world.hub.new_browser()
    for _ in range(4):
        links = [await world.link_session(purpose="renew", connection_id=each) for each in (first, second)]
        states = [await world.depart(person, link) for link in links]
        backs = [world.consent(states[0], shop_id=outlet), world.consent(states[1])]
        pages = await asyncio.gather(*(outcome(person, back) for back in backs))
        assert ["wrong_shop"] * 2 == [page.headers["x-error-code"] for page in pages]
        await world.hub.work()

    assert before == await sql(world, identity)
    shops = [[shop["id"] for shop in (await world.connection(each))["shops"]] for each in (first, second)]
    assert [[world.shop_id], [outlet]] == shops
    assert ends(world) == await ends_here(world, first, second)
    tokens = [await world.hub.api.get(f"/v1/connections/{each}/token") for each in (first, second)]
    assert [200, 200] == [token.status_code for token in tokens]
    ciphers = {shop["id"]: shop["cipher"] for shop in world.sandbox.get("/grants", app=KEY)["items"][0]["shops"]}
    assert set(ciphers.values()) <= {token.json()["shop_cipher"] for token in tokens}
    assert [] == astray(world)


async def test_a_shop_nobody_holds_is_named_and_can_be_added_as_new(world: World) -> None:
    """Another seller's shop by a link for ours: ours is refreshed as before; the page leads to the claim, which ends so."""
    renewing = await world.linked(period="30d")
    stranger = {"name": "Cobble Ltd", "email": "cora@cobble.example", "password": "sandbox", "region": "GB"}
    seller = world.sandbox.post("/sellers", stranger | {"shops": [{"name": "Cobble & Co", "region": "GB"}]})
    person, link = world.hub.new_browser(), await world.link_session(purpose="renew", connection_id=renewing)
    state = await world.depart(person, link)
    page = await outcome(person, world.consent(state, seller=seller["email"], shop_id=seller["shops"][0]["id"]))
    (event,) = [
        each
        for each in (await world.hub.api.get("/v1/events", params={"limit": 200})).json()["items"]
        if each["type"] == "link_session.wrong_shop"
    ]
    claim_id = (await session(world, link))["mismatch"]["claim_id"]

    assert "This link is for Harbour Lane, and Cobble &amp; Co was authorized." in page.text
    assert f"/claims/{claim_id}" in page.text
    assert ([seller["shops"][0]["id"]], claim_id) == (event["data"]["shops"], event["data"]["claim_id"])
    world.sandbox.advance("4d")
    await world.hub.work()
    refreshed = [entry for entry in world.sandbox.log(kind="token") if entry["path"].endswith("/refresh")]
    assert [0] == [entry["code"] for entry in refreshed]
    await log_in(person)
    added = await claimed(world, person, claim_id)
    assert ["Cobble & Co"] == [shop["name"] for shop in (await world.connection(added))["shops"]]
    page = await person.get(f"/done/{link['id']}")
    assert "can be added" not in page.text
    assert (await session(world, link))["mismatch"]["claim_id"] is None


async def set_aside(world: World) -> list[str]:
    """Why pairs without a connection are kept, sealed."""
    async with world.hub.parts.database.connection() as connection:
        return [row["why"] for row in await connection.fetch("select why from stray_pairs order by kept_at")]


async def test_a_wrong_region_or_user_type_has_its_own_code_and_overwrites_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A US shop under the app for the rest of the world, the reverse, and a creator: 422, kept aside, all as it was."""
    connection_id = await world.linked(period="30d")
    before = await world.connection(connection_id)
    given = {"name": "Mesa Ltd", "email": "max@mesa.example", "password": "sandbox", "region": "US"}
    mesa = world.sandbox.post("/sellers", given | {"shops": [{"name": "Mesa", "region": "US"}]})
    person, link = world.hub.new_browser(), await world.link_session(purpose="renew", connection_id=connection_id)
    state = await world.depart(person, link)
    page = await outcome(person, world.consent(state, seller=mesa["email"], shop_id=mesa["shops"][0]["id"]))
    seen = [(page.status_code, page.headers["x-error-code"])]

    app = {"key": KEY, "secret": "story_secret_4f2a9c77", "service_id": "7000000000000000042", "region": "US"}
    american = await world.hub.api.post("/v1/apps", json=app | {"base_urls": {"sandbox": world.sandbox.url}})
    theirs = replace(world, app_id=american.json()["id"])
    state = await world.depart(person, await theirs.link_session())
    page = await outcome(person, world.consent(state).replace(world.app_id, theirs.app_id))
    seen.append((page.status_code, page.headers["x-error-code"]))

    def as_creator(reply: Reply, now: datetime) -> TokenAnswer:
        answer = read(reply, now)
        assert isinstance(answer, Granted)
        return replace(answer, user_type=1)

    read = tiktok_shop.read_tokens
    monkeypatch.setattr(tiktok_shop, "read_tokens", as_creator)
    page = await outcome(person, world.consent(await world.depart(person, link)))
    seen.append((page.status_code, page.headers["x-error-code"]))

    assert [(422, "wrong_region"), (422, "wrong_region"), (422, "wrong_user_type")] == seen
    assert ["wrong_region", "wrong_region", "wrong_user_type"] == await set_aside(world)
    assert before == await world.connection(connection_id) | {"flows": before["flows"]}
    assert 1 == len((await world.hub.api.get("/v1/connections")).json()["items"])
    assert [] == (await world.hub.api.get("/v1/claims")).json()["items"]
    assert "Try again" in page.text
