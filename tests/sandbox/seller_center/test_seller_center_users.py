"""Account settings, Users: the owner adds people, gives them roles, and lets them go; and the help that names the owner."""

import pytest

from tests.sandbox.kit import Sandbox
from tests.sandbox.visiting import Visitor

OWNER = "amelia@thamesandclay.example"
STAFF = "packing@thamesandclay.example"
USERS = "/seller/account/users"


async def at(visitor: Visitor, path: str = USERS, email: str = OWNER) -> None:
    """A page, signed in."""
    await visitor.open(path)
    await visitor.sign_in(email)


async def send(visitor: Visitor, path: str, **fields: str) -> tuple[int, str | None]:
    """A form that the page does not offer, sent all the same."""
    token = str(visitor.page.xpath("//input[@name='form_token']/@value")[0])
    body = "&".join(f"{name}={value}" for name, value in {"form_token": token, **fields}.items())
    reply = await visitor.client.call("POST", path, body=body.encode())
    return reply.status, reply.header("x-error-code")


async def test_the_owner_adds_a_user_who_signs_in_with_the_role(sandbox: Sandbox, visitor: Visitor) -> None:
    """And sees what the role sees."""
    await at(visitor)
    visitor.fill("Email", "nina@thamesandclay.example")
    visitor.fill("Password", "secret-enough")
    visitor.fill("Role", "finance")
    await visitor.press("Add user")
    said = visitor.text
    nina = Visitor(sandbox)
    await nina.open("/seller/login")
    await nina.sign_in("nina@thamesandclay.example", "secret-enough")

    assert "The user was added" in said
    assert "nina@thamesandclay.example" in said
    assert "Finance" in nina.reply.text
    assert "secret-enough" not in said


@pytest.mark.parametrize(
    ("email", "password", "role", "field"),
    [
        ("nobody", "secret-enough", "finance", "email"),
        ("a b@shops.example", "secret-enough", "finance", "email"),
        (STAFF.upper(), "secret-enough", "finance", "email"),
        ("logan@cedarridge.example", "secret-enough", "finance", "email"),
        ("nina@shops.example", "short", "finance", "password"),
        ("nina@shops.example", "x" * 201, "finance", "password"),
        ("nina@shops.example", "secret-enough", "owner", "role"),
        ("nina@shops.example", "secret-enough", "king", "role"),
    ],
)
async def test_a_user_that_cannot_be_is_refused_by_field(
    visitor: Visitor, email: str, password: str, role: str, field: str
) -> None:
    """Each with its own sentence; nobody is added, and there is no second owner."""
    await at(visitor)
    before = visitor.text.count("@")
    visitor.fill("Email", email)
    visitor.fill("Password", password)
    visitor.fill("Role", role)
    await visitor.press("Add user")
    refused = (visitor.reply.status, [str(each) for each in visitor.page.xpath("//*[@id='faults']//a/@href")])
    await visitor.open(USERS)

    assert (422, [f"#{field}"]) == refused
    assert before == visitor.text.count("@")


async def test_another_role_holds_from_the_next_page_on(sandbox: Sandbox, visitor: Visitor) -> None:
    """Whoever is signed in loses what the new role does not see, and finds what it does."""
    staff = Visitor(sandbox)
    await at(staff, "/seller/products", STAFF)
    before = staff.reply.status
    await at(visitor)
    visitor.fill(f"Role of {STAFF}", "customer_support")
    await visitor.press(f"Save the role of {STAFF}")
    await staff.open("/seller/products")

    assert "The role was changed" in visitor.text
    assert "customer_support" == visitor.page.xpath(f"//form[input[@value='{STAFF}']]//option[@selected]/@value")[0]
    assert (200, 403) == (before, staff.reply.status)


async def test_whoever_is_removed_is_signed_out_at_once(sandbox: Sandbox, visitor: Visitor) -> None:
    """And cannot sign in again; nor does the old session come back to life with a new user of that address."""
    staff = Visitor(sandbox)
    await at(staff, "/seller/products", STAFF)
    await at(visitor)
    await visitor.press(f"Remove {STAFF}")
    await staff.open("/seller/products")
    asked = staff.path
    another = Visitor(sandbox)
    await at(another, "/seller", STAFF)
    said = visitor.text
    visitor.fill("Email", STAFF)
    visitor.fill("Password", "sandbox-again")
    await visitor.press("Add user")
    await staff.open("/seller/products")

    assert "The user was removed" in said
    assert STAFF not in said
    assert "/seller/login" == asked
    assert 401 == another.reply.status
    assert "The user was added" in visitor.text
    assert "/seller/login" == staff.path


@pytest.mark.parametrize(
    ("path", "fields", "wanted"),
    [
        ("/role", {"email": OWNER, "role": "finance"}, (409, "owner_stays")),
        ("/removal", {"email": OWNER}, (409, "owner_stays")),
        ("/role", {"email": STAFF, "role": "owner"}, (422, "unknown_role")),
        ("/role", {"email": STAFF}, (422, "unknown_role")),
        ("/role", {"email": "logan@cedarridge.example", "role": "finance"}, (404, "unknown_user")),
        ("/removal", {"email": "logan@cedarridge.example"}, (404, "unknown_user")),
        ("/removal", {}, (404, "unknown_user")),
    ],
)
async def test_the_owner_stays_and_strangers_are_out_of_reach(
    visitor: Visitor, path: str, fields: dict[str, str], wanted: tuple[int, str]
) -> None:
    """What the page does not offer is refused when it is sent."""
    await at(visitor)

    assert wanted == await send(visitor, f"{USERS}{path}", **fields)


@pytest.mark.parametrize("role", ["administrator", "sub_account"])
async def test_nobody_but_the_owner_manages_users(sandbox: Sandbox, visitor: Visitor, role: str) -> None:
    """Nor gives himself another role."""
    me = {"email": "me@shops.example", "role": role}
    await sandbox.seller(email="boss@shops.example", sub_accounts=[me])
    await at(visitor, "/seller", me["email"])
    replies = [
        await send(visitor, USERS, email="x@shops.example", password="secret-enough", role="administrator"),
        await send(visitor, f"{USERS}/role", email=me["email"], role="administrator"),
        await send(visitor, f"{USERS}/removal", email="boss@shops.example"),
    ]

    assert [(403, "page_not_for_role")] * 3 == replies


async def test_a_sub_account_is_made_by_steering_with_its_role(sandbox: Sandbox) -> None:
    """A sub-account without a role is what it was before there were roles; no second owner, no invented role."""
    others = [{"email": "a@shops.example"}, {"email": "b@shops.example", "role": "operations"}]
    seller = await sandbox.seller(sub_accounts=others)
    refused = [
        (
            await sandbox.client.post("/_sandbox/sellers", sub_accounts=[{"email": "c@shops.example", "role": role}])
        ).status
        for role in ("owner", "king", "")
    ]

    assert ["owner", "sub_account", "operations"] == [account["role"] for account in seller["accounts"]]
    assert [400] * 3 == refused


# --- help


@pytest.mark.requirement("R-PIPE-10")
async def test_re_authorizing_begins_signed_in_as_the_owner(sandbox: Sandbox, visitor: Visitor) -> None:
    """The guide lists it, and tells whoever reads whether it is so; the way begun without a session asks for sign-in."""
    app = (await sandbox.world())["apps"][0]
    grant = await sandbox.connected(app, {"email": OWNER}, period="20d")
    asked = []
    for path in ("/seller/apps", f"/seller/apps/{grant['grant_id']}/renew"):
        await visitor.open(path)
        asked.append((visitor.path, visitor.query["next"]))
    await visitor.sign_in(OWNER)
    renewal = (visitor.path, visitor.reply.status)
    await visitor.open("/seller/help/apps")
    told = visitor.text
    await visitor.press("Sign out")
    await at(visitor, "/seller/help/apps", STAFF)

    assert [
        ("/seller/login", "/seller/apps"),
        ("/seller/login", f"/seller/apps/{grant['grant_id']}/renew"),
    ] == asked
    assert (f"/seller/apps/{grant['grant_id']}/renew", 200) == renewal
    assert "You are signed in to Seller Center with the owner's credentials." in told
    assert f"{OWNER} is the owner" in told
    assert f"{STAFF} has the role Sub-account. Sign out, then sign in as the owner." in visitor.text


@pytest.mark.requirement("R-PIPE-11")
async def test_re_authorizing_needs_the_contact_email_of_the_integration(sandbox: Sandbox, visitor: Visitor) -> None:
    """The guide lists it; the platform keeps the one that was entered, per authorization, and asks for it again."""
    apps = [(await sandbox.world())["apps"][0], await sandbox.app(name="Parcel Pilot")]
    await at(visitor, "/seller")
    for app, email in zip(apps, ("it@thamesandclay.example", "post@thamesandclay.example"), strict=True):
        await visitor.open(app["authorize_path"])
        await visitor.press("Next for United Kingdom")
        visitor.fill("Authorization period", "30")
        visitor.fill("Contact email", email)
        visitor.fill("I agree", "yes")
        await visitor.press("Confirm to Install")
        visitor.fill("I have reviewed", "yes")
        await visitor.press("Authorize")
    kept = {grant["app"]: grant for grant in (await sandbox.ask("grants"))["items"]}
    asked = []
    for app in apps:
        await visitor.open(f"/seller/apps/{kept[app['key']]['id']}/renew")
        asked.append(visitor.value("Contact email"))
    await visitor.open("/seller/help/apps")

    assert asked == ["it@thamesandclay.example", "post@thamesandclay.example"]
    assert asked == [kept[app["key"]]["contact_email"] for app in apps]
    assert "You have access to the contact email tied to the integration." in visitor.text


@pytest.mark.requirement("R-PIPE-34")
async def test_the_help_says_why_authorize_is_not_visible(sandbox: Sandbox, visitor: Visitor) -> None:
    """Cause and cure, and the cure cures: signed out, signed in as the account that created the shop, it is there."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("authorize", app=app["key"], seller=OWNER, shop="Thames & Clay", period="20d")
    authorize = "Authorize Evergrant for Thames & Clay (GB)"
    await at(visitor, "/seller/apps", STAFF)
    seen = "Evergrant" in visitor.text, authorize in visitor.buttons
    await visitor.open("/seller/help/apps")
    (entry,) = visitor.page.xpath("//details[@id='authorize-not-visible']")
    words = " ".join(entry.text_content().split())
    await visitor.press("Sign out")
    await at(visitor, "/seller/apps")
    cured = authorize in visitor.buttons
    await visitor.press(authorize)

    assert ((True, False), True) == (seen, cured)
    assert (200, "Renew") == (visitor.reply.status, visitor.page.xpath("//dialog//h2")[0].text_content())
    assert words.startswith('The "Authorize" action is not visible')
    assert "not signed in as the shop's owner" in words
    assert "Sign out, sign in as the account that created the shop, and repeat the steps." in words


async def test_the_help_tells_what_else_can_be_missing(visitor: Visitor) -> None:
    """The other questions of sellers, and the labels as they stand on the pages."""
    await at(visitor, "/seller/help/apps")
    for words in (
        "Growth > My Apps & Services",
        "Renew options",
        "Re-authorize only",
        "already valid, or your account lacks the permission",
        "does not end soon, nothing has to be done",
        "One renewal covers exactly one shop",
        "Repeat the steps and choose the right",
        "Confirm to install",
    ):
        assert words in visitor.text


async def test_the_help_names_the_action_as_the_list_does(sandbox: Sandbox, visitor: Visitor) -> None:
    """Whichever of its two documented names it has."""
    await sandbox.steer("switches", row_action="Renew")
    await at(visitor, "/seller/help/apps")

    assert "click Renew in the column Action" in visitor.text
    assert 'The "Renew" action is not visible' in visitor.text
