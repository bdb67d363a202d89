"""Seller Center's menus in a real browser: every path by its labels, with the mouse and by keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from tests.browser.clean_page import all_clean, faults_as_it_stands
from tests.browser.keyboard import reach
from tests.sandbox.program import Program

pytestmark = pytest.mark.browser

OWNER = "amelia@thamesandclay.example"
# One market for each menu there is; that the other markets show the menu of GB is read in test_seller_center_frame.py.
MARKETS = ("US", "GB")
# Path -> the title of the page it leads to.
STORE = {"Growth > App store": "App store"}
APPS = {"Growth > My Apps & Services": "My apps and incidents"}
OF_THE_US = {"Apps & services": "My apps and incidents"}
POSITIONS = {
    "Growth > My Apps & Services": "My apps and incidents",
    "App Store > My apps and incidents": "My apps and incidents",
    "Growth > Apps & Services": "My apps and incidents",
    "Apps & services": "My apps and incidents",
}
LONG = "The Emporium of Donaudampfschifffahrtsgesellschaftskapitänsmützen and Sundries"
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 375, "height": 800}


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of; nothing, at the end of a test."""
    return []


@pytest.fixture
def context(chromium: Browser, program: Program, complaints: list[str]) -> Iterator[BrowserContext]:
    """Somebody's browser, with switches as they stand by default."""
    made = chromium.new_context(base_url=program.base, viewport=DESK)
    made.set_default_timeout(20_000)
    made.on("weberror", lambda error: complaints.append(str(error.error)))
    made.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    yield made
    made.close()
    program.steer("switches", seller_center_menu="by_market")
    assert [] == complaints


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A window of it."""
    return context.new_page()


def owner_in(program: Program, market: str) -> str:
    """A new seller with a shop in this market."""
    shops = [{"name": f"Corner Shop {market}", "region": market, "orders": 1, "products": 1}]
    return str(program.steer("sellers", name="Corner Ltd", region=market, shops=shops)["email"])


def sign_in(page: Page, email: str = OWNER) -> None:
    """Home, signed in."""
    page.goto("/seller/login")
    page.get_by_label("Email or phone number").fill(email)
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()


def menu(page: Page) -> Locator:
    """The left navigation."""
    return page.get_by_role("navigation", name="Seller Center", exact=True)


def arrived(page: Page, title: str) -> None:
    """The page is there, under its exact title."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page).to_have_title(f"{title} · Sandbox")


def by_mouse(page: Page, path: str) -> None:
    """Hover over the menu, click what it reveals; the pointer comes from elsewhere."""
    *above, label = path.split(" > ")
    page.mouse.move(900, 700)
    link = menu(page).get_by_role("link", name=label, exact=True)
    for each in above:
        expect(link).to_be_hidden()
        menu(page).get_by_role("button", name=each, exact=True).hover()
    expect(link).to_be_visible()
    link.click()


def by_keyboard(page: Page, path: str) -> None:
    """Tab to the menu, which opens by the focus alone, tab on, Enter."""
    *above, label = path.split(" > ")
    link = menu(page).get_by_role("link", name=label, exact=True)
    page.mouse.move(900, 700)
    for each in above:
        expect(link).to_be_hidden()
        reach(page, each)
        expect(link).to_be_visible()
    reach(page, label)
    page.keyboard.press("Enter")


WALKS = {"mouse": by_mouse, "keyboard": by_keyboard}


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.requirement("R-PIPE-12", "R-PIPE-13", "R-PIPE-14", "R-TTS-4")
def test_every_path_of_every_menu_leads_where_it_should(program: Program, page: Page, market: str) -> None:
    """By the labels, with the mouse and again by keyboard alone."""
    sign_in(page, owner_in(program, market))
    for path, title in (STORE | APPS | (OF_THE_US if market == "US" else {})).items():
        for walk in WALKS.values():
            page.goto("/seller")
            walk(page, path)
            arrived(page, title)


@pytest.mark.parametrize("path", POSITIONS)
def test_every_documented_path_can_be_put_in_its_place(program: Program, page: Page, path: str) -> None:
    """Whatever the market really shows: the switch puts the path there, and the store stays where it is."""
    program.steer("switches", seller_center_menu=path)
    sign_in(page)
    for each, title in ({path: POSITIONS[path]} | STORE).items():
        for walk in WALKS.values():
            page.goto("/seller")
            walk(page, each)
            arrived(page, title)


@pytest.mark.requirement("R-TTS-4")
def test_the_store_leads_on_to_my_apps_and_incidents(page: Page) -> None:
    """As Partner Center has it: App Store > My apps and incidents, on from the store."""
    sign_in(page)
    by_mouse(page, "Growth > App store")
    arrived(page, "App store")
    page.get_by_role("main").get_by_role("link", name="My apps and incidents", exact=True).click()
    arrived(page, "My apps and incidents")


@pytest.mark.parametrize("walk", WALKS)
def test_every_other_entry_leads_where_it_should(page: Page, walk: str) -> None:
    """Orders, products, users, help and home."""
    sign_in(page)
    entries = {
        "Orders": "Orders",
        "Products": "Products",
        "Account settings > Users": "Users",
        "Help": "Help",
    }
    for path, title in entries.items():
        page.goto("/seller")
        WALKS[walk](page, path)
        arrived(page, title)
    WALKS[walk](page, "Home")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")


@pytest.mark.parametrize("walk", WALKS)
def test_the_menus_open_without_a_script(chromium: Browser, program: Program, walk: str) -> None:
    """By style alone."""
    context = chromium.new_context(base_url=program.base, viewport=DESK, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    if walk == "mouse":
        by_mouse(page, "Growth > My Apps & Services")
    else:
        link = menu(page).get_by_role("link", name="My Apps & Services", exact=True)
        menu(page).get_by_role("button", name="Growth").focus()
        expect(link).to_be_visible()
        link.focus()
        page.keyboard.press("Enter")
    arrived(page, "My apps and incidents")
    context.close()


def test_a_tap_opens_a_menu(chromium: Browser, program: Program) -> None:
    """On a tablet, where nothing hovers; a tap elsewhere shuts it."""
    context = chromium.new_context(base_url=program.base, viewport=DESK, has_touch=True)
    page = context.new_page()
    sign_in(page)
    link = menu(page).get_by_role("link", name="My Apps & Services", exact=True)
    menu(page).get_by_role("button", name="Growth").tap()
    expect(link).to_be_visible()
    page.get_by_role("heading", level=1).tap()
    expect(link).to_be_hidden()
    menu(page).get_by_role("button", name="Growth").tap()
    link.tap()
    arrived(page, "My apps and incidents")
    context.close()


def test_escape_shuts_a_menu_and_it_says_whether_it_is_open(page: Page) -> None:
    """The focus stays on the menu's button, and the next Tab goes past what is shut."""
    sign_in(page)
    growth = menu(page).get_by_role("button", name="Growth")
    link = menu(page).get_by_role("link", name="My Apps & Services", exact=True)
    expect(growth).to_have_attribute("aria-expanded", "false")
    reach(page, "My Apps & Services")
    expect(growth).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(growth).to_be_focused()
    expect(growth).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Tab")
    expect(menu(page).get_by_role("button", name="Account settings")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(growth).to_be_focused()
    expect(link).to_be_visible()


@pytest.mark.parametrize("scripted", [True, False], ids=["with script", "without"])
def test_a_phone_has_all_of_it_behind_one_button(chromium: Browser, program: Program, *, scripted: bool) -> None:
    """The button "Menu" opens every path at once; Escape shuts it."""
    context = chromium.new_context(base_url=program.base, viewport=PHONE, has_touch=True, java_script_enabled=scripted)
    page = context.new_page()
    sign_in(page)
    expect(menu(page)).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).tap()
    for label in ("Home", "Orders", "Products", "App store", "My Apps & Services", "Users", "Help"):
        expect(menu(page).get_by_role("link", name=label, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu(page)).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).tap()
    menu(page).get_by_role("link", name="My Apps & Services", exact=True).tap()
    arrived(page, "My apps and incidents")
    context.close()


def test_the_menu_of_a_phone_by_keyboard_alone(page: Page) -> None:
    """The button, then straight into what it opened."""
    sign_in(page)
    page.set_viewport_size(PHONE)
    reach(page, "Menu")
    page.keyboard.press("Enter")
    reach(page, "My Apps & Services")
    page.keyboard.press("Enter")
    arrived(page, "My apps and incidents")


def test_the_shop_changes_by_choosing_it(page: Page) -> None:
    """With a script no button is needed; the page stays the one it was."""
    sign_in(page)
    page.goto("/seller/orders")
    expect(page.get_by_role("button", name="Switch")).to_be_hidden()
    page.get_by_label("Shop", exact=True).select_option(label="Thames & Clay Seconds (GB)")
    expect(page.get_by_text("15 orders")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Orders")


def test_a_stock_number_is_saved_and_an_order_shipped_by_clicking(page: Page) -> None:
    """What a test shop is worked with."""
    sign_in(page)
    page.goto("/seller/products")
    field = page.get_by_label("Stock of Stoneware Mug, hand thrown, 350 ml, Moss")
    field.fill("31")
    page.get_by_role("button", name="Save the stock of Stoneware Mug, hand thrown, 350 ml, Moss").click()
    expect(page.get_by_role("status")).to_have_text("The stock was changed.")
    expect(field).to_have_value("31")
    page.goto("/seller")
    page.get_by_role("link", name="To ship").click()
    page.get_by_role("main").get_by_role("cell").get_by_role("link").first.click()
    page.get_by_role("button", name="Arrange shipment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Awaiting collection")


def every_page(program: Program, page: Page) -> Iterator[str]:
    """Every page of the frame, one after the other, by its name."""
    app = program.ask("world")["apps"][0]
    program.steer("authorize", app=app["key"], seller=OWNER, period="20d")
    sign_in(page)
    for path in (
        "",
        "/orders",
        "/orders?status=UNPAID",
        "/products",
        "/account/users",
        "/help",
        "/help/apps",
        "/help/roles",
    ):
        page.goto(f"/seller{path}")
        yield path
    page.goto("/seller/orders?status=AWAITING_SHIPMENT")
    page.get_by_role("main").get_by_role("cell").get_by_role("link").first.click()
    yield "order to ship"
    page.get_by_role("button", name="Arrange shipment").click()
    expect(page.get_by_role("status")).to_be_visible()
    yield "order, shipped"
    page.goto("/seller/orders/1")
    yield "refusal"
    page.goto("/seller/account/users")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "users, with faults"
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "support@thamesandclay.example")
    yield "home of a sub-account"
    page.goto("/seller/products")
    yield "page not for the role"
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, str(program.steer("sellers", shops=[])["email"]))
    yield "home without a shop"
    page.get_by_role("button", name="Sign out").click()
    shop = {"name": LONG, "region": "GB", "orders": 1, "products": 1}
    email = str(program.steer("sellers", name=f"{LONG} Ltd", shops=[shop])["email"])
    app = program.steer("apps", name=LONG, redirect_urls=["http://localhost:9/callback"])
    program.steer("authorize", app=app["key"], seller=email, period="20d")
    sign_in(page, email)
    yield "home of a shop with a long name"
    page.goto("/seller/apps")
    yield "apps with long names"
    page.get_by_role("button", name="Cancel").click()
    yield "cancelling with long names"
    page.goto(app["authorize_path"])
    yield "consent with long names"


def test_every_page_is_clean_in_light_and_dark_and_fits_a_phone(program: Program, page: Page) -> None:
    """Axe finds nothing on a desk and on a phone, and nothing is wider than the window."""
    assert 19 == len(all_clean((name, page) for name in every_page(program, page)))


def test_the_open_menus_are_clean(page: Page) -> None:
    """The flyout of a desk and the drawer of a phone, in light and dark."""
    sign_in(page)
    found = []
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        if size == DESK:
            menu(page).get_by_role("button", name="Growth").focus()
        else:
            page.get_by_role("button", name="Menu", exact=True).click()
        expect(menu(page).get_by_role("link", name="App store", exact=True)).to_be_visible()
        found += faults_as_it_stands(page)

    assert [] == found
