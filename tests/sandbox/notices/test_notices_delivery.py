"""Delivery to receivers that are down, slow, confused or talkative, each on a real socket (wire sheet 4.1)."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from evergrant_sandbox import signing
from evergrant_sandbox.book import apps
from tests.sandbox.kit import START, Sandbox, eventually
from tests.sandbox.receiving import Receiver, receiving

MINUTE, HOUR = 60, 3600
# +2 min, +30 min, +3 h, +12 h, each after the failure before it.
TRIES = [0, 2 * MINUTE, 32 * MINUTE, 3 * HOUR + 32 * MINUTE, 15 * HOUR + 32 * MINUTE]


async def cancelled(sandbox: Sandbox, url: str) -> Any:
    """An app that listens there, and a seller who has just cancelled; gives the app."""
    app = await sandbox.app(webhook_url=url)
    pair = await sandbox.connected(app, await sandbox.seller())
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    return app


async def attempts(sandbox: Sandbox, count: int = 1) -> list[Any]:
    """Every attempt the log knows of, once there are so many."""

    async def there() -> list[Any]:
        found = list((await sandbox.ask("log", kind="notice", limit="10000"))["items"])
        return found if len(found) >= count else []

    return list(await eventually(there))


async def test_a_receiver_that_is_down_for_a_day_loses_the_notice(sandbox: Sandbox) -> None:
    """Nobody at home at any of the five attempts; when it is back, nothing comes: only asking helps now."""
    async with receiving() as gone:
        url = gone.url
    await cancelled(sandbox, url)
    await attempts(sandbox)
    await sandbox.steer("clock", advance="1d")
    tried = await attempts(sandbox, 5)
    async with receiving(port=urlsplit(url).port or 0) as back:
        await sandbox.steer("clock", advance="30d")

        assert [] == back.types()
    assert TRIES == [each["at_unix"] - START for each in tried]
    assert {"unreachable", "assumed_silent"} >= {each["notice"]["answer"] for each in tried}
    assert [] == (await sandbox.ask("notices"))["items"]
    assert 5 == len(await attempts(sandbox, 5))


async def test_a_receiver_that_comes_back_in_time_gets_the_same_bytes(sandbox: Sandbox) -> None:
    """Down at first, back before the third attempt: one delivery, then silence."""
    async with receiving() as gone:
        url = gone.url
    await cancelled(sandbox, url)
    await attempts(sandbox)
    await sandbox.steer("clock", advance="10m")
    async with receiving(port=urlsplit(url).port or 0) as back:
        await sandbox.steer("clock", advance="1d")
        answers = [each["notice"]["answer"] for each in await attempts(sandbox, 3)]

        assert ["unreachable", "unreachable", "200"] == answers
        assert [6] == back.types()
        assert START == back.deliveries[0].json["timestamp"]


async def test_every_attempt_carries_the_same_bytes_signature_and_id(sandbox: Sandbox, receiver: Receiver) -> None:
    """So that a receiver can tell the second from the first."""
    receiver.answers = [500, 400, 307, 503, 404]
    app = await cancelled(sandbox, receiver.url)
    await receiver.wait_for(1)
    await sandbox.steer("clock", advance="2d")
    deliveries = receiver.deliveries
    shown = await sandbox.ask(f"notices/{deliveries[0].json['tts_notification_id']}")
    wanted = signing.sign_notice(app_key=app["key"], secret=app["secret"], body=deliveries[0].body)

    assert 5 == len(deliveries)
    assert {(deliveries[0].body, wanted)} == {(each.body, each.signature) for each in deliveries}
    assert {("POST", "application/json")} == {("POST", each.headers["Content-Type"]) for each in deliveries}
    assert (deliveries[0].body.decode(), wanted) == (shown["body"], shown["authorization"])
    assert [{"url": receiver.url, "attempts": 5, "next_at": None}] == shown["destinations"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(sandbox: Sandbox, receiver: Receiver, status: int) -> None:
    """It is a failure like any other, and where it points to hears nothing."""
    async with receiving() as elsewhere:
        receiver.location, receiver.answers = elsewhere.url, [status]
        await cancelled(sandbox, receiver.url)
        await receiver.wait_for(1)
        await attempts(sandbox)
        await sandbox.steer("clock", advance="1d")

        assert [] == elsewhere.types()
    assert [str(status), "200"] == [each["notice"]["answer"] for each in await attempts(sandbox, 2)]
    assert [6, 6] == receiver.types()


async def test_a_slow_receiver_is_cut_off_and_tried_again(sandbox: Sandbox, receiver: Receiver) -> None:
    """More than three seconds: the log says so, though the receiver may well have read it; then it comes once more."""
    receiver.delay = 3.6
    await cancelled(sandbox, receiver.url)
    (first,) = await attempts(sandbox)
    receiver.delay = 0
    await sandbox.steer("clock", advance="3m")
    second = (await attempts(sandbox, 2))[1]

    assert ("timeout", None, 1) == (first["notice"]["answer"], first["status"], first["notice"]["attempt"])
    assert ("200", 200, 2) == (second["notice"]["answer"], second["status"], second["notice"]["attempt"])
    assert 1 == len({each.body for each in receiver.deliveries})


@pytest.mark.parametrize(("position", "tries"), [("ignored", 1), ("retried", 2)])
async def test_whether_an_answer_must_be_empty_is_a_switch(
    sandbox: Sandbox, receiver: Receiver, position: str, tries: int
) -> None:
    """`body_of_answer_to_notice`; the log says that there was one either way."""
    await sandbox.steer("switches", body_of_answer_to_notice=position)
    receiver.body = b'{"code":0}'
    await cancelled(sandbox, receiver.url)
    await receiver.wait_for(1)
    (first,) = await attempts(sandbox)
    receiver.body = b""
    await sandbox.steer("clock", advance="1d")

    assert ("200", "the answer had a body") == (first["notice"]["answer"], first["message"])
    assert tries == len(receiver.deliveries)


@pytest.mark.parametrize(("position", "tries"), [("accepted", 1), ("retried", 5)])
async def test_a_receiver_that_refuses_the_signature_for_ever(
    sandbox: Sandbox, receiver: Receiver, position: str, tries: int
) -> None:
    """401 is acceptable, or is tried to the end of the schedule."""
    await sandbox.steer("switches", answer_401_to_notice=position)
    receiver.answers = [401] * 9
    await cancelled(sandbox, receiver.url)
    await receiver.wait_for(1)
    await attempts(sandbox)
    await sandbox.steer("clock", advance="2d")

    assert tries == len(receiver.deliveries)
    assert [] == (await sandbox.ask("notices"))["items"]


async def test_one_receiver_that_is_down_keeps_no_other_from_hearing(sandbox: Sandbox, receiver: Receiver) -> None:
    """When a shop's address adds to the app-wide one, each has a schedule of its own."""
    await sandbox.steer("switches", shop_webhook="adds")
    app = await sandbox.app(webhook_url="http://127.0.0.1:9/hooks")
    seller = await sandbox.seller()
    pair = await sandbox.connected(app, seller)
    body = json.dumps({"event_type": "SELLER_DEAUTHORIZATION", "address": receiver.url}).encode()
    query = {"shop_cipher": seller["shops"][0]["cipher"]}
    path = "/event/202309/webhooks"
    await sandbox.signed(app, pair["access_token"], "PUT", path, query=query, body=body)
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    (delivery,) = await receiver.wait_for(1)
    await attempts(sandbox, 2)
    shown = await sandbox.ask(f"notices/{delivery.json['tts_notification_id']}")

    assert {receiver.url: True, "http://127.0.0.1:9/hooks": False} == {
        each["url"]: each["next_at"] is None for each in shown["destinations"]
    }


@pytest.mark.parametrize(
    ("kind", "field"), [(20, "creator_open_id"), (21, "seller_open_id"), (35, "seller_open_id"), (6, "shop_id")]
)
async def test_the_envelope_says_whom_it_is_about(sandbox: Sandbox, receiver: Receiver, kind: int, field: str) -> None:
    """A creator or a seller in place of the shop for some; by steering, with the authorization's open_id or another."""
    app = await sandbox.app(webhook_url=receiver.url)
    pair = await sandbox.connected(app, await sandbox.seller())
    await sandbox.steer("notices", type=kind, app=app["key"], data={"cancel_time": "1644412885"})
    await sandbox.steer("notices", type=kind, app=app["key"], data={}, open_id="Xk2vSgAAAAB-_7")
    first, second = await receiver.wait_for(2)
    owners = {"creator_open_id", "seller_open_id", "shop_id"}

    assert {field} == owners & set(first.json)
    if field != "shop_id":
        assert (pair["open_id"], "Xk2vSgAAAAB-_7") == (first.json[field], second.json[field])
    assert {"cancel_time": "1644412885"} == first.json["data"]


async def test_a_notice_nobody_sent_is_not_there(sandbox: Sandbox) -> None:
    """404 with a sentence."""
    reply = await sandbox.client.get("/_sandbox/notices/760")

    assert (404, "unknown_notice") == (reply.status, reply.json["error"]["code"])


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks..example.test/tts",
        f"https://{'a' * 64}.example.test/tts",
        "http://user:password@127.0.0.1:9/hooks",
    ],
)
async def test_an_address_nothing_can_be_sent_to_is_a_receiver_that_is_away(sandbox: Sandbox, url: str) -> None:
    """Such an address may lie in an old book. The clock can be turned past its five attempts, and the world reset."""
    app = await sandbox.app(webhook_url="http://127.0.0.1:9/hooks")
    platform = sandbox.application.platform
    kept = apps.find(platform.book, app["key"])
    assert kept
    apps.keep(platform.book, replace(kept, webhook_url=url))
    pair = await sandbox.connected(app, await sandbox.seller())
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    await sandbox.steer("clock", advance="2d")

    assert ["unreachable"] * 3 == [line["notice"]["answer"] for line in await attempts(sandbox, 5)][:3]
    assert [] == (await sandbox.ask("notices"))["items"]
    assert 200 == (await sandbox.client.post("/_sandbox/reset")).status
