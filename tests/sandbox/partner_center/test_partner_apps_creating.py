"""Partner Center's App & Service: apps are created, shown and changed by their labels."""

from typing import Any

import pytest

from tests.sandbox.kit import Client, Sandbox
from tests.sandbox.visiting import Visitor

SEEDED = "dana@evergrant.example"


async def developer(sandbox: Sandbox, email: str = SEEDED) -> Visitor:
    """A developer who has logged in."""
    visitor = Visitor(sandbox)
    await visitor.open("/partner/apps")
    visitor.fill("Email", email)
    visitor.fill("Password", "sandbox")
    await visitor.press("Log in")
    assert "App & Service" == visitor.heading
    return visitor


async def created(sandbox: Sandbox, visitor: Visitor, kind: str = "custom", **changes: str) -> Any:
    """An app made on the pages, as the steering sees it."""
    await visitor.open(f"/partner/apps/create?type={kind}")
    fields = {
        "Service category": "connector",
        "App name": "Parcel Pilot",
        "What it does": "Syncs orders.",
        "Market": "UK_EU",
        "Redirect URL": "https://app.example.test/callback",
        "Webhook URL": "https://app.example.test/hooks",
    }
    for label, value in (fields | changes).items():
        visitor.fill(label, value)
    await visitor.press("Create")
    key = visitor.path.rsplit("/", 1)[1]
    (made,) = [app for app in (await sandbox.world())["apps"] if app["key"] == key]
    return made


@pytest.mark.requirement("R-TTS-32")
async def test_creating_begins_with_the_type_and_leads_to_the_help(sandbox: Sandbox) -> None:
    """App & Service, "Create app & service", then "Public" or "Custom"; the criteria are a link away on both pages."""
    visitor = await developer(sandbox)
    assert ["/partner/apps/create"] == visitor.page.xpath("//main//a[contains(., 'Create app & service')]/@href")
    await visitor.open("/partner/apps/create")
    types = visitor.page.xpath("//main//a[starts-with(@href, '/partner/apps/create?type=')]")
    links = visitor.page.xpath("//a[contains(., 'App development overview')]/@href")

    assert ["Public", "Custom"] == [each.text for each in types]
    for each in types:
        await visitor.open(each.get("href"))
        links += visitor.page.xpath("//a[contains(., 'App development overview')]/@href")
    assert ["/partner/help/app-development-overview"] * 3 == links
    await visitor.open(links[0])
    assert "App development overview" == visitor.heading


async def test_an_app_is_created_with_its_keys(sandbox: Sandbox) -> None:
    """A draft of this developer's; the App Key and service id are there, the App Secret when asked for."""
    visitor = await developer(sandbox)
    made = await created(sandbox, visitor)
    page = visitor.text
    await visitor.press("Show")

    expected = {
        "name": "Parcel Pilot",
        "status": "draft",
        "visibility": "custom",
        "category": "connector",
        "market": "UK_EU",
        "seller_types": ["local", "cross_border"],
        "about": "Syncs orders.",
        "redirect_urls": ["https://app.example.test/callback"],
        "webhook_url": "https://app.example.test/hooks",
        "developer": SEEDED,
    }
    assert expected == {name: made[name] for name in expected}
    assert "seller.authorization.info" in made["scopes"]
    assert made["key"] in page
    assert made["service_id"] in page
    assert made["secret"] not in page
    assert made["secret"] in visitor.text


@pytest.mark.parametrize(
    ("label", "value", "says"),
    [
        ("Service category", "", "Choose a service category."),
        ("Service category", "bank", "Choose a service category."),
        ("App name", " ", "Enter a name"),
        ("App name", "x" * 101, "Enter a name"),
        ("App name", "a\x00b", "Enter a name"),
        ("What it does", "x" * 2001, "at most 2000 characters"),
        ("Market", "", "Choose a market."),
        ("Market", "MOON", "Choose a market."),
        ("Redirect URL", "", "Enter the Redirect URL"),
        ("Redirect URL", "/callback", "A Redirect URL is an absolute http or https address."),
        ("Redirect URL", "https://a.example/#x", "A Redirect URL has no fragment."),
        ("Redirect URL", "https://a.example/a b", "no spaces"),
        ("Redirect URL", "https://a.example/" + "x" * 250, "at most 255"),
        ("Redirect URL", "javascript:alert(1)", "A Redirect URL is an absolute http or https address."),
        ("Webhook URL", "http://hooks.example.test/", "Beyond loopback a webhook URL is https"),
        ("Webhook URL", "https://203.0.113.9/", "domain name, not an IP address"),
    ],
)
async def test_what_does_not_fit_is_said_beside_its_field(sandbox: Sandbox, label: str, value: str, says: str) -> None:
    """The form comes back with a sentence and with everything else as it was entered; nothing was made."""
    visitor = await developer(sandbox)
    before = len((await sandbox.world())["apps"])
    await visitor.open("/partner/apps/create?type=public")
    for name, entered in {
        "Service category": "connector",
        "App name": "Parcel Pilot",
        "What it does": "Syncs orders.",
        "Market": "US",
        "Redirect URL": "https://app.example.test/callback",
        label: value,
    }.items():
        visitor.fill(name, entered)
    await visitor.press("Create")

    assert (422, "invalid_form") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert says in visitor.text
    assert before == len((await sandbox.world())["apps"])
    if label != "What it does":
        assert "Syncs orders." == visitor.value("What it does")


async def test_seller_types_are_chosen(sandbox: Sandbox) -> None:
    """One is enough, none is too few."""
    visitor = await developer(sandbox)
    made = await created(sandbox, visitor, **{"Local sellers": ""})
    assert ["cross_border"] == made["seller_types"]

    await visitor.open(f"/partner/apps/{made['key']}/basics")
    visitor.fill("Cross-border sellers", "")
    await visitor.press("Save")
    assert 422 == visitor.reply.status
    assert "Choose at least one seller type." in visitor.text


async def test_without_the_api_there_is_nothing_to_authorize(sandbox: Sandbox) -> None:
    """The toggle off: no Redirect URL, and the link says that its developer has to enable the API."""
    visitor = await developer(sandbox)
    made = await created(sandbox, visitor, **{"Enable API": "", "Redirect URL": ""})
    reply = await Client(sandbox.application).get("/open/authorize", service_id=made["service_id"])
    steered = await sandbox.client.post(
        "/_sandbox/authorize", app=made["key"], seller="test.seller@partner.example", period="1d"
    )

    assert [] == made["redirect_urls"]
    assert (403, "api_not_enabled") == (reply.status, reply.header("x-error-code"))
    assert (409, "api_not_enabled") == (steered.status, steered.json["error"]["code"])


async def test_scopes_topics_and_addresses_are_saved(sandbox: Sandbox) -> None:
    """Public scopes are on by default, custom ones are added; topics by name; the allow list line by line."""
    visitor = await developer(sandbox)
    made = await created(sandbox, visitor)
    at = f"/partner/apps/{made['key']}"
    await visitor.open(f"{at}/scopes")
    visitor.fill("Product Modify", "")
    visitor.fill("Finance Information", "yes")
    await visitor.press("Save")
    assert "Saved." in visitor.text
    await visitor.open(f"{at}/api")
    visitor.fill("5 Product status change", "yes")
    visitor.fill("1 Order status change", "")
    await visitor.press("Save topics")
    await visitor.open(f"{at}/allow-list")
    visitor.fill("Addresses and networks", "203.0.113.7\r\n\r\n 2001:db8::/32 ")
    await visitor.press("Save")

    (changed,) = [app for app in (await sandbox.world())["apps"] if app["key"] == made["key"]]
    assert (set(made["scopes"]) - {"seller.product.write"}) | {"seller.finance.info"} == set(changed["scopes"])
    assert [5, 6, 7] == changed["topics"]
    assert ["203.0.113.7", "2001:db8::/32"] == changed["allowed_addresses"]
    refused = await sandbox.signed(changed, None, "GET", "/authorization/202309/shops")
    assert 36009033 == refused.json["code"]
    await visitor.open(f"{at}/allow-list")
    assert "203.0.113.7\n2001:db8::/32" == visitor.value("Addresses and networks").strip()


async def test_an_address_that_is_none_is_said(sandbox: Sandbox) -> None:
    """And the list stays as it was."""
    visitor = await developer(sandbox)
    made = await created(sandbox, visitor)
    await visitor.open(f"/partner/apps/{made['key']}/allow-list")
    visitor.fill("Addresses and networks", "203.0.113.7\nnowhere")
    await visitor.press("Save")

    assert 422 == visitor.reply.status
    assert "'nowhere' is neither an IP address nor a network" in visitor.text
    (app,) = [app for app in (await sandbox.world())["apps"] if app["key"] == made["key"]]
    assert [] == app["allowed_addresses"]


@pytest.mark.parametrize(
    "page", ["", "/basics", "/scopes", "/api", "/allow-list", "/secret", "/authorization", "/review", "/deactivate"]
)
async def test_another_developers_app_is_not_there(sandbox: Sandbox, page: str) -> None:
    """Not to be seen, and not to be changed; neither is one that does not exist."""
    made = await sandbox.app(developer="other@vendor.example")
    visitor = await developer(sandbox)
    await visitor.open(f"/partner/apps/{made['key']}{page}")
    assert 404 == visitor.reply.status
    await visitor.open(f"/partner/apps/nobody{page}")
    assert 404 == visitor.reply.status
    reply = await visitor.client.call("POST", f"/partner/apps/{made['key']}{page}")
    assert reply.status in {403, 404, 405}


async def test_the_list_shows_where_each_app_stands(sandbox: Sandbox) -> None:
    """Only this developer's, in the order they were made, also after one was changed."""
    for name, status in (("First", "draft"), ("Second", "in_review")):
        await sandbox.app(name=name, status=status, developer="maker@vendor.example")
    first = next(app for app in (await sandbox.world())["apps"] if app["name"] == "First")
    await sandbox.app(key=first["key"], status="published")
    visitor = await developer(sandbox, "maker@vendor.example")
    rows = [[cell.text_content().strip() for cell in row] for row in visitor.page.xpath("//tbody/tr")]

    assert [("First", "Published"), ("Second", "In review")] == [(row[0], row[4]) for row in rows]
