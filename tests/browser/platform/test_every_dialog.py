"""Every dialog and confirmation of Seller Center, Partner Center, consent and control room: by its labels with the mouse,
and again by keyboard alone.

The "Renew" dialog and the install form are walked in `test_seller_center_apps.py`, the forms that create an app and a test
account in `test_partner_apps.py` and `test_partner_center.py`, where they lead on to the hub, the review or a token.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.keyboard import FOCUS, MOST_STOPS
from tests.browser.platform.window import window
from tests.sandbox.program import Program

pytestmark = pytest.mark.browser

OWNER = "amelia@thamesandclay.example"
DEVELOPER = "dana@evergrant.example"
SHOP = "Thames & Clay (GB)"
MARKETS = ("United States", "United Kingdom", "European Union", "Southeast Asia", "Japan", "Latin America")


@pytest.fixture
def page(chromium: Browser, program: Program) -> Iterator[Page]:
    """Somebody's browser in front of a fresh world; it must not complain."""
    program.steer("reset")
    with window(chromium, program) as opened:
        yield opened


class Mouse:
    """Whoever points and clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, name: str) -> None:
        """A button or a link, by its whole name."""
        button = self.page.get_by_role("button", name=name, exact=True)
        button.or_(self.page.get_by_role("link", name=name, exact=True)).first.click()

    def enter(self, label: str, text: str) -> None:
        """Write into a field."""
        self._field(label).fill(text)

    def choose(self, label: str, option: str) -> None:
        """One of a list."""
        self._field(label).select_option(label=option)

    def check(self, label: str) -> None:
        """A box."""
        self.page.get_by_label(label).check()

    def _field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)


class Keyboard:
    """Whoever has no mouse: Tab, Enter, Space, and letters. Wherever the focus is, it can be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, name: str) -> None:
        """A button or a link, by its whole name."""
        button = self.page.get_by_role("button", name=name, exact=True)
        self._tab_to(button.or_(self.page.get_by_role("link", name=name, exact=True)).first)
        self.page.keyboard.press("Enter")

    def enter(self, label: str, text: str) -> None:
        """Write into a field over what stands there."""
        self._tab_to(self.page.get_by_label(label, exact=True))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, label: str, option: str) -> None:
        """One of a list, by its letters."""
        self._tab_to(self.page.get_by_label(label, exact=True))
        self.page.keyboard.type(option)

    def check(self, label: str) -> None:
        """A box."""
        self._tab_to(self.page.get_by_label(label))
        self.page.keyboard.press("Space")

    def _tab_to(self, control: Locator) -> None:
        expect(control).to_be_visible()
        for _ in range(MOST_STOPS):
            if control.evaluate("control => control === document.activeElement"):
                focus = self.page.evaluate(FOCUS)
                assert focus["outline"] >= 2 or focus["shadow"], focus
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard never reaches {control}")


Hands = Mouse | Keyboard
by_both = pytest.mark.parametrize("hands", [Mouse, Keyboard], ids=["mouse", "keyboard"])


def there(page: Page, heading: str) -> None:
    """The page with this heading is open."""
    expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_visible()


def told(page: Page, words: str) -> None:
    """The page says so."""
    expect(page.get_by_role("status")).to_contain_text(words)


def at_seller_center(hands: Hands, path: str) -> None:
    """A page of it, signed in as the owner on the way."""
    hands.page.goto(path)
    there(hands.page, "Log in to Seller Center")
    hands.enter("Email or phone number", OWNER)
    hands.enter("Password", "sandbox")
    hands.press("Log in")


def at_partner_center(hands: Hands, path: str) -> None:
    """A page of it, logged in as the seeded developer on the way."""
    hands.page.goto(path)
    hands.enter("Email", DEVELOPER)
    hands.enter("Password", "sandbox")
    hands.press("Log in")


def pilot(program: Program, **given: Any) -> Any:
    """An app of the developer's; its Redirect URL is a page that is there."""
    given = {"name": "Parcel Pilot", "redirect_urls": [f"{program.base}/limits"], **given}
    return program.steer("apps", developer=DEVELOPER, **given)


def state_of(program: Program, app: Any) -> Any:
    """The app as the platform has it now."""
    return program.steer("apps", key=app["key"])


# --- Seller Center


@by_both
@pytest.mark.requirement("R-TTS-24")
def test_an_authorization_is_cancelled(program: Program, page: Page, hands: Callable[[Page], Hands]) -> None:
    """Only after the question what it means; "Keep it" leads back, and nothing has happened."""
    using = hands(page)
    app = program.ask("world")["apps"][0]
    grant = program.steer("authorize", app=app["key"], seller=OWNER, shop="Thames & Clay")["grant_id"]
    at_seller_center(using, "/seller/apps")
    there(page, "My apps and incidents")
    using.press(f"Cancel Evergrant for {SHOP}")
    there(page, f"Cancel Evergrant for {SHOP}?")
    using.press("Keep it")
    there(page, "My apps and incidents")
    kept = program.ask(f"grants/{grant}")["status"]
    using.press(f"Cancel Evergrant for {SHOP}")
    there(page, f"Cancel Evergrant for {SHOP}?")
    using.press("Cancel authorization")
    expect(page.get_by_role("row").filter(has_text=SHOP)).to_contain_text("Cancelled by you")

    assert ("active", "cancelled") == (kept, program.ask(f"grants/{grant}")["status"])


@by_both
def test_a_user_is_added_gets_another_role_and_goes(page: Page, hands: Callable[[Page], Hands]) -> None:
    """Account settings, Users."""
    using = hands(page)
    at_seller_center(using, "/seller/account/users")
    there(page, "Users")
    using.enter("Email", "nina@thamesandclay.example")
    using.enter("Password", "secret-enough")
    using.choose("Role", "Finance: Orders and products, to look at.")
    using.press("Add user")
    told(page, "The user was added")
    role = "Role of nina@thamesandclay.example"
    expect(page.get_by_label(role).locator("option:checked")).to_have_text("Finance")
    using.choose(role, "Operations")
    using.press("Save the role of nina@thamesandclay.example")
    told(page, "The role was changed")
    expect(page.get_by_label(role).locator("option:checked")).to_have_text("Operations")
    using.press("Remove nina@thamesandclay.example")
    told(page, "The user was removed")
    expect(page.get_by_label(role)).to_have_count(0)


# --- consent


@by_both
@pytest.mark.requirement("R-TTS-11", "R-TTS-12", "R-TTS-13", "R-TTS-14", "R-TTS-17", "R-TTS-18", "R-TTS-19")
def test_somebody_without_an_account_authorizes(program: Program, page: Page, hands: Callable[[Page], Hands]) -> None:
    """Prompt, login, a new account, form, review: confirmed, checked, authorized, and at the Redirect URL."""
    using = hands(page)
    page.goto(f"{pilot(program, status='published')['authorize_path']}&state=s-1")
    there(page, "Authorize Parcel Pilot")
    nexts = page.get_by_role("button", name="Next for")
    expect(nexts).to_have_text([f"Next for {market}" for market in MARKETS])
    using.press("Next for European Union")
    there(page, "Log in to Seller Center")
    using.press("Create a seller account")
    there(page, "Create a seller account")
    using.enter("Shop name", "Neue Werkstatt")
    using.choose("Region", "Germany")
    using.enter("Email", "hallo@werkstatt.example")
    using.enter("Password", "geheim-genug")
    using.press("Create account")
    there(page, "Install Parcel Pilot")
    expect(page.get_by_label("Target shop", exact=True).locator("option")).to_have_text(["Neue Werkstatt (DE)"])
    using.choose("Authorization period", "90 days")
    using.check("I agree to share")
    using.press("Confirm to Install")
    there(page, "Review the authorization")
    assert 0 == program.ask("world")["grants"]
    using.check("I have reviewed")
    using.press("Authorize")
    there(page, "Limits")

    assert page.url.startswith(f"{program.base}/limits?code=")
    assert page.url.endswith("&state=s-1")
    (grant,) = program.ask("grants")["items"]
    assert (90, "Neue Werkstatt") == (grant["period_days"], grant["shops"][0]["name"])


@by_both
@pytest.mark.parametrize("page_of", ["form", "review"])
def test_a_seller_who_discards_grants_nothing(
    program: Program, page: Page, hands: Callable[[Page], Hands], page_of: str
) -> None:
    """From the form and from the review; the account can be switched on the way."""
    using = hands(page)
    link = pilot(program, status="published")["authorize_path"]
    at_seller_center(using, "/seller")
    there(page, "Welcome back")
    page.goto(link)
    using.press("Next for United Kingdom")
    there(page, "Install Parcel Pilot")
    using.press("Switch account")
    there(page, "Log in to Seller Center")
    using.enter("Email or phone number", OWNER)
    using.enter("Password", "sandbox")
    using.press("Log in")
    there(page, "Install Parcel Pilot")
    if page_of == "review":
        using.choose("Authorization period", "90 days")
        using.check("I agree to share")
        using.press("Confirm to Install")
        there(page, "Review the authorization")
    using.press("Discard")
    there(page, "Limits")

    assert 0 == program.ask("world")["grants"]


# --- Partner Center


@by_both
def test_a_developer_registers(page: Page, hands: Callable[[Page], Hands]) -> None:
    """From the login page, and is in."""
    using = hands(page)
    page.goto("/partner")
    using.press("Register as a developer")
    there(page, "Register as a developer")
    using.enter("Company name", "Parcel Works")
    using.enter("Email", "pia@parcelworks.example")
    using.enter("Password", "secret-enough")
    using.press("Register")
    there(page, "Welcome, Parcel Works")


@by_both
def test_an_app_gets_another_secret(program: Program, page: Page, hands: Callable[[Page], Hands]) -> None:
    """Asked first what it means; "Cancel" leads back, and the secret is the old one."""
    using = hands(page)
    app = pilot(program)
    at_partner_center(using, f"/partner/apps/{app['key']}")
    there(page, "Parcel Pilot")
    using.press("New App Secret")
    there(page, "New App Secret")
    using.press("Cancel")
    there(page, "Overview")
    kept = state_of(program, app)["secret"]
    using.press("New App Secret")
    using.press("Create new App Secret")
    expect(page.get_by_role("heading", name="New App Secret")).to_have_count(0)

    assert app["secret"] == kept
    assert app["secret"] != state_of(program, app)["secret"]


@by_both
def test_an_app_is_deactivated_for_good(program: Program, page: Page, hands: Callable[[Page], Hands]) -> None:
    """Not by Cancel and not with the box unchecked."""
    using = hands(page)
    app = pilot(program)
    at_partner_center(using, f"/partner/apps/{app['key']}")
    using.press("Deactivate this app")
    there(page, "Deactivate this app")
    using.press("Cancel")
    there(page, "Overview")
    using.press("Deactivate this app")
    using.press("Deactivate for good")
    expect(page.get_by_role("alert")).to_be_visible()
    kept = state_of(program, app)["status"]
    using.check("I understand that")
    using.press("Deactivate for good")
    expect(page.get_by_role("heading", name="Deactivate this app")).to_have_count(0)

    assert ("published", "deactivated") == (kept, state_of(program, app)["status"])


# --- the control room


@by_both
def test_a_review_is_decided(program: Program, page: Page, hands: Callable[[Page], Hands]) -> None:
    """Refused with a reason, and approved the second time."""
    using = hands(page)
    app = pilot(program, status="in_review")
    page.goto("/control/reviews")
    using.enter("Reasons to refuse Parcel Pilot, one a line", "The Redirect URL does not answer.")
    using.press("Refuse Parcel Pilot")
    expect(page.get_by_text("Nothing waits for a review.")).to_be_visible()
    refused = state_of(program, app)
    program.steer("apps", key=app["key"], status="in_review")
    page.goto("/control/reviews")
    using.press("Approve Parcel Pilot")
    expect(page.get_by_text("Nothing waits for a review.")).to_be_visible()

    assert ("draft", ["The Redirect URL does not answer."]) == (refused["status"], refused["history"][0]["reasons"])
    assert "published" == state_of(program, app)["status"]


@by_both
def test_a_new_world_begins_after_the_box_is_checked(
    program: Program, page: Page, hands: Callable[[Page], Hands]
) -> None:
    """Unchecked, the button does nothing."""
    using = hands(page)
    pilot(program)
    page.goto("/control/world")
    using.enter("Seed", "7")
    using.press("Reset the world")
    kept = program.ask("world")
    using.check("Yes, forget everything")
    using.press("Reset the world")
    told(page, "A new world has begun.")
    world = program.ask("world")

    assert (1, 2) == (kept["seed"], len(kept["apps"]))
    assert (7, 1) == (world["seed"], len(world["apps"]))
