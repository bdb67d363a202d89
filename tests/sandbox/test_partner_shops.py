"""Development Shops: test accounts are created, expire, are reactivated, authorize apps, and give out tokens."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from evergrant.core.app import App as HubApp
from evergrant.core.app import Hosts
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation
from evergrant.providers.tiktok_shop import replies, requests
from evergrant.providers.wire import Reply as HubReply
from evergrant_sandbox.book import apps
from tests.sandbox.kit import DAY, HERE, Receiver, Sandbox, Visitor, eventually, sha256
from tests.sandbox.test_partner_signing_in import at_partner_center

LIST = "/partner/development-shops"
TEST_SELLER = "test.seller@partner.example"


async def created(visitor: Visitor, nickname: str = "Berlin QA", **chosen: str) -> None:
    """A test account, made by the form."""
    await visitor.open(f"{LIST}/create")
    visitor.fill("Account type", chosen.get("function", "Core Function"))
    visitor.fill("Shop Type", chosen.get("shop_type", "Local"))
    visitor.fill("Market", chosen.get("market", "US"))
    visitor.fill("Account Nickname", nickname)
    visitor.fill("Onboarding type", chosen.get("onboarding", "Without business documents"))
    await visitor.press("Create test account")


async def at_the_seeded_account(sandbox: Sandbox) -> Visitor:
    """The seeded developer in front of the seeded test account."""
    visitor = await at_partner_center(sandbox)
    await visitor.open(f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}")
    return visitor


async def seller_id(sandbox: Sandbox, email: str) -> str:
    """The id of the seller who signs in so."""
    return str(next(each["id"] for each in (await sandbox.world())["sellers"] if each["email"] == email))


def shown(visitor: Visitor, name: str) -> str:
    """What the token page says under a name."""
    (cell,) = visitor.page.xpath(f"//dt[text()='{name}']/following-sibling::dd[1]")
    return str(cell.xpath(".//code/text()")[0])


async def generated(visitor: Visitor, app: Any) -> dict[str, str]:
    """A pair, off the page that shows it once."""
    visitor.fill("App for the token", app["key"])
    await visitor.press("Generate access token")
    assert visitor.heading == f"Access token for {app['name']}"
    names = ("access_token", "access_token_expire_in", "refresh_token", "refresh_token_expire_in", "shop_cipher")
    return {name: shown(visitor, name) for name in names}


@pytest.mark.requirement("R-TTS-27")
async def test_a_developer_creates_a_test_account(sandbox: Sandbox) -> None:
    """The section recommends one for API requests; the new one is listed with its sign-in, which works at Seller Center."""
    visitor = await at_partner_center(sandbox)
    await visitor.open(LIST)
    assert "Seller Center test accounts are recommended for testing API requests" in visitor.text
    assert "Test Seller GB" in visitor.text

    await created(visitor)

    assert visitor.heading == "Berlin QA Active"
    assert "Core Function test account, Local, US." in visitor.text
    (made,) = [each for each in (await sandbox.world())["sellers"] if each["name"] == "Berlin QA"]
    assert made["test"]
    assert (made["region"], made["kind"], made["shops"][0]["orders"]) == ("US", "local", 0)
    await visitor.open(LIST)
    assert made["email"] in visitor.text
    assert "2 of 10" in visitor.text
    seller = Visitor(sandbox)
    await seller.open("/seller/login")
    await seller.sign_in(made["email"], made["password"])
    assert seller.heading != "Log in to Seller Center"


@pytest.mark.parametrize(
    ("label", "value", "sentence"),
    [
        ("Account type", "Everything", "Choose what the test account is for."),
        ("Shop Type", "Global", "Choose a shop type."),
        ("Market", "DE", "Choose the market of the test account."),
        ("Account Nickname", " ", "Enter a nickname"),
        ("Account Nickname", "x" * 51, "at most 50 characters"),
        ("Onboarding type", "Invented", "Choose an onboarding type."),
    ],
)
async def test_a_test_account_that_cannot_be_is_refused(
    sandbox: Sandbox, label: str, value: str, sentence: str
) -> None:
    """Field by field, and nothing is made."""
    visitor = await at_partner_center(sandbox)
    await visitor.open(f"{LIST}/create")
    visitor.fill("Account Nickname", "Berlin QA")
    visitor.fill(label, value)
    await visitor.press("Create test account")

    assert visitor.reply.status == 422
    assert sentence in visitor.text
    assert [] == [each for each in (await sandbox.world())["sellers"] if each["name"] == "Berlin QA"]


@pytest.mark.parametrize("market", ["US", "GB", "JP", "MY", "PH", "SG", "TH", "VN", "ID"])
async def test_each_documented_market_can_be_chosen(sandbox: Sandbox, market: str) -> None:
    """As a local seller and across the border, with either kind of account."""
    visitor = await at_partner_center(sandbox)
    await created(visitor, market=market, shop_type="CB", function="Full Function")

    assert "Full Function test account, CB" in visitor.text
    made = (await sandbox.world())["sellers"][-1]
    assert (made["kind"], made["shops"][0]["region"]) == ("cross_border", market)


async def test_there_are_ten_test_accounts_at_most(sandbox: Sandbox) -> None:
    """One that has expired still counts; the eleventh is refused by the page and by the form that was open already."""
    visitor = await at_partner_center(sandbox)
    late = await at_partner_center(sandbox)
    await late.open(f"{LIST}/create")
    for number in range(9):
        await created(visitor, f"Number {number}")
    await sandbox.steer("clock", advance="200d")

    await visitor.open(LIST)
    assert "10 of 10" in visitor.text
    assert "Create test account" not in visitor.text
    await visitor.open(f"{LIST}/create")
    late.fill("Account Nickname", "The eleventh")
    await late.press("Create test account")

    for refused in (visitor, late):
        assert refused.reply.status == 409
        assert refused.reply.header("x-error-code") == "too_many_test_accounts"
    assert "The eleventh" not in [each["name"] for each in (await sandbox.world())["sellers"]]


async def test_a_test_account_expires_and_is_reactivated(sandbox: Sandbox) -> None:
    """180 days of platform time: then nobody is signed in, its tokens are refused, and one button brings all back."""
    app = await sandbox.app(name="Draft app", status="draft", scopes=["seller.authorization.info"])
    visitor = await at_the_seeded_account(sandbox)
    pair = await generated(visitor, app)
    await visitor.open(f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}")
    await visitor.press("Sign in to Seller Center")
    assert visitor.path == "/seller"
    await sandbox.steer("clock", advance="179d")
    fresh = (await sandbox.refresh(app, pair["refresh_token"]))["data"]

    await sandbox.steer("clock", advance="2d")

    refused = await sandbox.signed(app, fresh["access_token"], "GET", "/authorization/202309/shops")
    assert refused.json["code"] == 105001
    assert (await sandbox.refresh(app, fresh["refresh_token"]))["code"] == 36004005
    seller = Visitor(sandbox)
    await seller.open("/seller/login")
    await seller.sign_in(TEST_SELLER)
    assert "This test account has expired." in seller.text
    await visitor.open("/seller")
    assert visitor.heading == "Log in to Seller Center"
    await visitor.open(LIST)
    assert "Expired" in visitor.text
    await visitor.press("Reactivate Test Seller GB")
    assert "The test account was reactivated." in visitor.text
    again = await sandbox.signed(app, fresh["access_token"], "GET", "/authorization/202309/shops")
    assert again.json["code"] == 0
    await seller.sign_in(TEST_SELLER)
    assert seller.heading != "Log in to Seller Center"


@pytest.mark.parametrize(
    ("position", "api", "token"), [("deauthorized", 105001, 36004005), ("expired", 105002, 36004001)]
)
async def test_how_the_tokens_of_an_expired_account_are_refused_is_a_switch(
    sandbox: Sandbox, position: str, api: int, token: int
) -> None:
    """Nobody has written down what the platform does."""
    await sandbox.steer("switches", expired_test_account=position)
    app = await sandbox.app(access_token_seconds=300 * DAY)
    pair = await sandbox.connected(app, {"email": TEST_SELLER})
    await sandbox.steer("clock", advance="180d")

    called = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")
    refreshed = await sandbox.refresh(app, pair["refresh_token"])

    assert (called.json["code"], refreshed["code"]) == (api, token)


async def test_the_tokens_of_an_expired_account_may_go_on(sandbox: Sandbox) -> None:
    """The switch's third position: only the sign-in ends."""
    await sandbox.steer("switches", expired_test_account="unaffected")
    app = await sandbox.app(access_token_seconds=300 * DAY)
    pair = await sandbox.connected(app, {"email": TEST_SELLER})
    await sandbox.steer("clock", advance="180d")

    called = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")

    assert called.json["code"] == 0
    assert (await sandbox.refresh(app, pair["refresh_token"]))["code"] == 0


async def test_an_account_that_has_not_expired_is_not_reactivated(sandbox: Sandbox) -> None:
    """Nor is one that has expired used: a page left open says what to do."""
    visitor = await at_the_seeded_account(sandbox)
    open_still = await at_the_seeded_account(sandbox)
    await sandbox.steer("clock", advance="180d")
    for button in ("Generate access token", "Create test orders", "Sign in to Seller Center", "Authorize app"):
        await open_still.open(f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}")
        assert button not in open_still.buttons
    await visitor.press("Authorize app")
    assert visitor.reply.status == 409
    assert visitor.reply.header("x-error-code") == "test_account_expired"
    app = (await sandbox.world())["apps"][0]["key"]
    steered = await sandbox.client.post("/_sandbox/authorize", app=app, seller=TEST_SELLER)
    assert (steered.status, steered.json["error"]["code"]) == (409, "test_account_expired")

    await open_still.press("Reactivate")
    visitor = await at_the_seeded_account(sandbox)
    (token, *_) = visitor.page.xpath("//input[@name='form_token']/@value")
    reply = await visitor.client.call("POST", f"{visitor.path}/reactivate", body=f"form_token={token}".encode())
    assert reply.status == 409
    assert reply.header("x-error-code") == "not_expired"


@pytest.mark.requirement("R-TTS-16", "R-TTS-29")
@pytest.mark.parametrize("status", ["draft", "published"])
async def test_authorizing_with_a_test_account_begins_at_the_approval(sandbox: Sandbox, status: str) -> None:
    """No region, no login, no form; then the app's Redirect URL with a code that gives a pair."""
    app = await sandbox.app(name="My app", status=status, redirect_urls=["http://app.example.test/back"])
    visitor = await at_the_seeded_account(sandbox)
    visitor.fill("App to authorize", app["key"])

    await visitor.press("Authorize app")

    assert visitor.heading == "Review the authorization"
    assert [path.rpartition("/")[2] for path in visitor.trail] == ["authorize", "authorize", "review"]
    visitor.fill("I have reviewed", "yes")
    await visitor.press("Authorize")
    assert visitor.address.startswith("http://app.example.test/back?code=")
    answer = await sandbox.exchange(app, visitor.query["code"])
    assert answer["data"]["seller_name"] == "Test Seller GB"


@pytest.mark.requirement("R-TTS-30")
@pytest.mark.parametrize("status", ["draft", "published"])
async def test_a_token_is_generated_without_an_authorization_link(sandbox: Sandbox, status: str) -> None:
    """It works in a signed call in the hub's own dialect; the browser never went near the link; the log has hashes only."""
    app = await sandbox.app(name="My app", status=status)
    visitor = await at_the_seeded_account(sandbox)

    pair = await generated(visitor, app)

    assert visitor.trail == [f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}/token"]
    assert int(pair["access_token_expire_in"]) == sandbox.now + 7 * DAY
    assert "Order Information" in visitor.text
    shops = replies.read_shops(await in_the_hubs_dialect(sandbox, app, pair["access_token"]))
    assert isinstance(shops, tuple)
    assert [(shop.name, shop.cipher) for shop in shops] == [("SANDBOX7358231", pair["shop_cipher"])]
    refreshed = await sandbox.refresh(app, pair["refresh_token"])
    assert refreshed["code"] == 0
    lines = [line for line in (await sandbox.ask("log"))["items"] if line["path"].endswith("/token")]
    assert [line["gave_access_sha256"] for line in lines] == [sha256(pair["access_token"])]
    assert pair["access_token"] not in str(await sandbox.ask("log"))
    await visitor.open(f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}")
    assert pair["access_token"] not in visitor.reply.text


async def in_the_hubs_dialect(sandbox: Sandbox, app: Any, access_token: str) -> HubReply:
    """The hub's request for the shops, sent as it stands."""
    mine = HubApp(
        tenant_id="tnt_1",
        id="app_1",
        provider=requests.NAME,
        region="ROW",
        name=app["name"],
        key=app["key"],
        secret=Secret(app["secret"]),
        service_id=app["service_id"],
        hosts=Hosts(authorize=HERE, auth=HERE, api=HERE),
        required_scopes=frozenset(app["scopes"]),
        rotation=Rotation.UNKNOWN,
        clock=HERE,
    )
    request = requests.shops_request(mine, Secret(access_token), datetime.fromtimestamp(sandbox.now, UTC))
    reply = await sandbox.client.call(
        request.method,
        request.url.removeprefix(HERE),
        query={name: value if isinstance(value, str) else value.reveal() for name, value in request.query},
        headers={name: value if isinstance(value, str) else value.reveal() for name, value in request.headers},
    )
    return HubReply(status=reply.status, body=reply.body)


async def test_a_generated_token_of_a_cross_border_account_covers_all_its_shops(sandbox: Sandbox) -> None:
    """The grant names no single shop, as for any cross-border seller."""
    app = await sandbox.app(name="My app")
    visitor = await at_partner_center(sandbox)
    await created(visitor, shop_type="CB", market="MY")
    pair = await generated(visitor, app)

    reply = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")

    assert [(shop["region"], shop["seller_type"]) for shop in reply.json["data"]["shops"]] == [("MY", "CROSS_BORDER")]


async def test_test_orders_are_created_and_stepped(sandbox: Sandbox, receiver: Receiver) -> None:
    """Each change is told to the apps that listen; an order that has moved on in the meantime is left alone."""
    app = await sandbox.app(name="My app", webhook_url=receiver.url)
    visitor = await at_the_seeded_account(sandbox)
    await generated(visitor, app)
    account = f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}"
    await visitor.open(account)
    late = await at_the_seeded_account(sandbox)

    visitor.fill("How many", "1")
    visitor.fill("Status", "UNPAID")
    await visitor.press("Create test orders")
    assert "7 orders" in visitor.text
    (order, *_) = visitor.page.xpath("//td/code/text()")
    await visitor.press(f"To ON_HOLD, order {order}")
    await late.open(account)
    await visitor.press(f"To AWAITING_SHIPMENT, order {order}")
    await late.press(f"To AWAITING_SHIPMENT, order {order}")

    assert "The order's status was changed." in visitor.text
    assert late.reply.status == 409
    assert late.reply.header("x-error-code") == "invalid_step"
    await visitor.press(f"Cancel order {order}")
    assert f"Cancel order {order}" not in visitor.buttons
    await eventually(lambda: holds(len(receiver.deliveries) == 4))
    told = [notice.json["data"]["order_status"] for notice in receiver.deliveries]
    assert told == ["UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "CANCEL"]


async def holds(what: bool) -> bool:  # noqa: FBT001  (what `eventually` waits for)
    """What is so."""
    return what


@pytest.mark.parametrize(("count", "status"), [("0", "UNPAID"), ("11", "UNPAID"), ("x", "UNPAID"), ("1", "COMPLETED")])
async def test_test_orders_that_cannot_be_are_refused(sandbox: Sandbox, count: str, status: str) -> None:
    """By number and by status; none comes in."""
    visitor = await at_the_seeded_account(sandbox)
    visitor.fill("How many", count)
    visitor.fill("Status", status)
    await visitor.press("Create test orders")

    assert visitor.reply.status == 422
    assert visitor.reply.header("x-error-code") == "invalid_order"


async def test_what_is_another_developers_looks_like_what_is_not_there(sandbox: Sandbox) -> None:
    """Test accounts and apps alike, byte for byte."""
    theirs = await sandbox.app(developer="bo@other.example")
    account = f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}"
    stranger = await at_partner_center(sandbox, "bo@other.example")
    await stranger.open(account)
    seen = stranger.reply
    await stranger.open(f"{LIST}/1{'0' * 5000}")
    assert (seen.status, stranger.reply.status) == (404, 404)
    assert seen.text == stranger.reply.text

    visitor = await at_the_seeded_account(sandbox)
    visitor.fill("App for the token", theirs["key"])
    await visitor.press("Generate access token")
    assert visitor.reply.status == 404
    assert (await sandbox.world())["grants"] == 0
    await stranger.open(LIST)
    assert TEST_SELLER not in stranger.text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "deactivated"}, "app_deactivated"),
        ({"market": "US"}, "105004"),
        ({"seller_types": ["cross_border"]}, "105004"),
    ],
)
@pytest.mark.parametrize(
    ("label", "button"), [("App for the token", "Generate access token"), ("App to authorize", "Authorize app")]
)
async def test_an_app_the_account_cannot_authorize_is_not_authorized(
    sandbox: Sandbox, change: dict[str, Any], code: str, label: str, button: str
) -> None:
    """By the same rules as behind the link: it is not offered, and a form left open is refused."""
    app = await sandbox.app(name="My app")
    visitor = await at_the_seeded_account(sandbox)
    visitor.fill(label, app["key"])
    await sandbox.app(key=app["key"], **change)
    await visitor.press(button)

    assert (visitor.reply.status, visitor.reply.header("x-error-code")) == (403, code)
    assert (await sandbox.world())["grants"] == 0
    again = await at_the_seeded_account(sandbox)
    assert [] == [option for option in again.options(label) if option.startswith("My app")]


async def test_a_token_needs_no_redirect_url(sandbox: Sandbox) -> None:
    """It goes nowhere; an authorization does."""
    visitor = await at_partner_center(sandbox)
    app = await sandbox.app(name="My app")
    platform = sandbox.application.platform
    kept = apps.find(platform.book, app["key"])
    assert kept
    platform.registrar.keep(replace(kept, redirect_urls=()), now=sandbox.now)
    await visitor.open(f"{LIST}/{await seller_id(sandbox, TEST_SELLER)}")

    assert [] == [option for option in visitor.options("App to authorize") if option.startswith("My app")]
    assert (await generated(visitor, app))["access_token"]


@pytest.mark.parametrize(
    "path", ["sign-in", "authorize", "token", "reactivate", "orders", "orders/1", "../create", "../../webhook-log/test"]
)
async def test_a_form_of_somewhere_else_does_nothing(sandbox: Sandbox, path: str) -> None:
    """Whoever is signed in: each form carries the token of its browser."""
    visitor = await at_the_seeded_account(sandbox)
    target = urlsplit(urljoin(f"{HERE}{visitor.path}/", path)).path
    app = (await sandbox.world())["apps"][0]["key"]
    body = f"app={app}&token_app={app}&count=1&status=UNPAID&nickname=x&form_token=forged"

    reply = await visitor.client.call("POST", target, body=body.encode())

    assert (reply.status, reply.header("x-error-code")) == (403, "form_expired")
    assert (await sandbox.world())["grants"] == 0
