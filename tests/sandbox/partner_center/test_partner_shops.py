"""Development Shops: test accounts are created, expire and are reactivated."""

from typing import Any

import pytest

from tests.sandbox.kit import DAY, Sandbox
from tests.sandbox.partner_center.test_partner_signing_in import at_partner_center
from tests.sandbox.visiting import Visitor

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
