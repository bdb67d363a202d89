"""Notices on demand, and the clock: what falls due happens in order, and goes on after a restart."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.kit import DAY, START, Sandbox, Wall, eventually, running
from tests.sandbox.notices.test_sandbox_notices import HOUR, MINUTE, attempts, listening, signed_by
from tests.sandbox.receiving import Receiver


# --- on demand
async def test_a_notice_of_any_type_can_be_sent(sandbox: Sandbox, receiver: Receiver) -> None:
    """With data of one's own, an id of one's own, twice, and badly signed."""
    app, seller, _ = await listening(sandbox, receiver)
    shop = seller["shops"][0]["id"]
    posted = await sandbox.steer(
        "notices", type=5, app=app["key"], shop=shop, data={"product_id": 17}, times=2, id="7600000000000000005"
    )
    await sandbox.steer("notices", type=6, app=app["key"], bad_signature=True)
    deliveries = await receiver.wait_for(3)

    assert ("7600000000000000005", 2) == (posted["id"], posted["times"])
    assert deliveries[0].body == deliveries[1].body
    assert {"product_id": 17} == deliveries[0].json["data"]
    assert [True, True, False] == [signed_by(app, each) for each in deliveries]


@pytest.mark.parametrize("kind", [1, 6, 7, 99])
async def test_a_notice_without_data_says_what_it_would_say_now(
    sandbox: Sandbox, receiver: Receiver, kind: int
) -> None:
    """For 1, 6 and 7 their own payload; nothing for others."""
    app, _, pair = await listening(sandbox, receiver, period="100d")
    await sandbox.steer("notices", type=kind, app=app["key"])
    (delivery,) = await receiver.wait_for(1)
    data = delivery.json["data"]

    wanted = {1: "order_id", 6: "message", 7: "expiration_time"}.get(kind)
    assert [wanted] == [wanted if wanted in data else None]
    if kind == 7:
        assert str(pair["refresh_token_expire_in"]) == data["expiration_time"]
        assert "in 100 days" in data["message"]


async def test_a_notice_can_be_late_and_out_of_order(sandbox: Sandbox, receiver: Receiver) -> None:
    """Delayed by platform time, stamped when it was made."""
    app, _, _ = await listening(sandbox, receiver)
    await sandbox.steer("notices", type=6, app=app["key"], delay="2h")
    await sandbox.steer("notices", type=99, app=app["key"], delay="1h")
    waiting = [each["type"] for each in (await sandbox.ask("notices"))["items"]]
    await sandbox.steer("clock", advance="3h")

    assert [99, 6] == waiting == receiver.types()
    assert [START, START] == [each.json["timestamp"] for each in receiver.deliveries]


# --- the clock
async def test_the_clock_shows_and_takes_every_form(sandbox: Sandbox) -> None:
    """RFC 3339, Unix seconds, a duration."""
    assert {"now": "2027-01-15T08:00:00Z", "unix": START, "offset_seconds": 0.0} == await sandbox.ask("clock")
    for asked, at in (
        ({"advance": "1d12h"}, START + 36 * HOUR),
        ({"now": START + 40 * HOUR}, START + 40 * HOUR),
        ({"now": "2027-01-20T08:00:00+00:00"}, START + 5 * DAY),
        ({"now": str(START + 6 * DAY)}, START + 6 * DAY),
    ):
        assert at == (await sandbox.steer("clock", **asked))["unix"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"advance": "soon"},
        {"advance": "-1d"},
        {"advance": "1000000d"},
        {"now": "2027-01-20T08:00:00"},
        {"now": "1999-01-01T00:00:00Z"},
        {"now": 10**15},
        {"now": 1, "advance": "1d"},
        {"now": None},
        {"later": "1d"},
    ],
)
async def test_a_clock_that_cannot_be_turned_so_says_why(sandbox: Sandbox, asked: Any) -> None:
    """4xx with a sentence, and the clock stays where it was."""
    reply = await sandbox.client.post("/_sandbox/clock", **asked)

    assert 400 <= reply.status < 500
    assert reply.json["error"]["message"].endswith(".")
    assert START == (await sandbox.ask("clock"))["unix"]


async def test_the_clock_runs_on_from_where_it_was_turned_to(sandbox: Sandbox) -> None:
    """An offset, not a stop."""
    await sandbox.steer("clock", advance="30d")
    sandbox.wall.at += 5

    assert START + 30 * DAY + 5 == (await sandbox.ask("clock"))["unix"]


async def test_what_is_due_while_the_clock_runs_happens_by_itself(sandbox: Sandbox, receiver: Receiver) -> None:
    """Without anybody turning it."""
    _, _, pair = await listening(sandbox, receiver)
    receiver.answers = [500]
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    await receiver.wait_for(1)
    await eventually(lambda: attempts(sandbox))
    sandbox.wall.at += 2 * MINUTE
    sandbox.application.platform.agenda.wake()
    await receiver.wait_for(2)

    assert [6, 6] == receiver.types()


async def test_a_restart_goes_on_with_what_was_on_its_way(tmp_path: Path, receiver: Receiver) -> None:
    """The schedule is on disk; what fell due while nobody ran is made up for, stamped with its own time."""
    wall = Wall()
    async with running(tmp_path, wall=wall) as before:
        app = await before.app(webhook_url=receiver.url)
        seller = await before.seller()
        pair = await before.connected(app, seller, period="31d")
        receiver.answers = [500]
        await before.steer("notices", type=99, app=app["key"])
        await receiver.wait_for(1)
        await eventually(lambda: attempts(before))
    wall.at += 3 * DAY
    async with running(tmp_path, wall=wall):
        await receiver.wait_for(5)
    told = [each.json for each in receiver.deliveries]

    assert [99, 99, 7, 7, 7] == sorted((each["type"] for each in told), reverse=True)
    warned = [each["timestamp"] for each in told if each["type"] == 7]
    assert pair["refresh_token_expire_in"] - 30 * DAY == min(warned)
    assert [0, 0] == [each % DAY for each in sorted(warned)[1:]]


async def test_two_years_with_hundreds_of_grants_go_by_in_one_turn(sandbox: Sandbox) -> None:
    """Nobody is told who does not listen, and a silent receiver is not asked again in the same turn."""
    listening_app = await sandbox.app(webhook_url="http://127.0.0.1:9/hooks")
    silent_app = await sandbox.app()
    shops = [{"name": f"Shop {number}", "orders": 0, "products": 0} for number in range(50)]
    for _ in range(4):
        seller = await sandbox.seller(shops=shops)
        for shop in seller["shops"]:
            for app in (listening_app, silent_app):
                await sandbox.steer("authorize", app=app["key"], seller=seller["email"], shop=shop["id"])
    await sandbox.steer("clock", advance="730d")
    last = (await sandbox.ask("log", kind="notice", limit="10000"))["items"]

    assert 400 == (await sandbox.world())["grants"]
    assert "assumed_silent" in {each["notice"]["answer"] for each in last}
    assert [] == (await sandbox.ask("notices"))["items"]


async def test_the_log_shows_bytes_of_no_secret(sandbox: Sandbox, receiver: Receiver) -> None:
    """Neither tokens, nor codes, nor app secrets, nor states: not in the log, not in the book's file."""
    app, seller, pair = await listening(sandbox, receiver, state="STATE-OF-MINE")
    again = (await sandbox.refresh(app, pair["refresh_token"]))["data"]
    await sandbox.signed(app, again["access_token"], "GET", "/authorization/202309/shops")
    await sandbox.signed(app, None, "GET", "/authorization/202309/shops", changes={"access_token": "x" + "y" * 20})
    lines = json.dumps((await sandbox.ask("log", limit="10000"))["items"])
    secrets = [pair["access_token"], pair["refresh_token"], again["access_token"], app["secret"], "STATE-OF-MINE"]

    assert [] == [secret for secret in secrets if secret in lines]
    assert "y" * 20 not in lines
    assert seller["email"] not in json.dumps((await sandbox.ask("log", kind="token"))["items"])
