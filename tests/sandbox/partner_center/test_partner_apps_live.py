"""An app that is live: what editing it does, its link, its authorizations, and how it ends for good."""

from urllib.parse import quote

import pytest

from tests.sandbox.kit import Client, Sandbox
from tests.sandbox.partner_center.test_partner_apps_review import (
    OWNER,
    TEST_ACCOUNT,
    as_it_stands,
    consent,
    developer,
    drafted,
)
from tests.sandbox.visiting import Visitor


async def test_editing_a_live_listing_sends_it_back_to_review(sandbox: Sandbox) -> None:
    """Of a public app, and only what the App store shows; a custom app has no listing."""
    public = await drafted(sandbox, status="published", name="Before")
    custom = await drafted(sandbox, status="published", name="Before", visibility="custom")
    visitor = await developer(sandbox)
    stages = []
    for app, page, label, value in (
        (public, "api", "Webhook URL", "https://hooks.example.test/2"),
        (custom, "basics", "App name", "After"),
        (public, "basics", "App name", "After"),
    ):
        await visitor.open(f"/partner/apps/{app['key']}/{page}")
        visitor.fill(label, value)
        await visitor.press("Save")
        stages.append((await as_it_stands(sandbox, app["key"]))["status"])

    assert ["published", "published", "in_review"] == stages
    assert "in review again" in visitor.text
    assert ["edited"] == [past["event"] for past in (await as_it_stands(sandbox, public["key"]))["history"]]


@pytest.mark.parametrize("most", [10, 25])
async def test_an_unapproved_connector_has_few_authorizations(sandbox: Sandbox, most: int) -> None:
    """So many test accounts and no more; whoever is in renews, and approval lifts it. An app of another kind has no limit."""
    await sandbox.steer("switches", connector_beta=str(most))
    app, other = await drafted(sandbox), await drafted(sandbox, category="other")
    emails = [f"test{number}@partner.example" for number in range(most + 1)]
    for email in emails:
        await sandbox.seller(email=email, test=True, shops=[{"name": "S", "orders": 0}])
        await sandbox.steer("authorize", app=other["key"], seller=email)
        if email != emails[-1]:
            await sandbox.steer("authorize", app=app["key"], seller=email)
    refused = await sandbox.client.post("/_sandbox/authorize", app=app["key"], seller=emails[-1])

    assert (403, "beta_full") == (refused.status, refused.json["error"]["code"])
    assert "beta_full" == await consent(sandbox, app, emails[-1])
    await sandbox.steer("authorize", app=app["key"], seller=emails[0])
    await sandbox.app(key=app["key"], status="published")
    await sandbox.steer("authorize", app=app["key"], seller=emails[-1])


# --- the link
async def test_the_link_is_offered_for_the_apps_market(sandbox: Sandbox) -> None:
    """The United States have a host of their own; the link here has one base address for both."""
    visitor = await developer(sandbox)
    homes = {}
    for market in ("US", "REST", "ALL"):
        app = await sandbox.app(market=market, visibility="custom")
        await visitor.open(f"/partner/apps/{app['key']}/authorization")
        homes[market] = [
            code.removesuffix(f"/open/authorize?service_id={app['service_id']}")
            for code in visitor.page.xpath("//main//code[starts-with(., 'https://services')]/text()")
        ]
        here = set(visitor.page.xpath("//main//input[@readonly]/@value"))
        assert {f"http://127.0.0.1:8090{app['authorize_path']}"} == here

    us, rest = "https://services.us.tiktokshop.com", "https://services.tiktokshop.com"
    assert {"US": [us], "REST": [rest], "ALL": [us, rest]} == homes


async def test_whoever_has_authorized_is_listed(sandbox: Sandbox) -> None:
    """With shop, status and end; nobody of another app's."""
    app, other = await sandbox.app(), await sandbox.app()
    seller = await sandbox.seller(name="Mugs Ltd", email="mugs@shops.example", shops=[{"name": "Mugs", "orders": 0}])
    given = await sandbox.steer("authorize", app=app["key"], seller=seller["email"], period="90d")
    await sandbox.steer("authorize", app=other["key"], seller=OWNER)
    visitor = await developer(sandbox)
    await visitor.open(f"/partner/apps/{app['key']}/authorization")
    assert "1 authorization is active." in visitor.text
    rows = [[" ".join(cell.text_content().split()) for cell in row] for row in visitor.page.xpath("//tbody/tr")]
    assert [["Mugs Ltd", "Mugs (GB)", "Active", "now", "in 90 days"]] == rows

    await sandbox.steer(f"grants/{given['grant_id']}/cancel")
    await visitor.open(f"/partner/apps/{app['key']}/authorization")
    assert "0 authorizations are active." in visitor.text
    assert "Cancelled" in visitor.text


@pytest.mark.parametrize("after", ["x", "-1", "9" * 40, "²"])
async def test_a_page_that_is_no_number_is_the_first(sandbox: Sandbox, after: str) -> None:
    """Of the list of authorizations."""
    app = await sandbox.app()
    await sandbox.steer("authorize", app=app["key"], seller=OWNER)
    visitor = await developer(sandbox)
    await visitor.open(f"/partner/apps/{app['key']}/authorization?after={quote(after)}")
    assert 200 == visitor.reply.status


# --- the end
async def test_a_deactivated_app_is_refused_everywhere(sandbox: Sandbox) -> None:
    """For good: the token host and the API refuse its key, the link says so, and no page or verdict brings it back."""
    app = await drafted(sandbox, status="published")
    pair = await sandbox.connected(app, {"email": OWNER})
    visitor = await developer(sandbox)
    await visitor.open(f"/partner/apps/{app['key']}/deactivate")
    assert "1 authorization is active." in visitor.text
    await visitor.press("Deactivate for good")
    assert 422 == visitor.reply.status
    assert (await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")).status == 200
    visitor.fill("I understand", "yes")
    await visitor.press("Deactivate for good")
    shops = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")
    refreshed = await sandbox.refresh(app, pair["refresh_token"])
    link = await Client(sandbox.application).get(app["authorize_path"])

    assert "for good" in visitor.text
    assert (400, 36009004) == (shops.status, shops.json["code"])
    assert "app_key" in shops.json["message"]
    assert 36009004 == refreshed["code"]
    assert (403, "app_deactivated") == (link.status, link.header("x-error-code"))
    assert "app_deactivated" == await consent(sandbox, app, TEST_ACCOUNT)
    for steered in ({"app": app["key"], "seller": OWNER}, {"app": app["key"], "seller": TEST_ACCOUNT}):
        assert 403 == (await sandbox.client.post("/_sandbox/authorize", **steered)).status
    assert 409 == (await sandbox.client.post(f"/_sandbox/apps/{app['key']}/review", verdict="approve")).status
    assert "active" == (await sandbox.ask(f"grants/{pair['grant_id']}"))["status"]


async def test_nothing_of_a_deactivated_app_can_be_changed(sandbox: Sandbox) -> None:
    """The forms of tabs that were open before."""
    app = await drafted(sandbox)
    at = f"/partner/apps/{app['key']}"
    visitor = await developer(sandbox)
    tabs = []
    for page, button in (
        ("basics", "Save"),
        ("scopes", "Save"),
        ("api", "Save"),
        ("api", "Save topics"),
        ("allow-list", "Save"),
        ("secret", "Create new App Secret"),
        ("review", "Submit for review"),
        ("deactivate", "Deactivate for good"),
    ):
        tab = Visitor(sandbox, client=visitor.client)
        await tab.open(f"{at}/{page}")
        tabs.append((tab, button))
    await sandbox.app(key=app["key"], status="deactivated")

    for tab, button in tabs:
        await tab.press(button)
        assert (409, "app_deactivated") == (tab.reply.status, tab.reply.header("x-error-code"))
        assert {**app, "status": "deactivated"} == await as_it_stands(sandbox, app["key"])
    for page in ("basics", "scopes", "api", "allow-list", "review"):
        await visitor.open(f"{at}/{page}")
        assert [] == [label for label in visitor.buttons if label.startswith(("Save", "Submit", "Publish"))]
