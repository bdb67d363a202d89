"""The platform's App store and Seller Center end at the hub without a state; a person of the team says whose shop it is."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.clean_page import Shown, all_clean
from tests.browser.product.scene import Scene, Seller, authorize, card, fill_in_the_form, log_in_as_seller

pytestmark = pytest.mark.browser


def install(scene: Scene, page: Page, seller: Seller) -> None:
    """Growth, App store, Install now, form, review, Authorize, in this browser; ends at the hub."""
    world = scene.hands.sandbox("GET", "/world")
    service_id = next(each["service_id"] for each in world["apps"] if each["key"] == scene.key)
    page.goto(f"{scene.stage.places.sandbox}/seller/login?next=/seller/app-store/{service_id}")
    log_in_as_seller(page, seller)
    page.get_by_role("button", name="Install now").click()
    fill_in_the_form(page, "90")
    authorize(page)
    page.wait_for_url(f"{scene.stage.places.hub}/**")


def log_in(scene: Scene, page: Page) -> None:
    """The hub's login, where the seller was led to."""
    page.get_by_label("E-mail address").fill(scene.stage.login.email)
    page.get_by_label("Password").fill(scene.stage.login.password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.requirement("R-TTS-6", "R-TTS-8", "R-TTS-9", "R-TTS-10")
def test_an_install_from_the_store_is_connected_after_logging_in(scene: Scene) -> None:
    """From the store to the hub's login, back to the page that names shop and workspace, and in two steps to the shop."""
    seller = scene.seller("Maple & Moth")
    page = scene.browser().new_page()
    install(scene, page, seller)
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert [] == scene.hands.all("/v1/connections")
    log_in(scene, page)
    expect(page.get_by_role("heading", name="Whose shop is this?")).to_be_visible()
    expect(page.get_by_text("Maple & Moth (United Kingdom)")).to_be_visible()
    expect(page.locator("dl")).to_contain_text("Acme Sync")
    page.get_by_label("New customer").fill("Maple Ltd")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Connect this shop?")).to_be_visible()
    assert [] == scene.hands.all("/v1/connections")
    page.get_by_role("button", name="Connect Maple & Moth").click()
    expect(page.get_by_role("heading", name="Maple & Moth", level=1)).to_be_visible()
    (found,) = scene.hands.all("/v1/connections")

    assert ("active", seller.shop_id) == (found["status"], found["shops"][0]["id"])


@pytest.mark.requirement("R-TTS-10", "R-TTS-23")
def test_a_renewal_in_seller_center_renews_the_connection_by_itself(scene: Scene) -> None:
    """Authorize in the row; where Seller Center calls the app back, then without a state: the expired shop flows again."""
    seller = scene.seller("Willow & Wren")
    connection_id = scene.expired(seller)
    scene.hands.sandbox("POST", "/switches", {"seller_center_renewal": "calls_back"})
    try:
        page, sent = scene.browser().new_page(), []
        page.on("request", lambda request: sent.append(request.url))
        page.goto(f"{scene.stage.places.sandbox}/seller/login?next=/seller")
        log_in_as_seller(page, seller)
        page.get_by_role("button", name="Growth").hover()
        page.get_by_role("link", name="My Apps & Services").click()
        page.get_by_role("button", name="Authorize Acme Sync for Willow & Wren (GB)", exact=True).click()
        page.get_by_label("I agree to share").check()
        page.get_by_role("button", name="Confirm to install", exact=True).click()
        expect(page.get_by_role("heading", name="successfully renewed")).to_be_visible()
        expect(page.get_by_text("Willow & Wren is authorized until")).to_be_visible()
    finally:
        scene.hands.sandbox("POST", "/switches", {"seller_center_renewal": "stays"})

    (back,) = [url for url in sent if "/cb/tiktok-shop/" in url]
    assert ("code=" in back, "state" in back) == (True, False)
    (found,) = scene.hands.all("/v1/connections")
    ends = int(datetime.fromisoformat(found["authorization_expires_at"]).timestamp())
    assert (connection_id, "active", scene.grant(seller)["ends_at_unix"]) == (found["id"], found["status"], ends)


def around_a_claim(scene: Scene) -> Iterator[Shown]:
    """The Dashboard's notice, the list, both steps, the refusals, and what the seller sees."""
    first, second = scene.seller("Oak & Otter"), scene.seller("Pine & Plover")
    page = scene.browser().new_page()
    install(scene, page, first)
    log_in(scene, page)
    expect(page.get_by_role("heading", name="Whose shop is this?")).to_be_visible()
    yield "claim, step 1", page
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "claim, nobody chosen", page
    page.get_by_label("New customer").fill("Oak Ltd")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Connect this shop?")).to_be_visible()
    yield "claim, step 2", page
    install(scene, scene.browser().new_page(), second)
    page.goto("/dashboard")
    expect(page.get_by_text("2 authorizations wait for an owner.")).to_be_visible()
    yield "dashboard, two wait", page
    page.get_by_role("link", name="Look at them").click()
    expect(page.get_by_role("heading", name="Oak & Otter")).to_be_visible()
    yield "claims", page
    page.get_by_role("link", name="Claim", exact=True).click()
    address = page.url
    page.get_by_label("New customer").fill("Oak Ltd")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Connect Oak & Otter").click()
    expect(page.get_by_role("heading", name="Oak & Otter", level=1)).to_be_visible()
    yield "claimed", page
    page.goto(address)
    yield "claim, taken", page
    page.goto("/claims")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    yield "claims, none", page
    page.goto("/dashboard")
    expect(card(page, "Oak & Otter")).to_be_visible()
    page.goto(f"{scene.stage.places.hub}/cb/tiktok-shop/{scene.app_id}?code=GCP_made_up")
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    yield "arrival, refused code", page


def test_the_pages_around_a_claim_are_clean(scene: Scene) -> None:
    """Axe finds nothing in light and dark, on a desk and on a phone, and nothing is too wide."""
    assert 9 == len(all_clean(around_a_claim(scene)))
