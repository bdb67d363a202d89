"""When the small window is blocked, closed too early, or never closes: the Dashboard stays honest, since the server tells."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product.scene import Scene, Seller, authorize, card, fill_in_the_form, renew_button, told

pytestmark = pytest.mark.browser


@pytest.fixture
def seller(scene: Scene) -> Seller:
    """A seller whose authorization ends soon."""
    made = scene.seller("Poppy & Pearl")
    scene.connect(made, "12d")
    return made


def open_the_window(page: Page, seller: Seller) -> Page:
    """Renew now, up to TikTok's form in the small window."""
    with page.expect_popup() as opening:
        renew_button(page, seller.shop).click()
    popup = opening.value
    expect(popup.get_by_role("heading", name="Renew", exact=True)).to_be_visible()
    return popup


def test_a_blocked_window_leads_to_the_same_tab_and_back(scene: Scene, seller: Seller) -> None:
    """The browser opens no window: the page says so, and one more click finishes in the same tab."""
    context = scene.browser()
    context.add_init_script("window.open = () => null")
    scene.sign_in(context, seller)
    page = scene.dashboard(context)
    renew_button(page, seller.shop).click()
    expect(told(page).get_by_role("alert")).to_contain_text("Your browser blocked the window")
    again = told(page).get_by_role("button", name="Continue in this tab")
    expect(again).to_be_focused()
    again.click()
    fill_in_the_form(page)
    authorize(page)

    expect(told(page)).to_contain_text("successfully renewed")
    expect(card(page, seller.shop)).to_contain_text("365 days left")


def test_a_window_closed_midway_is_no_success_and_can_be_opened_again(scene: Scene, page: Page, seller: Seller) -> None:
    """Nothing was changed, the page says so, and both ways on work: in this tab, or once more in a window."""
    scene.sign_in(page.context, seller)
    popup = open_the_window(page, seller)
    expect(told(page).get_by_role("status")).to_contain_text("Waiting for the consent in the other window")
    popup.close()
    expect(told(page).get_by_role("alert")).to_contain_text("The window was closed before TikTok confirmed")
    expect(told(page).get_by_role("button", name="Continue in this tab")).to_be_visible()
    assert 1 == scene.grant(seller)["consents"]

    popup = open_the_window(page, seller)
    fill_in_the_form(popup)
    authorize(popup)
    expect(told(page)).to_contain_text("successfully renewed")


def test_a_refusal_is_told_as_one(scene: Scene, page: Page, seller: Seller) -> None:
    """The seller discards: the Dashboard says that nothing was changed while the window is still open."""
    scene.sign_in(page.context, seller)
    popup = open_the_window(page, seller)
    popup.get_by_role("button", name="Discard").click()
    expect(popup.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    expect(told(page).get_by_role("alert")).to_contain_text("Nothing was changed")

    assert not popup.is_closed()
    assert 1 == scene.grant(seller)["consents"]


def test_success_is_told_by_the_server_while_the_window_is_still_open(scene: Scene, seller: Seller) -> None:
    """A window that never closes (its script is missing) changes nothing: the Dashboard has it from the hub."""
    context = scene.browser()
    context.route("**/static/done.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    scene.sign_in(context, seller)
    page = scene.dashboard(context)
    popup = open_the_window(page, seller)
    fill_in_the_form(popup)
    authorize(popup)
    expect(told(page)).to_contain_text("successfully renewed")

    assert not popup.is_closed()


def test_a_window_closed_right_after_authorize_still_succeeds(scene: Scene, page: Page, seller: Seller) -> None:
    """The consent has reached the hub: what the window does afterwards is of no account."""
    scene.sign_in(page.context, seller)
    popup = open_the_window(page, seller)
    fill_in_the_form(popup)
    authorize(popup)
    popup.wait_for_url("**/done/**", wait_until="commit")
    popup.close()
    expect(told(page)).to_contain_text("successfully renewed")
    expect(card(page, seller.shop)).to_contain_text("365 days left")
