"""Connectors, outages and exceptions as pages: what their buttons do without a script, and what they say in words."""

from datetime import UTC, datetime, timedelta

from evergrant.actions.ledger import Line, Outage
from evergrant.core.flows import Kind
from evergrant.core.gate import Why
from evergrant.web import access, connectors, failures, ledgers, words
from tests.journeys.claiming import log_in
from tests.journeys.test_the_seller_leaves_and_returns import grant_of
from tests.world_fixture import World

THEN = datetime(2026, 11, 1, tzinfo=UTC)


def line(kind: Kind, *, caught_up: int = 0, still: int = 0, is_known: bool = True, hours: int | None = 24) -> Line:
    """A row of the ledger, of a flow that ran again after so many hours."""
    return Line(
        shop_id="7",
        kind=kind,
        why=Why.AUTHORIZATION_EXPIRED,
        state="catching_up" if hours else "stopped",
        stopped_at=THEN,
        reopened_at=THEN + timedelta(hours=hours) if hours else None,
        expected=None,
        caught_up=caught_up,
        superseded=1 if kind is Kind.STOCK else 0,
        given_up=0,
        open=still,
        is_known=is_known,
        read_at=THEN if kind is Kind.STOCK else None,
        written_at=None,
        trouble="scope_missing" if kind is Kind.STOCK else None,
        balanced_at=None,
    )


def test_progress_and_pictures_say_what_the_ledger_says() -> None:
    """Stages in their order, what is not counted yet, shares of the whole, a gap of half the time; no flow, no progress."""
    lines = (
        line(Kind.ORDERS, caught_up=120, still=190),
        line(Kind.STOCK, caught_up=3, still=0),
        line(Kind.PRODUCTS, is_known=False),
    )
    told = connectors.progress(lines)
    outage = Outage(
        id="out_1",
        position=1,
        connection_id="con_1",
        cause=Why.AUTHORIZATION_EXPIRED,
        started_at=THEN,
        ended_at=THEN + timedelta(hours=24),
        closed_at=None,
        lines=lines,
    )
    shown = ledgers.shown(outage, "Linen & Lark", {"7": "Linen & Lark"}, THEN + timedelta(hours=48))
    reads, writes = ledgers.ticks(lines[1])

    assert told is not None
    assert (
        "Catching up: 4 of 4 stock levels and 120 of 310 orders; products not counted yet.",
        (124, 314),
    ) == (told.said, (told.done, told.whole))
    assert connectors.progress([line(Kind.ORDERS, hours=None)]) is None
    assert (314, 123, 1, 0, 190, False) == (
        shown.missed,
        shown.caught_up,
        shown.superseded,
        shown.given_up,
        shown.open,
        shown.is_known,
    )
    assert ["Stock levels", "Orders", "Products"] == [row.name for row in shown.rows]
    assert [("gap", 0, 500), ("good", 500, 500)] == [(bar.kind, bar.x, bar.width) for bar in shown.rows[1].bars]
    assert ["caught-up", "superseded", "open"] == [bar.kind for bar in shown.shares]
    assert ("24 hours", ledgers.CATCHING_UP) == (shown.lasted, shown.status)
    assert (THEN, None, "a permission is missing") == (reads.at, writes.at, writes.instead)


def test_causes_and_rules_are_told_in_words() -> None:
    """Reasons of a gate, causes of our own, the platform's codes, and what nobody has words for."""
    assert "Authorization expired" == failures.title("authorization_expired")
    assert "/v1/" not in "".join(failures.sentence(why.value) for why in Why)
    assert "TikTok refused it, code 12052" == failures.title("refused_12052")
    assert "The shop sells nothing under this SKU" == failures.title("sku_not_mapped")
    assert "Something new" == failures.title("something_new")
    assert ["1 hour", "90 minutes", "3 days", "1 minute"] == [words.minutes(each) for each in (60, 90, 4320, 1)]


async def test_connect_to_tiktok_goes_where_it_helps(world: World) -> None:
    """What lives is refreshed from our side; what expired leads to the consent; what was cancelled is connected anew."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    browser = world.hub.new_browser()
    await log_in(browser)
    form = {"csrf": access.csrf_of(browser.cookies[access.LOGIN_COOKIE])}
    path, asked = f"/connectors/{connection_id}/connect", {"accept": "application/json"}

    async def refreshes() -> int:
        await world.hub.work()
        return sum(entry["path"].endswith("/refresh") for entry in world.sandbox.log(kind="token"))

    fresh = await browser.post(path, data=form)
    assert 0 == await refreshes(), "a pair that is ten minutes old cannot be the trouble"
    world.sandbox.advance("1h")
    living = [await browser.post(path, data=form) for _ in range(3)]
    refreshed = await refreshes()
    scripted = await browser.post(path, data=form, headers=asked)
    told = await browser.get(living[0].headers["location"].partition("#")[0])
    synced = await browser.post(f"/connectors/{connection_id}/sync", data=form)
    world.sandbox.advance("31d")
    await world.hub.work()
    gone = await browser.post(path, data=form)
    popup = await browser.post(path, data=form | {"mode": "popup"}, headers=asked)
    shut = await browser.post(f"/connectors/{connection_id}/sync", data=form)
    page = await browser.get("/connectors")

    assert {303} == {answer.status_code for answer in (fresh, *living, synced)}
    assert 1 == refreshed
    assert {"next": living[0].headers["location"]} == scripted.json()
    assert "Fresh credentials are asked for" in told.text
    assert gone.headers["location"].startswith(f"{world.sandbox.url}/open/authorize?")
    assert popup.json()["consent_url"].startswith(world.sandbox.url)
    assert (409, "flow_paused") == (shut.status_code, shut.headers["x-error-code"])
    assert "data-consent" in page.text
    assert "Disconnected" in page.text

    await world.linked(purpose="renew", connection_id=connection_id)
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()
    again = await browser.post(path, data=form)
    assert f"/connect?merchant_id={world.merchant_id}" == again.headers["location"]
