"""Seller Center's frame: sign-in, the left navigation by market and day, roles, several shops."""

from collections.abc import Mapping
from datetime import date

import pytest
from lxml.html import HtmlElement

from evergrant_sandbox import switches
from evergrant_sandbox.world import menus
from evergrant_sandbox.world.regions import TRADING
from evergrant_sandbox.world.roles import RIGHTS, Page
from evergrant_sandbox.world.seller import Role
from tests.sandbox.kit import Sandbox
from tests.sandbox.visiting import Visitor

OWNER = "amelia@thamesandclay.example"
TEST = "test.seller@partner.example"
STORE, APPS = "/seller/app-store", "/seller/apps"
GROWTH = {"App store": STORE, "My Apps & Services": APPS}
HEADINGS = {
    "/seller": "Welcome back",
    "/seller/orders": "Orders",
    "/seller/products": "Products",
    STORE: "App store",
    APPS: "My apps and incidents",
    "/seller/account/users": "Users",
    "/seller/help": "Help",
    "/seller/help/apps": "How to re-authorize an app",
    "/seller/help/roles": "Users and roles",
}
MARKETS = [region.code for region in TRADING]

Menu = Mapping[str, str | Mapping[str, str]]


def words(element: HtmlElement) -> str:
    """What a person reads."""
    return " ".join(element.text_content().split())


def navigation(visitor: Visitor) -> Menu:
    """The left navigation as it stands on the page: label -> address, or label -> what is below it."""
    (nav,) = visitor.page.xpath("//nav[@aria-label='Seller Center']")
    found: dict[str, str | Mapping[str, str]] = {}
    for item in nav.xpath("./ul/li"):
        buttons = item.xpath("./button")
        links = {words(link): str(link.get("href")) for link in item.xpath(".//a")}
        found |= {words(buttons[0]): links} if buttons else links
    return found


async def signed_in(sandbox: Sandbox, visitor: Visitor, region: str) -> Menu:
    """The navigation of a new seller with a shop in this market."""
    seller = await sandbox.seller(region=region, shops=[{"name": "Corner Shop", "orders": 0, "products": 0}])
    await visitor.open("/seller/login")
    await visitor.sign_in(seller["email"])
    return navigation(visitor)


# --- signing in


@pytest.mark.parametrize("path", HEADINGS)
async def test_every_page_asks_who_it_is_first(visitor: Visitor, path: str) -> None:
    """And after the login it is that page, whole, with the sandbox's band above it."""
    await visitor.open(path)
    asked = visitor.path
    await visitor.sign_in(OWNER)

    assert "/seller/login" == asked
    assert (path, HEADINGS[path], 200) == (visitor.path, visitor.heading, visitor.reply.status)
    assert "Not TikTok Shop" in visitor.reply.text
    assert visitor.page.xpath("//title")[0].text.startswith(HEADINGS[path] if path != "/seller" else "Home")


async def test_a_form_sent_after_the_session_ended_leads_to_the_login(visitor: Visitor) -> None:
    """And from there to the page it was on; nothing was changed."""
    reply = await visitor.client.call("POST", "/seller/products/1/stock", body=b"quantity=1")

    assert (303, "/seller/login?next=/seller/products") == (reply.status, reply.header("location"))


async def test_the_login_leads_home_and_signing_out_leads_to_the_login(visitor: Visitor) -> None:
    """When nothing else was asked for. Signed out, the pages are shut."""
    await visitor.open("/seller/login")
    await visitor.sign_in(OWNER)
    home = visitor.path
    await visitor.press("Sign out")
    login = visitor.path
    await visitor.open("/seller/orders")

    assert ("/seller", "/seller/login", "/seller/login") == (home, login, visitor.path)


# --- the left navigation


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.requirement("R-PIPE-12", "R-PIPE-14", "R-TTS-4")
async def test_every_market_has_growth_with_the_store_and_the_apps(
    sandbox: Sandbox, visitor: Visitor, market: str
) -> None:
    """Growth > App store, and Growth > My Apps & Services, which opens "My apps and incidents"; the US has one way more."""
    menu = await signed_in(sandbox, visitor, market)
    growth = menu["Growth"]
    assert not isinstance(growth, str)
    opened = []
    for label in growth:
        await visitor.open(growth[label])
        opened.append((label, visitor.heading, visitor.reply.status))

    assert dict(growth) == GROWTH
    assert [
        ("App store", "App store", 200),
        ("My Apps & Services", "My apps and incidents", 200),
    ] == opened
    assert "My apps and incidents · Sandbox" == words(visitor.page.xpath("//title")[0])
    assert (APPS if market == "US" else None) == menu.get("Apps & services")


@pytest.mark.parametrize(
    ("position", "wanted"),
    [
        ("by_market", {"Growth": GROWTH}),
        ("Growth > My Apps & Services", {"Growth": GROWTH}),
        ("Growth > Apps & Services", {"Growth": {"App store": STORE, "Apps & Services": APPS}}),
        (
            "App Store > My apps and incidents",
            {"Growth": {"App store": STORE}, "App Store": {"My apps and incidents": APPS}},
        ),
        ("Apps & services", {"Growth": {"App store": STORE}, "Apps & services": APPS}),
    ],
)
async def test_a_switch_puts_each_documented_path_in_its_place(
    sandbox: Sandbox, visitor: Visitor, position: str, wanted: Menu
) -> None:
    """What a market really shows nobody knows, so any of the documented paths can be had."""
    await sandbox.steer("switches", seller_center_menu=position)
    menu = dict(await signed_in(sandbox, visitor, "GB"))
    for label in ("Home", "Orders", "Products", "Account settings", "Help"):
        del menu[label]

    assert wanted == menu
    assert position in switches.SELLER_CENTER_MENU.positions


def test_the_switch_knows_every_path_and_no_other() -> None:
    """Its positions are the paths, word for word, after the default."""
    assert ["by_market", *sorted(menus.PATHS)] == [
        switches.SELLER_CENTER_MENU.default,
        *sorted(list(switches.SELLER_CENTER_MENU.positions)[1:]),
    ]


def test_every_path_says_where_it_was_read_and_how_old_that_is() -> None:
    """A path nobody attests would be invented."""
    for path in (menus.STORE, *menus.PATHS.values()):
        assert path.source
        assert path.dated


async def test_before_february_2024_the_menu_reads_as_it_did(sandbox: Sandbox, visitor: Visitor) -> None:
    """The path is dated: AfterShip wrote "Apps & Services" in January 2024. The help follows the menu."""
    await sandbox.steer("reset", now="2024-01-31T23:59:00Z")
    before = await signed_in(sandbox, visitor, "GB")
    await visitor.open("/seller/help/apps")
    help_before = visitor.text
    await sandbox.steer("clock", advance="2m")
    await visitor.open("/seller/help/apps")

    assert {"App store": STORE, "Apps & Services": APPS} == before["Growth"]
    assert GROWTH == navigation(visitor)["Growth"]
    assert "Growth > Apps & Services" in help_before
    assert "Growth > My Apps & Services" in visitor.text


def test_a_path_of_one_market_is_shown_there_only() -> None:
    """The US has "Apps & services" because its own Seller University says so."""
    day = date(2026, 11, 21)

    assert "Apps & services" in {path.words for path in menus.paths("US", day)}
    assert "Apps & services" not in {path.words for path in menus.paths("DE", day)}


async def test_the_menu_follows_the_chosen_shop(sandbox: Sandbox, visitor: Visitor) -> None:
    """A cross-border seller's navigation is that of the shop's market."""
    shops = [{"name": name, "region": region, "orders": 0} for name, region in (("North", "GB"), ("West", "US"))]
    seller = await sandbox.seller(region="CN", kind="cross_border", shops=shops)
    await visitor.open("/seller/login")
    await visitor.sign_in(seller["email"])
    at_first = navigation(visitor)
    visitor.fill("Shop", seller["shops"][1]["id"])
    await visitor.press("Switch")

    assert "Apps & services" not in at_first
    assert "Apps & services" in navigation(visitor)


# --- roles

SEES = {
    "owner": set(HEADINGS),
    "administrator": set(HEADINGS) - {"/seller/account/users"},
    "operations": set(HEADINGS) - {"/seller/account/users", STORE},
    "customer_support": set(HEADINGS) - {"/seller/account/users", STORE, APPS, "/seller/products"},
    "finance": set(HEADINGS) - {"/seller/account/users", STORE, APPS},
    "sub_account": set(HEADINGS) - {"/seller/account/users"},
}


@pytest.mark.parametrize("role", SEES)
async def test_a_role_is_shown_what_it_may_see_and_refused_the_rest(
    sandbox: Sandbox, visitor: Visitor, role: str
) -> None:
    """Hidden in the navigation, and refused by the server with the reason to whoever types the address."""
    others = [] if role == "owner" else [{"email": "one@shops.example", "role": role}]
    seller = await sandbox.seller(email="boss@shops.example", sub_accounts=others)
    await visitor.open("/seller/login")
    await visitor.sign_in(others[0]["email"] if others else seller["email"])
    shown = set()
    for target in navigation(visitor).values():
        shown |= {target} if isinstance(target, str) else set(target.values())
    opened, refused = set(), {}
    for path in HEADINGS:
        await visitor.open(path)
        if visitor.reply.status == 200:
            opened.add(path)
        else:
            refused[path] = (visitor.reply.status, visitor.reply.header("x-error-code"))

    assert SEES[role] == opened
    assert {path for path in SEES[role] if not path.startswith("/seller/help/")} == shown
    assert set(refused.values()) <= {(403, "page_not_for_role")}


async def test_a_refusal_says_who_one_is_and_stays_in_the_frame(visitor: Visitor) -> None:
    """So that the way on is one click away."""
    await visitor.open("/seller/login")
    await visitor.sign_in("support@thamesandclay.example")
    await visitor.open("/seller/account/users")

    assert "This page is not for your role" == visitor.heading
    assert "support@thamesandclay.example with the role Customer support" in visitor.text
    assert navigation(visitor)


def test_every_role_has_rights_and_only_the_owner_may_authorize() -> None:
    """The one line of this that is documented."""
    assert set(Role) == set(RIGHTS)
    assert [Role.OWNER] == [role for role, rights in RIGHTS.items() if "authorize_apps" in rights.deeds]
    assert [Role.OWNER] == [role for role, rights in RIGHTS.items() if Page.USERS in rights.pages]


# --- several shops


async def test_the_pages_are_about_the_shop_that_was_chosen(visitor: Visitor) -> None:
    """A list at the top, and it is remembered from page to page."""
    await visitor.open("/seller/orders")
    await visitor.sign_in(OWNER)
    offered = visitor.options("Shop")
    before = visitor.text
    second = visitor.page.xpath("//select[@name='shop']/option/@value")[1]
    visitor.fill("Shop", str(second))
    await visitor.press("Switch")
    after = (visitor.path, visitor.text)
    await visitor.open("/seller/products")

    assert ["Thames & Clay (GB)", "Thames & Clay Seconds (GB)"] == offered
    assert "60 orders" in before
    assert "/seller/orders" == after[0]
    assert "15 orders" in after[1]
    assert "Thames & Clay Seconds." in visitor.text


async def test_a_shop_of_another_seller_cannot_be_chosen(sandbox: Sandbox, visitor: Visitor) -> None:
    """Neither with the form nor with the cookie."""
    foreign = (await sandbox.world())["sellers"][1]["shops"][0]["id"]
    await visitor.open("/seller")
    await visitor.sign_in(OWNER)
    visitor.fill("Shop", foreign)
    await visitor.press("Switch")
    refused = (visitor.reply.status, visitor.reply.header("x-error-code"))
    visitor.client.cookies["sandbox_shop"] = foreign
    await visitor.open("/seller")

    assert (404, "unknown_shop") == refused
    assert "Thames & Clay (GB)" == visitor.value("Shop")


async def test_a_seller_without_a_shop_is_told_so(sandbox: Sandbox, visitor: Visitor) -> None:
    """The home page is there; lists of a shop's goods are not."""
    seller = await sandbox.seller(shops=[])
    await visitor.open("/seller")
    await visitor.sign_in(seller["email"])
    home = (visitor.reply.status, visitor.text)
    await visitor.open("/seller/orders")

    assert 200 == home[0]
    assert "not opened a shop" in home[1]
    assert (404, "no_shop") == (visitor.reply.status, visitor.reply.header("x-error-code"))


async def test_a_form_of_another_browser_is_refused(visitor: Visitor) -> None:
    """In Seller Center's frame, as everywhere."""
    await visitor.open("/seller")
    await visitor.sign_in(OWNER)
    reply = await visitor.client.call("POST", "/seller/shop", body=b"form_token=x&shop=1")

    assert (403, "form_expired") == (reply.status, reply.header("x-error-code"))
    assert "Seller Center" in reply.text


# --- home


async def test_home_says_what_is_to_be_done(visitor: Visitor) -> None:
    """Figures that lead to the list they count."""
    await visitor.open("/seller")
    await visitor.sign_in(OWNER)
    cards = {words(card.xpath("./span")[0]): card for card in visitor.page.xpath("//main//li/a[strong]")}
    said = {label: int(card.xpath("./strong")[0].text) for label, card in cards.items()}
    counted = {}
    for label in ("To ship", "Unpaid", "Products on sale"):
        await visitor.open(str(cards[label].get("href")))
        counted[label] = int(words(visitor.page.xpath("//*[contains(@class, 'sc-count')]")[0]).split()[0])

    assert {"To ship", "Unpaid", "Products on sale", "Sold out"} == set(said)
    assert counted == {label: said[label] for label in counted}


async def test_home_warns_of_apps_that_end_soon(sandbox: Sandbox, visitor: Visitor) -> None:
    """Thirty days before the end, with the way to My apps and incidents; not earlier, and gone after a renewal."""
    app = (await sandbox.world())["apps"][0]
    grant = await sandbox.connected(app, {"email": OWNER}, period="60d")
    await visitor.open("/seller")
    await visitor.sign_in(OWNER)
    texts = [visitor.text]
    for advance in ("31d", "30d"):
        await sandbox.steer("clock", advance=advance)
        await visitor.open("/seller")
        texts.append(visitor.text)
    way = visitor.page.xpath("//main//a[.='My apps and incidents']/@href")
    await sandbox.steer(f"grants/{grant['grant_id']}/renew")
    await visitor.open("/seller")

    assert "Evergrant" not in texts[0]
    assert "Evergrant: the authorization ends in 29 days" in texts[1]
    assert "Evergrant: the authorization has expired" in texts[2]
    assert [APPS] == way
    assert "Evergrant" not in visitor.text


@pytest.mark.requirement("R-TTS-28")
async def test_a_test_account_has_all_of_seller_center(sandbox: Sandbox, visitor: Visitor) -> None:
    """Every page an online seller has, and authorization included: by the link, renewed and cancelled."""
    app = (await sandbox.world())["apps"][0]
    await visitor.open("/seller")
    await visitor.sign_in(TEST)
    menu = navigation(visitor)
    opened = {}
    for path in HEADINGS:
        await visitor.open(path)
        opened[path] = (visitor.reply.status, visitor.heading)
    await visitor.open("/seller/orders")
    await visitor.open(str(visitor.page.xpath("//main//td/a/@href")[0]))
    order = (visitor.reply.status, visitor.heading)
    await visitor.open(app["authorize_path"])
    visitor.fill("I have reviewed", "yes")
    await visitor.press("Authorize")
    answer = await sandbox.exchange(app, visitor.query["code"])
    (before,) = (await sandbox.ask("grants"))["items"]
    await sandbox.steer("clock", advance="10d")
    await sandbox.app(key=app["key"], scopes=[*app["scopes"], "seller.finance.info"])
    await visitor.open(APPS)
    (authorize,) = (label for label in visitor.buttons if label.startswith("Authorize Evergrant"))
    await visitor.press(authorize)
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")
    (renewed,) = (await sandbox.ask("grants"))["items"]
    await visitor.press(authorize.replace("Authorize", "Cancel"))
    await visitor.press("Cancel authorization")
    (cancelled,) = (await sandbox.ask("grants"))["items"]

    assert ("active", "cancelled") == (renewed["status"], cancelled["status"])
    assert renewed["ends_at_unix"] > before["ends_at_unix"]
    assert GROWTH == menu["Growth"]
    assert {path: (200, heading) for path, heading in HEADINGS.items()} == opened
    assert 200 == order[0]
    assert order[1].startswith("Order 576")
    assert 0 == answer["code"]
    assert "Evergrant" in visitor.text
