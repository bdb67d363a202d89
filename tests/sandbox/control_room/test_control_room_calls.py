"""The log that answers what the platform saw: the table, its filters, the page of a line, the story of an authorization."""

import re
from typing import Any

import pytest

from tests.sandbox.kit import DAY, Sandbox, eventually, sha256
from tests.sandbox.receiving import Receiver
from tests.sandbox.visiting import Visitor

OWNER = "amelia@thamesandclay.example"


async def lived(sandbox: Sandbox, receiver: Receiver) -> tuple[Any, Any, Any]:
    """An authorization with a life behind it: app, first pair, second pair."""
    app = (await sandbox.world())["apps"][0]
    app = await sandbox.steer("apps", key=app["key"], webhook_url=receiver.url)
    first = await sandbox.connected(app, {"email": OWNER}, period="90d")
    second = (await sandbox.refresh(app, first["refresh_token"]))["data"]
    await sandbox.refresh(app, first["refresh_token"])
    await sandbox.signed(app, second["access_token"], "GET", "/authorization/202309/shops")
    return app, first, second


def rows(visitor: Visitor) -> list[str]:
    """The rows of the first table, as a person reads them."""
    found = visitor.page.xpath("(//main//table)[1]/tbody/tr")
    return [" ".join(word for cell in row for word in cell.text_content().split()) for row in found]


def known(visitor: Visitor) -> dict[str, str]:
    """Everything the page says of a line, by its names."""
    found = visitor.page.xpath("//main//dl[contains(@class, 'details')]/div")
    return {
        " ".join(each.xpath("./dt")[0].text_content().split()): " ".join(each.xpath("./dd")[0].text_content().split())
        for each in found
    }


async def lines(sandbox: Sandbox, **query: str) -> Any:
    """Lines of the log."""
    return (await sandbox.ask("log", **query))["items"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        ("kind=token", 3),
        ("kind=api", 1),
        ("kind=notice", 0),
        ("status=refused", 1),
        ("status=accepted", 3),
        ("status=none", 0),
        ("status=fault", 0),
        ("app=nobody", 0),
        ("grant=1", 0),
        ("grant=x", 0),
        ("kind=gossip", 4),
    ],
)
async def test_calls_are_picked(sandbox: Sandbox, receiver: Receiver, visitor: Visitor, query: str, count: int) -> None:
    """By kind, answer, app and authorization; the rows alone are the same rows."""
    await lived(sandbox, receiver)
    await visitor.open(f"/control/calls?{query}")
    alone = await sandbox.client.get(f"/control/calls/rows?{query}")

    assert count == len(rows(visitor))
    assert count == alone.text.count("<tr>")
    assert (count == 0) == ("Nothing like that" in visitor.text and not visitor.page.xpath("//*[@data-empty][@hidden]"))


async def test_calls_are_picked_by_authorization_and_shop(
    sandbox: Sandbox, receiver: Receiver, visitor: Visitor
) -> None:
    """What was about one, and nothing else."""
    app, first, second = await lived(sandbox, receiver)
    await sandbox.connected(app, {"email": "clara@kuechenliebe.example"})
    grant = await sandbox.ask(f"grants/{first['grant_id']}")
    shop = grant["shops"][0]
    await sandbox.signed(
        app,
        second["access_token"],
        "POST",
        "/order/202309/orders/search",
        query={"shop_cipher": shop["cipher"], "page_size": "1"},
        body=b"{}",
    )
    counts = []
    for query in (f"grant={grant['id']}", f"shop={shop['id']}", ""):
        await visitor.open(f"/control/calls?{query}")
        counts.append(len(rows(visitor)))

    assert [5, 1, 6] == counts
    assert 1 == len(await lines(sandbox, shop=shop["id"]))


async def test_older_calls_are_a_link_away(sandbox: Sandbox, visitor: Visitor) -> None:
    """Fifty at a time, without gaps and without one twice."""
    for number in range(120):
        await sandbox.client.get("/api/v2/token/refresh", app_key=f"k{number}")
    await visitor.open("/control/calls")
    seen, older = [], []
    for _ in range(3):
        seen.append(rows(visitor))
        older = [link for link in visitor.page.xpath("//main//a") if " ".join(link.text_content().split()) == "Older"]
        if older:
            await visitor.open(older[0].get("href"))
    wanted = [f"k{number}" for number in reversed(range(120))]

    assert [50, 50, 20] == [len(page) for page in seen]
    assert wanted == [re.search(r"\bk\d+\b", row)[0] for page in seen for row in page]  # type: ignore[index]
    assert not older


async def test_watching_leaves_no_line_in_the_log(sandbox: Sandbox) -> None:
    """Who watches would otherwise fill the log with watching."""
    before = (await sandbox.ask("log"))["last"]
    for _ in range(3):
        await sandbox.client.get("/control/calls/rows")

    assert before + 1 == (await sandbox.ask("log"))["last"]


async def test_a_line_says_everything_about_a_refresh(sandbox: Sandbox, receiver: Receiver, visitor: Visitor) -> None:
    """App, seller, authorization, what was presented and given, which pair that is and whether it is current."""
    _, first, second = await lived(sandbox, receiver)
    exchange, refresh, refused = await lines(sandbox, kind="token")
    await visitor.open(f"/control/calls/{refresh['n']}")
    seen, page = known(visitor), visitor.reply.text
    await visitor.open(f"/control/calls/{exchange['n']}")
    of_exchange = known(visitor)
    await visitor.open(f"/control/calls/{refused['n']}")
    of_refusal = known(visitor)

    assert ("token", "Thames & Clay Ltd", "200", "0") == tuple(
        seen[name] for name in ("Kind", "Seller", "Answer", "Code")
    )
    assert seen["Authorization"].startswith(first["grant_id"])
    assert seen["Presented"].startswith("The refresh token of pair 1, used ")
    assert sha256(first["refresh_token"]) in seen["Presented"]
    assert seen["Given"].startswith("Pair 2; its access token is current")
    assert sha256(second["access_token"]) in seen["Given"]
    assert "grant_type=refresh_token" in seen["Query, without secrets"]
    assert "ms of real time" in seen["Duration"]
    assert of_exchange["Presented"].startswith("An auth code of this authorization")
    assert of_exchange["Given"].startswith("Pair 1; its access token is still valid beside a newer one")
    assert ("36004005", "can not find related auth record") == (of_refusal["Code"].strip(), of_refusal["Message"])
    for secret in (first["refresh_token"], second["access_token"], second["refresh_token"]):
        assert secret not in page


async def test_a_line_says_which_fault_hit_it(sandbox: Sandbox, visitor: Visitor) -> None:
    """And that no answer reached the app."""
    fault = await sandbox.steer("faults", action="status", status=503, kind="token")
    await sandbox.client.get("/api/v2/token/refresh", app_key="nobody")
    (line,) = await lines(sandbox, kind="token")
    await visitor.open(f"/control/calls/{line['n']}")
    seen = known(visitor)

    assert (f"{fault['id']}:status", "503") == (seen["Hit by fault"], seen["Answer"])
    assert seen["App"].endswith("(unknown here)")


async def test_a_line_shows_a_notice_with_its_attempts(sandbox: Sandbox, receiver: Receiver, visitor: Visitor) -> None:
    """Its body, and what each attempt was answered."""
    _, first, _ = await lived(sandbox, receiver)
    receiver.answers += [500, 200]
    await sandbox.steer(f"grants/{first['grant_id']}/cancel")
    await eventually(lambda: lines(sandbox, kind="notice"))
    await sandbox.steer("clock", advance="2m")
    attempts = await lines(sandbox, kind="notice")
    await visitor.open(f"/control/calls/{attempts[0]['n']}")
    body = visitor.page.xpath("//main//pre")[0].text_content()

    assert attempts[0]["notice"]["id"] in body
    assert "is deauthorized from your APP by merchant." in body
    assert ["500", "200"] == [row.split()[2] for row in rows(visitor)]
    assert "No further attempt." in visitor.text


@pytest.mark.parametrize("line", ["0", "999999", "x", "9" * 40, "-1"])
async def test_a_line_that_is_not_there_is_not_found(visitor: Visitor, line: str) -> None:
    """Whatever stands in the address."""
    await visitor.open(f"/control/calls/{line}")

    assert (404, "unknown_line") == (visitor.reply.status, visitor.reply.header("x-error-code"))


@pytest.mark.parametrize("query", ["status=odd", "status=²²²", "before=x&status=odd"])
async def test_an_answer_that_is_none_is_refused(sandbox: Sandbox, visitor: Visitor, query: str) -> None:
    """In the page, in its rows and in JSON."""
    await visitor.open(f"/control/calls?{query}")

    assert (422, "invalid_status") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert 422 == (await sandbox.client.get(f"/control/calls/rows?{query}")).status
    assert 400 == (await sandbox.client.get(f"/_sandbox/log?{query}")).status


async def test_the_log_is_read_from_behind(sandbox: Sandbox) -> None:
    """The last lines before a number, still oldest first; and by how they went."""
    for number in range(6):
        await sandbox.client.get("/api/v2/token/refresh", app_key=f"k{number}")
    everything = [each["n"] for each in await lines(sandbox, kind="token")]
    behind = [each["n"] for each in await lines(sandbox, kind="token", before=str(everything[4]), limit="2")]

    assert everything[2:4] == behind
    assert 6 == len(await lines(sandbox, kind="token", status="refused"))
    assert 6 == len(await lines(sandbox, kind="token", status="200"))
    assert [] == await lines(sandbox, kind="token", status="accepted")


# --- the story of an authorization


def story(visitor: Visitor) -> list[str]:
    """The steps, as a person reads their titles."""
    return [
        re.sub(r" \d{4}-.*", "", " ".join(step.text_content().split()))
        for step in visitor.page.xpath("//ol[@class='cr-story']//p[@class='cr-step-title']")
    ]


async def test_an_authorization_tells_its_story_in_order(
    sandbox: Sandbox, receiver: Receiver, visitor: Visitor
) -> None:
    """Consent, code, exchange, refreshes, calls, warnings, renewal, and the end with its notice."""
    app, first, _ = await lived(sandbox, receiver)
    await sandbox.steer("clock", advance="60d")
    await sandbox.steer(f"grants/{first['grant_id']}/renew", period="180d")
    await sandbox.steer(f"grants/{first['grant_id']}/cancel")
    await eventually(lambda: lines(sandbox, kind="notice", after="1"))
    await receiver.wait_for(2)
    await visitor.open(f"/control/grants/{first['grant_id']}")
    words = visitor.text

    assert [
        "The seller agreed",
        "A code was given out",
        "GET /api/v2/token/get",
        "GET /api/v2/token/refresh",
        "GET /api/v2/token/refresh",
        "GET /authorization/202309/shops",
        "Notice 7, attempt 1",
        "The seller agreed",
        "It ended",
    ] == story(visitor)[:9]
    assert "by seller center, for 180 days" in words
    assert "cancelled by seller" in words
    assert "with the refresh token of pair 1; gave pair 2" in words
    assert app["secret"] not in visitor.reply.text
    assert ["2", "1"] == [row.split()[0] for row in rows(visitor)]


async def test_the_natural_end_is_part_of_the_story(sandbox: Sandbox, receiver: Receiver, visitor: Visitor) -> None:
    """Though nothing happened at that moment; what came later stands after it."""
    app, first, second = await lived(sandbox, receiver)
    await sandbox.steer("apps", key=app["key"], webhook_url="")
    await sandbox.steer("clock", advance="91d")
    await sandbox.refresh(app, second["refresh_token"])
    await visitor.open(f"/control/grants/{first['grant_id']}")

    assert ["It ended", "GET /api/v2/token/refresh"] == story(visitor)[-2:]
    assert f"{DAY * 90 // DAY} days" in visitor.text


async def test_a_long_story_goes_on_before(sandbox: Sandbox, visitor: Visitor) -> None:
    """Two hundred steps at a time."""
    app = (await sandbox.world())["apps"][0]
    pair = await sandbox.connected(app, {"email": OWNER})
    for _ in range(230):
        await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")
    await visitor.open(f"/control/grants/{pair['grant_id']}")
    late = story(visitor)
    (before,) = [link for link in visitor.page.xpath("//main//a") if "What came before" in link.text_content()]
    await visitor.open(before.get("href"))

    assert 200 == len(late)
    assert ["The seller agreed", "A code was given out", "GET /api/v2/token/get"] == story(visitor)[:3]
    assert 33 == len(story(visitor))


async def test_a_second_use_ends_the_story_of_a_family(sandbox: Sandbox, visitor: Visitor) -> None:
    """The call is refused, and the story says why the authorization ended."""
    app = (await sandbox.world())["apps"][0]
    await sandbox.steer(f"apps/{app['key']}/rotation", mode="family")
    pair = await sandbox.connected(app, {"email": OWNER})
    await sandbox.refresh(app, pair["refresh_token"])
    await sandbox.refresh(app, pair["refresh_token"])
    await visitor.open(f"/control/grants/{pair['grant_id']}")

    assert "because a refresh token was used twice" in visitor.text
    assert {"It ended", "GET /api/v2/token/refresh"} == set(story(visitor)[-2:])
