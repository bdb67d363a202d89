"""The whole renewal by keyboard alone; wherever the focus is, it can be seen."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.keyboard import reach
from tests.browser.product.scene import PASSWORD, SELLER_PASSWORD, Scene, card, told

pytestmark = pytest.mark.browser


def test_from_the_login_to_renewed_without_a_mouse(scene: Scene) -> None:
    """Tab, Space, arrows and Enter, on the hub's pages and on TikTok's."""
    seller = scene.seller("Vine & Velvet")
    scene.connect(seller, "12d")
    page = scene.browser().new_page()
    page.goto("/login")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(scene.stage.login.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(card(page, seller.shop)).to_be_visible()
    reach(page, "Renew now")
    with page.expect_popup() as opening:
        page.keyboard.press("Enter")
    popup = opening.value
    expect(popup.get_by_role("heading", name="Authorize Acme Sync")).to_be_visible()
    reach(popup, "Next for United Kingdom")
    popup.keyboard.press("Enter")
    expect(popup.get_by_label("Email or phone number")).to_be_focused()
    popup.keyboard.type(seller.email)
    popup.keyboard.press("Tab")
    popup.keyboard.type(SELLER_PASSWORD)
    popup.keyboard.press("Enter")
    expect(popup.get_by_role("heading", name="Renew", exact=True)).to_be_visible()
    reach(popup, "period")
    popup.keyboard.press("End")
    reach(popup, "agree")
    popup.keyboard.press("Space")
    reach(popup, "Confirm to Install")
    popup.keyboard.press("Enter")
    expect(popup.get_by_role("heading", name="Review the authorization")).to_be_visible()
    reach(popup, "agree")
    popup.keyboard.press("Space")
    reach(popup, "Authorize")
    with popup.expect_event("close"):
        popup.keyboard.press("Enter")

    expect(told(page)).to_contain_text("successfully renewed")
    expect(card(page, seller.shop)).to_contain_text("365 days left")


def test_the_first_stop_skips_to_the_content(page: Page) -> None:
    """One Tab and Enter, and the focus is past the navigation."""
    page.goto("/dashboard")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("link", name="Connect a shop").first).to_be_focused()
