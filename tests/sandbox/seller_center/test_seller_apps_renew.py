"""The "Renew" dialog of My apps and incidents, to the letter of Pipe17's guide, walked by label without JavaScript."""

from typing import Any

import pytest

from tests.sandbox.kit import DAY, HERE, START, Sandbox
from tests.sandbox.seller_center.test_seller_apps_store import CROSS, OWNER, STAFF, signed_in
from tests.sandbox.visiting import Visitor

FIRST, SECOND = "Thames & Clay (GB)", "Thames & Clay Seconds (GB)"
APPS = "/seller/apps"


@pytest.fixture
async def app(sandbox: Sandbox) -> Any:
    """The seeded app, authorized for two shops of one seller: for 40 days, and for 365."""
    seeded = (await sandbox.world())["apps"][0]
    for shop, period in (("Thames & Clay", "40d"), ("Thames & Clay Seconds", "365d")):
        await sandbox.steer("authorize", app=seeded["key"], seller=OWNER, shop=shop, period=period)
    return seeded


async def ends(sandbox: Sandbox) -> dict[str, int]:
    """Where each shop's authorization ends, in days after the start."""
    found = (await sandbox.ask("grants"))["items"]
    return {grant["shops"][0]["name"]: round((grant["ends_at_unix"] - START) / DAY) for grant in found}


def cells(visitor: Visitor, shop: str) -> dict[str, str]:
    """A row of the list, by the heads of its columns."""
    (row,) = visitor.page.xpath(f"//tbody/tr[td[normalize-space(.)='{shop}']]")
    heads = [str(each.text_content()) for each in visitor.page.xpath("//thead//th")]
    return dict(zip(heads, [" ".join(each.text_content().split()) for each in row.xpath("./th|./td")], strict=True))


async def open_dialog(visitor: Visitor, shop: str = FIRST, email: str = OWNER) -> None:
    """The row's Authorize."""
    await signed_in(visitor, email, APPS)
    await visitor.press(f"Authorize Evergrant for {shop}")


@pytest.mark.requirement(
    "R-PIPE-15",
    "R-PIPE-16",
    "R-PIPE-17",
    "R-PIPE-18",
    "R-PIPE-20",
    "R-PIPE-21",
    "R-PIPE-22",
    "R-PIPE-24",
    "R-PIPE-26",
    "R-PIPE-27",
    "R-PIPE-28",
    "R-PIPE-36",
    "R-TTS-23",
)
@pytest.mark.usefixtures("app")
async def test_a_seller_renews_in_seller_center(sandbox: Sandbox, visitor: Visitor) -> None:
    """Authorize, the dialog "Renew", Confirm to install, and back in the list: Active, with a new end, the app not called."""
    await sandbox.steer("clock", advance="20d")
    await open_dialog(visitor)
    dialog = visitor.page.xpath("//dialog")[0]
    title = dialog.xpath(f"//*[@id='{dialog.get('aria-labelledby')}']")[0].text_content()
    offered = (visitor.options("Renew options"), visitor.value("Contact email"))
    words = visitor.text
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")
    row = cells(visitor, FIRST)

    assert "Renew" == title
    assert (["Re-authorize only"], OWNER) == offered
    assert "Data that will be shared with Evergrant" in words
    assert "Orders, what was bought, payments and masked buyer addresses" in words
    assert "Ends now 24 February 2027" in words
    assert "Ends after renewal 16 March 2027" in words
    assert (APPS, "My apps and incidents") == (visitor.path, visitor.heading)
    assert "Evergrant is renewed for Thames & Clay (GB), until 16 March 2027." in visitor.text
    assert row["Status"].startswith("Active ")
    assert row["Authorization ends"].startswith("16 March 2027")
    assert {"Thames & Clay": 60, "Thames & Clay Seconds": 365} == await ends(sandbox)


@pytest.mark.requirement("R-PIPE-21", "R-PIPE-40")
@pytest.mark.usefixtures("app")
async def test_reauthorize_only_renews_one_shop_for_the_period_before(sandbox: Sandbox, visitor: Visitor) -> None:
    """Nothing but the end of this one authorization moves."""
    await sandbox.steer("clock", advance="20d")
    before = (await sandbox.ask("grants"))["items"]
    await open_dialog(visitor)
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")
    after = (await sandbox.ask("grants"))["items"]
    moved = {
        name
        for old, new in zip(before, after, strict=True)
        for name in old
        if old["shops"][0]["name"] == "Thames & Clay" and old[name] != new[name]
    }

    assert {"granted_at", "ends_at", "ends_at_unix", "consents"} == moved
    assert 1 == sum(old != new for old, new in zip(before, after, strict=True))


@pytest.mark.requirement("R-PIPE-19", "R-PIPE-41")
@pytest.mark.usefixtures("app")
async def test_the_target_shop_can_be_changed(sandbox: Sandbox, visitor: Visitor) -> None:
    """All shops of the account are there; what is shown and what is renewed follow the one that is chosen."""
    await sandbox.steer("clock", advance="345d")
    await open_dialog(visitor)
    shops = visitor.options("Target shop")
    first = visitor.text
    visitor.fill("Target shop", shop_id(visitor, SECOND))
    visitor.fill("Contact email", "new@thamesandclay.example")
    await visitor.press("Show this shop")
    shown = (visitor.value("Target shop"), visitor.value("Contact email"), visitor.text)
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")
    wrong_shop = await ends(sandbox)
    await open_dialog(visitor)
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")

    assert [FIRST, SECOND] == shops
    assert "Ended 24 February 2027" in first
    assert (SECOND, "new@thamesandclay.example") == shown[:2]
    assert "Ends now 15 January 2028" in shown[2]
    assert {"Thames & Clay": 40, "Thames & Clay Seconds": 710} == wrong_shop
    assert {"Thames & Clay": 385, "Thames & Clay Seconds": 710} == await ends(sandbox)


def shop_id(visitor: Visitor, label: str) -> str:
    """The value of a line of "Target shop"."""
    return str(visitor.page.xpath(f"//select[@name='target_shop']/option[.='{label}']/@value")[0])


@pytest.mark.requirement("R-PIPE-22", "R-PIPE-25")
@pytest.mark.parametrize(
    ("label", "value", "sentence"),
    [
        ("I agree", "", "Agree to share this data with Evergrant to go on."),
        ("Contact email", "", "Enter the e-mail address at which you can be reached."),
        ("Contact email", "nobody", "Enter the e-mail address at which you can be reached."),
        ("Contact phone number", "ring me", "Enter a telephone number, or leave it empty."),
        ("Renew options", "Something else", "Choose a renew option."),
        ("Target shop", "1", "Choose the shop to authorize."),
    ],
)
@pytest.mark.usefixtures("app")
async def test_the_dialog_is_not_accepted_without_what_is_required(
    sandbox: Sandbox, visitor: Visitor, label: str, value: str, sentence: str
) -> None:
    """The server says what is missing, whatever the browser let through, and renews nothing."""
    await sandbox.steer("clock", advance="20d")
    await open_dialog(visitor)
    visitor.fill("I agree", "yes")
    visitor.fill(label, value)
    await visitor.press("Confirm to install")

    assert 422 == visitor.reply.status
    assert sentence in visitor.text
    assert {"Thames & Clay": 40, "Thames & Clay Seconds": 365} == await ends(sandbox)


@pytest.mark.requirement("R-PIPE-23")
@pytest.mark.parametrize("entered", [None, "", "01234 567890"])
@pytest.mark.usefixtures("app")
async def test_the_phone_number_is_changeable_and_optional(
    sandbox: Sandbox, visitor: Visitor, entered: str | None
) -> None:
    """Left alone, emptied or changed."""
    await sandbox.steer("clock", advance="20d")
    await open_dialog(visitor)
    prefilled = visitor.value("Contact phone number")
    if entered is not None:
        visitor.fill("Contact phone number", entered)
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")
    grant = next(each for each in (await sandbox.ask("grants"))["items"] if each["period_days"] == 40)

    assert "+44 20 7946 0102" == prefilled
    assert 2 == grant["consents"]
    assert (prefilled if entered is None else entered) == grant["contact_phone"]


@pytest.mark.requirement("R-PIPE-35", "R-PIPE-36", "R-PIPE-37")
@pytest.mark.parametrize(
    ("days", "wider", "position", "offered"),
    [
        (0, False, "absent", False),
        (9, False, "absent", False),
        (10, False, "absent", True),
        (39, False, "absent", True),
        (41, False, "absent", True),
        (0, True, "absent", True),
        (0, False, "offered", True),
    ],
)
async def test_reauthorize_only_is_missing_exactly_while_nothing_has_to_be_done(
    sandbox: Sandbox, visitor: Visitor, app: Any, days: int, *, wider: bool, position: str, offered: bool
) -> None:
    """Valid, complete and not ending soon: then the dialog and the list say so, and the server renews nothing."""
    await sandbox.steer("switches", renew_option_while_valid=position)
    if wider:
        await sandbox.steer("apps", key=app["key"], scopes=[*app["scopes"], "seller.finance.info"])
    await sandbox.steer("clock", advance=f"{days}d")
    await open_dialog(visitor)
    options, words = visitor.options("Renew options"), visitor.text
    status = cells(visitor, FIRST)["Status"]
    buttons = visitor.buttons

    assert (["Re-authorize only"] if offered else ["—"]) == options
    assert offered == ("Confirm to install" in buttons)
    assert offered != ("Nothing has to be done: the app is Active until 24 February 2027." in words)
    if position == "absent":
        assert offered != (status == "Active Not about to end. Nothing has to be done.")


@pytest.mark.requirement("R-PIPE-37")
@pytest.mark.usefixtures("app")
async def test_the_list_tells_active_from_about_to_end(sandbox: Sandbox, visitor: Visitor) -> None:
    """Both are "Active"; only one needs somebody."""
    await sandbox.steer("clock", advance="28d")
    await signed_in(visitor, OWNER, APPS)

    assert "Active Ends in 12 days. Authorize it again before that." == cells(visitor, FIRST)["Status"]
    assert "Active Not about to end. Nothing has to be done." == cells(visitor, SECOND)["Status"]


@pytest.mark.requirement("R-PIPE-35")
@pytest.mark.usefixtures("app")
async def test_what_has_not_to_be_renewed_is_not_renewed_by_force(sandbox: Sandbox, visitor: Visitor) -> None:
    """A form that was opened while it made sense is refused when it no longer does."""
    await sandbox.steer("clock", advance="20d")
    await open_dialog(visitor)
    page = visitor.reply
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")
    visitor.reply = page
    visitor.address = f"{HERE}{APPS}/0/renew"
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")

    assert (409, "nothing_to_renew") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert {"Thames & Clay": 60, "Thames & Clay Seconds": 365} == await ends(sandbox)


async def test_a_shop_that_never_authorized_the_app_has_nothing_to_renew(sandbox: Sandbox, visitor: Visitor) -> None:
    """The dialog says so instead of granting anything."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("authorize", app=app["key"], seller=OWNER, shop="Thames & Clay", period="20d")
    await open_dialog(visitor)
    visitor.fill("Target shop", shop_id(visitor, SECOND))
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")

    assert (409, "nothing_to_renew") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert "This shop has not authorized Evergrant yet" in visitor.text
    assert "Confirm to install" not in visitor.buttons
    assert {"Thames & Clay": 20} == await ends(sandbox)


@pytest.mark.requirement("R-PIPE-8", "R-PIPE-9", "R-PIPE-35")
@pytest.mark.usefixtures("app")
async def test_only_the_owner_sees_authorize_and_may_do_it(sandbox: Sandbox, visitor: Visitor) -> None:
    """For others neither Authorize nor Cancel is in the page, and the server refuses both."""
    await sandbox.steer("clock", advance="20d")
    await open_dialog(visitor)
    owners_page, dialog = visitor.reply, visitor.path
    await signed_in(visitor, STAFF, APPS)
    row, html = cells(visitor, FIRST), visitor.reply.text
    refused = []
    for path in (dialog, dialog.replace("renew", "cancel")):
        await visitor.open(path)
        html += visitor.reply.text
        refused.append((visitor.reply.status, visitor.reply.header("x-error-code")))
    visitor.reply = owners_page
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")
    refused.append((visitor.reply.status, visitor.reply.header("x-error-code")))

    assert row["Status"].startswith("Active")
    assert "" == row["Action"]
    assert "Authorize Evergrant" not in html
    assert "Re-authorize only" not in html
    assert "/renew" not in html
    assert "/cancel" not in html
    assert [(403, "not_the_owner")] * 3 == refused
    assert {"Thames & Clay": 40, "Thames & Clay Seconds": 365} == await ends(sandbox)


@pytest.mark.usefixtures("app")
async def test_another_sellers_rows_are_not_there(sandbox: Sandbox, visitor: Visitor) -> None:
    """Neither in the list nor by their number; nor are numbers that are none."""
    number = (await sandbox.ask("grants"))["items"][0]["id"]
    await signed_in(visitor, CROSS, APPS)
    empty = visitor.text
    codes = []
    for row in (number, "0", "9" * 30, "-1", "x", "%00"):
        for act in ("renew", "cancel"):
            await visitor.open(f"{APPS}/{row}/{act}")
            codes.append((visitor.reply.status, visitor.reply.header("x-error-code")))

    assert "No apps yet" in empty
    assert {(404, "unknown_app_row")} == set(codes)


async def test_a_renewal_can_call_the_app_back(sandbox: Sandbox, visitor: Visitor, app: Any) -> None:
    """As three guides have it: at the Redirect URL with a code that works, and no state."""
    await sandbox.steer("switches", seller_center_renewal="calls_back")
    await sandbox.steer("clock", advance="20d")
    await open_dialog(visitor)
    policy = visitor.reply.header("content-security-policy") or ""
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")
    answer = await sandbox.exchange(app, visitor.query["code"])

    assert visitor.is_away
    assert ["code"] == list(visitor.query)
    assert 0 == answer["code"]
    assert policy.endswith("form-action 'self' http://localhost:8080")


@pytest.mark.requirement("R-PIPE-18", "R-PIPE-26")
@pytest.mark.parametrize("action", ["Authorize", "Renew"])
@pytest.mark.usefixtures("app")
async def test_the_rows_action_has_two_documented_names(sandbox: Sandbox, visitor: Visitor, action: str) -> None:
    """The dialog is the same."""
    await sandbox.steer("switches", row_action=action)
    await signed_in(visitor, OWNER, APPS)
    await sandbox.steer("clock", advance="20d")
    await visitor.press(f"{action} Evergrant for {FIRST}")

    assert "Renew" == visitor.page.xpath("//dialog//h2")[0].text_content()
    assert "Confirm to install" in visitor.buttons


@pytest.mark.parametrize(("rule", "days"), [("from_consent", 60), ("added", 80), ("unchanged", 40)])
@pytest.mark.usefixtures("app")
async def test_the_dialog_foretells_the_end_the_renewal_gives(
    sandbox: Sandbox, visitor: Visitor, rule: str, days: int
) -> None:
    """By whichever of the three rules."""
    await sandbox.steer("switches", end_after_reconsent=rule)
    await sandbox.steer("clock", advance="20d")
    await open_dialog(visitor)
    foretold = visitor.page.xpath("//dt[.='Ends after renewal']/following-sibling::dd")[0].text_content()
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")

    assert cells(visitor, FIRST)["Authorization ends"].startswith(foretold)
    assert days == (await ends(sandbox))["Thames & Clay"]


async def test_a_cross_border_seller_renews_all_shops_at_once(sandbox: Sandbox, visitor: Visitor) -> None:
    """One consent, one row, one renewal."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("authorize", app=app["key"], seller=CROSS, period="20d")
    await open_dialog(visitor, "All shops (GB, MY, SG)", CROSS)
    shops = visitor.options("Target shop")
    await sandbox.steer("clock", advance="10d")
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")

    assert ["All shops (GB, MY, SG)"] == shops
    assert [30] == list((await ends(sandbox)).values())


@pytest.mark.parametrize("how", ["cancel", "deactivate", "expire"])
@pytest.mark.usefixtures("app")
async def test_what_is_over_can_be_authorized_again(sandbox: Sandbox, visitor: Visitor, how: str) -> None:
    """The list says in plain words why it is over; afterwards it is Active."""
    number = next(each["id"] for each in (await sandbox.ask("grants"))["items"] if each["period_days"] == 40)
    if how == "expire":
        await sandbox.steer("clock", advance="41d")
    else:
        await sandbox.steer(f"grants/{number}/{how}")
    await signed_in(visitor, OWNER, APPS)
    before = cells(visitor, FIRST)["Status"]
    await visitor.press(f"Authorize Evergrant for {FIRST}")
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")

    wanted = {"cancel": "Cancelled by you", "deactivate": "Stopped", "expire": "Expired"}
    assert before.startswith(wanted[how])
    assert cells(visitor, FIRST)["Status"].startswith("Active")


async def test_an_app_that_is_gone_cannot_be_renewed(sandbox: Sandbox, visitor: Visitor, app: Any) -> None:
    """Its row stays, to be cancelled; Authorize is not there, and refused."""
    await sandbox.steer("apps", key=app["key"], status="deactivated")
    await signed_in(visitor, OWNER, APPS)
    buttons = visitor.buttons
    number = (await sandbox.ask("grants"))["items"][0]["id"]
    await visitor.open(f"{APPS}/{number}/renew")

    assert not [label for label in buttons if label.startswith("Authorize")]
    assert 2 == len([label for label in buttons if label.startswith("Cancel")])
    assert (403, "app_deactivated") == (visitor.reply.status, visitor.reply.header("x-error-code"))
