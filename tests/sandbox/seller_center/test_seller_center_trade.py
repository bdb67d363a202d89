"""Seller Center's orders and products: lists, one order in full, a shipment, another stock number."""

from typing import Any

import pytest

from tests.sandbox.kit import Sandbox
from tests.sandbox.receiving import Receiver
from tests.sandbox.visiting import Visitor

OWNER = "amelia@thamesandclay.example"
STOCK = "stock@thamesandclay.example"
BOOKS = "books@thamesandclay.example"
SUPPORT = "support@thamesandclay.example"


async def at(visitor: Visitor, path: str, email: str = OWNER) -> None:
    """A page, signed in."""
    await visitor.open(path)
    await visitor.sign_in(email)


def numbers(visitor: Visitor) -> list[str]:
    """The orders of the list in front of the visitor."""
    return [str(link.text) for link in visitor.page.xpath("//main//tbody//a")]


def stock_buttons(visitor: Visitor) -> list[str]:
    """The buttons that change a stock."""
    return [label for label in visitor.buttons if label.startswith("Save the stock of")]


def code(visitor: Visitor) -> tuple[int, str | None]:
    """How a page refuses."""
    return visitor.reply.status, visitor.reply.header("x-error-code")


async def first_shop(sandbox: Sandbox) -> Any:
    """The seeded seller's first shop."""
    return (await sandbox.world())["sellers"][0]["shops"][0]


# --- orders


async def test_the_pages_of_the_list_show_every_order_once(visitor: Visitor) -> None:
    """Sixty orders on three pages, none twice, and a way back to the first."""
    await at(visitor, "/seller/orders")
    first, seen, pages = numbers(visitor), numbers(visitor), 1
    while follow := visitor.page.xpath("//a[starts-with(normalize-space(.), 'Next page')]/@href"):
        await visitor.open(str(follow[0]))
        seen += numbers(visitor)
        pages += 1
    await visitor.open(str(visitor.page.xpath("//a[normalize-space(.) = 'First page']/@href")[0]))

    assert (3, 60, 60) == (pages, len(seen), len(set(seen)))
    assert first == numbers(visitor)


async def test_a_tab_shows_orders_of_its_status_only(sandbox: Sandbox, visitor: Visitor) -> None:
    """As many as the platform says there are."""
    await at(visitor, "/seller/orders")
    tabs = {tab.text: tab.get("href") for tab in visitor.page.xpath("//nav[@aria-label='Status']//a")}
    await visitor.open(str(tabs["To ship"]))
    badges = {badge.text for badge in visitor.page.xpath("//main//tbody//*[contains(@class, 'badge')]")}
    found = numbers(visitor)
    app = (await sandbox.world())["apps"][0]
    shop = await first_shop(sandbox)
    pair = await sandbox.connected(app, {"email": OWNER}, shop=shop["id"])
    reply = await sandbox.signed(
        app,
        pair["access_token"],
        "POST",
        "/order/202309/orders/search",
        query={"shop_cipher": shop["cipher"], "page_size": "50"},
        body=b'{"order_status": "AWAITING_SHIPMENT"}',
    )

    assert {"To ship"} == badges
    assert [order["id"] for order in reply.json["data"]["orders"]] == found
    assert "page" == visitor.page.xpath("//nav[@aria-label='Status']//a[.='To ship']/@aria-current")[0]


@pytest.mark.parametrize(
    "query", ["status=NONE", "after=x", "after=1.", "after=1.2.3", "after=.1", "after=99999999999999.1"]
)
@pytest.mark.parametrize("path", ["/seller/orders", "/seller/products"])
async def test_a_list_that_cannot_be_is_refused(visitor: Visitor, path: str, query: str) -> None:
    """A status or a place nobody made."""
    await at(visitor, path)
    await visitor.open(f"{path}?{query}")

    assert 404 == visitor.reply.status
    assert visitor.reply.header("x-error-code") in {"unknown_status", "unknown_place"}


async def test_an_order_is_shown_in_full(sandbox: Sandbox, visitor: Visitor) -> None:
    """Items, money, what happened and the masked recipient, as the API has them."""
    await at(visitor, "/seller/orders?status=DELIVERED")
    order_id = numbers(visitor)[0]
    await visitor.open(f"/seller/orders/{order_id}")
    app, shop = (await sandbox.world())["apps"][0], await first_shop(sandbox)
    pair = await sandbox.connected(app, {"email": OWNER}, shop=shop["id"])
    reply = await sandbox.signed(
        app,
        pair["access_token"],
        "GET",
        "/order/202309/orders",
        query={"shop_cipher": shop["cipher"], "ids": order_id},
    )
    (order,) = reply.json["data"]["orders"]

    assert f"Order {order_id} Delivered" == visitor.heading
    for item in order["line_items"]:
        assert item["product_name"] in visitor.text
        assert item["seller_sku"] in visitor.text
    assert f"{order['payment']['total_amount']} {order['payment']['currency']}" in visitor.text
    assert order["recipient_address"]["name"] in visitor.text
    assert order["tracking_number"] in visitor.text


async def test_an_unpaid_order_hides_the_recipient(visitor: Visitor) -> None:
    """As the API does, before the order is paid."""
    await at(visitor, "/seller/orders?status=UNPAID")
    await visitor.open(f"/seller/orders/{numbers(visitor)[0]}")

    assert "Shown once the order is paid" in visitor.text


@pytest.mark.parametrize("order_id", ["1", "576", "%27%3B--", "x" * 300])
async def test_an_order_that_is_not_the_shops_is_not_there(visitor: Visitor, order_id: str) -> None:
    """Whatever its number."""
    await at(visitor, "/seller")
    await visitor.open(f"/seller/orders/{order_id}")

    assert (404, "unknown_order") == code(visitor)


async def test_an_order_of_another_seller_is_not_there(sandbox: Sandbox, visitor: Visitor) -> None:
    """Nor the one of the seller's other shop, before that is chosen."""
    other = Visitor(sandbox)
    await at(other, "/seller/orders", "logan@cedarridge.example")
    await at(visitor, "/seller")
    await visitor.open(f"/seller/orders/{numbers(other)[0]}")

    assert (404, "unknown_order") == code(visitor)


async def test_a_shipment_is_arranged_once_and_the_app_hears_of_it(
    sandbox: Sandbox, visitor: Visitor, receiver: Receiver
) -> None:
    """The order waits for the carrier; notice 1 says so; a second try is refused."""
    app = await sandbox.app(webhook_url=receiver.url)
    shop = await first_shop(sandbox)
    await sandbox.connected(app, {"email": OWNER}, shop=shop["id"])
    await at(visitor, "/seller/orders?status=AWAITING_SHIPMENT")
    order_id = numbers(visitor)[0]
    await visitor.open(f"/seller/orders/{order_id}")
    again = Visitor(sandbox, client=visitor.client)
    await again.open(f"/seller/orders/{order_id}")
    await visitor.press("Arrange shipment")
    (told,) = await receiver.wait_for(1)
    await again.press("Arrange shipment")

    assert f"Order {order_id} Awaiting collection" == visitor.heading
    assert "The shipment is arranged" in visitor.text
    assert "Arrange shipment" not in visitor.buttons
    assert (1, order_id, "AWAITING_COLLECTION") == (
        told.json["type"],
        told.json["data"]["order_id"],
        told.json["data"]["order_status"],
    )
    assert (409, "not_to_ship") == code(again)


async def test_a_role_that_may_only_look_cannot_ship(sandbox: Sandbox, visitor: Visitor) -> None:
    """No button, and a refusal for whoever sends the form all the same."""
    boss = Visitor(sandbox)
    await at(boss, "/seller/orders?status=AWAITING_SHIPMENT")
    path = f"/seller/orders/{numbers(boss)[0]}"
    await at(visitor, path, SUPPORT)
    token = visitor.page.xpath("//input[@name='form_token']/@value")[0]
    reply = await visitor.client.call("POST", f"{path}/shipment", body=f"form_token={token}".encode())
    await boss.open(path)

    assert "Arrange shipment" not in visitor.buttons
    assert (403, "role_not_allowed") == (reply.status, reply.header("x-error-code"))
    assert "Arrange shipment" in boss.buttons


# --- products


@pytest.mark.parametrize("email", [OWNER, STOCK])
async def test_a_stock_number_is_changed_and_the_app_reads_it(sandbox: Sandbox, visitor: Visitor, email: str) -> None:
    """The API answers the new number for this variant and the old ones for all others."""
    app, shop = (await sandbox.world())["apps"][0], await first_shop(sandbox)
    pair = await sandbox.connected(app, {"email": OWNER}, shop=shop["id"])

    async def stocks() -> dict[str, int]:
        reply = await sandbox.signed(
            app,
            pair["access_token"],
            "POST",
            "/product/202309/products/search",
            query={"shop_cipher": shop["cipher"], "page_size": "50"},
            body=b"{}",
        )
        variants = [sku for product in reply.json["data"]["products"] for sku in product["skus"]]
        return {sku["id"]: sum(stock["quantity"] for stock in sku["inventory"]) for sku in variants}

    before = await stocks()
    await at(visitor, "/seller/products", email)
    button = stock_buttons(visitor)[4]
    field = button.removeprefix("Save the stock of ").strip()
    visitor.fill(f"Stock of {field}", "4711")
    await visitor.press(button)
    after = await stocks()
    changed = {sku for sku, number in after.items() if number != before[sku]}

    assert "The stock was changed." in visitor.text
    assert ["4711"] == visitor.page.xpath(f"//input[@id=//label[normalize-space() = 'Stock of {field}']/@for]/@value")
    assert [4711] == [after[sku] for sku in changed]
    assert set(before) == set(after)


async def test_stock_that_is_sold_out_by_hand_is_told(sandbox: Sandbox, visitor: Visitor, receiver: Receiver) -> None:
    """Notice 27, as after an update by the API; a stock that stays high is told to nobody."""
    app = await sandbox.app(webhook_url=receiver.url, topics=[27])
    await sandbox.steer("authorize", app=app["key"], seller=OWNER)
    await at(visitor, "/seller/products")
    button = stock_buttons(visitor)[0]
    for number in ("900", "800", "0"):
        visitor.fill(button.replace("Save the stock", "Stock"), number)
        await visitor.press(button)
    (notice,) = await receiver.wait_for(1)

    assert (27, "OUT_OF_STOCK") == (notice.json["type"], notice.json["data"]["current_inventory_status"])


@pytest.mark.parametrize("entered", ["", "-1", "1.5", "ten", "100000", "٣", "1e3", "9" * 400])
async def test_a_number_that_cannot_be_is_refused(visitor: Visitor, entered: str) -> None:
    """With the reason, and the stock stays."""
    await at(visitor, "/seller/products")
    button = stock_buttons(visitor)[0]
    label = button.replace("Save the stock", "Stock")
    before = visitor.value(label)
    visitor.fill(label, entered)
    await visitor.press(button)
    refused = code(visitor)
    await visitor.open("/seller/products")

    assert (422, "invalid_quantity") == refused
    assert before == visitor.value(label)


async def test_another_shops_product_cannot_be_changed(sandbox: Sandbox, visitor: Visitor) -> None:
    """Nor one that does not exist."""
    other = Visitor(sandbox)
    await at(other, "/seller/products", "logan@cedarridge.example")
    foreign = str(other.page.xpath("//form[contains(@action, '/stock')]/@action")[0])
    sku = str(other.page.xpath("//input[@name='sku']/@value")[0])
    await at(visitor, "/seller/products")
    token = visitor.page.xpath("//input[@name='form_token']/@value")[0]
    body = f"form_token={token}&sku={sku}&quantity=1".encode()
    replies = [await visitor.client.call("POST", path, body=body) for path in (foreign, "/seller/products/x/stock")]

    assert [(404, "unknown_product")] * 2 == [(reply.status, reply.header("x-error-code")) for reply in replies]


async def test_a_role_that_may_only_look_cannot_change_a_stock(visitor: Visitor) -> None:
    """It sees numbers, and no field."""
    await at(visitor, "/seller/products", BOOKS)
    token = visitor.page.xpath("//input[@name='form_token']/@value")[0]
    body = f"form_token={token}&sku=1&quantity=1".encode()
    reply = await visitor.client.call("POST", "/seller/products/1/stock", body=body)

    assert [] == stock_buttons(visitor)
    assert "not change it" in visitor.text
    assert (403, "role_not_allowed") == (reply.status, reply.header("x-error-code"))


async def test_a_saved_stock_leads_back_to_where_the_list_was(visitor: Visitor) -> None:
    """With the filter still set, and never to another site."""
    await at(visitor, "/seller/products?status=ACTIVATE")
    button = stock_buttons(visitor)[0]
    visitor.fill(button.replace("Save the stock", "Stock"), "7")
    await visitor.press(button)

    assert ("/seller/products", "ACTIVATE") == (visitor.path, visitor.query["status"])
