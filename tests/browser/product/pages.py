"""Every page of the hub, one after the other, in a world that has one of each."""

from collections.abc import Iterator

from playwright.sync_api import Page, Route, expect

from tests.browser.clean_page import Shown
from tests.browser.product.scene import (
    Scene,
    Seller,
    authorize,
    card,
    fill_in_the_form,
    has_polled,
    log_in_as_seller,
    renew_button,
    told,
    until,
)


def before_the_first_app(page: Page) -> Iterator[Shown]:
    """What a new tenant sees. Needs a scene without an app."""
    for path in ("dashboard", "connect", "activity"):
        page.goto(f"/{path}")
        yield f"{path}, no app yet", page


def before_the_first_shop(scene: Scene) -> Iterator[Shown]:
    """Logging in, and what is there before the first shop."""
    page = scene.browser().new_page()
    page.goto("/login")
    yield "login", page
    page.get_by_label("E-mail address").fill(scene.stage.login.email)
    page.get_by_label("Password").fill("a wrong one")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "login, refused", page
    too_many = page.get_by_role("alert").filter(has_text="Too many wrong passwords")
    while not too_many.is_visible():
        page.get_by_label("E-mail address").fill("nobody@vendor.example")
        page.get_by_label("Password").fill("a wrong one")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
    yield "login, too many tries", page
    page = scene.dashboard(page.context)
    yield "dashboard, no shop yet", page
    page.goto("/connect")
    yield "connect", page


def with_shops(scene: Scene, page: Page) -> Iterator[Shown]:
    """One shop of each kind: fine, ending soon, expired, cancelled, deactivated; and what happened to them."""
    cast = {
        "expiring": ("Cedar & Clay", "14d"),
        "expired": ("Linen & Lark", "1d"),
        "cancelled": ("Quarry & Quill", "180d"),
        "deactivated": ("Harbour Lane", "90d"),
        "fine": ("Thistle & Thread", "365d"),
    }
    ids: dict[str, str] = {}
    for kind, (shop, period) in cast.items():
        seller = scene.seller(shop)
        ids[kind] = scene.connect(seller, period)
        until(lambda kind=kind: has_polled(scene, ids[kind]))  # type: ignore[misc]
        grant = scene.grant(seller)["id"]
        if kind == "cancelled":
            scene.hands.sandbox("POST", f"/grants/{grant}/cancel")
        if kind == "deactivated":
            scene.hands.sandbox("POST", f"/grants/{grant}/deactivate")
    scene.advance("26h")
    until(lambda: len([found for found in scene.hands.all("/v1/connections") if found["status"] == "active"]) == 2)
    page.goto("/dashboard")
    expect(card(page, "Linen & Lark")).to_contain_text("Expired")
    yield "dashboard", page
    for kind, connection_id in ids.items():
        page.goto(f"/connections/{connection_id}")
        yield f"connection, {kind}", page
    yield from _what_stopped(scene, page, ids["expired"])
    page.goto(f"/connections/{ids['cancelled']}/history")
    yield "life history", page
    page.goto("/activity")
    yield "activity", page
    page.goto("/connect")
    yield "connect, with customers", page
    page.goto("/connections/con_none")
    yield "problem, not found", page
    page.goto("/docs")
    expect(page.get_by_role("heading", name="API reference")).to_be_visible()
    yield "API reference", page
    page.goto("/help")
    yield "help", page
    page.get_by_role("link", name="Re-authorize an app in TikTok Shop Seller Center").click()
    expect(page.get_by_role("heading", name="Troubleshooting")).to_be_visible()
    yield "help, a guide", page


def _what_stopped(scene: Scene, page: Page, connection_id: str) -> Iterator[Shown]:
    """The connectors, an outage, and what fails: levels held by it, and one of a SKU nobody knows."""
    (product, *_) = scene.hands.hub("GET", f"/v1/connections/{connection_id}/records", flow="products")["items"]
    items = [{"sku": sku["seller_sku"], "quantity": 7} for sku in product["document"]["skus"]]
    scene.hands.hub("PUT", f"/v1/connections/{connection_id}/inventory", {"items": items})
    page.goto("/connectors")
    expect(page.get_by_text("Disconnected", exact=True).first).to_be_visible()
    yield "connectors", page
    page.goto("/exceptions")
    page.get_by_role("button", name="Create rule").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    yield "exceptions", page
    page.get_by_role("link", name="Authorization expired", exact=True).click()
    yield "exceptions of a cause", page
    page.get_by_role("link", name="Retry all of this cause").click()
    expect(page.get_by_text("Nothing is done yet.")).to_be_visible()
    yield "a retry, looked at first", page
    page.get_by_role("button", name=f"Retry {len(items)} records").click()
    expect(page.get_by_role("heading", name="Bulk retry")).to_be_visible()
    yield "a bulk retry", page
    page.goto("/outages")
    yield "outages", page
    page.get_by_role("link", name="Linen & Lark").click()
    expect(page.get_by_role("heading", name="Ledger")).to_be_visible()
    yield "an outage", page


def around_the_window(scene: Scene, page: Page) -> Iterator[Shown]:
    """What the Dashboard says while a consent is given in the small window, and what the window ends with."""
    seller = scene.seller("Anchor & Ash")
    scene.connect(seller, "20d")
    scene.sign_in(page.context, seller)
    page.context.route("**/static/done.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/dashboard")
    popup = _opened(page, seller)
    yield "dashboard, waiting", page
    popup.close()
    expect(told(page)).to_contain_text("was closed")
    yield "dashboard, window closed", page
    popup = _opened(page, seller)
    popup.get_by_role("button", name="Discard").click()
    expect(told(page)).to_contain_text("Nothing was changed")
    yield "window, discarded", popup
    popup.close()
    yield "dashboard, discarded", page
    popup = _opened(page, seller)
    fill_in_the_form(popup)
    authorize(popup)
    expect(told(page)).to_contain_text("successfully renewed")
    yield "window, renewed", popup
    popup.close()
    yield "dashboard, renewed", page
    page.evaluate("window.open = () => null")
    renew_button(page, seller.shop).click()
    yield "dashboard, window blocked", page


def for_sellers(scene: Scene) -> Iterator[Shown]:
    """What a seller sees who was sent a link: the page with the button, the ways it can end, and the refusals."""
    page = scene.browser().new_page()
    seller = scene.seller("Bramble & Birch")
    link = scene.link(seller)
    page.goto(link["url"])
    yield "link", page
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    page.get_by_role("button", name="Next for United Kingdom").click()
    log_in_as_seller(page, seller)
    fill_in_the_form(page, "90")
    authorize(page)
    expect(page.get_by_role("heading", name="Your TikTok Shop is connected!")).to_be_visible()
    yield "link, connected", page
    page.goto(link["url"])
    yield "link, used", page
    (connection_id,) = (
        found["id"] for found in scene.hands.all("/v1/connections") if found["shops"][0]["name"] == seller.shop
    )
    link = scene.link(seller, purpose="renew", connection_id=connection_id)
    page.goto(link["url"])
    yield "link to renew", page
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    yield "link, discarded", page
    scene.hands.hub("POST", f"/v1/link-sessions/{link['id']}/revoke")
    page.goto(link["url"])
    yield "link, withdrawn", page
    page.goto(f"{scene.stage.places.hub}/l/nothing")
    yield "link, unknown", page
    page.goto(f"{scene.stage.places.hub}/cb/tiktok-shop/{scene.app_id}?code=x&state=forged")
    yield "return, unknown state", page
    page.goto(f"{scene.stage.places.hub}/cb/tiktok-shop/{scene.app_id}")
    yield "return, no state", page
    yield from _still_finishing(scene, page, seller, connection_id)


def _still_finishing(scene: Scene, page: Page, seller: Seller, connection_id: str) -> Iterator[Shown]:
    """The platform is away while the code is exchanged."""
    link = scene.link(seller, purpose="renew", connection_id=connection_id)
    page.goto(link["url"])
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    fill_in_the_form(page)
    fault = {"app": scene.key, "kind": "api", "path": "/authorization/*", "action": "status", "status": 500}
    scene.hands.sandbox("POST", "/faults", fault)
    page.route("**/done/*", _without_looking_again)
    authorize(page)
    expect(page.get_by_role("heading", name="Finishing with TikTok")).to_be_visible()
    yield "return, still finishing", page
    page.unroute("**/done/*")
    scene.hands.sandbox("DELETE", "/faults")
    page.reload()
    expect(page.get_by_role("heading", name="successfully renewed")).to_be_visible()
    yield "link, renewed", page


def _without_looking_again(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, headers={name: value for name, value in answer.headers.items() if name != "refresh"})


def _opened(page: Page, seller: Seller) -> Page:
    with page.expect_popup() as opening:
        renew_button(page, seller.shop).click()
    popup = opening.value
    expect(popup.get_by_role("heading", name="Renew", exact=True)).to_be_visible()
    return popup
