"""Notices: what is sent and how it is delivered, signed and tried again as documented (wire sheet section 4)."""

import time
from typing import Any

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import DAY, START, Sandbox, eventually
from tests.sandbox.receiving import Delivery, Receiver, receiving

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
