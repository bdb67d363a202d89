"""Partner Center's tools: signed calls tried out, notices followed, guides read."""

from typing import Any

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import HERE, Sandbox, eventually
from tests.sandbox.partner_center.test_partner_shops import LIST, TEST_SELLER, created, generated, seller_id
from tests.sandbox.partner_center.test_partner_signing_in import at_partner_center
from tests.sandbox.receiving import Receiver
from tests.sandbox.visiting import Visitor

TOOL = "/partner/api-testing-tool"
LOG = "/partner/webhook-log"
SEARCH = "POST /order/202309/orders/search"


async def with_a_token(sandbox: Sandbox, **app: Any) -> tuple[Visitor, Any, dict[str, str]]:
    """A developer in front of the tool, whose app the seeded test account has authorized."""
    mine = await sandbox.app(name="My app", **app)
    visitor = await at_partner_center(sandbox)
    await visitor.open(f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}")
    pair = await generated(visitor, mine)
    await visitor.open(TOOL)
    return visitor, mine, pair


async def tried(visitor: Visitor, app: Any, **given: str) -> None:
    """A call, made with the tool."""
    visitor.fill("App", app["key"])
    for label, value in given.items():
        visitor.fill(label.replace("_", " "), value)
    await visitor.press("Send request")


async def api_calls(sandbox: Sandbox) -> list[Any]:
    """What the platform's log has of signed calls."""
    return list((await sandbox.ask("log", kind="api"))["items"])


async def test_a_call_is_signed_made_and_shown(sandbox: Sandbox) -> None:
    """The real answer; the call stands in the log; what is shown holds neither the secret nor the token."""
    visitor, app, pair = await with_a_token(sandbox)
    body = '{"order_status": "COMPLETED"}'

    await tried(
        visitor,
        app,
        Test_account=await seller_id(sandbox, TEST_SELLER),
        Endpoint=SEARCH,
        Parameters="page_size=2",
        Body=body,
    )

    assert "HTTP 200 code 0 Success" in visitor.text
    (answer,) = visitor.page.xpath("//pre[@aria-label='Body of the answer']/text()")
    assert '"total_count"' in answer
    query = {
        "app_key": app["key"],
        "timestamp": str(sandbox.now),
        "shop_cipher": pair["shop_cipher"],
        "page_size": "2",
    }
    path = "/order/202309/orders/search"
    sign = signing.sign_request(secret=app["secret"], path=path, query=query, body=body.encode())
    flat = "".join(name + query[name] for name in sorted(query))
    assert f"{{app_secret}}{path}{flat}{body}{{app_secret}}" in visitor.text
    assert f"sign={sign}" in visitor.text
    assert f"curl -X POST '{HERE}{path}?" in visitor.text
    assert "-H 'x-tts-access-token: {access_token}'" in visitor.text
    assert app["secret"] not in visitor.reply.text
    assert pair["access_token"] not in visitor.reply.text
    (line,) = await api_calls(sandbox)
    assert (line["path"], line["app"], line["status"], line["code"]) == (path, app["key"], 200, 0)


async def test_a_refusal_of_the_platform_is_shown_as_it_is(sandbox: Sandbox) -> None:
    """A pasted token of nobody, used once and not shown again."""
    visitor, app, _ = await with_a_token(sandbox)

    await tried(visitor, app, Access_token="ROW_not_a_token", Endpoint="GET /authorization/202309/shops")

    assert visitor.reply.status == 200
    assert "code 36009004 Invalid credentials." in visitor.text
    assert "ROW_not_a_token" not in visitor.reply.text
    assert [line["code"] for line in await api_calls(sandbox)] == [36009004]


async def test_a_pasted_token_needs_no_test_account(sandbox: Sandbox) -> None:
    """Any seller's token of the app."""
    visitor, app, _ = await with_a_token(sandbox)
    pair = await sandbox.connected(app, {"email": "logan@cedarridge.example"})

    await tried(visitor, app, Access_token=pair["access_token"], Endpoint="GET /authorization/202309/shops")

    assert "Cedar Ridge Outfitters" in visitor.text


async def test_a_lost_answer_is_said_to_be_lost(sandbox: Sandbox) -> None:
    """Faults hit the tool's calls as they hit any others, and never the developer's own connection."""
    visitor, app, pair = await with_a_token(sandbox)
    await sandbox.steer("faults", app=app["key"], action="lose_reply")

    await tried(visitor, app, Access_token=pair["access_token"], Endpoint="GET /authorization/202309/shops")

    assert "The platform closed the connection without a word." in visitor.text


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"App": "6nobody"}, "Choose one of your apps."),
        ({"Endpoint": "GET /etc/passwd"}, "Choose an endpoint from the list."),
        ({"Access_token": ""}, "Choose a test account, or paste an access token."),
        ({"Access_token": "two words"}, "Paste the access token alone"),
        ({"Access_token": "Ünïcode"}, "Paste the access token alone"),
        ({"Access_token": "x" * 513}, "Paste the access token alone"),
        ({"Parameters": "page_size"}, "Write each parameter on a line of its own"),
        ({"Parameters": "=20"}, "Write each parameter on a line of its own"),
        ({"Parameters": "sign=1"}, "The tool adds sign by itself"),
        ({"Endpoint": SEARCH, "Body": "{"}, "The body is not valid JSON"),
        ({"Endpoint": SEARCH, "Body": "[" * 30_000}, "The body is not valid JSON"),
        ({"Body": "{}"}, "A GET call has no body"),
    ],
)
async def test_a_call_that_cannot_be_made_is_not_made(sandbox: Sandbox, given: dict[str, str], sentence: str) -> None:
    """The form says why, field by field, and the platform hears nothing."""
    visitor, app, _ = await with_a_token(sandbox)

    await tried(visitor, app, **{"Access_token": "ROW_x", "Endpoint": "GET /authorization/202309/shops", **given})

    assert visitor.reply.status == 422
    assert sentence in visitor.text
    assert [] == await api_calls(sandbox)


async def test_an_account_without_a_token_is_pointed_to_where_there_is_one(sandbox: Sandbox) -> None:
    """Nothing is authorized behind anybody's back."""
    app = await sandbox.app(name="My app")
    visitor = await at_partner_center(sandbox)
    await visitor.open(TOOL)
    await tried(visitor, app, Test_account=await seller_id(sandbox, TEST_SELLER))

    assert visitor.reply.status == 422
    assert "Test Seller GB has no access token for My app yet." in visitor.text
    assert (await sandbox.world())["grants"] == 0


# --- the webhook log


async def test_the_log_follows_a_notice_to_its_end(sandbox: Sandbox, receiver: Receiver) -> None:
    """Tried five times and dropped: attempts, answer and next try as they stand; then one that is delivered."""
    receiver.answers = [500, 500, 500, 500, 500]
    app = await sandbox.app(name="My app", webhook_url=receiver.url)
    grant = await sandbox.connected(app, {"email": "logan@cedarridge.example"})
    shop = (await sandbox.ask("grants", app=app["key"]))["items"][0]["shops"][0]
    await sandbox.steer("notices", type=5, app=app["key"], shop=shop["id"], data={"product_id": "17"})
    await eventually(lambda: said(sandbox, "500"))
    visitor = await at_partner_center(sandbox)
    await visitor.open(LOG)
    assert "5 PRODUCT_STATUS_CHANGE My app Cedar Ridge Outfitters Retrying 1 attempt, next in 2 minutes 500" in (
        visitor.text
    )
    assert '"product_id": "17"' in visitor.text
    assert receiver.url in visitor.text

    await sandbox.steer("clock", advance="1d")

    await visitor.open(LOG)
    assert "Dropped 5 attempts 500" in visitor.text
    await sandbox.steer(f"grants/{grant['grant_id']}/cancel")
    await eventually(lambda: said(sandbox, "200"))
    await visitor.open(LOG)
    assert "6 SELLER_DEAUTHORIZATION My app Cedar Ridge Outfitters Delivered 1 attempt 200" in visitor.text


async def said(sandbox: Sandbox, answer: str) -> bool:
    """Whether a receiver has answered so."""
    lines = (await sandbox.ask("log", kind="notice"))["items"]
    return any(line["notice"]["answer"] == answer for line in lines)


async def test_the_log_is_filtered_and_paged(sandbox: Sandbox) -> None:
    """By app and by topic, 25 to a page, and only what is the developer's own."""
    mine = await sandbox.app(name="Mine", webhook_url="http://127.0.0.1:9/hook")
    theirs = await sandbox.app(name="Theirs", developer="bo@other.example", webhook_url="http://127.0.0.1:9/other")
    shop = (await sandbox.world())["sellers"][0]["shops"][0]["id"]
    for app, kind, times in ((mine, 5, 30), (mine, 6, 1), (theirs, 1, 1)):
        await sandbox.steer("notices", type=kind, app=app["key"], shop=shop, times=times, delay="1d", data={"n": 1})
    visitor = await at_partner_center(sandbox)

    await visitor.open(LOG)
    assert rows(visitor) == 25
    assert "Theirs" not in visitor.text
    assert "Waiting 0 attempts, next in 1 day none yet" in visitor.text
    (older,) = visitor.page.xpath("//a[text()='Older']/@href")
    await visitor.open(older)
    assert rows(visitor) == 6
    await visitor.open(f"{LOG}?app={mine['key']}&topic=6")
    assert rows(visitor) == 1
    await visitor.open(f"{LOG}?topic=7")
    assert "Nothing was sent yet that fits the filter." in visitor.text
    await visitor.open(f"{LOG}?app={theirs['key']}")
    assert visitor.reply.status == 404


@pytest.mark.parametrize(
    "query", ["topic=x", "topic=99999999999999999999", "before=x", "before=-1", "before=0", "topic="]
)
async def test_a_filter_that_makes_no_sense_filters_nothing(sandbox: Sandbox, query: str) -> None:
    """The page comes all the same."""
    visitor = await at_partner_center(sandbox)
    await visitor.open(f"{LOG}?{query}")

    assert visitor.reply.status == 200
    assert visitor.heading == "Webhook Log"


def rows(visitor: Visitor) -> int:
    """How many notices the page lists."""
    return len(visitor.page.xpath("//tr[@class='desk-more']"))


# --- help


@pytest.mark.requirement("R-TTS-31")
async def test_the_guide_to_development_shops_is_linked_where_they_are_made(sandbox: Sandbox) -> None:
    """From the list and from the form, under its name, with the documented limits."""
    visitor = await at_partner_center(sandbox)
    for page in (LIST, f"{LIST}/create", "/partner/help"):
        await visitor.open(page)
        (guide,) = visitor.page.xpath("//main//a[text()='Seller Center Development Shops User Guide']/@href")
        await visitor.open(guide)
        assert visitor.heading == "Seller Center Development Shops User Guide"
    for fact in (
        "Up to 10 test accounts",
        "expires after 180 days",
        "Account Nickname",
        "straight to the approval step",
    ):
        assert fact in visitor.text


@pytest.mark.requirement("R-TTS-32")
async def test_the_criteria_for_public_apps_are_documented(sandbox: Sandbox) -> None:
    """In the app development overview, which Help links."""
    visitor = await at_partner_center(sandbox)
    await visitor.open("/partner/help")
    (overview,) = visitor.page.xpath("//main//a[text()='App development overview']/@href")
    await visitor.open(overview)

    assert visitor.heading == "App development overview"
    for criterion in (
        "What a public app has to pass",
        "the enrollment review",
        "App Requirement Document",
        "Review of the store listing",
        "data security",
        "A beta test, for connectors",
    ):
        assert criterion in visitor.text


@pytest.mark.parametrize(
    "path",
    ["/partner", LIST, f"{LIST}/create", f"{LIST}/1", TOOL, LOG, "/partner/help", "/partner/help/development-shops"],
)
async def test_pages_of_partner_center_want_a_login_and_come_back_after_it(sandbox: Sandbox, path: str) -> None:
    """To the page that was asked for, its query included."""
    visitor = Visitor(sandbox)
    await visitor.open(f"{path}?a=1")
    assert visitor.path == "/partner/login"
    visitor.fill("Email", "dana@evergrant.example")
    visitor.fill("Password", "sandbox")
    await visitor.press("Log in")

    assert (visitor.path, visitor.query) == (path, {"a": "1"})


async def test_a_form_without_a_login_leads_to_the_login(sandbox: Sandbox) -> None:
    """And does nothing."""
    reply = await Visitor(sandbox).client.call("POST", f"{LIST}/create", body=b"nickname=x")

    assert (reply.status, reply.header("location")) == (303, "/partner/login")


async def test_a_test_notification_arrives_signed(sandbox: Sandbox, receiver: Receiver) -> None:
    """With what is true of the shop now; it then stands in the log."""
    app = await sandbox.app(name="My app", webhook_url=receiver.url)
    visitor = await at_partner_center(sandbox)
    await visitor.open(LOG)
    visitor.fill("App to notify", app["key"])
    visitor.fill("Topic to send", "6")
    visitor.fill("About which shop", await shop_id(sandbox))
    await visitor.press("Send test notification")

    await receiver.arrived.wait()
    (notice,) = receiver.deliveries
    assert notice.json["type"] == 6
    assert notice.json["shop_id"] == await shop_id(sandbox)
    assert notice.signature == signing.sign_notice(app_key=app["key"], secret=app["secret"], body=notice.body)
    assert "The test notification is on its way." in visitor.text
    await visitor.open(LOG)
    assert "6 SELLER_DEAUTHORIZATION My app SANDBOX7358231" in visitor.text


@pytest.mark.parametrize(
    ("app", "given", "code"),
    [
        ({"webhook_url": ""}, {"About which shop": "own"}, "no_webhook_url"),
        ({}, {}, "unknown_shop"),
        ({}, {"About which shop": "1"}, "unknown_shop"),
        ({}, {"About which shop": "own", "Topic to send": "999"}, "unknown_topic"),
        ({}, {"About which shop": "own", "Topic to send": "x"}, "unknown_topic"),
        ({}, {"About which shop": "empty"}, "nothing_to_tell"),
    ],
)
async def test_a_test_notification_that_cannot_be_sent_is_refused(
    sandbox: Sandbox, app: dict[str, str], given: dict[str, str], code: str
) -> None:
    """With the reason, and nothing is put on its way."""
    made = await sandbox.app(**{"name": "My app", "webhook_url": "http://127.0.0.1:9/hook", **app})
    visitor = await at_partner_center(sandbox)
    await created(visitor, "Without orders")
    empty = (await sandbox.world())["sellers"][-1]["shops"][0]["id"]
    shops = {"own": await shop_id(sandbox), "empty": empty}
    await visitor.open(LOG)
    visitor.fill("App to notify", made["key"])
    for label, value in given.items():
        visitor.fill(label, shops.get(value, value))
    await visitor.press("Send test notification")

    assert (visitor.reply.status, visitor.reply.header("x-error-code")) == (422, code)
    await visitor.open(LOG)
    assert rows(visitor) == 0


async def test_nobody_notifies_another_developers_app(sandbox: Sandbox, receiver: Receiver) -> None:
    """It is as if it were not there."""
    theirs = await sandbox.app(developer="bo@other.example", webhook_url=receiver.url)
    visitor = await at_partner_center(sandbox)
    await visitor.open(LOG)
    visitor.fill("App to notify", theirs["key"])
    visitor.fill("About which shop", await shop_id(sandbox))
    await visitor.press("Send test notification")

    assert visitor.reply.status == 404
    assert [] == receiver.deliveries


async def shop_id(sandbox: Sandbox) -> str:
    """The shop of the seeded test account."""
    return str(next(each["shops"][0]["id"] for each in (await sandbox.world())["sellers"] if each["test"]))
