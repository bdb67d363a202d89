"""The review of an app: draft, in review, published; who moves it, what it has to meet, and what each stage allows."""

from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from evergrant_sandbox.world import review
from evergrant_sandbox.world.app import Stage
from evergrant_sandbox.world.review import Event, OutOfTurnError
from tests.sandbox.kit import Client, Sandbox, Visitor

OWNER = "amelia@thamesandclay.example"
TEST_ACCOUNT = "test.seller@partner.example"
COPY = "Copy authorization link"


async def developer(sandbox: Sandbox) -> Visitor:
    """The seeded developer, logged in."""
    visitor = Visitor(sandbox)
    await visitor.open("/partner/login")
    visitor.fill("Email", "dana@evergrant.example")
    visitor.fill("Password", "sandbox")
    await visitor.press("Log in")
    return visitor


async def drafted(sandbox: Sandbox, **changes: Any) -> Any:
    """A draft that meets everything, unless the test wants another."""
    ready = {"status": "draft", "webhook_url": "https://hooks.example.test/", "about": "Syncs orders."}
    return await sandbox.app(**(ready | changes))


async def as_it_stands(sandbox: Sandbox, key: str) -> Any:
    """The app now."""
    (app,) = [app for app in (await sandbox.world())["apps"] if app["key"] == key]
    return app


async def submitted(visitor: Visitor, key: str) -> None:
    """The Review page's button, pressed."""
    await visitor.open(f"/partner/apps/{key}/review")
    (button,) = [label for label in visitor.buttons if label in {"Submit for review", "Publish"}]
    await visitor.press(button)


async def consent(sandbox: Sandbox, app: Any, seller: str) -> Any:
    """Where the authorization link ends for a seller: a refusal's code, or the page's heading."""
    visitor = Visitor(sandbox)
    await visitor.open("/seller/login")
    await visitor.sign_in(seller)
    await visitor.open(app["authorize_path"])
    for label in visitor.buttons:
        if label == "Next for United Kingdom":
            await visitor.press(label)
    return visitor.reply.header("x-error-code") or visitor.heading


# --- the machine


def test_every_move_that_is_not_in_the_table_is_out_of_turn() -> None:
    """Nothing is published but by approval or enrollment, and nothing leaves deactivation."""
    allowed = {
        (Stage.DRAFT, Event.SUBMITTED): Stage.IN_REVIEW,
        (Stage.DRAFT, Event.ENROLLED): Stage.PUBLISHED,
        (Stage.IN_REVIEW, Event.APPROVED): Stage.PUBLISHED,
        (Stage.IN_REVIEW, Event.REFUSED): Stage.DRAFT,
        (Stage.PUBLISHED, Event.EDITED): Stage.IN_REVIEW,
        (Stage.PUBLISHED, Event.SUBMITTED): Stage.IN_REVIEW,
        (Stage.DRAFT, Event.DEACTIVATED): Stage.DEACTIVATED,
        (Stage.IN_REVIEW, Event.DEACTIVATED): Stage.DEACTIVATED,
        (Stage.PUBLISHED, Event.DEACTIVATED): Stage.DEACTIVATED,
    }
    for stage, event in product(Stage, Event):
        if (stage, event) in allowed:
            assert allowed[stage, event] is review.after(stage, event)
        else:
            with pytest.raises(OutOfTurnError):
                review.after(stage, event)


# --- the criteria


@pytest.mark.requirement("R-TTS-2")
@pytest.mark.parametrize(
    ("lacking", "says"),
    [
        ({"about": ""}, "Say what the app does"),
        ({"scopes": []}, "Choose at least one scope"),
        ({"webhook_url": ""}, "SHOP-MAN-WHOOK"),
        ({"topics": [1, 6]}, "SHOP-MAN-WHOOK"),
    ],
)
async def test_a_public_app_has_to_meet_the_criteria(sandbox: Sandbox, lacking: Any, says: str) -> None:
    """What is lacking is said, and the app stays a draft; when it is there, the app goes into review."""
    app = await drafted(sandbox, **lacking)
    visitor = await developer(sandbox)
    await submitted(visitor, app["key"])

    assert (422, "criteria_unmet") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert says in str(visitor.page.xpath("//*[@id='faults']")[0].text_content())
    assert "draft" == (await as_it_stands(sandbox, app["key"]))["status"]

    await sandbox.app(key=app["key"], **{name: (await drafted(sandbox))[name] for name in lacking})
    await submitted(visitor, app["key"])
    assert 200 == visitor.reply.status
    assert "in_review" == (await as_it_stands(sandbox, app["key"]))["status"]


async def test_an_app_without_a_redirect_url_is_not_submitted(sandbox: Sandbox) -> None:
    """Made with the API switched off."""
    visitor = await developer(sandbox)
    await visitor.open("/partner/apps/create?type=custom")
    for label, value in (("Service category", "other"), ("App name", "A"), ("Market", "US"), ("Enable API", "")):
        visitor.fill(label, value)
    await visitor.press("Create")
    await submitted(visitor, visitor.path.rsplit("/", 1)[1])

    assert 422 == visitor.reply.status
    assert "Enable the API and enter the Redirect URL" in visitor.text


@pytest.mark.parametrize(
    ("app", "parts"),
    [
        ({"market": "US"}, {"Enrollment", "App", "Listing", "US data security", "Beta"}),
        ({"market": "UK_EU"}, {"Enrollment", "App", "Listing", "Beta"}),
        ({"market": "REST", "category": "other"}, {"Enrollment", "App", "Listing"}),
        ({"market": "REST", "visibility": "custom"}, {"Enrollment", "App"}),
        ({"market": "US", "visibility": "custom", "category": "other"}, {"Enrollment"}),
    ],
)
async def test_what_is_looked_at_depends_on_the_app(sandbox: Sandbox, app: Any, parts: set[str]) -> None:
    """Data security only for public apps in the United States, a beta test only for connectors there, in UK and EU."""
    made = await drafted(sandbox, **app)
    visitor = await developer(sandbox)
    await visitor.open(f"/partner/apps/{made['key']}/review")
    names = ("Enrollment review", "App review", "Listing review", "US data security review", "Beta test")
    shown = visitor.text.partition("What is looked at")[2].partition("The criteria")[0]

    assert parts == {name.removesuffix(" review").removesuffix(" test") for name in names if name in shown}


# --- the verdict


@pytest.mark.requirement("R-TTS-2")
async def test_only_what_is_published_is_listed_and_authorized(sandbox: Sandbox) -> None:
    """Draft, in review, refused: not in the App store, no link to copy, and the link refuses; approved: all of it is there."""
    app = await drafted(sandbox, name="Parcel Pilot", redirect_urls=["https://app.example.test/cb"])
    visitor = await developer(sandbox)

    seller = Visitor(sandbox)
    await seller.open("/seller/login")
    await seller.sign_in(OWNER)

    async def seen() -> tuple[str, str, bool, bool]:
        await visitor.open(f"/partner/apps/{app['key']}/authorization")
        await seller.open("/seller/app-store")
        assert "Evergrant" in seller.text
        stage = (await as_it_stands(sandbox, app["key"]))["status"]
        return stage, await consent(sandbox, app, OWNER), COPY in visitor.buttons, "Parcel Pilot" in seller.text

    assert ("draft", "app_in_development", False, False) == await seen()
    await submitted(visitor, app["key"])
    assert ("in_review", "app_in_development", False, False) == await seen()
    await sandbox.steer(f"apps/{app['key']}/review", verdict="refuse", reasons=["The Redirect URL does not answer."])
    assert ("draft", "app_in_development", False, False) == await seen()
    await submitted(visitor, app["key"])
    await sandbox.steer(f"apps/{app['key']}/review", verdict="approve")
    assert ("published", "Install Parcel Pilot", True, True) == await seen()


@pytest.mark.requirement("R-TTS-26")
async def test_test_accounts_authorize_what_is_in_development(sandbox: Sandbox) -> None:
    """A real seller is told why not; a Seller Center test account comes to the approval."""
    app = await drafted(sandbox)

    assert "app_in_development" == await consent(sandbox, app, OWNER)
    assert "Review the authorization" == await consent(sandbox, app, TEST_ACCOUNT)


@pytest.mark.requirement("R-TTS-2")
async def test_a_refusal_gives_its_reasons(sandbox: Sandbox) -> None:
    """They stand on the app's page, in its history for good, and in the steering."""
    app = await drafted(sandbox)
    visitor = await developer(sandbox)
    await submitted(visitor, app["key"])
    reasons = ["The Redirect URL does not answer.", "The description names another app."]
    refused = await sandbox.steer(f"apps/{app['key']}/review", verdict="refuse", reasons=reasons)
    await visitor.open(f"/partner/apps/{app['key']}/review")

    assert "draft" == refused["status"]
    assert [("refused", reasons), ("submitted", [])] == [
        (past["event"], past["reasons"]) for past in refused["history"]
    ]
    assert (
        "The app was not approved The Redirect URL does not answer. The description names another app." in visitor.text
    )
    await submitted(visitor, app["key"])
    assert "was not approved" not in visitor.text
    assert "Refused now The Redirect URL does not answer." in visitor.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"verdict": "approve"}, 409, "not_in_review"),
        ({"verdict": "refuse", "reasons": ["No."]}, 409, "not_in_review"),
        ({"verdict": "refuse"}, 400, "no_reasons"),
        ({"verdict": "refuse", "reasons": [""]}, 400, "invalid_body"),
        ({"verdict": "refuse", "reasons": ["a\nb"]}, 400, "invalid_body"),
        ({"verdict": "maybe"}, 400, "invalid_body"),
        ({}, 400, "invalid_body"),
    ],
)
async def test_a_verdict_that_makes_no_sense_is_refused(sandbox: Sandbox, body: Any, status: int, code: str) -> None:
    """On a draft, without reasons, or with none to read."""
    app = await drafted(sandbox)
    reply = await sandbox.client.post(f"/_sandbox/apps/{app['key']}/review", **body)

    assert (status, code) == (reply.status, reply.json["error"]["code"])
    assert "draft" == (await as_it_stands(sandbox, app["key"]))["status"]


async def test_an_unknown_app_has_no_review(sandbox: Sandbox) -> None:
    """404."""
    reply = await sandbox.client.post("/_sandbox/apps/nobody/review", verdict="approve")
    assert (404, "unknown_app") == (reply.status, reply.json["error"]["code"])


async def test_what_is_submitted_twice_is_out_of_turn(sandbox: Sandbox) -> None:
    """A second tab with the same button."""
    app = await drafted(sandbox)
    one = await developer(sandbox)
    await one.open(f"/partner/apps/{app['key']}/review")
    other = Visitor(sandbox, client=one.client)
    await submitted(other, app["key"])
    await one.press("Submit for review")

    assert (409, "out_of_turn") == (one.reply.status, one.reply.header("x-error-code"))
    assert 1 == len((await as_it_stands(sandbox, app["key"]))["history"])


async def test_a_review_can_take_no_time(sandbox: Sandbox) -> None:
    """The switch `review_takes`."""
    await sandbox.steer("switches", review_takes="at_once")
    app = await drafted(sandbox)
    visitor = await developer(sandbox)
    await submitted(visitor, app["key"])

    after = await as_it_stands(sandbox, app["key"])
    assert "published" == after["status"]
    assert ["approved", "submitted"] == [past["event"] for past in after["history"]]


async def test_a_custom_app_that_is_no_connector_needs_no_review(sandbox: Sandbox) -> None:
    """It is enrolled and published at once; a custom connector is reviewed."""
    visitor = await developer(sandbox)
    stages = {}
    for category in ("other", "connector"):
        app = await drafted(sandbox, visibility="custom", category=category)
        await submitted(visitor, app["key"])
        stages[category] = (await as_it_stands(sandbox, app["key"]))["status"]

    assert {"other": "published", "connector": "in_review"} == stages


async def test_a_custom_app_that_many_use_has_to_be_reviewed(sandbox: Sandbox) -> None:
    """Twenty-four go without; at the twenty-fifth the page asks for it, and offers to submit it."""
    app = await sandbox.app(visibility="custom", category="other")
    visitor = await developer(sandbox)
    for number in range(25):
        seller = await sandbox.seller(email=f"owner{number}@shops.example", shops=[{"name": "S", "orders": 0}])
        if number == 24:
            await visitor.open(f"/partner/apps/{app['key']}/review")
            assert "Submit for review" not in visitor.buttons
        await sandbox.steer("authorize", app=app["key"], seller=seller["email"])
    await visitor.open(f"/partner/apps/{app['key']}/review")

    assert "25 sellers have authorized this app." in visitor.text
    await visitor.press("Submit for review")
    await sandbox.steer(f"apps/{app['key']}/review", verdict="approve")
    await visitor.open(f"/partner/apps/{app['key']}/review")
    assert "25 sellers have authorized this app." not in visitor.text


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
