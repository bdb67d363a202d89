"""A vendor of a test's own on the running stage: tenant, app, sellers; and what people do in their browsers."""

import itertools
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic, sleep
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from evergrant.core.flows import PULLED
from evergrant.core.secret import Secret
from evergrant.stage import founding
from evergrant.stage.cast import Login, Stage, Tenant
from evergrant.stage.hands import Hands, consent_by_steering
from tests.browser.chromium import PATIENCE
from tests.browser.clean_page import Scheme

SCOPES = ["seller.authorization.info", "seller.order.info", "seller.product.basic", "seller.product.write"]
PASSWORD = "evergreen"
SELLER_PASSWORD = "sandbox"
LOOK = 0.05

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));
"""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """A seller of the sandbox with one shop."""

    email: str
    shop: str
    shop_id: str


@dataclass(kw_only=True)
class Scene:
    """One vendor: a tenant with one app, known to hub and sandbox."""

    stage: Stage
    hands: Hands
    chromium: Browser
    app_id: str = ""
    key: str = ""
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    # -- the world

    def seller(self, shop: str, *, orders: int = 3) -> Seller:
        """A new seller with one shop."""
        email = f"owner.{next(_numbers)}@{re.sub('[^a-z]', '', shop.lower())}.example"
        shops = [{"name": shop, "region": "GB", "orders": orders, "products": 2}]
        given = {"name": f"{shop} Ltd", "email": email, "password": SELLER_PASSWORD, "region": "GB", "shops": shops}
        made = self.hands.sandbox("POST", "/sellers", given)
        return Seller(email=email, shop=shop, shop_id=made["shops"][0]["id"])

    def link(self, seller: Seller, **given: Any) -> dict[str, Any]:
        """A hosted link for a seller's shop."""
        if "connection_id" in given:
            merchant_id = self.connection(given["connection_id"])["merchant_id"]
        else:
            customer = {"external_id": seller.email, "name": seller.shop, "email": seller.email}
            merchant_id = self.hands.hub("POST", "/v1/merchants", customer)["id"]
        body = {"merchant_id": merchant_id, "app_id": self.app_id} | given
        made: dict[str, Any] = self.hands.hub("POST", "/v1/link-sessions", body)
        return made

    def connect(self, seller: Seller, period: str) -> str:
        """Connect a seller's shop without a browser, for so long; gives the connection's id."""
        link = self.link(seller)
        return consent_by_steering(
            self.hands, link, app_key=self.key, seller=seller.email, shop=seller.shop_id, period=period
        )

    def connection(self, connection_id: str) -> dict[str, Any]:
        """A connection, as the hub's API shows it."""
        found: dict[str, Any] = self.hands.hub("GET", f"/v1/connections/{connection_id}")
        return found

    def grant(self, seller: Seller) -> dict[str, Any]:
        """The one grant of a seller to this app, as the platform holds it."""
        (found,) = self.hands.sandbox("GET", "/grants", app=self.key, seller=seller.email)["items"]
        return dict(found)

    def advance(self, span: str) -> None:
        """Turn the platform's clock."""
        self.hands.sandbox("POST", "/clock", {"advance": span})

    def now(self) -> datetime:
        """Platform time."""
        return datetime.fromisoformat(self.hands.sandbox("GET", "/clock")["now"])

    def expired(self, seller: Seller) -> str:
        """A connection whose authorization has ended, and the hub has noticed."""
        connection_id = self.connect(seller, "1d")
        self.advance("25h")
        until(lambda: self.connection(connection_id)["status"] == "expired")
        return connection_id

    # -- people

    def browser(self, *, scheme: Scheme = "light", **given: Any) -> BrowserContext:
        """Somebody's browser; what it complains of is kept in `complaints`."""
        context = self.chromium.new_context(base_url=self.stage.places.hub, color_scheme=scheme, **given)
        context.set_default_timeout(PATIENCE * 1000)
        if given.get("java_script_enabled", True):
            context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.contexts.append(context)
        return context

    def dashboard(self, context: BrowserContext) -> Page:
        """The Dashboard of the vendor's team, logged in."""
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("E-mail address").fill(self.stage.login.email)
        page.get_by_label("Password").fill(self.stage.login.password)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Dashboard", exact=True)).to_be_visible()
        page.wait_for_load_state()
        return page

    def sign_in(self, context: BrowserContext, seller: Seller) -> None:
        """Sign the seller in to Seller Center in this browser."""
        page = context.new_page()
        page.goto(f"{self.stage.places.sandbox}/seller/login")
        log_in_as_seller(page, seller)
        expect(page.get_by_text(f"Signed in as {seller.email}")).to_be_visible()
        page.close()

    def _heard(self, said: ConsoleMessage) -> None:
        """An error on the console. That a page of a refusal has the status of a refusal is none."""
        where = said.location["url"]
        if said.type == "error" and not (
            said.text.startswith("Failed to load resource") and said.page is not None and where == said.page.url
        ):
            self.complaints.append(f"{said.text} ({where})")


def card(page: Page, shop: str) -> Locator:
    """A shop's card on the Dashboard."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=shop, exact=True))


def renew_button(page: Page, shop: str) -> Locator:
    """The button of a shop's card, by its exact label."""
    return card(page, shop).get_by_role("button", name="Renew now", exact=True)


def told(page: Page) -> Locator:
    """Where the Dashboard says how it came out."""
    return page.locator("#told")


def log_in_as_seller(page: Page, seller: Seller) -> None:
    """Seller Center's login page, filled in."""
    page.get_by_label("Email or phone number").fill(seller.email)
    page.get_by_label("Password").fill(SELLER_PASSWORD)
    page.get_by_role("button", name="Log in").click()


def fill_in_the_form(page: Page, period: str = "365") -> None:
    """The consent form, filled in and confirmed."""
    page.get_by_label("Authorization period").select_option(period)
    page.get_by_label("I agree to share").check()
    page.get_by_role("button", name="Confirm to Install", exact=True).click()
    expect(page.get_by_role("heading", name="Review the authorization")).to_be_visible()


def authorize(page: Page) -> None:
    """The review, agreed to."""
    page.get_by_label("I have reviewed").check()
    page.get_by_role("button", name="Authorize", exact=True).click()


def day_of(instant: str) -> str:
    """A day as people read it: `14 March 2027`."""
    moment = datetime.fromisoformat(instant)
    return f"{moment.day} {moment:%B %Y}"


def has_polled(scene: "Scene", connection_id: str) -> bool:
    """Whether every flow that is pulled has had its first success."""
    flows = scene.connection(connection_id)["flows"]
    return all(flow["last_success_at"] for flow in flows if flow["name"] in PULLED)


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens by itself in another process."""
    deadline = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(LOOK)


def vendor(stage: Stage, chromium: Browser, *, with_app: bool = True) -> Scene:
    """A new tenant on the stage; usually with an app of its own, on both sides."""
    number = next(_numbers)
    login = Login(email=f"team.{number}@vendor.example", password=PASSWORD)
    # Playwright's own event loop runs in this thread.
    with ThreadPoolExecutor(max_workers=1) as another:
        made = another.submit(
            founding.tenant,
            data=stage.places.folder / "data",
            sandbox=stage.places.sandbox,
            name="Acme Sync",
            email=login.email,
            password=Secret(login.password),
        ).result()
    mine = replace(stage, login=login, tenant=Tenant(id=made.tenant_id, api_key=made.api_key.reveal()))
    scene = Scene(stage=mine, hands=Hands(mine), chromium=chromium, key=f"6browser{number:04}")
    if with_app:
        scene.app_id = _app(scene, number)
    return scene


def _app(scene: Scene, number: int) -> str:
    given = {"name": "Acme Sync", "key": scene.key, "secret": "browser_secret_11", "service_id": f"70000000000{number}"}
    hub = given | {"base_urls": {"sandbox": scene.stage.places.sandbox}, "required_scopes": SCOPES}
    made = scene.hands.hub("POST", "/v1/apps", hub)
    sandbox = {
        "kind": "shop",
        "redirect_urls": [made["redirect_url"]],
        "webhook_url": made["webhook_url"],
        "scopes": SCOPES,
        "visibility": "public",
        "status": "published",
    }
    scene.hands.sandbox("POST", "/apps", given | sandbox)
    return str(made["id"])
