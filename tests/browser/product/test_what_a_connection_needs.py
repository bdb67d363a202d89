"""Which disconnected shop asks for re-authorization and which does not; and what is offered where the wrong shop was chosen."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.clean_page import Shown, all_clean
from tests.browser.product.scene import SCOPES, Scene, Seller, authorize, card, fill_in_the_form, told, until

pytestmark = pytest.mark.browser

MORE = [*SCOPES, "seller.fulfillment.basic"]


def disconnected(scene: Scene) -> dict[str, tuple[Seller, str]]:
    """A shop whose period is over, one the team let go of, one whose seller cancelled; with their connections."""
    ours, theirs = scene.seller("Briar & Bark"), scene.seller("Cinder & Cloth")
    found = {"ours": (ours, scene.connect(ours, "365d")), "theirs": (theirs, scene.connect(theirs, "365d"))}
    over = scene.seller("Aster & Alder")
    found["over"] = (over, scene.expired(over))
    scene.hands.hub("POST", f"/v1/connections/{found['ours'][1]}/disconnect")
    scene.hands.sandbox("POST", f"/grants/{scene.grant(theirs)['id']}/cancel")
    until(lambda: scene.connection(found["theirs"][1])["status"] == "cancelled")
    return found


def raise_permissions(scene: Scene) -> None:
    """The app gets one more permission at the platform, and requires it here."""
    scene.hands.sandbox("POST", "/apps", {"key": scene.key, "scopes": MORE})
    scene.hands.hub("PATCH", f"/v1/apps/{scene.app_id}", {"required_scopes": MORE})


@pytest.mark.requirement("R-PIPE-2", "R-PIPE-3")
def test_only_expired_credentials_and_new_permissions_lead_to_consent(scene: Scene, page: Page) -> None:
    """Expired by the platform's clock: disconnected, why, and on to consent; let go or cancelled: why, and another way."""
    cast = disconnected(scene)
    seller, connection_id = cast["over"]
    for kind, why in (("ours", "by your team"), ("theirs", "cancelled")):
        page.goto(f"/connections/{cast[kind][1]}")
        expect(page.get_by_text(f"Disconnected: {why}")).to_be_visible()
        expect(page.get_by_role("button", name="Renew now")).to_have_count(0)
        expect(page.locator("form[action='/dashboard/renew']")).to_have_count(0)
        page.get_by_role("link", name="Connect again").click()
        expect(page.get_by_label("Customer", exact=True).locator("option:checked")).to_have_text(cast[kind][0].shop)
    scene.sign_in(page.context, seller)
    page.goto(f"/connections/{connection_id}")
    expect(page.get_by_text("Disconnected: expired credentials")).to_be_visible()
    consented(page)
    expect(page.get_by_text("Disconnected:")).to_have_count(0)
    assert ("active", None) == status(scene, connection_id)

    raise_permissions(scene)
    expect(page.get_by_text("New permissions needed")).to_be_visible()
    assert ("active", "new_permissions_needed") == status(scene, connection_id)
    consented(page)
    expect(page.get_by_text("New permissions needed")).to_have_count(0)
    assert ("active", None) == status(scene, connection_id)
    assert sorted(MORE) == sorted(scene.grant(seller)["scopes"])


def status(scene: Scene, connection_id: str) -> tuple[str, str | None]:
    """Status of a connection, and what the seller is asked to authorize again for."""
    found = scene.connection(connection_id)
    return found["status"], (found["reauthorization"] or {}).get("reason")


def consented(page: Page) -> None:
    """Renew now, and TikTok's pages in the small window."""
    with page.expect_popup() as opening:
        page.get_by_role("button", name="Renew now", exact=True).click()
    fill_in_the_form(opening.value)
    authorize(opening.value)
    expect(told(page)).to_contain_text("successfully renewed")
    opening.value.close()


def pages_of_needs(scene: Scene, page: Page) -> Iterator[Shown]:
    """Every shop with a need, what each connection says, and the pages after the wrong shop was chosen."""
    cast = disconnected(scene)
    fine, wrong = scene.seller("Dew & Dale"), scene.seller("Elder & Eave")
    fine_id = scene.connect(fine, "365d")
    raise_permissions(scene)
    page.goto("/dashboard")
    expect(card(page, fine.shop)).to_contain_text("New permissions needed")
    yield "dashboard, needs", page
    for kind, connection_id in (("ours", cast["ours"][1]), ("fine", fine_id)):
        page.goto(f"/connections/{connection_id}")
        yield f"connection, {kind}", page
    link = scene.link(fine, purpose="renew", connection_id=fine_id)
    scene.sign_in(page.context, wrong)
    page.goto(link["url"])
    page.get_by_role("button", name="Continue to TikTok Shop").click()
    page.get_by_role("button", name="Next for United Kingdom").click()
    fill_in_the_form(page)
    authorize(page)
    expect(page.get_by_text("This link is for Dew & Dale, and Elder & Eave was authorized.")).to_be_visible()
    expect(page.get_by_role("link", name="Add it as a new connection")).to_be_visible()
    yield "done, wrong shop", page
    page.goto(f"/dashboard?link={link['id']}")
    expect(told(page).get_by_role("button", name="Try again")).to_be_visible()
    yield "dashboard, wrong shop", page
    page.goto(f"/done/{link['id']}")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(re.compile(re.escape(scene.stage.places.sandbox)))


def test_the_pages_of_needs_are_clean(scene: Scene, page: Page) -> None:
    """Axe finds nothing in light and dark, on a desk and on a phone, and nothing is too wide."""
    assert 5 == len(all_clean(pages_of_needs(scene, page)))
