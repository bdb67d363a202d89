"""Who may consent and in which order, how one signs in on the way, and what keeps a page to itself."""

import pytest

from tests.sandbox.consent.test_sandbox_pages import OWNER, at_the_form, authorize, callback, fill_form, link
from tests.sandbox.kit import START, Client, Sandbox
from tests.sandbox.visiting import Visitor

STAFF = "packing@thamesandclay.example"


TEST = "test.seller@partner.example"


# --- who may, and in which order
@pytest.mark.requirement("R-PIPE-8")
async def test_only_the_owner_may_consent(sandbox: Sandbox, visitor: Visitor) -> None:
    """A sub-account sees no form, and its POST is refused on the server."""
    await at_the_form(visitor, await link(sandbox), STAFF)
    seen = (visitor.reply.status, visitor.reply.header("x-error-code"))
    form = visitor.path
    token = visitor.page.xpath("//input[@name='form_token']/@value")[0]
    body = f"form_token={token}&target_shop=all&period=365&contact_email=a%40b.test&agree=yes&action=confirm"
    posted = await visitor.client.call("POST", form, body=body.encode())

    assert (403, "not_the_owner") == seen
    assert "Confirm to Install" not in visitor.buttons
    assert (403, "not_the_owner") == (posted.status, posted.header("x-error-code"))
    assert 0 == (await sandbox.world())["grants"]


@pytest.mark.requirement("R-TTS-26")
@pytest.mark.parametrize("stage", ["draft", "in_review"])
async def test_an_app_in_development_cannot_be_authorized_by_online_sellers(
    sandbox: Sandbox, visitor: Visitor, stage: str
) -> None:
    """Refused with the reason, by page and by control route."""
    address = await link(sandbox, status=stage, name="Draft App")
    app = next(each for each in (await sandbox.world())["apps"] if each["name"] == "Draft App")
    await at_the_form(visitor, address)
    reply = await sandbox.client.post("/_sandbox/authorize", app=app["key"], seller=OWNER)

    assert (403, "app_in_development") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert "still in development" in visitor.text
    assert (403, "app_in_development") == (reply.status, reply.json["error"]["code"])


@pytest.mark.requirement("R-TTS-29")
async def test_a_test_account_goes_straight_to_the_approval(sandbox: Sandbox, visitor: Visitor) -> None:
    """Signed in, also for an app in development: no region, no login, no form."""
    await visitor.open("/seller/login")
    await visitor.sign_in(TEST)
    await visitor.open(await link(sandbox, status="draft"))
    straight = visitor.trail
    await authorize(visitor)

    assert ["open", "review"] == [straight[0].split("/")[1], straight[-1].rpartition("/")[2]]
    assert 2 == len(straight)
    assert {"code", "state"} == set(callback(visitor))


@pytest.mark.requirement("R-TTS-18")
async def test_the_order_of_the_steps_is_kept_on_the_server(sandbox: Sandbox, visitor: Visitor) -> None:
    """Confirm, review, check, Authorize: no other way reaches the grant."""
    await visitor.open(await link(sandbox))
    walk = visitor.path.rpartition("/")[0]
    token = visitor.page.xpath("//input[@name='form_token']/@value")[0]
    tries = []
    for who in (None, OWNER):
        if who:
            await visitor.open("/seller/login")
            await visitor.sign_in(who)
        for method, agreed in (("POST", "&agree=yes"), ("POST", ""), ("GET", "")):
            body = f"form_token={token}{agreed}&action=authorize".encode()
            reply = await visitor.client.call(method, f"{walk}/review", body=body)
            tries.append((reply.status, reply.header("location") or ""))

    assert {303} == {status for status, _ in tries}
    assert not any("code=" in location for _, location in tries)
    assert 0 == (await sandbox.world())["grants"]


async def test_a_finished_walk_cannot_be_walked_again(sandbox: Sandbox, visitor: Visitor) -> None:
    """Authorize twice, or come back: the walk is over."""
    await at_the_form(visitor, await link(sandbox))
    await fill_form(visitor)
    walk = visitor.path.rpartition("/")[0]
    token = visitor.page.xpath("//input[@name='form_token']/@value")[0]
    await authorize(visitor)
    body = f"form_token={token}&agree=yes&action=authorize".encode()
    again = await visitor.client.call("POST", f"{walk}/review", body=body)

    assert (404, "authorization_over") == (again.status, again.header("x-error-code"))
    assert 1 == (await sandbox.ask("grants"))["items"][0]["consents"]


async def test_a_walk_belongs_to_the_browser_that_began_it(sandbox: Sandbox, visitor: Visitor) -> None:
    """Its address is worth nothing elsewhere."""
    await visitor.open(await link(sandbox))
    other = Visitor(sandbox)
    await other.open("/seller/login")
    await other.sign_in(OWNER)
    await other.open(visitor.path)

    assert (404, "authorization_over") == (other.reply.status, other.reply.header("x-error-code"))


async def test_switching_accounts_drops_what_the_other_confirmed(sandbox: Sandbox, visitor: Visitor) -> None:
    """The next seller, of another region, chooses it and fills in a form of their own."""
    await at_the_form(visitor, await link(sandbox))
    await fill_form(visitor)
    await visitor.press("Switch account")
    await visitor.sign_in("clara@kuechenliebe.example")
    refused = visitor.heading
    await visitor.open(visitor.page.xpath("//a[.='Choose another region']/@href")[0])
    await visitor.press("Next for European Union")

    assert "No authorization permission for your account region" == refused
    assert "form" == visitor.path.rpartition("/")[2]
    assert ["Küchenliebe (DE)"] == visitor.options("Target shop")


@pytest.mark.parametrize("service", ["", "6sbxvyq4jzzv", "1"])
async def test_an_unknown_service_does_not_exist(sandbox: Sandbox, visitor: Visitor, service: str) -> None:
    """An app key in its place gives the page that live observers saw."""
    await visitor.open(f"/open/authorize?service_id={service}")

    assert (404, "The service does not exist") == (visitor.reply.status, visitor.heading)
    await visitor.open("/oauth/authorize?app_key=nobody")
    assert 404 == visitor.reply.status
    assert sandbox.now == START


# --- signing in
async def test_a_wrong_password_is_said_to_be_wrong(sandbox: Sandbox, visitor: Visitor) -> None:
    """And an unknown address in the same words."""
    said = []
    for email, password in ((OWNER, "nope"), ("nobody@shops.example", "sandbox")):
        await visitor.open("/seller/login")
        await visitor.sign_in(email, password)
        said.append((visitor.reply.status, "password is wrong" in visitor.text))
    await visitor.open("/")

    assert [(401, True)] * 2 == said
    assert "Signed in" not in visitor.reply.text
    assert sandbox.now == START


@pytest.mark.parametrize("login", ["AMELIA@thamesandclay.EXAMPLE", "+44 20 7946 0102", "442079460102"])
async def test_a_seller_signs_in_by_address_or_telephone_number(visitor: Visitor, login: str) -> None:
    """In any letter case, with or without blanks."""
    await visitor.open("/seller/login")
    await visitor.sign_in(login)

    assert f"Signed in as {OWNER}" in " ".join(visitor.page.text_content().split())


@pytest.mark.requirement("R-TTS-14")
async def test_a_person_without_an_account_creates_one_on_the_way(sandbox: Sandbox, visitor: Visitor) -> None:
    """From the login page, and the walk goes on where it was."""
    await visitor.open(await link(sandbox))
    await visitor.press("Next for European Union")
    await visitor.open(str(visitor.page.xpath("//a[contains(., 'Create a seller account')]/@href")[0]))
    visitor.fill("Shop name", "Neue Töpferei")
    visitor.fill("Region", "DE")
    visitor.fill("Email", "hallo@toepferei.example")
    visitor.fill("Password", "geheim-genug")
    await visitor.press("Create account")
    form = (visitor.path.rpartition("/")[2], visitor.options("Target shop"))
    await fill_form(visitor)
    await authorize(visitor)

    assert ("form", ["Neue Töpferei (DE)"]) == form
    assert "s-1" == callback(visitor)["state"]


async def test_an_account_that_cannot_be_says_why(visitor: Visitor) -> None:
    """Each field with its own sentence; a taken address among them."""
    await visitor.open("/seller/register")
    visitor.fill("Email", OWNER)
    visitor.fill("Password", "short")
    await visitor.press("Create account")

    assert 422 == visitor.reply.status
    for sentence in ("name of your shop", "signs in already", "at least 6 characters"):
        assert sentence in visitor.text
    visitor.fill("Password", "x" * 201)
    await visitor.press("Create account")
    assert "Choose a password of at most 200 characters." in visitor.text


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)"])
async def test_the_login_leads_to_no_other_site(visitor: Visitor, target: str) -> None:
    """`next` is a path of this site or it is the front page."""
    reply = await visitor.client.get("/seller/login", next=target)
    visitor.reply, visitor.address = reply, "http://127.0.0.1:8090/seller/login"
    await visitor.sign_in(OWNER)

    assert "/seller" == visitor.path


# --- what keeps a page to itself
PAGES = ["/", "/limits", "/seller/login", "/seller/register", "/nothing", "/open/authorize", "/authorize/x/form"]


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_refuses_frames_and_inline_script(visitor: Visitor, path: str) -> None:
    """Error pages too: policy, frame options, no referrer, and no script, style or handler in the page itself."""
    reply = await visitor.client.get(path)
    page = reply.text

    policy = reply.header("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "DENY" == reply.header("x-frame-options")
    assert "no-referrer" == reply.header("referrer-policy")
    assert "nosniff" == reply.header("x-content-type-options")
    for inline in ("<style", " style=", " onclick", "<script>", "javascript:"):
        assert inline not in page


async def test_the_consent_pages_may_only_lead_back_to_the_app(sandbox: Sandbox, visitor: Visitor) -> None:
    """`form-action` names the site itself and the app's origin, nothing else."""
    await at_the_form(visitor, await link(sandbox))
    policy = visitor.reply.header("content-security-policy") or ""

    assert policy.endswith("form-action 'self' http://localhost:8080")


@pytest.mark.parametrize("keep_cookies", ["yes", "no"])
async def test_a_form_that_was_not_got_first_is_refused(sandbox: Sandbox, visitor: Visitor, keep_cookies: str) -> None:
    """Consent by POST without a token of this browser: 403, and nothing happens."""
    await at_the_form(visitor, await link(sandbox))
    await fill_form(visitor)
    other = Client(sandbox.application)
    await other.get("/")
    foreign = Visitor(sandbox, client=other)
    await foreign.open("/seller/login")
    token = foreign.page.xpath("//input[@name='form_token']/@value")[0]
    if keep_cookies == "no":
        visitor.client.cookies.clear()
    for body in (b"agree=yes&action=authorize", f"form_token={token}&agree=yes&action=authorize".encode()):
        reply = await visitor.client.call("POST", visitor.path, body=body)
        assert reply.status == (403 if keep_cookies == "yes" else 404)

    assert 0 == (await sandbox.world())["grants"]


async def test_signing_in_gives_a_new_session_and_signing_out_ends_it(visitor: Visitor) -> None:
    """A session that was known before cannot be used after."""
    await visitor.open("/seller/login")
    await visitor.sign_in(OWNER)
    first = visitor.client.cookies["sandbox_session"]
    await visitor.open("/seller/login")
    await visitor.sign_in(OWNER)
    second = visitor.client.cookies["sandbox_session"]
    await visitor.open("/")
    await visitor.press("Sign out")
    visitor.client.cookies["sandbox_session"] = second
    await visitor.open("/")

    assert first != second
    assert "Signed in" not in visitor.reply.text
