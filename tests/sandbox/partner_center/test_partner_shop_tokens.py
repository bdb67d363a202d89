"""Development Shops: test accounts authorize apps, give out tokens, and get orders."""

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
from tests.sandbox.kit import DAY, HERE, Sandbox, eventually, sha256
from tests.sandbox.partner_center.test_partner_shops import (
    LIST,
    TEST_SELLER,
    at_the_seeded_account,
    created,
    generated,
    seller_id,
)
from tests.sandbox.partner_center.test_partner_signing_in import at_partner_center
from tests.sandbox.receiving import Receiver


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
