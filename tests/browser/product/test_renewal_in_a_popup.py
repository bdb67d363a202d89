"""The renewal as EcomSend describes it: from "Renew now" on the Dashboard to the success notice, in a small window."""

from time import monotonic

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product.scene import (
    Scene,
    authorize,
    card,
    day_of,
    fill_in_the_form,
    log_in_as_seller,
    renew_button,
    told,
)

pytestmark = pytest.mark.browser
A_FEW_SECONDS = 10.0


@pytest.mark.requirement(*(f"R-ECOM-{number}" for number in (8, 9, 10, 13, 14, 16, 18, 19, 20)))
@pytest.mark.parametrize(
    "signed_in",
    [
        pytest.param(False, id="signed-out", marks=pytest.mark.requirement("R-ECOM-11")),
        pytest.param(True, id="signed-in", marks=pytest.mark.requirement("R-ECOM-12")),
    ],
)
def test_a_seller_renews_over_the_dashboard(scene: Scene, page: Page, signed_in: bool) -> None:  # noqa: FBT001
    """One click, TikTok's pages in a second window, which closes by itself; the Dashboard tells and never reloads."""
    seller = scene.seller("Copper & Pine")
    connection_id = scene.connect(seller, "12d")
    before = scene.connection(connection_id)["authorization_expires_at"]
    if signed_in:
        scene.sign_in(page.context, seller)
    expect(card(page, seller.shop)).to_contain_text("Expiring soon")
    page.evaluate("window.neverReloaded = true")

    with page.expect_popup() as opening:
        renew_button(page, seller.shop).click()
    popup = opening.value
    seen = addresses_of(popup)
    assert page.url.endswith("/dashboard")
    if not signed_in:
        # A browser that TikTok has never seen is asked for the seller's region first.
        popup.get_by_role("button", name="Next for United Kingdom").click()
        expect(popup.get_by_role("heading", name="Log in to Seller Center")).to_be_visible()
        log_in_as_seller(popup, seller)
    expect(popup.get_by_role("heading", name="Renew", exact=True)).to_be_visible()
    assert popup.url.startswith(f"{scene.stage.places.sandbox}/authorize/")
    assert popup.evaluate("window.opener !== null")
    assert [page, popup] == [shown for shown in page.context.pages if not shown.is_closed()]
    settled = [address for address in seen if address.startswith("http")]
    assert settled[0].startswith(f"{scene.stage.places.sandbox}/authorize/"), "the window goes there by itself"
    assert signed_in == ([popup.url] == settled), "straight to the form, or by way of the login"
    assert 1 == scene.grant(seller)["consents"]

    fill_in_the_form(popup, "365")
    for detail in ("Acme Sync", f"{seller.shop} (GB)", "365 days", "Order Information"):
        expect(popup.get_by_role("main")).to_contain_text(detail)
    assert 1 == scene.grant(seller)["consents"]
    with popup.expect_event("close"):
        authorize(popup)
        begun = monotonic()

    assert monotonic() - begun < A_FEW_SECONDS
    expect(told(page)).to_contain_text("Your TikTok Shop is now successfully renewed!")
    found = scene.connection(connection_id)
    assert found["authorization_expires_at"] > before
    ends = day_of(found["authorization_expires_at"])
    expect(told(page)).to_contain_text(f"{seller.shop} is authorized until {ends}.")
    expect(card(page, seller.shop)).to_contain_text(f"If nobody renews by {ends}")
    expect(card(page, seller.shop)).to_contain_text("Active")
    expect(page.get_by_role("heading", name="Dashboard", exact=True)).to_be_visible()
    assert page.evaluate("window.neverReloaded")
    assert 2 == scene.grant(seller)["consents"]


def addresses_of(popup: Page) -> list[str]:
    """Every address the window shows from now on."""
    seen: list[str] = [popup.url]
    popup.on("framenavigated", lambda frame: seen.append(frame.url))
    return seen
