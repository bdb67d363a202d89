"""The front page, the Limits page and the control room's overview, walked by label without JavaScript."""

from typing import Any

import pytest

from tests.sandbox.kit import DAY, START, Client, Sandbox, eventually
from tests.sandbox.receiving import Receiver
from tests.sandbox.visiting import Visitor

OWNER = "amelia@thamesandclay.example"


PAGES = (
    "/control",
    "/control/calls",
    "/control/calls/1",
    "/control/grants",
    "/control/grants/1",
    "/control/faults",
    "/control/switches",
    "/control/reviews",
    "/control/world",
)


async def authorized(sandbox: Sandbox, **consent: Any) -> Any:
    """A grant of the first seller to the seeded app."""
    app = (await sandbox.world())["apps"][0]
    given = await sandbox.steer("authorize", app=app["key"], seller=OWNER, **consent)
    return await sandbox.ask(f"grants/{given['grant_id']}")


# --- the doorway
async def test_the_front_page_is_a_doorway(sandbox: Sandbox, visitor: Visitor) -> None:
    """Who can sign in, and the four ways in; no key and no secret of an app."""
    world = await sandbox.world()
    await visitor.open("/")

    for seller in world["sellers"]:
        assert seller["email"] in visitor.text
    assert {"/seller", "/partner", "/control", "/limits"} <= set(visitor.page.xpath("//main//a/@href"))
    assert world["apps"][0]["secret"] not in visitor.reply.text
    assert "2027-01-15 08:00:00 UTC" in visitor.reply.text


async def test_the_limits_page_lists_every_switch(visitor: Visitor) -> None:
    """With its positions and where it stands."""
    await visitor.open("/limits")

    assert "wire sheet 2.7" in visitor.text
    for words in ("Plain http", "refusal_error", "token_routes", "old_pair_after_reconsent"):
        assert words in visitor.text


# --- from this machine only
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("peer", "host", "code"),
    [
        ("192.0.2.7", "127.0.0.1:8090", "not_loopback"),
        ("127.0.0.1", "sandbox.example.test:8090", "foreign_host"),
    ],
)
async def test_the_control_room_is_shown_on_this_machine_only(
    sandbox: Sandbox, path: str, peer: str, host: str, code: str
) -> None:
    """Whoever reaches the sandbox from elsewhere sees none of it; the front page and the limits, yes."""
    far = Visitor(sandbox, client=Client(sandbox.application, peer=peer, host=host))
    await far.open(path)
    refused = (far.reply.status, far.reply.header("x-error-code"))
    await far.open("/")
    front = far.reply.status
    await far.open("/limits")

    assert ((403, code), 200, 200) == (refused, front, far.reply.status)


async def test_rows_alone_are_shown_on_this_machine_only(sandbox: Sandbox) -> None:
    """The part of the page that follows by itself, too."""
    far = Client(sandbox.application, peer="192.0.2.7")

    assert 403 == (await far.get("/control/calls/rows")).status
    assert 200 == (await sandbox.client.get("/control/calls/rows")).status


@pytest.mark.parametrize(
    "path",
    [
        "clock",
        "grants/1/cancel",
        "faults",
        "faults/preset",
        "faults/clear",
        "faults/f1/release",
        "switches",
        "reviews/x/approve",
        "apps/x/rotation",
        "orders",
        "reset",
    ],
)
async def test_a_form_of_another_site_changes_nothing(sandbox: Sandbox, visitor: Visitor, path: str) -> None:
    """Without this browser's form token, and from another site's page even with it."""
    await visitor.open("/control")
    token = visitor.page.xpath("//input[@name='form_token']/@value")[0]
    before = sandbox.now
    forged = await visitor.client.call("POST", f"/control/{path}", body=b"by=day&sure=yes")
    foreign = await visitor.client.call(
        "POST",
        f"/control/{path}",
        body=f"by=day&sure=yes&form_token={token}".encode(),
        headers={"sec-fetch-site": "cross-site"},
    )

    assert (403, "form_expired") == (forged.status, forged.header("x-error-code"))
    assert (403, "foreign_page") == (foreign.status, foreign.header("x-error-code"))
    assert before == sandbox.now


# --- the clock, and what falls due
@pytest.mark.parametrize(
    ("button", "seconds"), [("+1 hour", 3600), ("+1 day", DAY), ("+7 days", 7 * DAY), ("+30 days", 30 * DAY)]
)
async def test_time_is_turned_by_plain_buttons(sandbox: Sandbox, visitor: Visitor, button: str, seconds: int) -> None:
    """By a step each."""
    await visitor.open("/control")
    await visitor.press(button)

    assert START + seconds == sandbox.now
    assert "The clock was turned." in visitor.text


async def test_time_is_turned_to_a_date(sandbox: Sandbox, visitor: Visitor) -> None:
    """Forward; backward is refused with a sentence."""
    await visitor.open("/control")
    visitor.fill("Turn to", "2027-03-01T12:00")
    await visitor.press("Turn to")
    turned = sandbox.now
    visitor.fill("Turn to", "2027-01-15T08:00")
    await visitor.press("Turn to")

    assert START + 45 * DAY + 4 * 3600 == turned == sandbox.now
    assert (422, "The clock was not turned") == (visitor.reply.status, visitor.heading)


async def test_what_falls_due_is_listed_in_order(sandbox: Sandbox, receiver: Receiver, visitor: Visitor) -> None:
    """Attempts at notices, notices 7 and ends, each with a button that turns there."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("apps", key=app["key"], webhook_url=receiver.url)
    receiver.answers.append(500)
    await authorized(sandbox, period="90d")
    await sandbox.steer("notices", type=6, app=app["key"])
    await receiver.wait_for(1)
    await eventually(lambda: _failed(sandbox))
    await visitor.open("/control")
    rows = [" ".join(row.text_content().split()) for row in visitor.page.xpath("//main//table[1]/tbody/tr")][:3]
    await visitor.press(f"Turn there: Notice 7 to {app['name']}: ends soon, 2027-03-16T08:00:00Z")

    assert [True] * 3 == [
        words in row
        for words, row in zip(
            ("Notice 6 to Evergrant, attempt 2", "Notice 7 to Evergrant", "The authorization of Evergrant ends"),
            rows,
            strict=True,
        )
    ]
    assert START + 60 * DAY == sandbox.now
    assert [6, 6, 7] == receiver.types()


async def _failed(sandbox: Sandbox) -> Any:
    return (await sandbox.ask("log", kind="notice"))["items"]


@pytest.mark.parametrize(
    ("button", "day"),
    [("To the next thing due", 60), ("To 30 days before the next end", 60), ("To the next end", 90)],
)
async def test_time_is_turned_to_what_matters(
    sandbox: Sandbox, receiver: Receiver, visitor: Visitor, button: str, day: int
) -> None:
    """The next thing due, 30 days before an end, the end."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("apps", key=app["key"], webhook_url=receiver.url)
    await authorized(sandbox, period="90d")
    await visitor.open("/control")
    label = next(each for each in visitor.buttons if each.startswith(button))
    await visitor.press(label)

    assert START + day * DAY == sandbox.now


async def test_without_anything_due_there_is_nowhere_to_turn_to(visitor: Visitor) -> None:
    """The page says so, and a form that asks all the same is refused."""
    await visitor.open("/control")
    token = visitor.page.xpath("//input[@name='form_token']/@value")[0]
    refused = await visitor.client.call("POST", "/control/clock", body=f"by=end&form_token={token}".encode())

    assert "Nothing. Ends of authorizations" in visitor.text
    assert not [each for each in visitor.buttons if each.startswith("To ")]
    assert (422, "invalid_time") == (refused.status, refused.header("x-error-code"))


# --- authorizations
async def test_authorizations_are_ended_and_renewed_by_plain_buttons(sandbox: Sandbox, visitor: Visitor) -> None:
    """Cancel, deactivate, renew; and what is over cannot be ended."""
    grant = await authorized(sandbox, period="90d")
    seen = []
    for verb in ("Cancel", "Renew", "Deactivate", "Renew"):
        await visitor.open("/control/grants")
        await visitor.press(f"{verb} Thames & Clay, Evergrant")
        seen.append((await sandbox.ask(f"grants/{grant['id']}"))["status"])
    said = visitor.text
    await visitor.open("/control/grants")
    await sandbox.steer(f"grants/{grant['id']}/cancel")
    await visitor.press("Cancel Thames & Clay, Evergrant")

    assert ["cancelled", "active", "deactivated", "active"] == seen
    assert "The authorization was renewed." in said
    assert (409, "not_alive") == (visitor.reply.status, visitor.reply.header("x-error-code"))


async def test_a_renewal_that_calls_back_may_lead_to_the_app(sandbox: Sandbox, visitor: Visitor) -> None:
    """Only then does the page's policy let its forms end at the app."""
    await authorized(sandbox)
    await visitor.open("/control/grants")
    before = visitor.reply.header("content-security-policy") or ""
    await sandbox.steer("switches", seller_center_renewal="calls_back")
    await visitor.open("/control/grants")
    after = visitor.reply.header("content-security-policy") or ""
    await visitor.press("Renew Thames & Clay, Evergrant")

    assert (False, True) == tuple("http://localhost:8080" in policy for policy in (before, after))
    assert visitor.is_away
    assert "code" in visitor.query


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Thames", 1),
        ("amelia@", 1),
        ("brightpath my", 1),
        ("BRIGHTPATH", 1),
        ("%", 0),
        ("_", 0),
        ("nobody", 0),
        ("", 2),
        ("' OR 1=1 --", 0),
        ("x" * 60_000, 0),
    ],
)
async def test_authorizations_are_found_by_words(sandbox: Sandbox, visitor: Visitor, words: str, found: int) -> None:
    """A part of a seller's, shop's or person's name; marks of SQL are letters like others."""
    await authorized(sandbox)
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer("authorize", app=app["key"], seller="wei@brightpath.example")
    await visitor.open("/control/grants")
    visitor.fill("Seller, shop or id", words)
    await visitor.press("Search")

    assert found == len(visitor.page.xpath("//main//tbody/tr"))


async def test_authorizations_are_found_by_id_app_and_status(sandbox: Sandbox, visitor: Visitor) -> None:
    """And page by page."""
    grant = await authorized(sandbox, period="1d")
    other = await sandbox.app(name="Another app")
    await sandbox.steer("authorize", app=other["key"], seller=OWNER)
    await sandbox.steer("clock", advance="2d")
    counts = {}
    for query in (f"words={grant['id']}", f"app={other['key']}", "status=expired", "status=active", "status=odd"):
        await visitor.open(f"/control/grants?{query}")
        counts[query.partition("=")[2]] = len(visitor.page.xpath("//main//tbody/tr"))
    for number in range(30):
        await sandbox.seller(email=f"s{number}@shops.example", shops=[{"name": "S", "orders": 0, "products": 0}])
        await sandbox.steer("authorize", app=other["key"], seller=f"s{number}@shops.example")
    pages = []
    for page in ("1", "2", "3", "x"):
        await visitor.open(f"/control/grants?app={other['key']}&page={page}")
        pages.append(len(visitor.page.xpath("//main//tbody/tr")))

    assert [1, 1, 1, 1, 2] == list(counts.values())
    assert [25, 6, 0, 25] == pages


@pytest.mark.parametrize("grant", ["0", "x", "9" * 30, "-1", "²"])
async def test_an_authorization_that_is_not_there_is_not_found(visitor: Visitor, grant: str) -> None:
    """Whatever stands in the address."""
    await visitor.open(f"/control/grants/{grant}")

    assert (404, "unknown_grant") == (visitor.reply.status, visitor.reply.header("x-error-code"))
