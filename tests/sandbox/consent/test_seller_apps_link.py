"""The authorization link where it leads nowhere or elsewhere: markets, kinds of sellers, portals, a Redirect URL that moves."""

import pytest

from evergrant_sandbox.world.app import AppMarket
from evergrant_sandbox.world.regions import MARKETS, TRADING
from evergrant_sandbox.world.seller import Kind
from tests.sandbox.kit import Client, Sandbox
from tests.sandbox.seller_center.test_seller_apps_renew import shop_id
from tests.sandbox.seller_center.test_seller_apps_store import CROSS, OWNER, US, keep, signed_in
from tests.sandbox.visiting import Visitor

OFFICIAL = (
    "auth state is inactive; detail:Your seller account is yet to finish the onboarding review or your account is not"
    " allowed to authorize this APP due to our region restriction."
)
ACCOUNT_REGION = "No authorization permission for your account region"


async def link(sandbox: Sandbox, market: AppMarket = AppMarket.ALL, kinds: tuple[Kind, ...] = tuple(Kind)) -> str:
    """The link of an app for a market and kinds of sellers."""
    app = keep(sandbox, await sandbox.app(name="Parcel Pilot"), market=market, seller_types=kinds)
    return f"/open/authorize?service_id={app.service_id}&state=s-1"


def refused(visitor: Visitor) -> tuple[int, str | None]:
    """What the page in front of the visitor is."""
    return visitor.reply.status, visitor.reply.header("x-error-code")


def test_every_region_has_one_market_and_one_line_of_the_prompt() -> None:
    """Nobody is left without a "Next"."""
    lines = [market.code for region in TRADING for market in MARKETS if region.code in market.regions]

    assert len(TRADING) == len(lines)


@pytest.mark.parametrize(
    ("market", "allowed"),
    [
        (AppMarket.ALL, {"US", "GB", "EU", "SEA", "JP", "LATAM"}),
        (AppMarket.US, {"US"}),
        (AppMarket.UK_EU, {"GB", "EU"}),
        (AppMarket.REST, {"SEA", "JP", "LATAM"}),
    ],
)
async def test_next_leads_on_only_where_the_app_is_for(sandbox: Sandbox, market: AppMarket, allowed: set[str]) -> None:
    """Signed out: at the login, or at the platform's refusal with a way back to the prompt."""
    address = await link(sandbox, market)
    went_on = set()
    for line in MARKETS:
        visitor = Visitor(sandbox)
        await visitor.open(address)
        await visitor.press(f"Next for {line.name}")
        if visitor.path == "/seller/login":
            went_on.add(line.code)
        else:
            assert (403, "105004") == refused(visitor)
            assert visitor.page.xpath("//a[.='Choose another region']/@href")[0].endswith("/region")

    assert allowed == went_on


@pytest.mark.parametrize(
    ("position", "title", "sentence"),
    [
        ("auth_state_inactive", "This account cannot authorize the app", f"Error code 105004: {OFFICIAL}"),
        ("account_region", ACCOUNT_REGION, "made for another market"),
        ("no_permission", "No permission", "made for another market"),
    ],
)
async def test_a_seller_of_another_market_reads_one_of_the_documented_refusals(
    sandbox: Sandbox, visitor: Visitor, position: str, title: str, sentence: str
) -> None:
    """Signed in, so that no region is clicked; whichever text it is, nothing is granted, by control route neither."""
    await sandbox.steer("switches", region_refusal=position)
    address = await link(sandbox, AppMarket.US)
    await signed_in(visitor, OWNER, "/seller")
    await visitor.open(address)
    await visitor.press("Next for United States")
    app = next(each for each in (await sandbox.world())["apps"] if each["name"] == "Parcel Pilot")
    reply = await sandbox.client.post("/_sandbox/authorize", app=app["key"], seller=OWNER)

    assert (403, "105004") == refused(visitor)
    assert (403, "region_restriction") == (reply.status, reply.json["error"]["code"])
    await sandbox.steer("switches", wrong_region="ignored")
    await visitor.open(address)
    await visitor.press("Next for United States")
    assert title == visitor.heading
    assert sentence in visitor.text
    assert 0 == (await sandbox.world())["grants"]


@pytest.mark.requirement("R-TTS-12")
@pytest.mark.parametrize(("position", "goes_on"), [("refused", False), ("ignored", True)])
async def test_next_under_the_wrong_region(sandbox: Sandbox, visitor: Visitor, position: str, *, goes_on: bool) -> None:
    """A British seller who clicked United States is refused and may choose again, or the click does not matter."""
    await sandbox.steer("switches", wrong_region=position)
    await visitor.open(await link(sandbox))
    await visitor.press("Next for United States")
    await visitor.sign_in(OWNER)
    if goes_on:
        assert "Install Parcel Pilot" == visitor.heading
        return
    first = (visitor.heading, refused(visitor))
    await visitor.open(visitor.page.xpath("//a[.='Choose another region']/@href")[0])
    await visitor.press("Next for United Kingdom")

    assert (ACCOUNT_REGION, (403, "105004")) == first
    assert "Install Parcel Pilot" == visitor.heading


@pytest.mark.parametrize(
    ("kinds", "email", "goes_on"),
    [
        ((Kind.LOCAL,), OWNER, True),
        ((Kind.LOCAL,), CROSS, False),
        ((Kind.CROSS_BORDER,), OWNER, False),
        ((Kind.CROSS_BORDER,), CROSS, True),
    ],
)
async def test_an_app_is_for_the_kinds_of_sellers_it_was_made_for(
    sandbox: Sandbox, visitor: Visitor, kinds: tuple[Kind, ...], email: str, *, goes_on: bool
) -> None:
    """Others read that they have no permission, and which kind it is for."""
    address = await link(sandbox, kinds=kinds)
    await signed_in(visitor, email, "/seller")
    await visitor.open(address)
    await visitor.press("Next for United Kingdom")

    assert ("Install Parcel Pilot" if goes_on else "No permission") == visitor.heading
    assert goes_on == (refused(visitor) != (403, "105004"))


async def test_a_local_seller_is_offered_the_shops_of_the_apps_market(sandbox: Sandbox, visitor: Visitor) -> None:
    """A shop elsewhere is not in the list."""
    shops = [{"name": "Here", "region": "GB"}, {"name": "There", "region": "US"}]
    seller = await sandbox.seller(region="GB", shops=shops)
    address = await link(sandbox, AppMarket.UK_EU)
    await visitor.open(f"/seller/login?next={address.replace('&', '%26')}")
    await visitor.sign_in(seller["email"], seller["password"])
    await visitor.press("Next for United Kingdom")

    assert ["Here (GB)"] == visitor.options("Target shop")


@pytest.mark.parametrize(
    ("host", "market", "known"),
    [
        ("services.us.tiktokshop.com", AppMarket.US, True),
        ("services.us.tiktokshop.com", AppMarket.UK_EU, False),
        ("services.us.tiktokshop.com", AppMarket.ALL, True),
        ("services.tiktokshop.com", AppMarket.US, False),
        ("services.tiktokshop.com", AppMarket.REST, True),
        ("127.0.0.1:8090", AppMarket.US, True),
        ("127.0.0.1:8090", AppMarket.REST, True),
    ],
)
async def test_each_portal_knows_its_own_apps(sandbox: Sandbox, host: str, market: AppMarket, *, known: bool) -> None:
    """The link of the wrong portal does not exist there; on loopback there is one portal."""
    visitor = Visitor(sandbox, client=Client(sandbox.application, host=host))
    await visitor.open(await link(sandbox, market))

    assert ((200, None) if known else (404, "wrong_market_link")) == refused(visitor)


async def test_an_app_key_where_the_service_id_belongs(sandbox: Sandbox, visitor: Visitor) -> None:
    """The service does not exist, and the page says what was mistaken for what."""
    app = (await sandbox.world())["apps"][0]
    await visitor.open(f"/open/authorize?service_id={app['key']}")

    assert (404, "unknown_service") == refused(visitor)
    assert "The service does not exist" == visitor.heading
    assert "is the app key of Evergrant" in visitor.text
    assert app["service_id"] not in visitor.reply.text


@pytest.mark.requirement("R-TTS-19")
@pytest.mark.parametrize(("position", "lands"), [("at_once", "new"), ("next_walk", "old")])
@pytest.mark.parametrize("ends_with", ["Authorize", "Discard"])
async def test_a_redirect_url_that_is_changed_on_the_way(
    sandbox: Sandbox, visitor: Visitor, position: str, lands: str, ends_with: str
) -> None:
    """It counts at once or from the next walk, for both ways out; another URL than a configured one never does."""
    await sandbox.steer("switches", redirect_url_change=position)
    app = await sandbox.app(redirect_urls=["http://old.localhost:9000/cb"])
    await signed_in(visitor, OWNER, "/seller")
    await visitor.open(f"/open/authorize?service_id={app['service_id']}")
    await visitor.press("Next for United Kingdom")
    visitor.fill("Authorization period", "90")
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to Install")
    await sandbox.steer("apps", key=app["key"], redirect_urls=["http://new.localhost:9000/cb"])
    await visitor.open(visitor.path)
    policy = visitor.reply.header("content-security-policy") or ""
    visitor.fill("I have reviewed", "yes")
    await visitor.press(ends_with)

    assert visitor.address.startswith(f"http://{lands}.localhost:9000/cb?code=")
    assert policy.endswith(f"form-action 'self' http://{lands}.localhost:9000")


async def test_an_app_that_is_deactivated_on_the_way_is_refused(sandbox: Sandbox, visitor: Visitor) -> None:
    """By a test account too, and at the last step too."""
    app = (await sandbox.world())["apps"][0]
    await signed_in(visitor, "test.seller@partner.example", "/seller")
    await visitor.open(f"/open/authorize?service_id={app['service_id']}")
    await sandbox.steer("apps", key=app["key"], status="deactivated")
    visitor.fill("I have reviewed", "yes")
    await visitor.press("Authorize")

    assert (403, "app_deactivated") == refused(visitor)
    assert 0 == (await sandbox.world())["grants"]


async def test_the_form_follows_the_target_shop(sandbox: Sandbox, visitor: Visitor) -> None:
    """One shop is renewed, the other installed: title, options and what was entered so far."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("authorize", app=app["key"], seller=OWNER, shop="Thames & Clay", period="20d")
    await signed_in(visitor, OWNER, "/seller")
    await visitor.open(f"/open/authorize?service_id={app['service_id']}")
    first = visitor.heading
    visitor.fill("Target shop", shop_id(visitor, "Thames & Clay Seconds (GB)"))
    visitor.fill("Authorization period", "180")
    visitor.fill("Contact email", "else@thamesandclay.example")
    await visitor.press("Show this shop")

    assert ("Renew", 200) == (first, visitor.reply.status)
    assert ["target_shop"] == visitor.page.xpath("//*[@autofocus]/@name")
    assert "Install Evergrant" == visitor.heading
    assert "180 days" == visitor.value("Authorization period")
    assert "else@thamesandclay.example" == visitor.value("Contact email")
    assert "Please check the form" not in visitor.text


async def test_a_seller_of_the_united_states_comes_by_the_united_states(sandbox: Sandbox, visitor: Visitor) -> None:
    """The whole way under the market group of its own."""
    await visitor.open(await link(sandbox, AppMarket.US))
    await visitor.press("Next for United States")
    await visitor.sign_in(US)
    visitor.fill("Authorization period", "90")
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to Install")
    visitor.fill("I have reviewed", "yes")
    await visitor.press("Authorize")

    assert visitor.query["code"].startswith("TTP_")


async def test_a_seller_without_a_shop_may_log_in_as_another(sandbox: Sandbox, visitor: Visitor) -> None:
    """There is nothing to authorize; the way on leads through the login back to the same authorization."""
    address = await link(sandbox)
    nobody = await sandbox.seller(region="GB", shops=[])
    await signed_in(visitor, nobody["email"], "/seller")
    await visitor.open(address)
    await visitor.press("Next for United Kingdom")
    way_on = visitor.page.xpath("//a[.='Switch account']/@href")[0]
    await visitor.open(way_on)
    await visitor.sign_in(OWNER)

    assert way_on.startswith("/seller/login?next=/authorize/")
    assert visitor.path.startswith("/authorize/")
    assert visitor.path.endswith("/form")


async def test_the_page_that_counts_leads_to_a_redirect_url_in_any_alphabet(sandbox: Sandbox, visitor: Visitor) -> None:
    """Its path may be in one; the header that leads on is ASCII, like that of the immediate way back."""
    app = await sandbox.app(redirect_urls=["http://localhost:8080/připojit/連携"])
    address = f"/open/authorize?service_id={app['service_id']}"
    await sandbox.steer("switches", return_countdown="3s")
    await visitor.open("/seller/login")
    await visitor.sign_in("test.seller@partner.example")
    await visitor.open(address)
    visitor.fill("I have reviewed", "yes")
    await visitor.press("Authorize")

    target = (visitor.reply.header("refresh") or "").partition("; url=")[2]
    assert target.startswith("http://localhost:8080/p%C5%99ipojit/%E9%80%A3%E6%90%BA?code=")


async def test_a_form_another_seller_has_filled_in_is_forgotten(sandbox: Sandbox, visitor: Visitor) -> None:
    """Also among cross-border sellers, whose forms name the same target: nobody consents with somebody else's contacts."""
    app = await sandbox.app()
    other = await sandbox.seller(kind="cross_border", shops=[{"name": "Shop", "region": "GB"}])
    await visitor.open("/seller/login")
    await visitor.sign_in("wei@brightpath.example")
    await visitor.open(f"/open/authorize?service_id={app['service_id']}")
    await visitor.press("Next for United Kingdom")
    visitor.fill("Authorization period", "365")
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to Install")
    walk, _, step = visitor.path.rpartition("/")
    await visitor.open(f"/seller/login?next={walk}")
    await visitor.sign_in(other["email"])

    assert ("review", f"{walk}/form") == (step, visitor.path)
    assert other["email"] == visitor.value("Contact email")
