"""The control room in a real browser: calls are watched as they come, the clock is turned, things break; also by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.keyboard import reach
from tests.browser.product.scene import Scene, Seller, until

pytestmark = pytest.mark.browser
# Longer than the table's own second.
WAIT_MS = 1500


@pytest.fixture
def seller(scene: Scene) -> Seller:
    """A seller whose shop is connected for ninety days."""
    made = scene.seller("Heath & Hazel")
    scene.connect(made, "90d")
    return made


@pytest.fixture
def page(scene: Scene) -> Page:
    """Somebody's browser in front of the sandbox."""
    context = scene.browser()
    opened = context.new_page()
    opened.goto(f"{scene.stage.places.sandbox}/control")
    return opened


def control(page: Page, scene: Scene, path: str) -> None:
    """Open a page of the control room."""
    page.goto(f"{scene.stage.places.sandbox}/control{path}")


def test_calls_are_watched_as_they_come(scene: Scene, seller: Seller, page: Page) -> None:
    """A call, and later a notice, appear in the open table by themselves; paused, nothing does."""
    grant = scene.grant(seller)["id"]
    control(page, scene, f"/calls?kind=notice&app={scene.key}")
    rows = page.get_by_role("region", name="Calls and notices").locator("tbody tr")
    expect(page.get_by_text("Following.")).to_be_visible()
    expect(page.get_by_text("Nothing like that")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    scene.hands.sandbox("POST", f"/grants/{grant}/cancel")
    expect(rows.first).to_contain_text("Notice 6, attempt 1")
    expect(page.get_by_text("Nothing like that")).to_be_hidden()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused.")).to_be_visible()
    before = rows.count()
    scene.hands.sandbox("POST", "/notices", {"type": 7, "app": scene.key, "shop": seller.shop_id})
    until(lambda: len(scene.hands.sandbox("GET", "/log", kind="notice", app=scene.key)["items"]) > before)
    page.wait_for_timeout(WAIT_MS)
    paused = rows.count()
    page.get_by_role("button", name="Go on").click()
    expect(rows.first).to_contain_text("Notice 7, attempt 1")

    assert before == paused
    assert page.evaluate("window.neverReloaded")


def test_the_focus_stays_on_a_line_while_others_come(scene: Scene, seller: Seller, page: Page) -> None:
    """Whoever reads by keyboard is not thrown out of the table."""
    control(page, scene, f"/calls?app={scene.key}")
    line = page.get_by_role("region", name="Calls and notices").get_by_role("link").first
    address = line.get_attribute("href")
    line.focus()
    scene.hands.sandbox("POST", f"/grants/{scene.grant(seller)['id']}/cancel")
    expect(page.get_by_role("link", name="Notice 6, attempt 1").first).to_be_visible()

    assert address == page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What is known")).to_be_visible()


def test_the_clock_is_turned_and_a_notice_arrives_in_the_open_table(scene: Scene, seller: Seller, page: Page) -> None:
    """One window turns to 30 days before the end, the other sees notice 7 come."""
    grant = scene.grant(seller)["id"]
    watching = page.context.new_page()
    control(watching, scene, f"/calls?grant={grant}")
    expect(watching.get_by_text("Following.")).to_be_visible()
    control(page, scene, "")
    due = page.get_by_role("region", name="What falls due").get_by_role("row").filter(has_text=seller.shop)
    due.filter(has_text="Notice 7").get_by_role("button", name="Turn there").click()
    expect(page.get_by_role("status")).to_contain_text("The clock was turned.")

    expect(watching.get_by_role("link", name="Notice 7, attempt 1")).to_be_visible()
    watching.get_by_role("link", name="Notice 7, attempt 1").click()
    expect(watching.get_by_text("is expiring in 30 days")).to_be_visible()


def test_an_authorization_is_broken_and_read_by_keyboard_alone(scene: Scene, seller: Seller, page: Page) -> None:
    """From the navigation to the search, the story, the fault and its removal; the focus is always to be seen."""
    reach(page, "Authorizations")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Authorizations", exact=True)).to_be_visible()
    reach(page, "words")
    page.keyboard.type(seller.email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 authorization", exact=True)).to_be_visible()
    reach(page, seller.shop)
    page.keyboard.press("Enter")
    expect(page.get_by_text("The seller agreed")).to_be_visible()
    reach(page, "Break its calls")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Authorization id")).to_have_value(scene.grant(seller)["id"])
    reach(page, "The next notice never arrives")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is set.")
    reach(page, "Remove all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("All were removed")


def test_without_javascript_a_link_refreshes_the_calls(scene: Scene, seller: Seller) -> None:
    """And every form works."""
    page = scene.browser(java_script_enabled=False).new_page()
    grant = scene.grant(seller)["id"]
    control(page, scene, f"/calls?grant={grant}")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    control(page, scene, f"/grants/{grant}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_contain_text("The authorization was cancelled.")
    page.get_by_role("link", name="Watch its calls").click()
    expect(page.get_by_role("link", name="Refresh", exact=True)).to_be_visible()
    page.get_by_role("link", name="Refresh", exact=True).click()
    expect(page.get_by_role("link", name="Notice 6, attempt 1")).to_be_visible()
