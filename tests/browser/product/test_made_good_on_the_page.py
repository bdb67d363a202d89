"""A shop that was dead for two days, watched until everything missed is made good; and the button that connects it again."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.product.scene import Scene, Seller, authorize, fill_in_the_form, log_in_as_seller, until

pytestmark = pytest.mark.browser

PULLED = ("orders", "products", "inventory")


def connector(page: Page, shop: str) -> Locator:
    """A shop's connector."""
    return page.get_by_role("article", name=shop)


def press(page: Page, shop: str, name: str) -> None:
    """A button of a connector, by its exact label."""
    connector(page, shop).get_by_role("button", name=name, exact=True).click()


def synced(scene: Scene, connection_id: str) -> bool:
    """Whether every flow that is pulled has come through."""
    return all(flow["last_success_at"] for flow in scene.connection(connection_id)["flows"] if flow["name"] in PULLED)


def calls(scene: Scene, kind: str, path: str = "") -> int:
    """How many calls of the vendor's the platform has seen."""
    log = scene.hands.sandbox("GET", "/log", kind=kind, app=scene.key, limit=1000)["items"]
    return sum(path in entry["path"] for entry in log)


def records(scene: Scene, connection_id: str, flow: str) -> list[dict[str, Any]]:
    """What a flow brought."""
    found: list[dict[str, Any]] = scene.hands.hub("GET", f"/v1/connections/{connection_id}/records", flow=flow)["items"]
    return found


def renew_in_seller_center(scene: Scene, seller: Seller, ending: str) -> None:
    """My apps and incidents, Authorize, Renew, Confirm to install; `ending` is where that leads."""
    scene.hands.sandbox("POST", "/switches", {"seller_center_renewal": ending})
    try:
        page = scene.browser().new_page()
        page.goto(f"{scene.stage.places.sandbox}/seller/login?next=/seller")
        log_in_as_seller(page, seller)
        page.get_by_role("button", name="Growth").hover()
        page.get_by_role("link", name="My Apps & Services").click()
        page.get_by_role("button", name=f"Authorize Acme Sync for {seller.shop} (GB)", exact=True).click()
        page.get_by_label("I agree to share").check()
        page.get_by_role("button", name="Confirm to install", exact=True).click()
        done = "successfully renewed" if ending == "calls_back" else "My apps and incidents"
        expect(page.get_by_role("heading", name=done)).to_be_visible()
        page.close()
    finally:
        scene.hands.sandbox("POST", "/switches", {"seller_center_renewal": "stays"})


@pytest.mark.requirement("R-ECOM-5", "R-PIPE-29", "R-PIPE-30", "R-PIPE-31", "R-PIPE-32")
def test_two_days_of_outage_are_made_good_on_the_open_page(scene: Scene, page: Page) -> None:
    """Dead, held, renewed in Seller Center, caught up, back to normal: on the open pages, without a hand on the app."""
    seller = scene.seller("Harbour & Hull", orders=0)
    scene.hands.sandbox("POST", "/orders", {"shop": seller.shop_id, "count": 3})
    connection_id = scene.connect(seller, "1d")
    until(lambda: synced(scene, connection_id))
    assert 3 == len(records(scene, connection_id, "orders"))
    page.goto("/connectors")
    shown = connector(page, seller.shop)
    expect(shown.get_by_text("Connected", exact=True)).to_be_visible()
    expect(shown.get_by_role("row").filter(has_text="Orders")).to_contain_text("in ")
    scene.advance("25h")
    expect(shown.get_by_text("Disconnected", exact=True)).to_be_visible()
    expect(shown).to_contain_text("expired credentials")
    expect(shown.get_by_text("Paused: authorization expired")).to_have_count(6)
    expect(shown.get_by_role("button", name="manual sync")).to_be_disabled()
    dead_since = calls(scene, "api")

    scene.hands.sandbox("POST", "/orders", {"shop": seller.shop_id, "count": 5})
    (product, *_) = (record["document"] for record in records(scene, connection_id, "products"))
    levels = [{"sku": sku["seller_sku"], "quantity": 41 + n} for n, sku in enumerate(product["skus"])]
    scene.hands.hub("PUT", f"/v1/connections/{connection_id}/inventory", {"items": levels})
    scene.advance("47h")
    page.goto("/exceptions")
    expect(page.get_by_role("heading", name="Authorization expired")).to_be_visible()
    page.get_by_role("link", name="Authorization expired", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Its outage")).to_have_count(len(levels))
    page.get_by_role("link", name="Its outage").first.click()
    expect(page.get_by_text("Stopped", exact=True).first).to_be_visible()
    assert dead_since == calls(scene, "api"), "not one call while it is dead"

    broken = {"app": scene.key, "kind": "api", "path": "/product/*", "action": "status", "status": 503}
    scene.hands.sandbox("POST", "/faults", broken)
    renew_in_seller_center(scene, seller, "calls_back")
    expect(page.get_by_text("Everything runs again; what was missed is being made good.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Stock levels")).to_contain_text("Harmless write still to pass")
    scene.hands.sandbox("DELETE", "/faults")
    expect(page.get_by_text("Back to normal", exact=True).first).to_be_visible()
    expect(page.get_by_text("0 open")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Balanced")).to_have_count(6)
    expect(page.get_by_role("row").filter(has_text="Orders")).to_contain_text("Real read passed")
    expect(page.get_by_role("row").filter(has_text="Stock levels")).to_contain_text("Harmless write passed")
    page.goto("/exceptions")
    expect(page.get_by_role("heading", name="Nothing has failed")).to_be_visible()

    page.goto("/connectors")
    shown = connector(page, seller.shop)
    expect(shown.get_by_text("Connected", exact=True)).to_be_visible()
    for name in ("Orders", "Products", "Inventory"):
        expect(shown.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))).to_contain_text("Running")
    assert 8 == len(records(scene, connection_id, "orders"))
    scene.hands.sandbox("POST", "/orders", {"shop": seller.shop_id, "count": 1})
    press(page, seller.shop, "manual sync")
    until(lambda: len(records(scene, connection_id, "orders")) == 9)
    asked = {"product_ids": [product["id"]]}
    proxied = f"/v1/connections/{connection_id}/proxy/product/202309/inventory/search"
    (counted,) = scene.hands.hub("POST", proxied, asked)["data"]["inventory"]

    assert 9 == len({record["id"] for record in records(scene, connection_id, "orders")})
    assert {level["sku"]: level["quantity"] for level in levels} == {
        sku["seller_sku"]: sku["total_available_quantity"] for sku in counted["skus"]
    }


@pytest.mark.requirement("R-PIPE-38", "R-PIPE-39")
def test_connect_to_tiktok_refreshes_what_lives_and_renews_what_does_not(scene: Scene, page: Page) -> None:
    """Renewed in Seller Center, which tells nobody: the button fetches it, says since when it waits, and may be pressed again."""
    seller = scene.seller("Juniper & Jade")
    connection_id = scene.connect(seller, "20d")
    until(lambda: synced(scene, connection_id))
    scene.advance("48h")
    page.goto("/connectors")
    expect(connector(page, seller.shop)).to_contain_text("authorization ends in 18 days")
    renew_in_seller_center(scene, seller, "stays")
    expect(connector(page, seller.shop)).to_contain_text("authorization ends in 18 days")
    slow = {"app": scene.key, "kind": "token", "action": "status", "status": 429, "code": 36009002, "retry_after": 1}
    scene.hands.sandbox("POST", "/faults", slow)
    press(page, seller.shop, "Connect to TikTok")
    expect(page.locator("#told")).to_contain_text("Fresh credentials are asked for")
    expect(connector(page, seller.shop)).to_contain_text("Waiting for fresh credentials since")
    expect(connector(page, seller.shop)).to_contain_text("a few minutes")
    scene.hands.sandbox("DELETE", "/faults")
    expect(connector(page, seller.shop)).not_to_contain_text("Waiting for fresh credentials")
    expect(connector(page, seller.shop)).to_contain_text("authorization ends in 20 days")
    refreshed = calls(scene, "token", "/refresh")
    for _ in range(2):
        press(page, seller.shop, "Connect to TikTok")
        expect(page.locator("#told")).to_contain_text("Fresh credentials are asked for")
    until(lambda: synced(scene, connection_id))
    found = scene.connection(connection_id)

    assert "active" == found["status"]
    assert refreshed == calls(scene, "token", "/refresh"), "a fresh pair is not refreshed again"
    assert scene.grant(seller)["ends_at"] == found["authorization_expires_at"].replace("+00:00", "Z")

    other = scene.seller("Kelp & Kiln")
    scene.expired(other)
    scene.sign_in(page.context, other)
    page.goto("/connectors")
    expect(connector(page, other.shop)).to_contain_text("It may take TikTok a few minutes until that counts here.")
    with page.expect_popup() as opening:
        press(page, other.shop, "Connect to TikTok")
    fill_in_the_form(opening.value)
    authorize(opening.value)
    expect(connector(page, other.shop).get_by_text("Connected", exact=True)).to_be_visible()
    expect(page.locator("#told")).to_contain_text("successfully renewed")
