"""What a consent must not do without: a period, the order of its steps, the checked box; with JavaScript and without."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product.scene import (
    Scene,
    Seller,
    authorize,
    card,
    fill_in_the_form,
    log_in_as_seller,
    renew_button,
    told,
)

pytestmark = pytest.mark.browser


@pytest.mark.requirement("R-ECOM-1")
def test_a_shop_is_connected_for_the_period_its_owner_chooses_and_not_without(scene: Scene, page: Page) -> None:
    """TikTok's form refuses to go on without a period; the chosen one stands in the hub's record."""
    seller = scene.seller("Willow & Wick")
    page.get_by_role("link", name="Connect a shop").first.click()
    page.get_by_label("Customer").fill("Willow & Wick")
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    page.get_by_role("button", name="Next for United Kingdom").click()
    log_in_as_seller(page, seller)
    expect(page.get_by_label("Authorization period")).to_have_value("")
    page.get_by_label("I agree to share").check()
    page.get_by_role("button", name="Confirm to Install", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose an authorization period.")
    page.goto(page.url.replace("/form", "/review"))
    expect(page).to_have_url(page.url.replace("/review", "/form"))
    assert [] == scene.hands.sandbox("GET", "/grants", app=scene.key)["items"]

    fill_in_the_form(page, "180")
    authorize(page)
    expect(told(page)).to_contain_text("Your TikTok Shop is connected!")
    expect(card(page, seller.shop)).to_contain_text("180 days left")
    (found,) = scene.hands.all("/v1/connections")

    assert found["authorization_period_days"] == 180
    assert 180 == scene.grant(seller)["period_days"]


def begin(scene: Scene, page: Page, shop: str) -> tuple[Seller, Page]:
    """A seller, signed in, whose renewal stands at TikTok's form in the small window."""
    seller = scene.seller(shop)
    scene.connect(seller, "12d")
    scene.sign_in(page.context, seller)
    with page.expect_popup() as opening:
        renew_button(page, seller.shop).click()
    popup = opening.value
    expect(popup.get_by_role("heading", name="Renew", exact=True)).to_be_visible()
    return seller, popup


@pytest.mark.requirement("R-ECOM-17")
def test_no_other_order_grants(scene: Scene, page: Page) -> None:
    """Confirm, review, check, Authorize; whoever skips a step, by address or by a form made by hand, gets no grant."""
    seller, popup = begin(scene, page, "Larch & Loom")
    form = popup.url
    review = form.replace("/form", "/review")
    token = popup.locator("input[name=form_token]").first.input_value()
    agreed = {"form_token": token, "agree": "yes"}
    filled = agreed | {"target_shop": seller.shop_id, "contact_email": seller.email, "action": "confirm"}

    def send(address: str, fields: dict[str, Any]) -> str:
        answer = page.context.request.post(address, form=fields, max_redirects=5)
        return answer.url

    assert send(review, agreed | {"action": "authorize"}) == form, "Authorize before the form is confirmed"
    popup.goto(review)
    expect(popup).to_have_url(form)
    send(form, filled)
    assert send(review, agreed | {"action": "authorize"}) == form, "after a form without a period"
    send(form, {**filled, "agree": "", "period": "365"})
    assert send(review, agreed | {"action": "authorize"}) == form, "after a form that was not agreed to"

    popup.goto(form)
    fill_in_the_form(popup)
    popup.get_by_role("button", name="Authorize", exact=True).click()
    expect(popup.get_by_role("alert")).to_contain_text("Check the box")
    another = scene.stage.places.sandbox + f"/open/authorize?service_id={service_of(scene)}&state=forged"
    fresh = page.context.request.get(another).url
    assert send(fresh.replace("/form", "/review"), agreed) == fresh, "a form confirmed in another walk"
    assert 1 == scene.grant(seller)["consents"]

    authorize(popup)
    expect(told(page)).to_contain_text("successfully renewed")
    assert 2 == scene.grant(seller)["consents"]


def service_of(scene: Scene) -> str:
    """The id in the app's authorization link."""
    (app,) = scene.hands.hub("GET", "/v1/apps")["items"]
    return str(app["service_id"])


@pytest.mark.requirement("R-ECOM-15")
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_authorize_does_nothing_while_the_box_is_unchecked(scene: Scene, javascript: bool) -> None:  # noqa: FBT001
    """The page says what is missing, and neither TikTok nor the hub has anything new."""
    seller = scene.seller("Moss & Maple")
    connection_id = scene.connect(seller, "12d")
    before = scene.connection(connection_id)["authorization_expires_at"]
    page = scene.browser(java_script_enabled=javascript).new_page()
    page.goto(scene.link(seller, purpose="renew", connection_id=connection_id)["url"])
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    page.get_by_role("button", name="Next for United Kingdom").click()
    log_in_as_seller(page, seller)
    fill_in_the_form(page)
    box = page.get_by_label("I have reviewed")
    for _ in range(2):
        expect(box).not_to_be_checked()
        page.get_by_role("button", name="Authorize", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Check the box")
        expect(page.get_by_role("heading", name="Review the authorization")).to_be_visible()

    assert 1 == scene.grant(seller)["consents"]
    assert before == scene.connection(connection_id)["authorization_expires_at"]
    authorize(page)
    expect(page.get_by_role("heading", name="successfully renewed")).to_be_visible()
    assert 2 == scene.grant(seller)["consents"]
