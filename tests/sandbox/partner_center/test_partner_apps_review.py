"""The review of an app: draft, in review, published; who moves it and what it has to meet."""

from itertools import product
from typing import Any

import pytest

from evergrant_sandbox.world import review
from evergrant_sandbox.world.app import Stage
from evergrant_sandbox.world.review import Event, OutOfTurnError
from tests.sandbox.kit import Sandbox
from tests.sandbox.visiting import Visitor

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
