"""The life of an order, step by step, and the notices it sends (wire sheet 4.5, 6.1)."""

from typing import Any

import pytest

from tests.sandbox.kit import START, Sandbox
from tests.sandbox.receiving import Receiver

LISTENING = [1, 3, 4, 11, 12]
LINE = ["AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED"]


class Shop:
    """A shop with one app that listens, and its orders."""

    def __init__(self, sandbox: Sandbox, shop: Any, call: Any) -> None:
        self.sandbox = sandbox
        self.id = shop["id"]
        self._call = call

    async def order(self, status: str = "UNPAID") -> str:
        """A new order; gives its id."""
        made = await self.sandbox.steer("orders", shop=self.id, orders=[{"status": status}])
        return str(made["orders"][0]["id"])

    async def order_of_two(self) -> str:
        """A new order of more than one unit."""
        for _ in range(60):
            number = await self.order("AWAITING_SHIPMENT")
            if len((await self.read(number))["line_items"]) > 1:
                return number
        raise AssertionError("no order of two units among sixty")

    async def read(self, number: str) -> Any:
        """An order as the API answers it."""
        return await self._call(number)


async def opened(sandbox: Sandbox, receiver: Receiver, region: str = "DE", topics: list[int] | None = None) -> Shop:
    """A shop in a market without holds, unless the test wants another."""
    app = await sandbox.app(webhook_url=receiver.url, topics=LISTENING if topics is None else topics)
    seller = await sandbox.seller(region=region)
    shop = seller["shops"][0]
    pair = await sandbox.connected(app, seller)

    async def call(number: str) -> Any:
        query = {"shop_cipher": shop["cipher"], "ids": number}
        reply = await sandbox.signed(app, pair["access_token"], "GET", "/order/202507/orders", query=query)
        return reply.json["data"]["orders"][0]

    return Shop(sandbox, shop, call)


async def test_an_order_goes_step_by_step_to_its_end(sandbox: Sandbox, receiver: Receiver) -> None:
    """Without a status to the next one; each told by notice 1; at the end there is no next one."""
    shop = await opened(sandbox, receiver)
    number = await shop.order()
    steps = []
    for minute in range(5):
        await sandbox.steer("clock", advance="1m")
        steps.append(await sandbox.steer(f"orders/{number}/status"))
        assert START + 60 * (minute + 1) == (await shop.read(number))["update_time"]
    end = await sandbox.client.post(f"/_sandbox/orders/{number}/status")
    deliveries = await receiver.wait_for(6)

    assert LINE == [each["status"] for each in steps]
    assert [[status] for status in LINE] == [each["passed"] for each in steps]
    assert [1] * 5 == [each["notices"] for each in steps]
    assert ["UNPAID", *LINE] == [each.json["data"]["order_status"] for each in deliveries]
    assert {number} == {each.json["data"]["order_id"] for each in deliveries}
    assert (409, "no_way") == (end.status, end.json["error"]["code"])
    assert "COMPLETED and stays so." in end.json["error"]["message"]


async def test_an_order_passes_everything_on_its_way(sandbox: Sandbox, receiver: Receiver) -> None:
    """From unpaid to delivered in one call: four notices, and the document has all that becomes known on the way."""
    shop = await opened(sandbox, receiver)
    number = await shop.order()
    moved = await sandbox.steer(f"orders/{number}/status", status="DELIVERED")
    await receiver.wait_for(5)
    document = await shop.read(number)

    assert (LINE[:4], 4) == (moved["passed"], moved["notices"])
    assert {"paid_time", "rts_time", "collection_time", "delivery_time", "tracking_number"} <= set(document)
    assert {"DELIVERED"} == {item["display_status"] for item in document["line_items"]}


async def test_an_order_in_a_market_with_holds_is_held_first(sandbox: Sandbox, receiver: Receiver) -> None:
    """`is_on_hold_order` says that it was or will be; elsewhere an order is held only if it is asked for."""
    shop = await opened(sandbox, receiver, region="GB")
    british = await sandbox.steer(f"orders/{await shop.order()}/status", status="AWAITING_SHIPMENT")
    other = await opened(sandbox, receiver)
    german = await other.order()
    held = await sandbox.steer(f"orders/{german}/status", status="ON_HOLD")
    free = await sandbox.steer(f"orders/{german}/status")

    assert ["ON_HOLD", "AWAITING_SHIPMENT"] == british["passed"]
    assert (["ON_HOLD"], ["AWAITING_SHIPMENT"]) == (held["passed"], free["passed"])


@pytest.mark.parametrize("status", ["UNPAID", "AWAITING_SHIPMENT", "AWAITING_COLLECTION"])
@pytest.mark.parametrize("by", ["BUYER", "SELLER", "SYSTEM"])
async def test_a_cancelled_order_sends_two_notices(sandbox: Sandbox, receiver: Receiver, status: str, by: str) -> None:
    """Type 1 says CANCEL where the API says CANCELLED; type 11 who did it, and that it was accepted."""
    shop = await opened(sandbox, receiver)
    number = await shop.order(status)
    moved = await sandbox.steer(f"orders/{number}/status", status="CANCELLED", by=by)
    _, first, second = [each.json for each in await receiver.wait_for(3)]
    document = await shop.read(number)

    assert (["CANCELLED"], 2) == (moved["passed"], moved["notices"])
    assert ("CANCELLED", by) == (document["status"], document["cancellation_initiator"])
    assert (1, "CANCEL") == (first["type"], first["data"]["order_status"])
    assert 11 == second["type"]
    assert {
        "order_id": number,
        "cancellations_role": by,
        "cancel_status": "CANCELLATION_REQUEST_SUCCESS",
        "cancel_id": second["data"]["cancel_id"],
        "create_time": START,
    } == second["data"]


async def test_a_partly_shipped_order_has_no_word_in_notice_1(sandbox: Sandbox, receiver: Receiver) -> None:
    """The status is the API's alone; from there it goes on."""
    shop = await opened(sandbox, receiver)
    number = await shop.order("AWAITING_SHIPMENT")
    partly = await sandbox.steer(f"orders/{number}/status", status="PARTIALLY_SHIPPING")
    whole = await sandbox.steer(f"orders/{number}/status")

    assert (["PARTIALLY_SHIPPING"], 0) == (partly["passed"], partly["notices"])
    assert (["AWAITING_COLLECTION"], 1) == (whole["passed"], whole["notices"])


@pytest.mark.parametrize(
    ("status", "to"),
    [
        ("AWAITING_SHIPMENT", "UNPAID"),
        ("AWAITING_SHIPMENT", "AWAITING_SHIPMENT"),
        ("AWAITING_SHIPMENT", "ON_HOLD"),
        ("IN_TRANSIT", "CANCELLED"),
        ("DELIVERED", "PARTIALLY_SHIPPING"),
        ("COMPLETED", "CANCELLED"),
        ("CANCELLED", "COMPLETED"),
    ],
)
async def test_an_order_does_not_go_back_nor_astray(sandbox: Sandbox, receiver: Receiver, status: str, to: str) -> None:
    """409 with where it can go, and nobody is told."""
    shop = await opened(sandbox, receiver)
    number = await shop.order(status)
    await receiver.wait_for(1)
    reply = await sandbox.client.post(f"/_sandbox/orders/{number}/status", status=to)

    assert (409, "no_way") == (reply.status, reply.json["error"]["code"])
    assert f"Order {number} is {status} and" in reply.json["error"]["message"]
    assert status == (await shop.read(number))["status"]
    assert 1 == len(receiver.deliveries)


@pytest.mark.parametrize(
    ("route", "body", "status", "code"),
    [
        ("orders/1/status", {}, 404, "unknown_order"),
        ("orders/x%00y/status", {}, 404, "unknown_order"),
        ("orders/1/happenings", {"what": "split"}, 404, "unknown_order"),
        ("orders/1/happenings", {}, 400, "invalid_body"),
        ("orders/1/happenings", {"what": "rain"}, 400, "invalid_body"),
        ("orders/1/status", {"status": "CANCEL"}, 400, "invalid_body"),
        ("orders/1/status", {"to": "COMPLETED"}, 400, "invalid_body"),
        ("orders/1/status", {"status": "CANCELLED", "by": "COURIER"}, 400, "invalid_body"),
    ],
)
async def test_what_is_asked_of_no_order_is_refused(
    sandbox: Sandbox, route: str, body: Any, status: int, code: str
) -> None:
    """A 4xx and a sentence."""
    reply = await sandbox.client.post(f"/_sandbox/{route}", **body)

    assert (status, code) == (reply.status, reply.json["error"]["code"])


async def test_a_buyer_asks_to_cancel_and_thinks_again(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 11, pending and then cancelled, under one cancel_id; the search finds the order by it meanwhile."""
    shop = await opened(sandbox, receiver, topics=[11])
    number = await shop.order("AWAITING_SHIPMENT")
    asked = await sandbox.steer(f"orders/{number}/happenings", what="cancellation_requested")
    meanwhile = await shop.read(number)
    twice = await sandbox.client.post(f"/_sandbox/orders/{number}/happenings", what="cancellation_requested")
    await sandbox.steer(f"orders/{number}/happenings", what="cancellation_withdrawn")
    nothing = await sandbox.client.post(f"/_sandbox/orders/{number}/happenings", what="cancellation_withdrawn")
    first, second = [each.json["data"] for each in await receiver.wait_for(2)]

    assert (1, [], "AWAITING_SHIPMENT") == (asked["notices"], asked["passed"], asked["status"])
    assert (True, False) == (
        meanwhile["is_buyer_request_cancel"],
        (await shop.read(number))["is_buyer_request_cancel"],
    )
    assert ["CANCELLATION_REQUEST_PENDING", "CANCELLATION_REQUEST_CANCELLED"] == [
        each["cancel_status"] for each in (first, second)
    ]
    assert first["cancel_id"] == second["cancel_id"]
    assert {"BUYER"} == {each["cancellations_role"] for each in (first, second)}
    assert (409, 409) == (twice.status, nothing.status)


async def test_a_new_address_is_told_but_not_shown_in_the_notice(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 3: that it changed. The order has another recipient from then on, and keeps it."""
    shop = await opened(sandbox, receiver, topics=[3])
    number = await shop.order("AWAITING_SHIPMENT")
    before = await shop.read(number)
    await sandbox.steer(f"orders/{number}/happenings", what="address_changed")
    after = await shop.read(number)
    (delivery,) = await receiver.wait_for(1)
    await sandbox.steer(f"orders/{number}/status", status="IN_TRANSIT")
    late = await sandbox.client.post(f"/_sandbox/orders/{number}/happenings", what="address_changed")

    assert (3, {"order_id": number, "update_time": START}) == (delivery.json["type"], delivery.json["data"])
    assert before["recipient_address"] != after["recipient_address"]
    assert (False, True) == (before["has_updated_recipient_address"], after["has_updated_recipient_address"])
    assert after["recipient_address"] == (await shop.read(number))["recipient_address"]
    assert 409 == late.status


async def test_an_address_may_change_before_it_is_shown(sandbox: Sandbox, receiver: Receiver) -> None:
    """An unpaid order shows none, and does not by being changed."""
    shop = await opened(sandbox, receiver)
    number = await shop.order()
    await sandbox.steer(f"orders/{number}/happenings", what="address_changed")

    assert "recipient_address" not in await shop.read(number)


async def test_a_split_order_has_a_package_for_every_unit(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 4 with the packages and the orders in them; once only."""
    shop = await opened(sandbox, receiver, topics=[4])
    number = await shop.order_of_two()
    await sandbox.steer(f"orders/{number}/happenings", what="split")
    document = await shop.read(number)
    (delivery,) = await receiver.wait_for(1)
    again = await sandbox.client.post(f"/_sandbox/orders/{number}/happenings", what="split")
    packages = [each["id"] for each in document["packages"]]

    assert packages == [item["package_id"] for item in document["line_items"]]
    assert len(packages) == len(set(packages)) > 1
    assert {
        "sc_type": "SPLIT",
        "role_type": "ROLE_SELLER",
        "package_list": [{"package_id": each, "order_id_list": [number]} for each in packages],
        "update_time": START,
    } == delivery.json["data"]
    assert 409 == again.status


async def test_what_has_arrived_may_be_returned(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 12, pending; not before it has arrived."""
    shop = await opened(sandbox, receiver, topics=[12])
    number = await shop.order("IN_TRANSIT")
    early = await sandbox.client.post(f"/_sandbox/orders/{number}/happenings", what="return_requested")
    await sandbox.steer(f"orders/{number}/status")
    await sandbox.steer(f"orders/{number}/happenings", what="return_requested")
    (delivery,) = await receiver.wait_for(1)
    data = delivery.json["data"]

    assert 409 == early.status
    assert (12, "RETURN_OR_REFUND_REQUEST_PENDING") == (delivery.json["type"], data["return_status"])
    assert (number, "BUYER", "RETURN_AND_REFUND", START, START) == tuple(
        data[name] for name in ("order_id", "return_role", "return_type", "create_time", "update_time")
    )
    assert 19 == len(data["return_id"])


async def test_a_change_that_is_no_new_status_is_not_told(sandbox: Sandbox, receiver: Receiver) -> None:
    """It is "triggered when the order_status of an order changes": a message of the buyer is none."""
    shop = await opened(sandbox, receiver)
    number = await shop.order("AWAITING_SHIPMENT")
    await receiver.wait_for(1)
    quiet = await sandbox.steer("orders", shop=shop.id, orders=[{"id": number, "buyer_message": "Ring twice"}])
    same = await sandbox.steer("orders", shop=shop.id, orders=[{"id": number, "status": "AWAITING_SHIPMENT"}])

    assert (0, 0) == (quiet["notices"], same["notices"])


async def test_nobody_hears_of_a_shop_that_has_not_authorized_it(sandbox: Sandbox, receiver: Receiver) -> None:
    """Nor of one that has cancelled, nor of one whose authorization has run out."""
    app = await sandbox.app(webhook_url=receiver.url, topics=LISTENING)
    cancelled, lapsed, stranger = [await sandbox.seller() for _ in range(3)]
    grant = (await sandbox.connected(app, cancelled))["grant_id"]
    await sandbox.steer(f"grants/{grant}/cancel")
    await sandbox.connected(app, lapsed, period="1h")
    await sandbox.steer("clock", advance="2h")

    assert [0, 0, 0] == [
        (await sandbox.steer("orders", shop=each["shops"][0]["id"], count=1))["notices"]
        for each in (cancelled, lapsed, stranger)
    ]
