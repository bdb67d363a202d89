"""Products that come, change and sell out, and the notices they send (wire sheet 4.5)."""

import json
from typing import Any

import pytest

from tests.sandbox.kit import START, Sandbox
from tests.sandbox.receiving import Receiver

LISTENING = [5, 15, 16, 27]
MUG = "1729000000000000001"


async def selling(sandbox: Sandbox, receiver: Receiver, **app: Any) -> str:
    """A shop with an app that listens; gives the shop's id."""
    made = await sandbox.app(webhook_url=receiver.url, **{"topics": LISTENING, **app})
    seller = await sandbox.seller()
    await sandbox.connected(made, seller)
    return str(seller["shops"][0]["id"])


async def change(sandbox: Sandbox, shop: str, **product: Any) -> int:
    """Bring or change the mug; gives how many notices went on their way."""
    said = await sandbox.steer("products", shop=shop, products=[{"id": MUG, **product}])
    return int(said["notices"])


async def told(receiver: Receiver, count: int) -> list[tuple[int, Any]]:
    """Types and payloads of all that arrived."""
    return [(each.json["type"], each.json["data"]) for each in await receiver.wait_for(count)]


async def test_a_new_product_is_told(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 16, with its id as a number, as the page's sample has it; also for those that come by count."""
    shop = await selling(sandbox, receiver)
    one = await change(sandbox, shop, quantity=20)
    two = (await sandbox.steer("products", shop=shop, count=2))["notices"]
    first = (await told(receiver, 3))[0]

    assert (1, 2) == (one, two)
    assert (16, {"product_id": int(MUG), "product_types": [], "update_time": START}) == first


async def test_the_id_may_be_written_as_a_string(sandbox: Sandbox, receiver: Receiver) -> None:
    """`product_id_in_notice`: for 5 and 16; elsewhere it is one anyway."""
    await sandbox.steer("switches", product_id_in_notice="string")
    shop = await selling(sandbox, receiver)
    await change(sandbox, shop, quantity=20)
    await change(sandbox, shop, status="FREEZE")

    assert [(16, MUG), (5, MUG)] == [(kind, data["product_id"]) for kind, data in await told(receiver, 2)]


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("PENDING", "ACTIVATE", "PRODUCT_FIRST_PASS_REVIEW"),
        ("PENDING", "FAILED", "PRODUCT_AUDIT_FAILURE"),
        ("ACTIVATE", "FREEZE", "PRODUCT_STATUS_CHANGED"),
        ("ACTIVATE", "PLATFORM_DEACTIVATED", "PRODUCT_STATUS_CHANGED"),
        ("FREEZE", "ACTIVATE", "PRODUCT_STATUS_CHANGED"),
        ("ACTIVATE", "SELLER_DEACTIVATED", ""),
        ("SELLER_DEACTIVATED", "ACTIVATE", ""),
        ("ACTIVATE", "DELETED", ""),
        ("DRAFT", "PENDING", ""),
        ("ACTIVATE", "ACTIVATE", ""),
    ],
)
async def test_what_the_platform_decides_about_a_product_is_told(
    sandbox: Sandbox, receiver: Receiver, before: str, after: str, word: str
) -> None:
    """Notice 5 has words for the platform's decisions only; what the seller does has none."""
    shop = await selling(sandbox, receiver, topics=[5])
    await change(sandbox, shop, status=before)
    count = await change(sandbox, shop, status=after)

    assert count == (1 if word else 0)
    if word:
        ((kind, data),) = await told(receiver, 1)
        assert (5, int(MUG), word, START) == (kind, data["product_id"], data["status"], data["update_time"])
        assert bool(data["suspended_reason"]) == (after != "ACTIVATE")


async def test_a_new_title_of_a_live_product_is_told(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 15 names what changed and where; price, stock and products that are not live have none."""
    shop = await selling(sandbox, receiver, topics=[15])
    await change(sandbox, shop, title="Mug", price="18.50", quantity=50)
    both = await change(sandbox, shop, title="Blue mug", seller_sku="MUG-2")
    none = await change(sandbox, shop, price="17.00", quantity=40)
    same = await change(sandbox, shop, title="Blue mug")
    await change(sandbox, shop, status="SELLER_DEACTIVATED")
    dead = await change(sandbox, shop, title="Green mug")
    ((kind, data),) = await told(receiver, 1)

    assert (1, 0, 0, 0) == (both, none, same, dead)
    assert (15, ["title", "others"]) == (kind, data["changed_fields"])
    assert (MUG, "SELLER_CENTER", START) == (data["product_id"], data["change_source"], data["update_time"])


async def test_an_app_without_the_scope_hears_nothing_of_a_products_properties(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """The page of notice 15 says "the Product Basic API scope is enabled"; that of 16 names none."""
    shop = await selling(sandbox, receiver, scopes=["seller.authorization.info", "seller.order.info"])
    created = await change(sandbox, shop, title="Mug")
    renamed = await change(sandbox, shop, title="Blue mug")

    assert (1, 0) == (created, renamed)


async def test_stock_that_falls_low_or_out_is_told_once(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 27 when a threshold is met; not while it stays there, nor when it rises."""
    shop = await selling(sandbox, receiver, topics=[27])
    await change(sandbox, shop, quantity=20)
    counts = [await change(sandbox, shop, quantity=left) for left in (12, 5, 4, 0, 0, 30, 0)]
    low, out, gone = await told(receiver, 3)

    assert [0, 1, 0, 1, 0, 0, 1] == counts
    assert {27} == {kind for kind, _ in (low, out, gone)}
    assert ["LOW_STOCK", "OUT_OF_STOCK", "OUT_OF_STOCK"] == [
        data["current_inventory_status"] for _, data in (low, out, gone)
    ]
    assert {"alert_type": "REALTIME", "low_stock_threshold": 5} == low[1]["trigger_reason"]
    assert {"alert_type": "REALTIME", "low_stock_threshold": 0} == gone[1]["trigger_reason"]
    assert {
        "total_quantity": 5,
        "available_quantity": 5,
        "creator_reserved_quantity": 0,
        "campaign_reserved_quantity": 0,
        "committed_quantity": 0,
    } == low[1]["inventory_distribution"]
    assert MUG == low[1]["product_id"]


async def variants(sandbox: Sandbox, app: Any, token: str, cipher: str) -> list[Any]:
    """The mug's variants as an inventory search answers them."""
    body = json.dumps({"product_ids": [MUG]}).encode()
    path = "/product/202309/inventory/search"
    reply = await sandbox.signed(app, token, "POST", path, query={"shop_cipher": cipher}, body=body)
    return list(reply.json["data"]["inventory"][0]["skus"])


async def test_pieces_that_open_orders_have_reserved_are_counted(sandbox: Sandbox, receiver: Receiver) -> None:
    """They are in the total of notice 27, and no longer available: the numbers of an inventory search."""
    app = await sandbox.app(webhook_url=receiver.url, topics=[27])
    seller = await sandbox.seller(shops=[{"name": "One thing", "orders": 0, "products": 0}])
    pair = await sandbox.connected(app, seller)
    shop = seller["shops"][0]
    await change(sandbox, shop["id"], quantity=20)
    await sandbox.steer("orders", shop=shop["id"], count=9)
    await change(sandbox, shop["id"], quantity=3)
    ((_, data),) = await told(receiver, 1)
    first = next(
        each
        for each in await variants(sandbox, app, pair["access_token"], shop["cipher"])
        if each["id"] == data["sku_id"]
    )
    distribution = data["inventory_distribution"]

    assert first["total_committed_quantity"] == distribution["committed_quantity"] > 0
    assert (3, 3 + first["total_committed_quantity"]) == (
        distribution["available_quantity"],
        distribution["total_quantity"],
    )


async def test_a_review_that_stands_elsewhere_is_told(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 37 in the words of the products search: auditing, approved, none."""
    shop = await selling(sandbox, receiver, topics=[37])
    for status in ("DRAFT", "PENDING", "ACTIVATE", "SELLER_DEACTIVATED", "DELETED"):
        await change(sandbox, shop, status=status)

    assert [(37, int(MUG), {"status": word}) for word in ("AUDITING", "APPROVED", "NONE")] == [
        (kind, data["product_id"], data["audit"]) for kind, data in await told(receiver, 3)
    ]


async def test_stock_an_app_sets_is_told_like_any_other(sandbox: Sandbox, receiver: Receiver) -> None:
    """An update through the API that sells a variant out: notice 27 to whoever listens, the app itself included."""
    app = await sandbox.app(webhook_url=receiver.url, topics=[27])
    seller = await sandbox.seller()
    pair = await sandbox.connected(app, seller)
    shop = seller["shops"][0]
    await change(sandbox, shop["id"], quantity=20)
    query = {"shop_cipher": shop["cipher"]}
    token = pair["access_token"]
    sku = (await variants(sandbox, app, token, shop["cipher"]))[0]["id"]
    stock = [{"warehouse_id": shop["warehouse_id"], "quantity": 4}]
    path = f"/product/202309/products/{MUG}/inventory/update"
    body = json.dumps({"skus": [{"id": sku, "inventory": stock}]}).encode()
    reply = await sandbox.signed(app, token, "POST", path, query=query, body=body)
    ((kind, data),) = await told(receiver, 1)

    assert 0 == reply.json["code"], reply.text
    assert (27, sku, "LOW_STOCK") == (kind, data["sku_id"], data["current_inventory_status"])


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (1, {"is_on_hold_order", "order_id", "order_status", "update_time"}),
        (3, {"order_id", "update_time"}),
        (4, {"sc_type", "role_type", "package_list", "update_time"}),
        (5, {"product_id", "status", "suspended_reason", "update_time"}),
        (6, {"message"}),
        (7, {"message", "expiration_time"}),
        (11, {"order_id", "cancellations_role", "cancel_status", "cancel_id", "create_time"}),
        (
            12,
            {"order_id", "return_role", "return_type", "return_status", "return_id", "create_time", "update_time"},
        ),
        (15, {"product_id", "change_source", "changed_fields", "update_time"}),
        (16, {"product_id", "product_types", "update_time"}),
        (
            27,
            {
                "product_id",
                "sku_id",
                "trigger_reason",
                "current_inventory_status",
                "inventory_distribution",
                "update_time",
            },
        ),
        (37, {"product_id", "audit", "update_time"}),
        (71, set()),
    ],
)
async def test_a_notice_on_demand_has_the_documented_fields(
    sandbox: Sandbox, receiver: Receiver, kind: int, fields: set[str]
) -> None:
    """Without data of its own it speaks of the shop's newest order or product; where nothing is documented, of nothing.

    It is sent though the app has subscribed to no topic: that is what was asked for.
    """
    app = await sandbox.app(webhook_url=receiver.url, topics=[])
    await sandbox.connected(app, await sandbox.seller())
    await sandbox.steer("notices", type=kind, app=app["key"])
    ((number, data),) = await told(receiver, 1)

    assert (kind, fields) == (number, set(data))


async def test_a_notice_about_nothing_needs_data(sandbox: Sandbox, receiver: Receiver) -> None:
    """A shop without orders and products has nothing to speak of: 409 and a sentence."""
    app = await sandbox.app(webhook_url=receiver.url)
    await sandbox.connected(app, await sandbox.seller(shops=[{"name": "Empty", "orders": 0, "products": 0}]))
    for kind, what in ((11, "order"), (5, "product")):
        reply = await sandbox.client.post("/_sandbox/notices", type=kind, app=app["key"])
        assert (409, "nothing_for_sale") == (reply.status, reply.json["error"]["code"])
        assert f"has no {what}" in reply.json["error"]["message"]
