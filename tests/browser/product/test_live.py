"""Open pages follow what happens, without a reload: in every browser of the team, and when time passes."""

from time import sleep

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.product.scene import Scene, authorize, card, fill_in_the_form, log_in_as_seller, renew_button, told

pytestmark = pytest.mark.browser
LATE_SECONDS = 0.5


def test_two_dashboards_see_one_renewal(scene: Scene) -> None:
    """Two people of the team, two browsers, two logins: one renews, both see the new end."""
    seller = scene.seller("Rowan & Rye")
    scene.connect(seller, "12d")
    acting, watching = scene.dashboard(scene.browser()), scene.dashboard(scene.browser())
    for page in (acting, watching):
        expect(card(page, seller.shop)).to_contain_text("12 days left")
        page.evaluate("window.neverReloaded = true")
    scene.sign_in(acting.context, seller)
    with acting.expect_popup() as opening:
        renew_button(acting, seller.shop).click()
    fill_in_the_form(opening.value, "90")
    authorize(opening.value)

    for page in (acting, watching):
        expect(card(page, seller.shop)).to_contain_text("90 days left")
        expect(card(page, seller.shop)).to_contain_text("Active")
        assert page.evaluate("window.neverReloaded")
    expect(told(acting)).to_contain_text("successfully renewed")
    assert "" == told(watching).inner_text()


def test_a_page_whose_scripts_come_one_by_one_is_live_all_the_same(scene: Scene) -> None:
    """On a slow line the part that listens comes late; it must not be left out."""

    def late(route: Route) -> None:
        sleep(LATE_SECONDS)
        route.continue_()

    context = scene.browser()
    context.route("**/hx-sse.min.js", late)
    page = scene.dashboard(context)
    seller = scene.seller("Quill & Quince")
    scene.connect(seller, "90d")
    expect(card(page, seller.shop)).to_contain_text("90 days left")


def test_an_end_that_passes_shows_by_itself(scene: Scene, page: Page) -> None:
    """The platform's clock is turned past the end; the open page says so, with the focus where it was."""
    seller = scene.seller("Sage & Slate")
    scene.connect(seller, "1d")
    page.reload()
    expect(card(page, seller.shop)).to_contain_text("Expiring soon")
    renew_button(page, seller.shop).focus()
    page.evaluate("window.neverReloaded = true")
    scene.advance("25h")

    expect(card(page, seller.shop)).to_contain_text("Expired")
    expect(card(page, seller.shop)).to_contain_text("Orders: paused, authorization expired")
    expect(renew_button(page, seller.shop)).to_be_focused()
    assert page.evaluate("window.neverReloaded")


def test_a_cancellation_by_the_seller_shows_by_itself(scene: Scene, page: Page) -> None:
    """The seller cancels at TikTok; the notice arrives, is verified, and the open page says so."""
    seller = scene.seller("Thyme & Teak")
    scene.connect(seller, "90d")
    page.reload()
    expect(card(page, seller.shop)).to_contain_text("Active")
    scene.hands.sandbox("POST", f"/grants/{scene.grant(seller)['id']}/cancel")

    expect(card(page, seller.shop)).to_contain_text("Cancelled")
    expect(card(page, seller.shop).locator(".eg-well")).to_have_count(0)


def test_without_javascript_the_whole_renewal_happens_in_one_tab(scene: Scene) -> None:
    """Log in, Renew now, TikTok's pages, and back on the Dashboard with the notice and the new end."""
    seller = scene.seller("Umber & Urn")
    scene.connect(seller, "12d")
    context = scene.browser(java_script_enabled=False)
    page = scene.dashboard(context)
    expect(card(page, seller.shop)).to_contain_text("12 days left")
    renew_button(page, seller.shop).click()
    page.get_by_role("button", name="Next for United Kingdom").click()
    log_in_as_seller(page, seller)
    fill_in_the_form(page, "180")
    authorize(page)

    expect(page.get_by_role("heading", name="Dashboard", exact=True)).to_be_visible()
    expect(told(page).get_by_role("status")).to_contain_text("Your TikTok Shop is now successfully renewed!")
    expect(card(page, seller.shop)).to_contain_text("180 days left")
    assert [page] == context.pages
