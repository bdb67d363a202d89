"""The App store: who finds which app there, and an install from the first click to the Redirect URL without a state."""

from dataclasses import replace
from typing import Any

import pytest

from evergrant_sandbox.book import apps
from evergrant_sandbox.world.app import App, AppMarket
from evergrant_sandbox.world.seller import Kind
from tests.sandbox.kit import Sandbox
from tests.sandbox.visiting import Visitor

OWNER = "amelia@thamesandclay.example"
STAFF = "packing@thamesandclay.example"
CROSS = "wei@brightpath.example"
US = "logan@cedarridge.example"
TEST = "test.seller@partner.example"
STORE = "/seller/app-store"


def keep(sandbox: Sandbox, made: Any, **changes: Any) -> App:
    """An app changed in ways only Partner Center can."""
    platform = sandbox.application.platform
    app = apps.find(platform.book, made["key"])
    assert app
    changed = replace(app, **changes)
    platform.registrar.keep(changed, now=sandbox.now)
    return changed


async def signed_in(visitor: Visitor, email: str, path: str) -> None:
    """At a page of Seller Center, with this account."""
    await visitor.open(f"/seller/login?next={path}")
    await visitor.sign_in(email)


def listed(visitor: Visitor) -> list[str]:
    """The apps the store shows, in its order."""
    return [str(each.text_content()) for each in visitor.page.xpath("//main//li//h2/a")]


@pytest.mark.requirement("R-TTS-1", "R-TTS-3", "R-TTS-5")
async def test_the_store_lists_what_is_public_and_published(sandbox: Sandbox, visitor: Visitor) -> None:
    """All of those, and nothing else: custom apps, drafts, apps in review and deactivated ones have no page, and a form by hand installs none."""
    made = {
        (visibility, status): await sandbox.app(name=f"{visibility} {status}", visibility=visibility, status=status)
        for visibility in ("public", "custom")
        for status in ("draft", "in_review", "published", "deactivated")
    }
    await signed_in(visitor, OWNER, STORE)
    shown = (visitor.heading, listed(visitor))
    token = str(visitor.page.xpath("//input[@name='form_token']/@value")[0])
    pages, installs = {}, {}
    for kind, app in made.items():
        await visitor.open(f"{STORE}/{app['service_id']}")
        pages[kind] = visitor.reply.status
        path = f"{STORE}/{app['service_id']}/install"
        installs[kind] = (await visitor.client.call("POST", path, body=f"form_token={token}".encode())).status

    assert ("App store", ["Evergrant", "public published"]) == shown
    assert {kind: 200 if kind == ("public", "published") else 404 for kind in made} == pages
    assert {kind: 303 if kind == ("public", "published") else 404 for kind in made} == installs
    assert "not_in_the_store" == visitor.reply.header("x-error-code")


@pytest.mark.requirement("R-TTS-5")
async def test_the_store_lists_what_this_seller_can_install(sandbox: Sandbox, visitor: Visitor) -> None:
    """By market and kind of seller; a cross-border seller sells where the shops are."""
    for market in AppMarket:
        keep(sandbox, await sandbox.app(name=f"For {market}"), market=market)
    keep(sandbox, await sandbox.app(name="Local only"), seller_types=(Kind.LOCAL,))
    cross_only = keep(sandbox, await sandbox.app(name="Cross-border only"), seller_types=(Kind.CROSS_BORDER,))
    shown = {}
    for email in (OWNER, US, CROSS):
        browser = Visitor(sandbox)
        await signed_in(browser, email, STORE)
        shown[email] = listed(browser)
    await signed_in(visitor, OWNER, f"{STORE}/{cross_only.service_id}")

    assert ["Evergrant", "For ALL", "For UK_EU", "Local only"] == shown[OWNER]
    assert ["Evergrant", "For ALL", "For US", "Local only"] == shown[US]
    assert ["Cross-border only", "Evergrant", "For ALL", "For REST", "For UK_EU"] == shown[CROSS]
    assert 404 == visitor.reply.status


@pytest.mark.parametrize(
    ("searched", "found"),
    [("pilot", ["Parcel Pilot"]), ("PARCEL  labels", ["Parcel Pilot"]), ("nothing at all", []), ("", None)],
)
async def test_the_store_can_be_searched(
    sandbox: Sandbox, visitor: Visitor, searched: str, found: list[str] | None
) -> None:
    """By the words of names and descriptions."""
    keep(sandbox, await sandbox.app(name="Parcel Pilot"), about="Prints labels.")
    await signed_in(visitor, OWNER, STORE)
    visitor.fill("Search the App store", searched)
    await visitor.open(f"{STORE}?q={searched.replace(' ', '+')}")

    assert (["Evergrant", "Parcel Pilot"] if found is None else found) == listed(visitor)
    assert searched == visitor.page.xpath("//input[@name='q']/@value")[0]
    assert ("Nothing found" in visitor.text) == (found == [])


async def test_the_page_of_an_app_says_what_it_does_and_asks_for(sandbox: Sandbox, visitor: Visitor) -> None:
    """What its maker wrote, and the data in the seller's words."""
    app = keep(sandbox, await sandbox.app(name="Ledger", scopes=["seller.finance.info"]), about="Does <the> books.")
    await signed_in(visitor, OWNER, f"{STORE}/{app.service_id}")

    assert "Ledger" == visitor.heading
    assert "Does <the> books." in visitor.text
    assert "Finance Information" in visitor.text
    assert "Order Information" not in visitor.text
    assert "Install now" in visitor.buttons


@pytest.mark.requirement("R-TTS-6", "R-TTS-7", "R-TTS-8")
async def test_an_install_leads_to_the_redirect_url_without_a_state(sandbox: Sandbox, visitor: Visitor) -> None:
    """Install now, the information form, the review, and at the app; nothing of it can be left out."""
    app = await sandbox.app(name="Parcel Pilot", redirect_urls=["http://localhost:9000/cb?from=shop"])
    await signed_in(visitor, OWNER, f"{STORE}/{app['service_id']}")
    await visitor.press("Install now")
    form = (visitor.path.rpartition("/")[2], visitor.heading)
    walk = visitor.path.rpartition("/")[0]
    await visitor.open(f"{walk}/review")
    ahead = visitor.path.rpartition("/")[2]
    await visitor.press("Confirm to Install")
    empty = (visitor.reply.status, visitor.text)
    visitor.fill("Authorization period", "90")
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to Install")
    review = visitor.path.rpartition("/")[2]
    visitor.fill("I have reviewed", "yes")
    await visitor.press("Authorize")
    answers = [await sandbox.exchange(app, visitor.query["code"]) for _ in range(2)]

    assert ("form", "Install Parcel Pilot") == form
    assert "form" == ahead
    assert 422 == empty[0]
    assert "Choose an authorization period." in empty[1]
    assert "review" == review
    assert visitor.address.startswith("http://localhost:9000/cb?from=shop&code=")
    assert {"from", "code"} == set(visitor.query)
    assert [0, 36004004] == [answer["code"] for answer in answers]


async def test_an_install_is_for_a_shop_that_has_not_got_the_app_yet(sandbox: Sandbox, visitor: Visitor) -> None:
    """The second install of a seller with two shops offers the other one; then there is nothing left to install."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("authorize", app=app["key"], seller=OWNER, shop="Thames & Clay")
    await signed_in(visitor, OWNER, f"{STORE}/{app['service_id']}")
    before = visitor.text
    await visitor.press("Install now")
    offered = (visitor.heading, visitor.value("Target shop"))
    await sandbox.steer("authorize", app=app["key"], seller=OWNER, shop="Thames & Clay Seconds")
    await visitor.open(f"{STORE}/{app['service_id']}")

    assert "Installed for 1 of 2 shops." in before
    assert ("Install Evergrant", "Thames & Clay Seconds (GB)") == offered
    assert "Installed for 2 of 2 shops." in visitor.text
    assert "Install now" not in visitor.buttons


async def test_only_the_owner_installs(sandbox: Sandbox, visitor: Visitor) -> None:
    """Others see the app but no button, and are refused when they press one they were shown before."""
    app = (await sandbox.world())["apps"][0]
    await signed_in(visitor, STAFF, f"{STORE}/{app['service_id']}")
    hidden = "Install now" not in visitor.buttons
    await signed_in(visitor, OWNER, f"{STORE}/{app['service_id']}")
    owners_page = visitor.reply
    await signed_in(visitor, STAFF, STORE)
    visitor.reply = owners_page
    await visitor.press("Install now")

    assert hidden
    assert (403, "not_the_owner") == (visitor.reply.status, visitor.reply.header("x-error-code"))


@pytest.mark.requirement("R-TTS-29")
async def test_a_test_account_that_installs_goes_straight_to_the_approval(sandbox: Sandbox, visitor: Visitor) -> None:
    """No form in between."""
    app = (await sandbox.world())["apps"][0]
    await signed_in(visitor, TEST, f"{STORE}/{app['service_id']}")
    await visitor.press("Install now")

    assert "Review the authorization" == visitor.heading


async def test_a_cross_border_seller_installs_for_all_shops(sandbox: Sandbox, visitor: Visitor) -> None:
    """No region is asked for, and one consent covers all shops."""
    app = (await sandbox.world())["apps"][0]
    await signed_in(visitor, CROSS, f"{STORE}/{app['service_id']}")
    await visitor.press("Install now")

    assert "form" == visitor.path.rpartition("/")[2]
    assert ["All shops (GB, MY, SG)"] == visitor.options("Target shop")


@pytest.mark.parametrize("service", ["1", "%00", "x" * 300, "..%2f"])
async def test_an_app_that_does_not_exist_has_no_page(visitor: Visitor, service: str) -> None:
    """Whatever stands in the address."""
    await signed_in(visitor, OWNER, STORE)
    await visitor.open(f"{STORE}/{service}")

    assert 404 == visitor.reply.status


async def test_the_store_asks_for_a_sign_in_first(sandbox: Sandbox, visitor: Visitor) -> None:
    """And leads on to the app's page afterwards."""
    app = (await sandbox.world())["apps"][0]
    await visitor.open(f"{STORE}/{app['service_id']}")
    asked = visitor.path
    await visitor.sign_in(OWNER)

    assert "/seller/login" == asked
    assert "Evergrant" == visitor.heading
