"""The seller renews and cancels on Seller Center's own pages, with the hub behind the app: what each comes to at the hub."""

import asyncio
import hashlib
from typing import Any

import httpx2
import pytest

from tests.journeys.claiming import claimed, connections, log_in
from tests.journeys.seller_center import arrived, renew, signed_in
from tests.journeys.test_notices_on_their_way import answering, delivered, told_of_the_hub
from tests.journeys.test_the_wrong_shop import astray, ends, ends_here, two_shops
from tests.world_fixture import KEY, SCOPES, SERVICE, World

RIGHT, OUTLET = "Harbour Lane (GB)", "Harbour Lane Outlet (GB)"
MORE = [*SCOPES, "seller.fulfillment.basic"]


async def token(world: World, connection_id: str) -> tuple[int, str]:
    """Status of a token read, and the token's hash or the refusal's code."""
    answer = await world.hub.api.get(f"/v1/connections/{connection_id}/token")
    if not answer.is_success:
        return answer.status_code, str(answer.json()["error"]["code"])
    return answer.status_code, hashlib.sha256(answer.json()["access_token"].encode()).hexdigest()


def grant(world: World, shop_id: str) -> dict[str, Any]:
    """The platform's one grant of a shop."""
    found = [
        each
        for each in world.sandbox.get("/grants", app=KEY)["items"]
        if shop_id in {shop["id"] for shop in each["shops"]}
    ]
    assert 1 == len(found)
    return dict(found[0])


async def shown(browser: httpx2.AsyncClient, connection_id: str) -> str:
    """The hub's page of a connection."""
    page = await browser.get(f"/connections/{connection_id}")
    assert page.status_code == 200, page.text
    return page.text


def used(world: World, grant_id: str) -> list[str]:
    """Every signed call and every refresh of a grant the platform saw, by path, the newest last."""
    log = [*world.sandbox.log(kind="api", app=KEY), *world.sandbox.log(kind="token", app=KEY)]
    return [line["path"] for line in log if line["grant"] == grant_id]


@pytest.mark.requirement("R-TTS-24", "R-TTS-25")
async def test_the_seller_cancels_one_of_two_shops_and_only_that_one_ends(world: World) -> None:
    """Growth, My Apps & Services, Cancel in A's row; kept once, then not: the platform's notice ends A, and B lives on."""
    ours, other, outlet = await two_shops(world, "365d")
    await world.hub.work()
    person = world.hub.new_browser()
    await log_in(person)
    before, theirs = await token(world, ours), await token(world, other)
    ends_before = await ends_here(world, other)
    visitor = await signed_in(world, "/seller")
    (menu,) = visitor.page.xpath("//a[normalize-space(.)='My Apps & Services']/@href")
    async with answering(world, await told_of_the_hub(world)):
        await visitor.open(menu)
        await visitor.press(f"Cancel Acme Sync for {RIGHT}")
        (keep,) = visitor.page.xpath("//main//a[normalize-space(.)='Keep it']/@href")
        await visitor.open(keep)
        assert ("My apps and incidents", "active") == (visitor.heading, (await world.connection(ours))["status"])
        assert before == await token(world, ours)
        await visitor.press(f"Cancel Acme Sync for {RIGHT}")
        await visitor.press("Cancel authorization")
        heard = await delivered(world, 1)
        await world.hub.work()
    found = await world.connection(ours)

    assert [(6, "200")] == heard
    assert ("cancelled", "seller_cancelled", None) == (found["status"], found["reason"], found["reauthorization"])
    assert ["connection.suspended", "connection.cancelled", "tokens.destroyed"] == [
        kind
        for kind in await world.events(ours)
        if kind.startswith(("connection.", "tokens.")) and kind != "connection.authorized"
    ]
    assert {("paused", "authorization_cancelled")} == {(flow["state"], flow["reason"]) for flow in found["flows"]}
    assert (409, "authorization_cancelled") == await token(world, ours)
    assert await world.hub.ports.books.tokens.access(world.hub.tenant_id, ours) is None
    pages = [await shown(person, each) for each in (ours, other)]
    assert [(True, False), (False, True)] == [("Disconnected: cancelled" in p, "Renew now" in p) for p in pages]
    assert (theirs, ends_before) == (await token(world, other), await ends_here(world, other))

    gone, lives = grant(world, world.shop_id)["id"], grant(world, outlet)["id"]
    last = [len(used(world, each)) for each in (gone, lives)]
    await asyncio.to_thread(world.sandbox.advance, "5d")
    await world.hub.work()
    assert [] == used(world, gone)[last[0] :]
    assert "/api/v2/token/refresh" in used(world, lives)[last[1] :]
    assert ("active", ends_before) == ((await world.connection(other))["status"], await ends_here(world, other))
    assert ["connection.authorized"] == [kind for kind in await world.events(other) if kind.startswith("connection.")]
    assert [(6, "200")] == await delivered(world, 1)


@pytest.mark.requirement("R-TTS-22")
async def test_the_same_link_again_renews_and_makes_no_second_connection(world: World) -> None:
    """The app's link as it stands, without a state, twice: an install and its claim, then "Renew", one grant, one end."""
    address, browser = f"/open/authorize?service_id={SERVICE}", world.hub.new_browser()
    visitor = await signed_in(world)
    titles: list[str] = []
    seen: list[tuple[dict[str, Any], dict[str, int], dict[str, int]]] = []
    for period in ("30", "90"):
        await visitor.open(address)
        if "Next for United Kingdom" in visitor.buttons:
            await visitor.press("Next for United Kingdom")
        titles.append(visitor.heading)
        visitor.fill("Authorization period", period)
        visitor.fill("I agree", "yes")
        await visitor.press("Confirm to Install")
        visitor.fill("I have reviewed", "yes")
        await visitor.press("Authorize")
        assert "state" not in visitor.query
        claim_id = (await arrived(visitor, browser)).headers["location"].rpartition("/")[2]
        if not seen:
            await log_in(browser)
            await claimed(world, browser, claim_id)
        (known,) = await connections(world)
        seen.append((known, await ends_here(world, known["id"]), ends(world)))
        world.sandbox.advance("1d")

    assert ["Install Acme Sync", "Renew"] == titles
    (first, before, _), (second, after, _) = seen
    assert (first["id"], "active", "active") == (second["id"], first["status"], second["status"])
    assert all(here == there for _, here, there in seen)
    assert after[world.shop_id] - before[world.shop_id] >= 61 * 86400
    assert 2 == grant(world, world.shop_id)["consents"]
    assert (200, grant(world, world.shop_id)["access_token_sha256"]) == await token(world, first["id"])


@pytest.mark.requirement("R-TTS-23")
async def test_a_renewal_the_hub_is_not_told_of_is_learned_at_the_next_refresh(world: World) -> None:
    """Authorize in the row; Seller Center keeps the browser, the app is not called: end, then permissions, come by refresh."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    visitor, told = await signed_in(world), []
    for rule, later in (("from_consent", True), ("unchanged", False)):
        world.sandbox.post("/switches", {"end_after_reconsent": rule})
        world.sandbox.advance("1d")
        before, calls = await ends_here(world, connection_id), len(world.sandbox.log(kind="token"))
        await renew(visitor, RIGHT)
        assert f"Acme Sync is renewed for {RIGHT}" in visitor.text
        assert before == await ends_here(world, connection_id)
        world.sandbox.advance("4d")
        await world.hub.work()
        assert ["/api/v2/token/refresh"] == [line["path"] for line in world.sandbox.log(kind="token")[calls:]]
        after = await ends_here(world, connection_id)
        assert (ends(world), later) == (after, after[world.shop_id] > before[world.shop_id])
        told.append((await world.connection(connection_id))["scopes"])
        world.sandbox.post("/apps", {"kind": "shop", "key": KEY, "scopes": MORE})

    assert [sorted(SCOPES), sorted(MORE)] == told
    assert [connection_id] == [known["id"] for known in await connections(world)]
    assert [] == (await world.hub.api.get("/v1/claims")).json()["items"]
    assert 1 == (await world.events(connection_id)).count("connection.renewed")


@pytest.mark.requirement("R-PIPE-40", "R-PIPE-41")
@pytest.mark.parametrize("ending", ["stays", "calls_back"])
async def test_the_wrong_target_shop_harms_nothing_and_the_right_one_cures_it(world: World, ending: str) -> None:
    """Renewing A with "Target shop" B: only B's end moves, there and here; A works meanwhile, and once more cures it."""
    ours, other, outlet = await two_shops(world)
    world.sandbox.post("/switches", {"seller_center_renewal": ending})
    await world.hub.work()
    visitor, browser, seen = await signed_in(world), world.hub.new_browser(), [ends(world)]
    for target in (OUTLET, ""):
        calls = {each: len(used(world, grant(world, each)["id"])) for each in (world.shop_id, outlet)}
        world.sandbox.advance("1d")
        await renew(visitor, RIGHT, target=target)
        if ending == "calls_back":
            assert (await arrived(visitor, browser)).status_code == 303
        else:
            world.sandbox.advance("4d")
        await world.hub.work()
        seen.append(ends(world))
        assert seen[-1] == await ends_here(world, ours, other)
        for connection_id, shop_id in ((ours, world.shop_id), (other, outlet)):
            assert (200, grant(world, shop_id)["access_token_sha256"]) == await token(world, connection_id)
            assert used(world, grant(world, shop_id)["id"])[calls[shop_id] :]
    before, wrong, right = seen

    assert before[world.shop_id] == wrong[world.shop_id] < right[world.shop_id]
    assert before[outlet] < wrong[outlet] == right[outlet]
    assert sorted((ours, other)) == sorted(known["id"] for known in await connections(world))
    assert [] == astray(world)
