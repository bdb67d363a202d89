"""Partner Center's App & Service in a real browser: from "Create app & service" to a published app's link, by mouse and by keyboard."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.clean_page import all_clean
from tests.browser.keyboard import reach
from tests.browser.platform.window import window
from tests.sandbox.program import Program

pytestmark = pytest.mark.browser

REASONS = ["The Redirect URL does not answer.", "The description names another app."]
TABS = ("Overview", "Basic information", "Scopes", "API", "IP allow list", "Authorization", "Review")


@pytest.fixture
def page(chromium: Browser, program: Program) -> Iterator[Page]:
    """A developer's browser in front of a fresh world; it may use the clipboard, and must not complain."""
    program.steer("reset")
    with window(chromium, program, permissions=["clipboard-read", "clipboard-write"]) as opened:
        yield opened


def log_in(page: Page) -> None:
    """The seeded developer, in front of App & Service."""
    page.goto("/partner/apps")
    page.get_by_label("Email").fill("dana@evergrant.example")
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="App & Service")).to_be_visible()


def create(page: Page) -> None:
    """A public connector for the United Kingdom and the European Union, without a Webhook URL."""
    page.get_by_role("link", name="Create app & service").click()
    page.get_by_role("link", name="Public", exact=True).click()
    page.get_by_label("Service category").select_option("Connector")
    page.get_by_label("App name").fill("Parcel Pilot")
    page.get_by_label("What it does").fill("Syncs orders with your warehouse.")
    page.get_by_label("Market", exact=True).select_option("United Kingdom and European Union")
    page.get_by_label("Redirect URL").fill("https://app.example.test/callback")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="Parcel Pilot")).to_be_visible()


def tab(page: Page, name: str) -> None:
    """One of the app's tabs."""
    page.get_by_role("navigation", name="App", exact=True).get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name).first).to_be_visible()


def made(program: Program) -> Any:
    """The newest app of the name, as the platform has it."""
    return next(app for app in program.ask("world")["apps"] if app["name"] == "Parcel Pilot")


def test_an_app_goes_from_nothing_to_a_link_that_works(program: Program, page: Page) -> None:
    """Created, told what it lacks, refused with reasons, submitted again, published; then its link is copied and opened."""
    log_in(page)
    create(page)
    app = made(program)
    main = page.get_by_role("main")
    expect(main).to_contain_text(app["key"])
    expect(main).not_to_contain_text(app["secret"])
    page.get_by_role("button", name="Show").click()
    expect(main).to_contain_text(app["secret"])
    tab(page, "Review")
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_role("alert")).to_contain_text("subscribe to topic 7")
    tab(page, "API")
    page.get_by_label("Webhook URL").fill("https://hooks.example.test/tiktok")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    tab(page, "Review")
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("The app was submitted.")).to_be_visible()
    tab(page, "Authorization")
    expect(page.get_by_role("button", name="Copy authorization link")).to_have_count(0)
    program.steer(f"apps/{app['key']}/review", verdict="refuse", reasons=REASONS)
    tab(page, "Review")
    for reason in REASONS:
        expect(page.get_by_role("note")).to_contain_text(reason)
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("The app was submitted.")).to_be_visible()
    program.steer(f"apps/{app['key']}/review", verdict="approve")
    tab(page, "Authorization")
    page.get_by_role("button", name="Copy authorization link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")

    assert f"{program.base}{app['authorize_path']}" == copied
    expect(page.get_by_label("Sellers in the rest of the world")).to_have_value(copied)
    page.goto(copied)
    expect(page.get_by_role("heading", name="Authorize Parcel Pilot")).to_be_visible()


def test_the_same_by_keyboard_alone(program: Program, page: Page) -> None:
    """Tab, Space, arrows and Enter; wherever the focus is, it can be seen."""
    page.goto("/partner/apps")
    reach(page, "email")
    page.keyboard.type("dana@evergrant.example")
    reach(page, "password")
    page.keyboard.type("sandbox")
    page.keyboard.press("Enter")
    for words in ("Create app & service", "Custom"):
        expect(page.get_by_role("link", name=words, exact=True)).to_be_visible()
        reach(page, words)
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Create a custom app")).to_be_visible()
    reach(page, "category")
    page.keyboard.type("Conn")
    reach(page, "name")
    page.keyboard.type("Parcel Pilot")
    reach(page, "market")
    page.keyboard.type("United K")
    reach(page, "seller_type.CROSS_BORDER")
    page.keyboard.press("Space")
    reach(page, "redirect_url")
    page.keyboard.type("https://app.example.test/callback")
    reach(page, "webhook_url")
    page.keyboard.type("https://hooks.example.test/tiktok")
    reach(page, "Create")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The app was created.")).to_be_visible()
    reach(page, "Review")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Submit for review")).to_be_visible()
    reach(page, "Submit for review")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The app was submitted.")).to_be_visible()
    app = made(program)
    program.steer(f"apps/{app['key']}/review", verdict="refuse", reasons=REASONS)
    page.reload()
    expect(page.get_by_role("note")).to_contain_text(REASONS[0])
    reach(page, "Submit for review")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The app was submitted.")).to_be_visible()
    program.steer(f"apps/{app['key']}/review", verdict="approve")
    reach(page, "Authorization")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copy authorization link")).to_be_visible()
    reach(page, "Copy authorization link")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()

    assert f"{program.base}{app['authorize_path']}" == page.evaluate("navigator.clipboard.readText()")
    assert (["local"], "UK_EU", "custom") == tuple(
        made(program)[name] for name in ("seller_types", "market", "visibility")
    )


def test_the_addresses_are_asked_for_while_the_api_is_enabled(page: Page) -> None:
    """The toggle hides and shows them."""
    log_in(page)
    page.goto("/partner/apps/create?type=custom")
    expect(page.get_by_label("Redirect URL")).to_be_visible()
    page.get_by_role("switch", name="Enable API").uncheck()
    expect(page.get_by_label("Redirect URL")).to_be_hidden()
    expect(page.get_by_label("Webhook URL")).to_be_hidden()
    page.get_by_role("switch", name="Enable API").check()
    expect(page.get_by_label("Webhook URL")).to_be_visible()


def test_the_link_can_be_selected_without_javascript(chromium: Browser, program: Program) -> None:
    """There is no button that would do nothing."""
    program.steer("reset")
    context = chromium.new_context(base_url=program.base, java_script_enabled=False)
    page = context.new_page()
    log_in(page)
    page.get_by_role("link", name="Evergrant", exact=True).click()
    page.get_by_role("link", name="Authorization", exact=True).click()
    expect(page.get_by_label("Sellers in the United States")).to_have_value(
        f"{program.base}{program.ask('world')['apps'][0]['authorize_path']}"
    )
    expect(page.get_by_role("button", name="Copy authorization link")).to_have_count(0)
    context.close()


def every_page(program: Program, page: Page) -> Iterator[str]:
    """Every page about apps, one after the other, by its name."""
    log_in(page)
    yield "list"
    page.goto("/partner/apps/create")
    yield "type"
    page.goto("/partner/apps/create?type=public")
    yield "form"
    page.get_by_role("button", name="Create", exact=True).click()
    yield "form with faults"
    page.goto("/partner/apps")
    create(page)
    key = made(program)["key"]
    page.get_by_role("button", name="Show").click()
    yield "with the secret"
    for name in TABS:
        tab(page, name)
        yield f"draft, {name}"
    page.get_by_role("button", name="Submit for review").click()
    yield "not submitted"
    program.steer("apps", key=key, status="in_review")
    program.steer(f"apps/{key}/review", verdict="refuse", reasons=REASONS)
    tab(page, "Review")
    yield "refused"
    program.steer("apps", key=key, status="published")
    program.steer("authorize", app=key, seller="amelia@thamesandclay.example")
    for name in ("Authorization", "Review"):
        tab(page, name)
        yield f"published, {name}"
    for path in ("secret", "deactivate"):
        page.goto(f"/partner/apps/{key}/{path}")
        yield path
    page.get_by_role("button", name="Deactivate for good").click()
    yield "not deactivated"
    program.steer("apps", key=key, status="deactivated")
    page.goto(f"/partner/apps/{key}")
    yield "deactivated"


def test_every_page_about_apps_is_clean(program: Program, page: Page) -> None:
    """Axe finds nothing in light and dark, on a desk and on a phone, and nothing is too wide."""
    assert 20 == len(all_clean((name, page) for name in every_page(program, page)))
