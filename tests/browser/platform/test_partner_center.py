"""Partner Center's Development Kits in a real browser: by label with the mouse, by keyboard alone, and every page clean."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.clean_page import all_clean
from tests.browser.keyboard import reach
from tests.browser.platform.window import window
from tests.sandbox.program import Program

pytestmark = pytest.mark.browser

SHOPS = "/partner/development-shops"


@pytest.fixture
def page(chromium: Browser, program: Program) -> Iterator[Page]:
    """A developer's browser in front of a fresh world, with an app in development; it must not complain."""
    program.steer("reset")
    program.steer("apps", name="Parcel Pilot", status="draft", redirect_urls=[f"{program.base}/limits"])
    with window(chromium, program) as opened:
        yield opened


def log_in(page: Page) -> None:
    """The seeded developer, at home."""
    page.goto("/partner")
    page.get_by_label("Email").fill("dana@evergrant.example")
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Welcome, Evergrant")).to_be_visible()


def to(page: Page, name: str) -> None:
    """A line of the left navigation, which then says that it is open."""
    line = page.get_by_role("navigation", name="Partner Center").get_by_role("link", name=name, exact=True)
    line.click()
    expect(page.get_by_role("heading", name=name, exact=True).first).to_be_visible()
    expect(line).to_have_attribute("aria-current", "page")


def create_test_account(page: Page, market: str = "United Kingdom") -> None:
    """One with core functions."""
    page.get_by_role("link", name="Create test account").click()
    page.get_by_label("Account type").select_option("Core Function")
    page.get_by_label("Shop Type").select_option("Local")
    page.get_by_label("Market").select_option(market)
    page.get_by_label("Account Nickname").fill("Berlin QA")
    page.get_by_label("Onboarding type").select_option("Without business documents")
    page.get_by_role("button", name="Create test account").click()
    expect(page.get_by_role("status")).to_contain_text("The test account was created.")


@pytest.mark.requirement("R-TTS-27", "R-TTS-30", "R-TTS-31")
def test_from_a_test_account_to_a_token_that_works(page: Page) -> None:
    """Development Kits > Development Shops: the guide, an account, a token for a draft, and a call with it in the tool."""
    log_in(page)
    expect(page.get_by_role("navigation", name="Partner Center")).to_contain_text("Development Kits")
    to(page, "Development Shops")
    page.get_by_role("link", name="Seller Center Development Shops User Guide").click()
    expect(page.get_by_role("heading", name="Seller Center Development Shops User Guide")).to_be_visible()
    page.go_back()
    create_test_account(page)
    page.get_by_label("How many").fill("2")
    page.get_by_role("button", name="Create test orders").click()
    page.get_by_role("button", name="To AWAITING_COLLECTION").first.click()
    expect(page.get_by_role("status")).to_contain_text("The order's status was changed.")
    page.get_by_label("App for the token").select_option("Parcel Pilot (draft)")
    page.get_by_role("button", name="Generate access token").click()
    expect(page.get_by_role("heading", name="Access token for Parcel Pilot")).to_be_visible()
    token = page.locator("#access_token").inner_text()
    page.get_by_role("link", name="Try it in the API Testing Tool").click()
    page.get_by_label("Access token").fill(token)
    page.get_by_label("Endpoint").select_option("POST /order/202309/orders/search")
    page.get_by_label("Parameters").fill("page_size=10")
    page.get_by_label("Body").fill('{"order_status": "AWAITING_COLLECTION"}')
    page.get_by_role("button", name="Send request").click()

    answer = page.get_by_role("region", name="Answer", exact=True)
    expect(answer).to_contain_text("HTTP 200")
    expect(answer.get_by_role("region", name="Body of the answer")).to_contain_text('"total_count": 1,')
    expect(answer).to_contain_text("{app_secret}/order/202309/orders/search")
    expect(page.get_by_role("main")).not_to_contain_text(token)


@pytest.mark.requirement("R-TTS-16", "R-TTS-28", "R-TTS-29")
def test_a_test_account_authorizes_and_has_all_of_seller_center(page: Page, program: Program) -> None:
    """Straight to the approval; then each line of Seller Center's navigation, and the app in My apps and incidents."""
    log_in(page)
    to(page, "Development Shops")
    create_test_account(page)
    account = page.url
    page.get_by_label("App to authorize").select_option("Parcel Pilot (draft)")
    page.get_by_role("button", name="Authorize app").click()
    expect(page.get_by_role("heading", name="Review the authorization")).to_be_visible()
    page.get_by_label("I have reviewed").check()
    page.get_by_role("button", name="Authorize", exact=True).click()
    expect(page.get_by_role("heading", name="Limits", exact=True)).to_be_visible()
    assert "code=" in page.url
    page.goto(account)
    expect(page.get_by_role("list").filter(has_text="Parcel Pilot, ends")).to_contain_text("Active")
    page.get_by_role("button", name="Sign in to Seller Center").click()
    seen = []
    lines = page.get_by_role("navigation", name="Seller Center").get_by_role("link", include_hidden=True)
    expect(lines.first).to_be_visible()
    for address in lines.evaluate_all("links => links.map(link => link.href)"):
        answer = page.goto(address)
        assert answer
        assert answer.status == 200
        seen.append(page.get_by_role("heading", level=1).inner_text())

    assert {"Orders", "Products", "App store", "My apps and incidents", "Users", "Help"} <= set(seen)
    page.goto("/seller/apps")
    expect(page.get_by_role("row").filter(has_text="Parcel Pilot")).to_contain_text("Active")
    assert 1 == program.ask("world")["grants"]


def test_the_same_by_keyboard_alone(page: Page) -> None:
    """Tab, arrows and Enter; wherever the focus is, it can be seen."""
    page.goto("/partner")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type("dana@evergrant.example")
    page.keyboard.press("Tab")
    page.keyboard.type("sandbox")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Welcome, Evergrant")).to_be_visible()
    for words in ("Development Shops", "Create test account"):
        reach(page, words)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=words, exact=True)).to_be_visible()
    reach(page, "function")
    page.keyboard.type("Core")
    reach(page, "market")
    page.keyboard.type("United K")
    reach(page, "nickname")
    page.keyboard.type("Berlin QA")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Berlin QA")).to_be_visible()
    reach(page, "Generate access token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Access token for")).to_be_visible()
    reach(page, "Try it in the API Testing Tool")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="API Testing Tool")).to_be_visible()
    reach(page, "endpoint")
    page.keyboard.type("GET /authorization/202309/shops")
    reach(page, "Send request")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Answer", exact=True)).to_contain_text("code 0")
    reach(page, "Webhook Log")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Webhook Log")).to_be_visible()
    reach(page, "test_topic")
    page.keyboard.type("6")
    reach(page, "Send test notification")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The test notification was not sent")).to_be_visible()


def test_the_log_shows_what_a_receiver_said(page: Page, program: Program) -> None:
    """A test notification to a page that is no receiver: answered, tried again, and found by its filter."""
    app = next(each for each in program.ask("world")["apps"] if each["name"] == "Parcel Pilot")
    program.steer("apps", key=app["key"], webhook_url=f"{program.base}/limits")
    log_in(page)
    to(page, "Webhook Log")
    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    page.get_by_label("App to notify").select_option("Parcel Pilot")
    page.get_by_label("Topic to send").select_option("7 UPCOMING_AUTHORIZATION_EXPIRATION")
    page.get_by_label("About which shop").select_option("Test Seller GB (SANDBOX7358231)")
    page.get_by_role("button", name="Send test notification").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    row = page.get_by_role("row").filter(has_text="UPCOMING_AUTHORIZATION_EXPIRATION").first
    for _ in range(50):
        if row.get_by_text("Retrying").is_visible():
            break
        page.reload()
    expect(row).to_contain_text("1 attempt, next in 2 minutes")
    expect(row).to_contain_text("405")
    page.get_by_text("Body and address").first.click()
    expect(page.get_by_text("Please direct the merchant to re-authorize.")).to_be_visible()
    page.get_by_label("Topic", exact=True).select_option("6 SELLER_DEAUTHORIZATION")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("Nothing was sent yet that fits the filter.")).to_be_visible()


def every_page(program: Program, page: Page) -> Iterator[str]:
    """Every page outside the apps' own, one after the other, by its name."""
    for path in ("/partner/login", "/partner/register"):
        page.goto(path)
        yield path
    page.get_by_role("button", name="Register").click()
    yield "register, refused"
    app = next(each for each in program.ask("world")["apps"] if each["name"] == "Parcel Pilot")
    program.steer("apps", key=app["key"], webhook_url=f"{program.base}/limits")
    log_in(page)
    for path in ("/partner", SHOPS, f"{SHOPS}/create", "/partner/api-testing-tool", "/partner/webhook-log"):
        page.goto(path)
        yield path
    for path in ("/partner/help", "/partner/help/development-shops", "/partner/help/app-development-overview"):
        page.goto(path)
        yield path
    page.goto(f"{SHOPS}/create")
    page.get_by_role("button", name="Create test account").click()
    yield "create, refused"
    page.goto(SHOPS)
    create_test_account(page)
    account = page.url
    page.get_by_role("button", name="Create test orders").click()
    yield "manage account"
    page.get_by_label("App for the token").select_option("Parcel Pilot (draft)")
    page.get_by_role("button", name="Generate access token").click()
    yield "token"
    page.get_by_role("link", name="Try it in the API Testing Tool").click()
    page.get_by_role("button", name="Send request").click()
    yield "answer"
    page.get_by_label("Parameters").fill("nonsense")
    page.get_by_role("button", name="Send request").click()
    yield "call, refused"
    page.goto(account)
    page.get_by_role("button", name="To AWAITING_COLLECTION").click()
    page.goto("/partner/webhook-log")
    page.get_by_text("Body and address").first.click()
    yield "log"
    program.steer("clock", advance="181d")
    for path in (account, SHOPS):
        page.goto(path)
        yield f"{path}, expired"


def test_every_page_is_clean(program: Program, page: Page) -> None:
    """Axe finds nothing in light and dark, on a desk and on a phone, and nothing is too wide."""
    assert 19 == len(all_clean((name, page) for name in every_page(program, page)))
