"""A shop whose authorization is over: nothing about it looks well, it asks for a renewal, and that alone brings it back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product.scene import Scene, authorize, card, fill_in_the_form, has_polled, renew_button, until

pytestmark = pytest.mark.browser

GREEN = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const green = (colour) => {
    if (!colour || colour === "none") return false;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, middle, blue, seen] = canvas.getImageData(0, 0, 1, 1).data;
    return seen > 20 && middle - Math.max(red, blue) > 20;
  };
  const found = [];
  for (const element of document.querySelectorAll("main *")) {
    if (element.closest("button, a, template, [hidden]")) continue;
    const style = getComputedStyle(element);
    const shown = ["color", "backgroundColor", "borderLeftColor", "stroke", "fill"].filter((name) => {
      if (name === "borderLeftColor" && style.borderLeftWidth === "0px") return false;
      return green(style[name]);
    });
    const words = element.getAttribute("class") || "";
    if (shown.length || words.includes("eg-well")) found.push(`${element.tagName}.${words}: ${shown}`);
  }
  return found;
}
"""
"""Everything on the page, controls aside, that is painted green or marked as well."""


def screens(page: Page, connection_id: str) -> Iterator[str]:
    """Every screen of the hub that speaks of a connection."""
    for path in ("/dashboard", f"/connections/{connection_id}", "/connectors", "/outages", "/activity"):
        page.goto(path)
        yield path


@pytest.mark.requirement("R-ECOM-6")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_expired_shop_shows_no_sign_of_health_anywhere(scene: Scene, page: Page, scheme: str) -> None:
    """No green, no "Running", no "Active"; every flow is paused with the reason."""
    seller = scene.seller("Birch & Brine")
    connection_id = scene.connect(seller, "1d")
    until(lambda: has_polled(scene, connection_id))
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto("/dashboard")
    assert page.evaluate(GREEN), "a living shop is green: the look sees it"

    scene.advance("25h")
    until(lambda: scene.connection(connection_id)["status"] == "expired")
    for path in screens(page, connection_id):
        said = page.get_by_role("main").inner_text()
        assert [] == page.evaluate(GREEN), path
        assert "Running" not in said
        assert "Active\n" not in said
    page.goto(f"/connections/{connection_id}")
    expect(page.get_by_role("cell", name="Paused: authorization expired")).to_have_count(6)


@pytest.mark.requirement("R-ECOM-7")
def test_the_hub_asks_for_a_renewal_and_nothing_renews_by_itself(scene: Scene, page: Page) -> None:
    """Expiring and expired shops carry the request; while only time passes, no new consent and no new end appears."""
    expiring, expired, fine = (scene.seller(name) for name in ("Ember & Elm", "Fern & Flint", "Gorse & Grain"))
    ids = {seller: scene.connect(seller, period) for seller, period in ((expiring, "9d"), (fine, "365d"))}
    ids[expired] = scene.expired(expired)
    ends = {found: scene.connection(found)["authorization_expires_at"] for found in ids.values()}
    page.reload()
    expect(card(page, expiring.shop)).to_contain_text("If nobody renews by")
    expect(card(page, expired.shop)).to_contain_text("resume, and catch up, once the shop owner renews")
    for seller in (expiring, expired):
        expect(renew_button(page, seller.shop)).to_have_class("btn eg-btn-call")
        page.goto(f"/connections/{ids[seller]}")
        expect(page.get_by_role("button", name="Renew now", exact=True)).to_have_class("btn eg-btn-call")
        page.goto("/dashboard")
    expect(renew_button(page, fine.shop)).not_to_have_class("btn eg-btn-call")

    scene.advance("4d")
    until(lambda: any(entry["path"].endswith("/refresh") for entry in calls(scene)))
    scene.advance("6d")
    until(lambda: scene.connection(ids[expiring])["status"] == "expired")

    assert ends == {found: scene.connection(found)["authorization_expires_at"] for found in ids.values()}
    assert {1} == {scene.grant(seller)["consents"] for seller in ids}


def calls(scene: Scene) -> list[dict[str, str]]:
    """What the platform's token host received from this vendor."""
    items: list[dict[str, str]] = scene.hands.sandbox("GET", "/log", kind="token", app=scene.key, limit=1000)["items"]
    return items


@pytest.mark.requirement("R-ECOM-21")
def test_after_the_renewal_the_flows_run_again_on_the_open_page(scene: Scene, page: Page) -> None:
    """The connection's page is open the whole time: paused before, running after, with the order that was missed."""
    seller = scene.seller("Holly & Hearth", orders=0)
    connection_id = scene.expired(seller)
    scene.hands.sandbox("POST", "/orders", {"shop": seller.shop_id, "count": 5})
    scene.sign_in(page.context, seller)
    page.goto(f"/connections/{connection_id}")
    page.evaluate("window.neverReloaded = true")
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.filter(has_text="Paused: authorization expired")).to_have_count(6)

    with page.expect_popup() as opening:
        page.get_by_role("button", name="Renew now", exact=True).click()
    fill_in_the_form(opening.value)
    authorize(opening.value)
    expect(rows.filter(has_text="Running")).to_have_count(4)
    expect(rows.filter(has_text="Paused")).to_have_count(0)
    expect(rows.filter(has_text="Orders").locator(".eg-number")).to_have_text("5")
    expect(page.locator("#told")).to_contain_text("successfully renewed")
    found = scene.connection(connection_id)

    assert page.evaluate("window.neverReloaded")
    assert {None} == {flow["reason"] for flow in found["flows"]}
    assert {flow["state"] for flow in found["flows"]} <= {"running", "catching_up", "not_carried"}
    assert found["status"] == "active"
