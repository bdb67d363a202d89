"""Notices and the clock: what falls due happens in order, is signed, tried again and dropped as documented (section 4)."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import DAY, START, Delivery, Receiver, Sandbox, Wall, eventually, receiving, running

MINUTE = 60
HOUR = 3600


async def listening(sandbox: Sandbox, receiver: Receiver, **consent: Any) -> tuple[Any, Any, Any]:
    """An app with a webhook URL, a seller, and their pair."""
    app = await sandbox.app(webhook_url=receiver.url)
    seller = await sandbox.seller()
    return app, seller, await sandbox.connected(app, seller, **consent)


async def attempts(sandbox: Sandbox) -> list[Any]:
    """Every attempt the log knows of."""
    return list((await sandbox.ask("log", kind="notice", limit="10000"))["items"])


def signed_by(app: Any, delivery: Delivery) -> bool:
    """Whether a notice carries the app's signature over its raw bytes."""
    return delivery.signature == signing.sign_notice(app_key=app["key"], secret=app["secret"], body=delivery.body)


# --- what is sent


async def test_a_cancellation_is_told(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 6 to the app, signed over the raw bytes, with the shop's id and not its cipher."""
    app, seller, pair = await listening(sandbox, receiver)
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    (delivery,) = await receiver.wait_for(1)
    shop = seller["shops"][0]["id"]
    said = delivery.json

    assert ["type", "tts_notification_id", "shop_id", "timestamp", "data"] == list(said)
    assert (6, shop, START) == (said["type"], said["shop_id"], said["timestamp"])
    assert {"message": f"Shop_id {shop} is deauthorized from your APP by merchant."} == said["data"]
    assert 19 == len(said["tts_notification_id"])
    assert signed_by(app, delivery)
    assert delivery.headers["Content-Type"] == "application/json"


async def test_every_shop_of_a_cross_border_grant_is_told_of(sandbox: Sandbox, receiver: Receiver) -> None:
    """One notice a shop; only the app concerned hears it."""
    app, other = await sandbox.app(webhook_url=receiver.url), await sandbox.app(webhook_url=receiver.url)
    seller = next(each for each in (await sandbox.world())["sellers"] if each["kind"] == "cross_border")
    pair = await sandbox.connected(app, seller)
    await sandbox.connected(other, seller)
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    deliveries = await receiver.wait_for(3)
    await sandbox.steer("clock", advance="1d")

    assert {shop["id"] for shop in seller["shops"]} == {each.json["shop_id"] for each in deliveries}
    assert [True] * 3 == [signed_by(app, each) for each in receiver.deliveries]


async def test_the_end_is_warned_of_thirty_days_ahead_and_then_daily(sandbox: Sandbox, receiver: Receiver) -> None:
    """At thirty days to the second, then at every 0:00 until the end; each stamped with its own due time."""
    _, seller, pair = await listening(sandbox, receiver, period="365d")
    end = pair["refresh_token_expire_in"]
    await sandbox.steer("clock", advance="334d")
    none_yet = receiver.types()
    await sandbox.steer("clock", advance="1d")
    first = [each.json for each in receiver.deliveries]
    await sandbox.steer("clock", advance="40d")
    whole = [each.json for each in receiver.deliveries]

    assert [] == none_yet
    assert [end - 30 * DAY] == [each["timestamp"] for each in first]
    shop = seller["shops"][0]["id"]
    sentence = f"Authorization of shop_id {shop} is expiring in 30 days. Please direct the merchant to re-authorize."
    assert {"message": sentence, "expiration_time": str(end)} == first[0]["data"]
    assert {7} == {each["type"] for each in whole}
    assert 31 == len(whole) == len({each["tts_notification_id"] for each in whole})
    assert {0} == {each["timestamp"] % DAY for each in whole[1:]}
    assert sorted(each["timestamp"] for each in whole) == [each["timestamp"] for each in whole]
    assert whole[-1]["timestamp"] < end
    assert "in 1 days" in whole[-1]["data"]["message"]


async def test_a_renewal_stops_the_warnings(sandbox: Sandbox, receiver: Receiver) -> None:
    """Daily until re-authorized; the next comes thirty days before the new end."""
    _, _, pair = await listening(sandbox, receiver, period="90d")
    await sandbox.steer("clock", advance="63d")
    before = len(receiver.deliveries)
    await sandbox.steer(f"grants/{pair['grant_id']}/renew", period="90d")
    await sandbox.steer("clock", advance="59d")
    silent = len(receiver.deliveries)
    await sandbox.steer("clock", advance="2d")

    assert 4 == before == silent
    assert START + (63 + 60) * DAY == receiver.deliveries[4].json["timestamp"]


async def test_a_cancelled_authorization_is_not_warned_of(sandbox: Sandbox, receiver: Receiver) -> None:
    """After notice 6 there is silence."""
    _, _, pair = await listening(sandbox, receiver, period="90d")
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    await sandbox.steer("clock", advance="100d")

    assert [6] == receiver.types()


async def test_an_app_that_begins_to_listen_late_is_not_told_of_the_past(sandbox: Sandbox, receiver: Receiver) -> None:
    """From its webhook URL on, at the next 0:00."""
    app, seller = await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(app, seller, period="90d")
    await sandbox.steer("clock", advance="70d")
    await sandbox.app(key=app["key"], webhook_url=receiver.url)
    await sandbox.steer("clock", advance="3d")

    assert 3 == len(receiver.deliveries)
    assert START + 70 * DAY < receiver.deliveries[0].json["timestamp"] < pair["refresh_token_expire_in"]
    await sandbox.app(key=app["key"], webhook_url="")
    await sandbox.steer("clock", advance="3d")
    assert 3 == len(receiver.deliveries)


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 0), ("UTC+8", 16), ("UTC-8", 8)])
async def test_midnight_is_that_of_the_zone_in_the_switch(
    sandbox: Sandbox, receiver: Receiver, zone: str, hour: int
) -> None:
    """The page says "daily at 0:00" and names none."""
    await sandbox.steer("switches", daily_warning_zone=zone)
    await listening(sandbox, receiver, period="40d")
    await sandbox.steer("clock", advance="13d")

    assert {hour * HOUR} == {each.json["timestamp"] % DAY for each in receiver.deliveries[1:]}


@pytest.mark.parametrize(("position", "types"), [("off", []), ("on", [6])])
async def test_whether_the_natural_end_is_told_is_a_switch(
    sandbox: Sandbox, receiver: Receiver, position: str, types: list[int]
) -> None:
    """`notice_at_expiry`: at the very second of the end."""
    await sandbox.steer("switches", notice_at_expiry=position)
    _, _, pair = await listening(sandbox, receiver, period="12h")
    await sandbox.steer("clock", advance="13h")

    assert types == receiver.types()
    assert [pair["refresh_token_expire_in"]] * len(types) == [each.json["timestamp"] for each in receiver.deliveries]


@pytest.mark.parametrize(("position", "types"), [("off", []), ("on", [6])])
async def test_whether_a_deactivation_is_told_is_a_switch(
    sandbox: Sandbox, receiver: Receiver, position: str, types: list[int]
) -> None:
    """`notice_on_deactivation`."""
    await sandbox.steer("switches", notice_on_deactivation=position)
    _, _, pair = await listening(sandbox, receiver)
    await sandbox.steer(f"grants/{pair['grant_id']}/deactivate")
    await sandbox.steer("clock", advance="1m")

    assert types == receiver.types()


async def test_orders_that_come_or_change_are_told(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 1 with the status of the notice's own vocabulary: CANCEL, not CANCELLED."""
    _, seller, _ = await listening(sandbox, receiver)
    shop = seller["shops"][0]["id"]
    made = await sandbox.steer("orders", shop=shop, count=2)
    number = made["orders"][0]["id"]
    await receiver.wait_for(2)
    await sandbox.steer("orders", shop=shop, orders=[{"id": number, "status": "CANCELLED"}])
    deliveries = await receiver.wait_for(3)
    last = deliveries[-1].json

    assert 2 == made["notices"]
    assert [1, 1, 1] == receiver.types()
    assert {
        "is_on_hold_order": True,
        "order_id": number,
        "order_status": "CANCEL",
        "update_time": START,
    } == last["data"]
    assert ["is_on_hold_order", "order_id", "order_status", "update_time"] == list(last["data"])


# --- how it is delivered


async def test_a_failed_notice_is_tried_again_on_the_schedule_and_then_dropped(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """+2 min, +30 min, +3 h, +12 h, each after the failure before; the same bytes and id every time."""
    _, _, pair = await listening(sandbox, receiver)
    receiver.answers = [500, 204, 302, 404, 503]
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    await receiver.wait_for(1)
    await sandbox.steer("clock", advance="2d")
    tried = await attempts(sandbox)
    times = [each["at_unix"] - START for each in tried]

    assert [0, 2 * MINUTE, 32 * MINUTE, 3 * HOUR + 32 * MINUTE, 15 * HOUR + 32 * MINUTE] == times
    assert [1, 2, 3, 4, 5] == [each["notice"]["attempt"] for each in tried]
    assert ["500", "204", "302", "404", "503"] == [each["notice"]["answer"] for each in tried]
    assert 1 == len({each.body for each in receiver.deliveries})
    assert 5 == len(receiver.deliveries)
    assert [] == (await sandbox.ask("notices"))["items"]
    assert {pair["grant_id"]} == {each["grant"] for each in tried}


@pytest.mark.parametrize(("position", "tries"), [("accepted", 1), ("retried", 2)])
async def test_a_401_is_an_acceptable_response(sandbox: Sandbox, receiver: Receiver, position: str, tries: int) -> None:
    """Unless the switch says that it is tried again."""
    await sandbox.steer("switches", answer_401_to_notice=position)
    _, _, pair = await listening(sandbox, receiver)
    receiver.answers = [401]
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    await receiver.wait_for(1)
    await sandbox.steer("clock", advance="1d")

    assert tries == len(receiver.deliveries)


async def test_a_receiver_has_three_seconds(sandbox: Sandbox, receiver: Receiver) -> None:
    """Then the attempt has failed; a slow receiver holds up nobody else."""
    app, _, pair = await listening(sandbox, receiver)
    async with receiving() as quick:
        other = await sandbox.app(webhook_url=quick.url)
        seller = await sandbox.seller()
        second = await sandbox.connected(other, seller)
        receiver.delay = 4
        begun = time.monotonic()
        await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
        await sandbox.steer(f"grants/{second['grant_id']}/cancel")
        await quick.wait_for(1)
        meanwhile = await attempts(sandbox)

        async def of_the_slow_one() -> list[Any]:
            return [each for each in await attempts(sandbox) if each["app"] == app["key"]]

        failed = await eventually(of_the_slow_one)
        waited = time.monotonic() - begun

    assert app["key"] not in {each["app"] for each in meanwhile}
    assert "timeout" == failed[0]["notice"]["answer"]
    assert waited >= 2.9


async def test_a_receiver_that_is_not_there_is_tried_again(sandbox: Sandbox, receiver: Receiver) -> None:
    """A refused connection is a failure like any other."""
    app, seller, _ = await listening(sandbox, receiver)
    async with receiving() as gone:
        url = gone.url
    await sandbox.app(key=app["key"], webhook_url=url)
    await sandbox.steer("notices", type=6, app=app["key"])
    await eventually(lambda: attempts(sandbox))
    await sandbox.steer("clock", advance="3m")

    assert ["unreachable", "unreachable"] == [each["notice"]["answer"] for each in await attempts(sandbox)]
    assert seller["shops"][0]["id"] == (await sandbox.ask("notices"))["items"][0]["shop"]


async def test_notices_of_one_shop_keep_their_order(sandbox: Sandbox, receiver: Receiver) -> None:
    """Fifty orders, one after the other."""
    _, seller, _ = await listening(sandbox, receiver)
    made = await sandbox.steer("orders", shop=seller["shops"][0]["id"], count=50)
    deliveries = await receiver.wait_for(50)

    wanted = [order["id"] for order in made["orders"]]
    assert wanted == [each.json["data"]["order_id"] for each in deliveries]


async def test_a_receiver_that_asks_back_finds_the_platform_at_that_moment(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """While the clock is being turned it steps from one due instant to the next."""
    seen: list[int] = []

    async def ask_back() -> None:
        seen.append((await sandbox.ask("clock"))["unix"])

    receiver.meanwhile = ask_back
    await listening(sandbox, receiver, period="90d")
    await sandbox.steer("clock", advance="63d")

    assert 4 == len(seen)
    assert [each.json["timestamp"] for each in receiver.deliveries] == seen


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
