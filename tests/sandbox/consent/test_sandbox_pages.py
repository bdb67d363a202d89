"""The consent pages, walked by label without JavaScript: the whole way, and the form."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.sandbox.kit import DAY, START, Sandbox
from tests.sandbox.visiting import Visitor

OWNER = "amelia@thamesandclay.example"


CROSS = "wei@brightpath.example"


async def link(sandbox: Sandbox, state: str | None = "s-1", **app: Any) -> str:
    """The authorization link of an app, the seeded one unless the test wants another."""
    made = await sandbox.app(**app) if app else (await sandbox.world())["apps"][0]
    tail = "" if state is None else f"&state={state}"
    return f"/open/authorize?service_id={made['service_id']}{tail}"


async def at_the_form(visitor: Visitor, address: str, email: str = OWNER) -> None:
    """Signed in, region chosen, form open."""
    await visitor.open("/seller/login")
    await visitor.sign_in(email)
    await visitor.open(address)
    if "Next for United Kingdom" in visitor.buttons:
        await visitor.press("Next for United Kingdom")


async def fill_form(visitor: Visitor, period: str = "365") -> None:
    """Everything the form needs, and Confirm to Install."""
    visitor.fill("Authorization period", period)
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to Install")


async def authorize(visitor: Visitor) -> None:
    """The review's checkbox and Authorize."""
    visitor.fill("I have reviewed", "yes")
    await visitor.press("Authorize")


def callback(visitor: Visitor) -> dict[str, str]:
    """What the app was called back with."""
    assert visitor.is_away
    return visitor.query


# --- the whole way
@pytest.mark.requirement("R-TTS-11", "R-TTS-12", "R-TTS-13", "R-TTS-17", "R-TTS-18", "R-TTS-20")
async def test_a_signed_out_seller_says_yes(sandbox: Sandbox, visitor: Visitor) -> None:
    """Prompt, login, form, review, and back to the configured Redirect URL with a code that works."""
    app = (await sandbox.world())["apps"][0]
    await visitor.open(await link(sandbox))
    prompt, regions = (visitor.path.rpartition("/")[2], visitor.heading), visitor.buttons
    await visitor.press("Next for United Kingdom")
    login = (visitor.path, visitor.heading)
    await visitor.sign_in(OWNER)
    form = (visitor.path.rpartition("/")[2], visitor.heading)
    await fill_form(visitor)
    review = (visitor.path.rpartition("/")[2], visitor.text)
    await authorize(visitor)
    answer = await sandbox.exchange(app, callback(visitor)["code"])
    again = await sandbox.exchange(app, callback(visitor)["code"])

    assert ("region", "Authorize Evergrant") == prompt
    assert 6 == len(set(regions)) == len([name for name in regions if name.startswith("Next for ")])
    assert ("/seller/login", "Log in to Seller Center") == login
    assert ("form", "Install Evergrant") == form
    assert "review" == review[0]
    assert app["redirect_urls"][0] == visitor.address.partition("?")[0]
    assert ["code", "state"] == list(callback(visitor))
    assert "s-1" == callback(visitor)["state"]
    assert (0, 36004004) == (answer["code"], again["code"])
    assert START + 365 * DAY == answer["data"]["refresh_token_expire_in"]


async def test_the_review_lists_what_is_granted_before_it_is(sandbox: Sandbox, visitor: Visitor) -> None:
    """App, shop, data, period and end; a checkbox that has to be checked; nothing is granted before Authorize."""
    await at_the_form(visitor, await link(sandbox))
    assert ["Confirm to Install", "Discard"] == visitor.buttons[-2:]
    await fill_form(visitor, "90")

    for words in ("Evergrant", "Thames & Clay (GB)", "90 days", "15 April 2027", "Order Information", OWNER):
        assert words in visitor.text
    assert "Authorize" in visitor.buttons
    await visitor.press("Authorize")
    assert 422 == visitor.reply.status
    assert "Check the box" in visitor.text
    assert 0 == (await sandbox.world())["grants"]
    await authorize(visitor)
    assert 1 == (await sandbox.world())["grants"]


@pytest.mark.requirement("R-TTS-15")
async def test_a_signed_in_seller_skips_the_login(sandbox: Sandbox, visitor: Visitor) -> None:
    """A first grant begins with the prompt all the same."""
    await visitor.open("/seller/login")
    await visitor.sign_in(OWNER)
    await visitor.open(await link(sandbox))
    prompt = visitor.path.rpartition("/")[2]
    await visitor.press("Next for United Kingdom")

    assert ("region", "form") == (prompt, visitor.path.rpartition("/")[2])
    assert "/seller/login" not in visitor.trail


@pytest.mark.requirement("R-TTS-22")
async def test_a_signed_in_seller_who_renews_goes_straight_to_the_form(sandbox: Sandbox, visitor: Visitor) -> None:
    """Titled "Renew", filled in as before; the grant is the same one, renewed."""
    address = await link(sandbox)
    await at_the_form(visitor, address)
    await fill_form(visitor, "90")
    await authorize(visitor)
    await sandbox.steer("clock", advance="70d")
    await visitor.open(address)

    assert ["/open/authorize", visitor.path] == visitor.trail
    assert "Renew" == visitor.heading
    assert ["Re-authorize only"] == visitor.options("Renew options")
    assert "90 days" == visitor.value("Authorization period")
    assert OWNER == visitor.value("Contact email")
    assert "ends in 20 days" in visitor.text
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to Install")
    assert "until now: 15 April 2027" in visitor.text
    await authorize(visitor)
    (grant,) = (await sandbox.ask("grants"))["items"]
    assert START + 160 * DAY == grant["ends_at_unix"]
    assert 2 == grant["consents"]


async def test_the_region_is_remembered(sandbox: Sandbox, visitor: Visitor) -> None:
    """A signed-out seller whose region is known goes to the login directly, and from there to the form."""
    await visitor.open(await link(sandbox))
    await visitor.press("Next for United States")
    await visitor.open(await link(sandbox))
    directly = visitor.path
    await visitor.sign_in("logan@cedarridge.example")

    assert "/seller/login" == directly
    assert "form" == visitor.path.rpartition("/")[2]


@pytest.mark.requirement("R-TTS-19")
async def test_the_older_link_with_the_app_key_works_too(sandbox: Sandbox, visitor: Visitor) -> None:
    """`/oauth/authorize?app_key=`; parameters nobody knows are ignored."""
    app = (await sandbox.world())["apps"][0]
    await at_the_form(visitor, f"/oauth/authorize?app_key={app['key']}&redirect_uri=https%3A%2F%2Fevil.test&scope=all")
    await fill_form(visitor)
    await authorize(visitor)

    assert app["redirect_urls"][0] == visitor.address.partition("?")[0]
    assert ["code"] == list(callback(visitor))


async def test_the_state_comes_back_unchanged(sandbox: Sandbox, visitor: Visitor) -> None:
    """Whatever it holds, also when the Redirect URL has a query of its own."""
    state = "a b&c=d/é+%25=="
    app = await sandbox.app(redirect_urls=["http://localhost:8080/cb?tenant=7"])
    query = {"service_id": app["service_id"], "state": state}
    await visitor.open("/seller/login")
    await visitor.sign_in(OWNER)
    reply = await visitor.client.get("/open/authorize", **query)
    await visitor.open(reply.header("location") or "")
    await visitor.press("Next for United Kingdom")
    await fill_form(visitor)
    await authorize(visitor)

    assert state == callback(visitor)["state"]
    assert "7" == callback(visitor)["tenant"]


async def test_the_callback_can_carry_more(sandbox: Sandbox, visitor: Visitor) -> None:
    """`extra_callback_parameters`: seen in the field, on no page."""
    await sandbox.steer("switches", extra_callback_parameters="on")
    await at_the_form(visitor, await link(sandbox))
    await fill_form(visitor)
    await authorize(visitor)

    assert {"app_key", "code", "locale", "shop_region", "state"} == set(callback(visitor))
    assert "GB" == callback(visitor)["shop_region"]


async def test_a_countdown_can_stand_before_the_way_back(sandbox: Sandbox, visitor: Visitor) -> None:
    """A page that goes on by itself, without JavaScript."""
    await sandbox.steer("switches", return_countdown="3s")
    await at_the_form(visitor, await link(sandbox))
    await fill_form(visitor)
    await authorize(visitor)
    wait, _, target = (visitor.reply.header("refresh") or "").partition("; url=")

    assert ("3", 200, "Authorized") == (wait, visitor.reply.status, visitor.heading)
    assert {"code", "state"} == set(dict(parse_qsl(urlsplit(target).query)))


@pytest.mark.parametrize(
    ("switches", "wanted"),
    [
        ({}, {"code": "null", "error": "auth_denied", "state": "s-1"}),
        ({"refusal_error": "access_denied"}, {"code": "null", "error": "access_denied", "state": "s-1"}),
        ({"state_on_refusal": "dropped"}, {"code": "null", "error": "auth_denied"}),
    ],
)
@pytest.mark.parametrize("where", ["form", "review"])
async def test_discard_refuses(
    sandbox: Sandbox, visitor: Visitor, switches: dict[str, str], wanted: dict[str, str], where: str
) -> None:
    """On either page; the word and the fate of the state are switches."""
    await sandbox.steer("switches", **switches)
    await at_the_form(visitor, await link(sandbox))
    if where == "review":
        await fill_form(visitor)
    await visitor.press("Discard")

    assert wanted == callback(visitor)
    assert 0 == (await sandbox.world())["grants"]


# --- the form
@pytest.mark.parametrize(
    ("label", "value", "sentence"),
    [
        ("Authorization period", "", "Choose an authorization period."),
        ("Authorization period", "7", "Choose an authorization period."),
        ("Contact email", "", "Enter the e-mail address"),
        ("Contact email", "nobody", "Enter the e-mail address"),
        ("Contact phone number", "call me", "Enter a telephone number"),
        ("Target shop", "7495", "Choose the shop"),
        ("I agree", "", "Agree to share"),
    ],
)
async def test_the_form_is_not_accepted_without_what_is_required(
    sandbox: Sandbox, visitor: Visitor, label: str, value: str, sentence: str
) -> None:
    """The server says what is missing, keeps the rest, and does not go on."""
    await at_the_form(visitor, await link(sandbox))
    visitor.fill("Authorization period", "365")
    visitor.fill("I agree", "yes")
    visitor.fill(label, value)
    await visitor.press("Confirm to Install")

    assert (422, "form") == (visitor.reply.status, visitor.path.rpartition("/")[2])
    assert sentence in visitor.text


async def test_the_telephone_number_is_optional(sandbox: Sandbox, visitor: Visitor) -> None:
    """Empty is fine."""
    await at_the_form(visitor, await link(sandbox))
    visitor.fill("Contact phone number", "")
    await fill_form(visitor)

    assert "review" == visitor.path.rpartition("/")[2]


async def test_the_target_shop_can_be_changed(sandbox: Sandbox, visitor: Visitor) -> None:
    """All shops of the account are offered; the one chosen is the one granted."""
    seller = (await sandbox.world())["sellers"][0]
    await at_the_form(visitor, await link(sandbox))
    offered = visitor.options("Target shop")
    visitor.fill("Target shop", seller["shops"][1]["id"])
    await fill_form(visitor)
    await authorize(visitor)
    (grant,) = (await sandbox.ask("grants"))["items"]

    assert ["Thames & Clay (GB)", "Thames & Clay Seconds (GB)"] == offered
    assert [seller["shops"][1]["id"]] == [shop["id"] for shop in grant["shops"]]


async def test_a_cross_border_seller_authorizes_all_shops(sandbox: Sandbox, visitor: Visitor) -> None:
    """One line in "Target shop"."""
    await at_the_form(visitor, await link(sandbox), CROSS)
    offered = visitor.options("Target shop")
    await fill_form(visitor)
    await authorize(visitor)
    (grant,) = (await sandbox.ask("grants"))["items"]

    assert ["All shops (GB, MY, SG)"] == offered
    assert 3 == len(grant["shops"])


async def test_the_renewal_is_about_the_shop_that_ends_first(sandbox: Sandbox, visitor: Visitor) -> None:
    """With several authorizations the most pressing one is preselected."""
    app, seller = (await sandbox.world())["apps"][0], (await sandbox.world())["sellers"][0]
    for shop, period in zip(seller["shops"], ("365d", "40d"), strict=True):
        await sandbox.steer("authorize", app=app["key"], seller=OWNER, shop=shop["id"], period=period)
    await sandbox.steer("clock", advance="30d")
    await at_the_form(visitor, await link(sandbox))

    assert "Thames & Clay Seconds (GB)" == visitor.value("Target shop")


@pytest.mark.parametrize(
    ("position", "advance", "offered"),
    [
        ("absent", "10d", ["—"]),
        ("offered", "10d", ["Re-authorize only"]),
        ("absent", "61d", ["Re-authorize only"]),
        ("absent", "91d", ["Re-authorize only"]),
    ],
)
async def test_reauthorize_only_is_missing_while_nothing_has_to_be_done(
    sandbox: Sandbox, visitor: Visitor, position: str, advance: str, offered: list[str]
) -> None:
    """Valid and not ending soon: absent, unless the switch offers it; ending soon or over: there."""
    await sandbox.steer("switches", renew_option_while_valid=position)
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("authorize", app=app["key"], seller=OWNER, period="90d")
    await sandbox.steer("clock", advance=advance)
    await at_the_form(visitor, await link(sandbox))

    assert offered == visitor.options("Renew options")
    assert ("Nothing has to be done" in visitor.text) == (offered == ["—"])


async def test_a_missing_scope_is_a_reason_to_renew(sandbox: Sandbox, visitor: Visitor) -> None:
    """The option is offered when the app asks for more than was granted."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("authorize", app=app["key"], seller=OWNER, scopes=app["scopes"][:1])
    await at_the_form(visitor, await link(sandbox))

    assert ["Re-authorize only"] == visitor.options("Renew options")


@pytest.mark.parametrize("label", ["Confirm to Install", "Confirm to install"])
async def test_the_buttons_letter_case_is_a_switch(sandbox: Sandbox, visitor: Visitor, label: str) -> None:
    """EcomSend and Pipe17 write it differently."""
    await sandbox.steer("switches", install_button=label)
    await at_the_form(visitor, await link(sandbox))

    assert label in visitor.buttons


async def test_the_periods_offered_are_a_setting(sandbox: Sandbox, visitor: Visitor) -> None:
    """No source has the list; 99 years are among what samples compute to."""
    await sandbox.steer("switches", authorization_periods="30,90,180,365,36135")
    await at_the_form(visitor, await link(sandbox))

    wanted = ["Choose a period", "30 days", "90 days", "180 days", "365 days", "99 years"]
    assert wanted == visitor.options("Authorization period")
