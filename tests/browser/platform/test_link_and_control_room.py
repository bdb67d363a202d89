"""The authorization link and the control room in a real browser: walked by clicking and by keyboard alone, axe clean, light and dark, at phone width."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.clean_page import Shown, all_clean
from tests.browser.keyboard import reach
from tests.sandbox.program import Program

pytestmark = pytest.mark.browser

OWNER = "amelia@thamesandclay.example"


class Vendor(BaseHTTPRequestHandler):
    """The app the seller is led back to: another site, which answers everything."""

    def do_GET(self) -> None:
        """Answer."""
        body = b"<!doctype html><title>App</title><h1>Back at the app</h1>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[str]:
    """Where the vendor's app listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Vendor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def page(chromium: Browser, program: Program, vendor: str) -> Iterator[Page]:
    """A fresh browser window in front of a fresh world."""
    program.steer("reset")
    program.steer("apps", key=program.ask("world")["apps"][0]["key"], redirect_urls=[f"{vendor}/cb"])
    context = chromium.new_context(base_url=program.base)
    window = context.new_page()
    window.set_default_timeout(20_000)
    yield window
    context.close()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser itself complains of: script errors and violations of the page's policy."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda said: heard.append(said.text) if "Content Security Policy" in said.text else None)
    return heard


def link(program: Program) -> str:
    """The seeded app's authorization link."""
    return f"{program.ask('world')['apps'][0]['authorize_path']}&state=s-1"


def sign_in(page: Page, email: str = OWNER) -> None:
    """The login page, filled in."""
    page.get_by_label("Email or phone number").fill(email)
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Log in").click()


def to_the_review(page: Page, period: str = "365") -> None:
    """The form, filled in."""
    page.get_by_label("Authorization period").select_option(period)
    page.get_by_label("I agree to share").check()
    page.get_by_role("button", name="Confirm to Install").click()


def test_a_seller_says_yes_by_clicking(program: Program, page: Page, complaints: list[str]) -> None:
    """Prompt, login, form, review, and back at the app, which is another site."""
    page.goto(link(program))
    expect(page.get_by_role("heading", name="Authorize Evergrant")).to_be_visible()
    page.get_by_role("button", name="Next for United Kingdom").click()
    sign_in(page)
    expect(page.get_by_role("heading", name="Install Evergrant")).to_be_visible()
    to_the_review(page)
    expect(page.get_by_text("Thames & Clay (GB)")).to_be_visible()
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("alert")).to_contain_text("Check the box")
    page.get_by_label("I have reviewed").check()
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()

    assert "code=GCP_sbx" in page.url
    assert page.url.endswith("&state=s-1")
    assert [] == complaints


def test_a_signed_in_seller_renews_without_a_click_too_many(program: Program, page: Page) -> None:
    """Straight to the form, titled Renew."""
    app = program.ask("world")["apps"][0]
    program.steer("authorize", app=app["key"], seller=OWNER, period="90d")
    program.steer("clock", advance="80d")
    page.goto("/seller/login")
    sign_in(page)
    page.goto(link(program))
    expect(page.get_by_role("heading", name="Renew")).to_be_visible()
    expect(page.get_by_label("Renew options")).to_have_value("Re-authorize only")
    page.get_by_label("I agree to share").check()
    page.get_by_role("button", name="Confirm to Install").click()
    page.get_by_label("I have reviewed").check()
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()

    assert 2 == program.ask("grants")["items"][0]["consents"]


def test_discard_leads_back_with_the_refusal(program: Program, page: Page, complaints: list[str]) -> None:
    """The policy of the page lets it go there."""
    page.goto("/seller/login")
    sign_in(page)
    page.goto(link(program))
    page.get_by_role("button", name="Next for United Kingdom").click()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()

    assert "code=null&error=auth_denied" in page.url
    assert [] == complaints


@pytest.mark.parametrize("seconds", ["10s", "3s"])
def test_the_countdown_counts_and_goes_on(program: Program, page: Page, complaints: list[str], seconds: str) -> None:
    """It can be seen to count, and after its seconds it goes on by itself."""
    program.steer("switches", return_countdown=seconds)
    page.goto("/seller/login")
    sign_in(page)
    page.goto(link(program))
    page.get_by_role("button", name="Next for United Kingdom").click()
    to_the_review(page)
    page.get_by_label("I have reviewed").check()
    page.get_by_role("button", name="Authorize").click()
    if seconds == "10s":
        expect(page.locator("[data-countdown]")).not_to_have_text("10")
        page.get_by_role("link", name="Go to Evergrant now").click()
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()

    assert [] == complaints


def test_the_whole_consent_by_keyboard_alone(program: Program, page: Page) -> None:
    """Tab, Space, arrows and Enter; the focus is always to be seen."""
    page.goto(link(program))
    reach(page, "Next for United Kingdom")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email or phone number")).to_be_focused()
    page.keyboard.type(OWNER)
    page.keyboard.press("Tab")
    page.keyboard.type("sandbox")
    page.keyboard.press("Enter")
    page.wait_for_url("**/form")
    reach(page, "period")
    page.keyboard.press("End")
    reach(page, "agree")
    page.keyboard.press("Space")
    reach(page, "Confirm to Install")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review")
    reach(page, "agree")
    page.keyboard.press("Space")
    reach(page, "Authorize")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Back at the app")).to_be_visible()

    assert 365 == program.ask("grants")["items"][0]["period_days"]


def every_page(program: Program, page: Page) -> Iterator[str]:
    """Every page there is, one after the other, by its name."""
    page.goto("/")
    yield "front page"
    yield from the_empty_control_room(page)
    page.goto("/limits")
    yield "limits"
    page.goto("/open/authorize?service_id=1")
    yield "refusal"
    page.goto(link(program))
    yield "region"
    page.get_by_role("button", name="Next for United Kingdom").click()
    page.wait_for_url("**/seller/login**")
    yield "login"
    page.get_by_label("Email or phone number").fill("nobody")
    page.get_by_label("Password").fill("nope")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "login, wrong"
    page.get_by_role("link", name="Create a seller account").click()
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "register, with faults"
    page.goto(link(program))
    sign_in(page)
    page.wait_for_url("**/form")
    yield "form"
    page.get_by_role("button", name="Confirm to Install").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "form, with faults"
    to_the_review(page, "90")
    page.wait_for_url("**/review")
    yield "review"
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "review, unchecked"
    program.steer("switches", return_countdown="10s")
    page.get_by_label("I have reviewed").check()
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Authorized")).to_be_visible()
    yield "return"
    program.steer("clock", advance="70d")
    page.goto(link(program))
    yield "renew"
    yield from the_full_control_room(program, page)


def the_empty_control_room(page: Page) -> Iterator[str]:
    """What it says where there is nothing yet."""
    for path in ("", "/calls", "/grants", "/faults", "/reviews"):
        page.goto(f"/control{path}")
        yield f"empty control room{path}"


def the_full_control_room(program: Program, page: Page) -> Iterator[str]:
    """The control room after something has happened."""
    program.steer("apps", name="Waiting app", status="in_review")
    for path in (
        "",
        "/calls",
        "/grants",
        "/faults?action=hold",
        "/faults?action=status",
        "/switches",
        "/reviews",
        "/world",
    ):
        page.goto(f"/control{path}")
        yield f"control room{path}"
    page.get_by_role("navigation", name="Control room").get_by_role("link", name="Break things").click()
    page.get_by_role("button", name="The next notice never arrives").click()
    expect(page.get_by_role("status")).to_contain_text("It is set.")
    yield "control room, a fault is set"
    for grant in program.ask("grants")["items"]:
        page.goto(f"/control/grants/{grant['id']}")
        yield "control room, an authorization"
        page.goto("/control/calls?kind=control")
        page.get_by_role("region", name="Calls and notices").get_by_role("link").first.click()
        page.wait_for_url("**/control/calls/*")
        yield "control room, a line"


def test_every_page_is_clean_in_light_and_dark_and_fits_a_phone(
    program: Program, page: Page, complaints: list[str]
) -> None:
    """Axe finds nothing, nothing is wider than the window, and the band says what this is."""

    def with_the_band() -> Iterator[Shown]:
        for name in every_page(program, page):
            assert page.locator(".band").is_visible(), name
            yield name, page

    assert 29 == len(all_clean(with_the_band()))
    assert [] == complaints


def test_the_theme_can_be_chosen_and_is_remembered(page: Page) -> None:
    """A button where there is JavaScript; the machine's choice where there is none."""
    page.emulate_media(color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Dark").click()
    page.goto("/limits")

    assert "dark" == page.evaluate("document.documentElement.dataset.bsTheme")
    assert "dark" == page.evaluate("getComputedStyle(document.documentElement).colorScheme")


def test_without_javascript_the_machine_chooses_the_theme(chromium: Browser, program: Program) -> None:
    """And every form still works."""
    context = chromium.new_context(base_url=program.base, java_script_enabled=False, color_scheme="dark")
    page = context.new_page()
    page.goto("/control")
    shade = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    page.get_by_role("button", name="+1 day").click()

    assert "rgb(23, 21, 17)" == shade
    expect(page.get_by_role("status")).to_contain_text("The clock was turned")
    context.close()
