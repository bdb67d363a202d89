"""My apps and incidents beside its dialog: cancelling, and the list of incidents."""

from typing import Any

import pytest

from evergrant_sandbox.book import incidents as kept
from tests.sandbox.kit import HERE, Sandbox, eventually
from tests.sandbox.receiving import Receiver
from tests.sandbox.seller_center.test_seller_apps_renew import APPS, FIRST, SECOND, cells
from tests.sandbox.seller_center.test_seller_apps_store import OWNER, STAFF, signed_in
from tests.sandbox.visiting import Visitor

INCIDENTS = f"{APPS}/incidents"


async def authorized(sandbox: Sandbox, app: Any, period: str = "365d", shop: str = "Thames & Clay") -> Any:
    """The seeded seller's consent, and its grant."""
    given = await sandbox.steer("authorize", app=app["key"], seller=OWNER, period=period, shop=shop)
    return await sandbox.ask(f"grants/{given['grant_id']}")


async def incidents(visitor: Visitor, email: str = OWNER) -> list[str]:
    """The codes on the tab "Incidents", newest first."""
    await signed_in(visitor, email, INCIDENTS)
    assert visitor.reply.status == 200
    return [str(each.text_content()) for each in visitor.page.xpath("//tbody//th/code")]


@pytest.mark.requirement("R-PIPE-14", "R-PIPE-15", "R-PIPE-16")
async def test_the_page_has_its_title_its_tabs_and_its_columns(sandbox: Sandbox, visitor: Visitor) -> None:
    """One row for each app and shop."""
    first, second = [await sandbox.app(name=name) for name in ("Parcel Pilot", "Ledger Lane")]
    await authorized(sandbox, first)
    await authorized(sandbox, second)
    await authorized(sandbox, second, shop="Thames & Clay Seconds")
    await signed_in(visitor, OWNER, APPS)
    tabs = visitor.page.xpath("//nav[@aria-label='My apps and incidents']/a")
    heads = [str(each.text_content()) for each in visitor.page.xpath("//thead//th")]
    rows = [
        (row.xpath("string(./th/span/text()[last()])").strip(), row.xpath("string(./td[1])").strip())
        for row in visitor.page.xpath("//tbody/tr")
    ]

    assert "My apps and incidents" == visitor.heading
    assert [("Apps", "page"), ("Incidents", None)] == [(each.text_content(), each.get("aria-current")) for each in tabs]
    assert ["App", "Shop", "Status", "Authorization ends", "Action"] == heads
    assert [("Ledger Lane", FIRST), ("Ledger Lane", SECOND), ("Parcel Pilot", FIRST)] == rows


@pytest.mark.requirement("R-TTS-24", "R-TTS-25")
async def test_the_owner_cancels_after_being_told_what_it_means(
    sandbox: Sandbox, visitor: Visitor, receiver: Receiver
) -> None:
    """The consequences first; then the authorization is over, its tokens are dead, and the app hears of it."""
    app = await sandbox.app(name="Parcel Pilot", webhook_url=receiver.url)
    seller = {"email": OWNER}
    pair = await sandbox.connected(app, seller, shop="Thames & Clay")
    await signed_in(visitor, OWNER, APPS)
    await visitor.press(f"Cancel Parcel Pilot for {FIRST}")
    asked = visitor.text
    alive = (await sandbox.ask(f"grants/{pair['grant_id']}"))["status"]
    await visitor.press("Cancel authorization")
    (notice,) = await receiver.wait_for(1)
    reply = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")

    assert "Cancel Parcel Pilot for Thames & Clay (GB)?" in asked
    assert "Parcel Pilot loses access to this shop at once" in asked
    assert "active" == alive
    assert (APPS, "My apps and incidents") == (visitor.path, visitor.heading)
    assert "Parcel Pilot can no longer reach Thames & Clay (GB)." in visitor.text
    assert cells(visitor, FIRST)["Status"].startswith("Cancelled by you")
    assert 6 == notice.json["type"]
    assert 105001 == reply.json["code"]


async def test_what_is_over_cannot_be_cancelled_again(sandbox: Sandbox, visitor: Visitor) -> None:
    """Neither from the list, nor by a page that was opened before."""
    app = (await sandbox.world())["apps"][0]
    grant = await authorized(sandbox, app)
    await signed_in(visitor, OWNER, APPS)
    await visitor.press(f"Cancel Evergrant for {FIRST}")
    page = visitor.reply
    await visitor.press("Cancel authorization")
    visitor.reply = page
    await visitor.press("Cancel authorization")
    again = (visitor.reply.status, visitor.reply.header("x-error-code"))
    await visitor.open(f"{APPS}/{grant['id']}/cancel")
    asked = (visitor.reply.status, visitor.reply.header("x-error-code"))

    assert [(409, "already_over")] * 2 == [again, asked]


@pytest.mark.requirement("R-PIPE-8")
async def test_nobody_but_the_owner_cancels(sandbox: Sandbox, visitor: Visitor) -> None:
    """Not even with the owner's form."""
    grant = await authorized(sandbox, (await sandbox.world())["apps"][0])
    await signed_in(visitor, OWNER, f"{APPS}/{grant['id']}/cancel")
    page = visitor.reply
    await signed_in(visitor, STAFF, APPS)
    visitor.reply = page
    await visitor.press("Cancel authorization")

    assert (403, "not_the_owner") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert "active" == (await sandbox.ask(f"grants/{grant['id']}"))["status"]


@pytest.mark.parametrize("page", [APPS, INCIDENTS, f"{APPS}/1/renew", f"{APPS}/1/cancel"])
async def test_the_pages_ask_for_a_sign_in_first(visitor: Visitor, page: str) -> None:
    """And lead on to the page that was wanted."""
    await visitor.open(page)
    asked = visitor.path
    await visitor.sign_in(OWNER)

    assert "/seller/login" == asked
    assert page == visitor.path


@pytest.mark.parametrize("act", ["renew", "cancel"])
async def test_a_form_of_somewhere_else_is_refused(sandbox: Sandbox, visitor: Visitor, act: str) -> None:
    """Without the token of this browser nothing happens."""
    grant = await authorized(sandbox, (await sandbox.world())["apps"][0], "20d")
    await signed_in(visitor, OWNER, APPS)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = await visitor.client.call("POST", f"{APPS}/{grant['id']}/{act}", body=b"agree=yes", headers=headers)

    assert (403, "form_expired") == (reply.status, reply.header("x-error-code"))
    assert 1 == (await sandbox.ask(f"grants/{grant['id']}"))["consents"]


# --- incidents


async def test_where_all_is_well_there_are_no_incidents(sandbox: Sandbox, visitor: Visitor) -> None:
    """And the page says whose words it uses."""
    await authorized(sandbox, (await sandbox.world())["apps"][0])

    assert [] == await incidents(visitor)
    assert "No incidents" in visitor.text
    assert "It is not public" in visitor.text


@pytest.mark.parametrize(
    ("days", "act", "wanted"),
    [
        (0, "", []),
        (10, "", ["authorization_ends_soon"]),
        (41, "", ["authorization_expired"]),
        (0, "cancel", ["seller_cancelled"]),
        (0, "deactivate", ["platform_stopped"]),
    ],
)
async def test_incidents_tell_the_state_of_an_authorization(
    sandbox: Sandbox, visitor: Visitor, days: int, act: str, wanted: list[str]
) -> None:
    """They are gone once it is authorized again."""
    app = (await sandbox.world())["apps"][0]
    grant = await authorized(sandbox, app, "40d")
    await sandbox.steer("clock", advance=f"{days}d")
    if act:
        await sandbox.steer(f"grants/{grant['id']}/{act}")
    found = await incidents(visitor)
    await authorized(sandbox, app)

    assert wanted == found
    assert [] == await incidents(visitor)


async def test_an_app_that_gave_its_authorization_back_is_an_incident(sandbox: Sandbox, visitor: Visitor) -> None:
    """Told apart from the platform's doing."""
    app = (await sandbox.world())["apps"][0]
    pair = await sandbox.connected(app, {"email": OWNER}, shop="Thames & Clay")
    cipher = (await sandbox.ask(f"grants/{pair['grant_id']}"))["shops"][0]["cipher"]
    query = {"shop_cipher": cipher}
    reply = await sandbox.signed(app, pair["access_token"], "DELETE", "/authorization/202403/shops", query=query)
    await signed_in(visitor, OWNER, APPS)
    status = cells(visitor, FIRST)["Status"]

    assert 0 == reply.json["code"], reply.text
    assert status.startswith("Disconnected by the app")
    assert ["app_disconnected"] == await incidents(visitor)


async def test_a_notice_that_was_given_up_is_an_incident(
    sandbox: Sandbox, visitor: Visitor, receiver: Receiver
) -> None:
    """Four attempts that failed are none yet, the fifth is."""
    app = await sandbox.app(name="Parcel Pilot", webhook_url=receiver.url)
    await authorized(sandbox, app, "20d")
    receiver.answers = [500] * 5
    # The first notice 7 goes out at the next 0:00; the attempts follow after 2 minutes, 30 minutes, 3 and 12 hours.
    await sandbox.steer("clock", advance="24h")
    await receiver.wait_for(4)
    before = await incidents(visitor)
    await sandbox.steer("clock", advance="8h")
    await receiver.wait_for(5)
    await eventually(lambda: _logged(sandbox, 5))

    assert ["authorization_ends_soon"] == before
    assert ["app_missed_notice", "authorization_ends_soon"] == await incidents(visitor)


async def _logged(sandbox: Sandbox, attempts: int) -> bool:
    return len((await sandbox.ask("log", kind="notice"))["items"]) == attempts


async def test_calls_with_a_dead_or_narrow_token_are_incidents(sandbox: Sandbox, visitor: Visitor) -> None:
    """Counted, and told apart."""
    app = await sandbox.app(name="Parcel Pilot", scopes=["seller.order.info", "seller.authorization.info"])
    pair = await sandbox.connected(app, {"email": OWNER}, shop="Thames & Clay")
    cipher = (await sandbox.ask(f"grants/{pair['grant_id']}"))["shops"][0]["cipher"]
    narrow = await sandbox.signed(
        app,
        pair["access_token"],
        "POST",
        "/product/202309/products/search",
        query={"shop_cipher": cipher, "page_size": "10"},
        body=b"{}",
    )
    await sandbox.steer("clock", advance="8d")
    dead = [
        (await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")).json["code"]
        for _ in range(2)
    ]

    assert (105005, [105002, 105002]) == (narrow.json["code"], dead)
    assert ["app_called_after_the_end", "seller_did_not_permit"] == await incidents(visitor)
    assert "2 times" in visitor.text


async def test_incidents_are_read_by_their_indexes(sandbox: Sandbox) -> None:
    """The log grows with every call: a page must not read all of it."""
    book = sandbox.application.platform.book
    plans = [
        " ".join(str(row[3]) for row in book.all(f"EXPLAIN QUERY PLAN {statement}", *values))
        for statement, values in (
            (kept._MISSED, ("1", "401")),
            (kept._REFUSED, ("1",)),
        )
    ]

    assert "log_of_missed_notices" in plans[0]
    assert "log_of_refused_calls" in plans[1]
    assert not [plan for plan in plans if "SCAN l" in plan and "INDEX" not in plan]


async def test_another_sellers_incidents_are_not_there(sandbox: Sandbox, visitor: Visitor) -> None:
    """Each sees their own."""
    await authorized(sandbox, (await sandbox.world())["apps"][0], "20d")

    assert [] == await incidents(visitor, "clara@kuechenliebe.example")
    assert visitor.address.startswith(HERE)
