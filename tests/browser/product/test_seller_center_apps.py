"""App store, My apps and incidents and the "Renew" dialog in a real browser: by mouse, by keyboard alone, without a script."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.clean_page import all_clean
from tests.browser.keyboard import reach
from tests.browser.product.scene import (
    SCOPES,
    SELLER_PASSWORD,
    Scene,
    Seller,
    authorize,
    fill_in_the_form,
    log_in_as_seller,
)

pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A seller with two shops, and the vendor's app under a name no other test's has."""

    seller: Seller
    second: Seller
    app: str
    service_id: str

    def row(self, page: Page, shop: Seller) -> Locator:
        """The row of the app at a shop."""
        return page.get_by_role("row").filter(has_text=self.app).filter(has_text=f"{shop.shop} (GB)")

    def action(self, page: Page, shop: Seller, name: str = "Authorize") -> Locator:
        """A button of that row."""
        return page.get_by_role("button", name=f"{name} {self.app} for {shop.shop} (GB)", exact=True)


@pytest.fixture
def owner(scene: Scene) -> Owner:
    """The cast."""
    app = f"Sync {scene.key}"
    scene.hands.sandbox("POST", "/apps", {"key": scene.key, "name": app})
    world = scene.hands.sandbox("GET", "/world")
    service_id = next(each["service_id"] for each in world["apps"] if each["key"] == scene.key)
    email = f"{scene.key}@fern.example"
    shops = [{"name": name, "region": "GB", "orders": 1, "products": 1} for name in ("Fern & Flint", "Moss & Mill")]
    given = {"name": "Fern Ltd", "email": email, "password": SELLER_PASSWORD, "region": "GB", "shops": shops}
    made = scene.hands.sandbox("POST", "/sellers", given)
    first, second = (Seller(email=email, shop=shop["name"], shop_id=shop["id"]) for shop in made["shops"])
    return Owner(seller=first, second=second, app=app, service_id=service_id)


def consent(scene: Scene, shop: Seller, period: str) -> str:
    """The seller's consent for a shop without a browser; gives the grant's id."""
    asked = {"app": scene.key, "seller": shop.email, "shop": shop.shop_id, "period": period}
    return str(scene.hands.sandbox("POST", "/authorize", asked)["grant_id"])


def ends(scene: Scene, grant_id: str) -> int:
    """Where an authorization ends, in Unix seconds."""
    return int(scene.hands.sandbox("GET", f"/grants/{grant_id}")["ends_at_unix"])


def at(scene: Scene, owner: Owner, path: str, **browser: Any) -> Page:
    """A page of Seller Center, signed in, in a browser of its own."""
    context: BrowserContext = scene.browser(**browser)
    page = context.new_page()
    page.goto(f"{scene.stage.places.sandbox}/seller/login?next={path}")
    log_in_as_seller(page, owner.seller)
    return page


@pytest.mark.requirement("R-TTS-6", "R-TTS-7", "R-TTS-8", "R-TTS-10")
def test_an_install_from_the_app_store_lands_at_the_hub(scene: Scene, owner: Owner) -> None:
    """Growth, App store, Install now, form, review, Authorize: at the app's Redirect URL, with a code and no state."""
    page = at(scene, owner, "/seller")
    page.get_by_role("button", name="Growth").hover()
    page.get_by_role("link", name="App store", exact=True).click()
    expect(page.get_by_role("heading", name="App store", level=1)).to_be_visible()
    page.get_by_label("Search the App store").fill(owner.app)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=owner.app, exact=True).click()
    expect(page.get_by_role("heading", name="Data it asks for")).to_be_visible()
    page.get_by_role("button", name="Install now").click()
    expect(page.get_by_role("heading", name=f"Install {owner.app}")).to_be_visible()
    page.get_by_role("button", name="Confirm to Install", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose an authorization period.")
    fill_in_the_form(page, "90")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    authorize(page)
    page.wait_for_url(f"{scene.stage.places.hub}/**")

    (back,) = [url for url in sent if "/cb/tiktok-shop/" in url]
    assert back.startswith(f"{scene.stage.places.hub}/cb/tiktok-shop/{scene.app_id}?code=GCP_sbx")
    assert "state" not in back
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert [] == scene.hands.all("/v1/connections")
    (claim,) = scene.hands.all("/v1/claims")
    assert ("waiting", owner.seller.shop_id) == (claim["status"], claim["shops"][0]["id"])
    assert "active" == scene.grant(owner.seller)["status"]


@pytest.mark.requirement("R-TTS-19", "R-TTS-20")
def test_a_consent_by_link_lands_at_the_hub_and_its_code_works_once(scene: Scene, owner: Owner) -> None:
    """The hub's own link; the browser ends at the configured Redirect URL, and the code is good for one exchange."""
    page = scene.browser().new_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.goto(scene.link(owner.seller)["url"])
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    page.get_by_role("button", name="Next for United Kingdom").click()
    log_in_as_seller(page, owner.seller)
    fill_in_the_form(page, "90")
    authorize(page)
    expect(page.get_by_role("heading", name="Your TikTok Shop is connected!")).to_be_visible()
    (back,) = [url for url in sent if "/cb/tiktok-shop/" in url]
    page.goto(back)
    exchanges = scene.hands.sandbox("GET", "/log", kind="token", app=scene.key)["items"]
    code = back.partition("code=")[2].partition("&")[0]
    asked = {"app_key": scene.key, "app_secret": "browser_secret_11", "auth_code": code}
    again = page.request.get(
        f"{scene.stage.places.sandbox}/api/v2/token/get", params={**asked, "grant_type": "authorized_code"}
    ).json()

    assert back.startswith(f"{scene.stage.places.hub}/cb/tiktok-shop/{scene.app_id}?code=")
    assert [0] == [each["code"] for each in exchanges if each["path"].endswith("/get")]
    assert 36004004 == again["code"]


def asked_for(page: Page) -> list[str]:
    """The pages a window comes by from now on, each by the last word of its path."""
    steps: list[str] = []
    page.on("framenavigated", lambda frame: steps.append(frame.url.partition("?")[0].rpartition("/")[2]))
    return steps


@pytest.mark.requirement("R-TTS-13", "R-TTS-14", "R-TTS-19", "R-TTS-20")
def test_a_seller_who_signs_up_on_the_way_is_connected(scene: Scene, owner: Owner) -> None:
    """The hub's link, an account made at the login, form and review; then the hub has the shop that was made with it."""
    page = scene.browser().new_page()
    page.goto(scene.link(owner.seller)["url"])
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    page.get_by_role("button", name="Next for European Union").click()
    page.get_by_role("link", name="Create a seller account").click()
    page.get_by_label("Shop name").fill(f"Neu {scene.key}")
    page.get_by_label("Region").select_option("DE")
    page.get_by_label("Email").fill(f"{scene.key}@neu.example")
    page.get_by_label("Password").fill(SELLER_PASSWORD)
    page.get_by_role("button", name="Create account").click()
    fill_in_the_form(page, "90")
    authorize(page)
    expect(page.get_by_role("heading", name="Your TikTok Shop is connected!")).to_be_visible()
    (found,) = scene.hands.all("/v1/connections")

    assert (["active"], [f"Neu {scene.key}"]) == ([found["status"]], [shop["name"] for shop in found["shops"]])


@pytest.mark.requirement("R-TTS-16", "R-TTS-29")
def test_a_test_account_connects_by_the_hubs_link(scene: Scene, owner: Owner) -> None:
    """No region, no login and no form between the hub's link and the approval, even for an app that is a draft."""
    email = f"{scene.key}@tests.example"
    given = {"name": "QA", "email": email, "password": SELLER_PASSWORD, "region": "GB", "test": True}
    made = scene.hands.sandbox("POST", "/sellers", given | {"shops": [{"name": "QA", "region": "GB"}]})
    scene.hands.sandbox("POST", "/apps", {"key": scene.key, "status": "draft"})
    context = scene.browser()
    scene.sign_in(context, Seller(email=email, shop="QA", shop_id=made["shops"][0]["id"]))
    page = context.new_page()
    page.goto(scene.link(owner.seller)["url"])
    steps = asked_for(page)
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    expect(page.get_by_role("heading", name="Review the authorization")).to_be_visible()
    before = list(steps)
    authorize(page)
    expect(page.get_by_role("heading", name="Your TikTok Shop is connected!")).to_be_visible()
    (found,) = scene.hands.all("/v1/connections")

    assert ["review"] == before
    assert "active" == found["status"]


@pytest.mark.requirement(
    "R-PIPE-15",
    "R-PIPE-16",
    "R-PIPE-17",
    "R-PIPE-18",
    "R-PIPE-19",
    "R-PIPE-20",
    "R-PIPE-21",
    "R-PIPE-22",
    "R-PIPE-23",
    "R-PIPE-24",
    "R-PIPE-25",
    "R-PIPE-26",
    "R-PIPE-27",
    "R-PIPE-28",
    "R-PIPE-40",
)
def test_the_renew_dialog_with_the_mouse(scene: Scene, owner: Owner) -> None:
    """By its labels, from "Authorize" in the row back to the list; the button does nothing before the box is checked."""
    first, second = consent(scene, owner.seller, "20d"), consent(scene, owner.second, "20d")
    before, other = ends(scene, first), ends(scene, second)
    scene.advance("1h")
    page = at(scene, owner, "/seller")
    page.get_by_role("button", name="Growth").hover()
    page.get_by_role("link", name="My Apps & Services").click()
    expect(page.get_by_role("heading", name="My apps and incidents", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Apps", exact=True)).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("columnheader", name="Action")).to_be_visible()
    expect(owner.row(page, owner.seller)).to_contain_text("Active")
    owner.action(page, owner.seller).click()
    dialog = page.get_by_role("dialog", name="Renew", exact=True)
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.matches(':modal')")
    shops = dialog.get_by_label("Target shop", exact=True).locator("option")
    expect(shops).to_have_text(["Fern & Flint (GB)", "Moss & Mill (GB)"])
    expect(dialog.get_by_label("Renew options", exact=True)).to_have_value("Re-authorize only")
    expect(dialog.get_by_label("Contact email", exact=True)).to_have_value(owner.seller.email)
    dialog.get_by_label("Contact phone number").fill("")
    expect(dialog.get_by_role("heading", name=f"Data that will be shared with {owner.app}")).to_be_visible()
    expect(dialog.get_by_role("list").get_by_role("listitem")).to_have_count(len(SCOPES))
    confirm = dialog.get_by_role("button", name="Confirm to install", exact=True)
    expect(confirm).to_be_disabled()
    dialog.get_by_label("I agree to share").check()
    expect(confirm).to_be_enabled()
    confirm.click()

    expect(page).to_have_url(f"{scene.stage.places.sandbox}/seller/apps?renewed={first}")
    expect(page.get_by_role("status")).to_contain_text("is renewed for Fern & Flint (GB)")
    expect(owner.row(page, owner.seller)).to_contain_text("Active")
    assert ends(scene, first) >= before + 3600
    assert other == ends(scene, second)


@pytest.mark.requirement("R-PIPE-19")
def test_another_target_shop_shows_its_own_authorization(scene: Scene, owner: Owner) -> None:
    """Choosing is enough; one that is fine offers nothing to do, and the dialog stays where it is."""
    first, second = consent(scene, owner.seller, "20d"), consent(scene, owner.second, "365d")
    before = ends(scene, first), ends(scene, second)
    page = at(scene, owner, "/seller/apps")
    owner.action(page, owner.seller).click()
    dialog = page.get_by_role("dialog", name="Renew", exact=True)
    dialog.get_by_label("Contact email").fill("else@fern.example")
    expect(dialog.get_by_role("button", name="Show this shop")).to_be_hidden()
    dialog.get_by_label("Target shop").select_option("Moss & Mill (GB)")
    expect(dialog.get_by_text("Nothing has to be done")).to_be_visible()
    expect(dialog.get_by_label("Target shop")).to_be_focused()
    expect(dialog.get_by_label("Renew options").locator("option")).to_have_text(["—"])
    expect(dialog.get_by_role("button", name="Confirm to install")).to_have_count(0)
    dialog.get_by_label("Target shop").select_option("Fern & Flint (GB)")
    expect(dialog.get_by_label("Renew options")).to_have_value("Re-authorize only")
    page.keyboard.press("Escape")

    expect(page).to_have_url(f"{scene.stage.places.sandbox}/seller/apps")
    expect(dialog).to_be_hidden()
    assert before == (ends(scene, first), ends(scene, second))


@pytest.mark.requirement("R-PIPE-17", "R-PIPE-25", "R-PIPE-26", "R-PIPE-27")
def test_the_renew_dialog_by_keyboard_alone(scene: Scene, owner: Owner) -> None:
    """Tab, arrows, Space and Enter; the focus begins in the dialog and does not leave it."""
    first, second = consent(scene, owner.seller, "20d"), consent(scene, owner.second, "21d")
    before = ends(scene, first), ends(scene, second)
    scene.advance("1h")
    page = at(scene, owner, "/seller/apps")
    expect(page.get_by_role("heading", name="My apps and incidents", level=1)).to_be_visible()
    reach(page, f"Authorize {owner.app} for {owner.seller.shop} (GB)")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Renew", exact=True)
    expect(dialog.get_by_label("Target shop")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_label("Target shop").locator("option:checked")).to_have_text("Moss & Mill (GB)")
    page.wait_for_load_state()
    expect(dialog.get_by_label("Target shop")).to_be_focused()
    expect(dialog.get_by_role("button", name="Confirm to install", exact=True)).to_be_disabled()
    reach(page, "agree")
    page.keyboard.press("Space")
    reach(page, "Confirm to install")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is renewed for Moss & Mill (GB)")

    assert before[0] == ends(scene, first)
    assert ends(scene, second) >= before[1] + 3600


@pytest.mark.requirement("R-TTS-6", "R-TTS-8")
def test_an_install_by_keyboard_alone(scene: Scene, owner: Owner) -> None:
    """From the page of the app to the app."""
    page = at(scene, owner, f"/seller/app-store/{owner.service_id}")
    expect(page.get_by_role("heading", name=owner.app, level=1)).to_be_visible()
    reach(page, "Install now")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Install {owner.app}")).to_be_visible()
    reach(page, "period")
    page.keyboard.press("End")
    reach(page, "agree")
    page.keyboard.press("Space")
    reach(page, "Confirm to Install")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Review the authorization")).to_be_visible()
    reach(page, "agree")
    page.keyboard.press("Space")
    reach(page, "Authorize")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{scene.stage.places.hub}/**")

    assert 365 == scene.grant(owner.seller)["period_days"]


@pytest.mark.requirement("R-PIPE-25", "R-PIPE-26", "R-PIPE-27", "R-TTS-24")
def test_renewing_and_cancelling_without_a_script(scene: Scene, owner: Owner) -> None:
    """The dialog stands in the page, a button shows another shop, and an unchecked box holds everything up."""
    first, second = consent(scene, owner.seller, "20d"), consent(scene, owner.second, "21d")
    before = ends(scene, first), ends(scene, second)
    scene.advance("1h")
    page = at(scene, owner, "/seller/apps", java_script_enabled=False)
    owner.action(page, owner.seller).click()
    expect(page.get_by_role("heading", name="Renew", exact=True)).to_be_visible()
    page.get_by_label("Target shop").select_option("Moss & Mill (GB)")
    page.get_by_role("button", name="Show this shop").click()
    expect(page.get_by_label("Target shop").locator("option:checked")).to_have_text("Moss & Mill (GB)")
    confirm = page.get_by_role("button", name="Confirm to install", exact=True)
    confirm.click()
    expect(page.get_by_role("heading", name="Renew", exact=True)).to_be_visible()
    assert before == (ends(scene, first), ends(scene, second))
    page.get_by_label("I agree to share").check()
    confirm.click()
    expect(page.get_by_role("status")).to_contain_text("is renewed for Moss & Mill (GB)")
    owner.action(page, owner.second, "Cancel").click()
    expect(page.get_by_text("loses access to this shop at once")).to_be_visible()
    page.get_by_role("button", name="Cancel authorization").click()
    expect(owner.row(page, owner.second)).to_contain_text("Cancelled by you")

    assert before[0] == ends(scene, first)
    assert "cancelled" == scene.hands.sandbox("GET", f"/grants/{second}")["status"]


def pages_of_apps(scene: Scene, owner: Owner) -> Iterator[tuple[str, Page]]:
    """Every page of this lane, in each of its states."""
    page = at(scene, owner, "/seller/apps")
    yield "apps, none", page
    page.get_by_role("link", name="Incidents", exact=True).click()
    yield "incidents, none", page
    here = scene.stage.places.sandbox
    for path, name in (("", "store"), ("?q=nothing+of+the+kind", "store, nothing found")):
        page.goto(f"{here}/seller/app-store{path}")
        yield name, page
    page.goto(f"{here}/seller/app-store/{owner.service_id}")
    yield "app", page
    page.goto(f"{here}/seller/app-store/1")
    yield "app, not in the store", page
    first, second = consent(scene, owner.seller, "20d"), consent(scene, owner.second, "365d")
    page.goto(f"{here}/seller/apps")
    yield "apps, active", page
    page.goto(f"{here}/seller/apps/{first}/renew")
    yield "renew", page
    page.get_by_label("I agree to share").check()
    page.get_by_label("Contact email").fill("nobody")
    page.locator("dialog form").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Confirm to install").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "renew, with a fault", page
    page.goto(f"{here}/seller/apps/{second}/renew")
    yield "renew, nothing to do", page
    page.goto(f"{here}/seller/apps/{first}/cancel")
    yield "cancel", page
    scene.hands.sandbox("POST", f"/grants/{second}/cancel")
    scene.advance("21d")
    page.goto(f"{here}/seller/apps")
    expect(page.get_by_text("Expired")).to_be_visible()
    yield "apps, over", page
    page.goto(f"{here}/seller/apps/incidents")
    yield "incidents", page
    scene.hands.sandbox("POST", "/apps", {"key": scene.key, "status": "deactivated"})
    page.goto(f"{here}/seller/apps/{first}/renew")
    expect(page.get_by_role("heading", name="This app was deactivated")).to_be_visible()
    yield "renew, refused", page


def test_the_pages_of_apps_are_clean(scene: Scene, owner: Owner) -> None:
    """Axe finds nothing in light and dark, on a desk and on a phone, and nothing is too wide."""
    assert 14 == len(all_clean(pages_of_apps(scene, owner)))
