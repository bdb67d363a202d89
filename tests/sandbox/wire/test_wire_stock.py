"""Stock and warehouses: what is found, what is set, and what fails without failing the rest (wire sheet 6.3, 6.4)."""

from typing import Any

import pytest

from tests.sandbox.kit import Sandbox
from tests.sandbox.wired import Wired, assert_refused, wired

SEARCH = "/product/202309/inventory/search"
WAREHOUSES = "/logistics/202309/warehouses"


def update(product: Any) -> str:
    """The path of a product's update."""
    return f"/product/202309/products/{product['id']}/inventory/update"


def stock(sku: Any, *lines: Any) -> Any:
    """What shall be of one variant; a number stands for the only warehouse."""
    inventory = [{"quantity": line} if isinstance(line, int) else line for line in lines]
    return {"id": sku["id"], "inventory": inventory}


async def found(to: Wired, product: Any) -> dict[str, Any]:
    """The stock of a product's variants, by their ids."""
    data = await to.data("POST", SEARCH, {"product_ids": [product["id"]]})
    assert [product["id"]] == [each["product_id"] for each in data["inventory"]]
    return {sku["id"]: sku for sku in data["inventory"][0]["skus"]}


async def test_stock_is_found_by_product_and_by_variant(sandbox: Sandbox) -> None:
    """All variants of a product, or those named; `sku_ids` wins if both are given; totals are sums."""
    to = await wired(sandbox, products=4)
    first, second, *_ = await to.products()
    by_product = await to.data("POST", SEARCH, {"product_ids": [first["id"], second["id"]]})
    wanted = second["skus"][0]["id"]
    by_sku = await to.data("POST", SEARCH, {"product_ids": [first["id"]], "sku_ids": [wanted]})

    assert {first["id"], second["id"]} == {each["product_id"] for each in by_product["inventory"]}
    assert [(second["id"], [wanted])] == [
        (each["product_id"], [sku["id"] for sku in each["skus"]]) for each in by_sku["inventory"]
    ]
    for each in by_product["inventory"]:
        for sku in each["skus"]:
            lines = sku["warehouse_inventory"]
            assert sku["total_available_quantity"] == sum(line["available_quantity"] for line in lines)
            assert sku["total_committed_quantity"] == sum(line["committed_quantity"] for line in lines)
    known = {sku["id"]: sku["inventory"][0]["quantity"] for sku in first["skus"]}
    assert known == {sku: line["total_available_quantity"] for sku, line in (await found(to, first)).items()}


async def test_what_open_orders_hold_is_committed(sandbox: Sandbox) -> None:
    """One line item is one unit; what was sent or cancelled holds nothing any more."""
    to = await wired(sandbox, products=1, orders=0)
    (product,) = await to.products()
    made = await sandbox.steer("orders", shop=to.shop["id"], count=2)
    orders = await to.data("POST", "/order/202309/orders/search", {}, page_size="100")
    units = sum(len(order["line_items"]) for order in orders["orders"])
    before = sum(sku["total_committed_quantity"] for sku in (await found(to, product)).values())
    ended = [
        {"id": made["orders"][0]["id"], "status": "CANCELLED"},
        {"id": made["orders"][1]["id"], "status": "DELIVERED"},
    ]
    await sandbox.steer("orders", shop=to.shop["id"], orders=ended)
    after = sum(sku["total_committed_quantity"] for sku in (await found(to, product)).values())

    assert units == before >= 2
    assert 0 == after


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"product_ids": [str(number) for number in range(101)]}, 12019120),
        ({"sku_ids": [str(number) for number in range(601)]}, 12019015),
        ({"product_ids": ["a1"]}, 12019008),
        ({}, 36009004),
        ({"product_ids": "1"}, 36009004),
        (b"{", 36009022),
        (b'{"x":' + b"[" * 100_000, 36009022),
    ],
)
async def test_a_search_for_stock_that_makes_no_sense_is_refused(sandbox: Sandbox, body: Any, code: int) -> None:
    """Too many ids, none, and such as are none."""
    to = await wired(sandbox)

    assert_refused(await to.call("POST", SEARCH, body), code)


async def test_another_shops_stock_is_not_found(sandbox: Sandbox) -> None:
    """Nor is its product updated, and it is told apart from one that nobody has."""
    to, other = await wired(sandbox), await wired(sandbox)
    (product, *_) = await other.products()
    body = {"skus": [stock(product["skus"][0], 5)]}

    assert [] == (await to.data("POST", SEARCH, {"product_ids": [product["id"]]}))["inventory"]
    assert [] == (await to.data("POST", SEARCH, {"sku_ids": [product["skus"][0]["id"]]}))["inventory"]
    assert_refused(await to.call("POST", update(product), body), 12052048)
    assert_refused(await to.call("POST", update({"id": "1729000000000000001"}), body), 12052032)


async def test_a_stock_that_was_set_shows_everywhere(sandbox: Sandbox) -> None:
    """In both searches, with the time of the change; the other variants keep theirs."""
    to = await wired(sandbox)
    product = next(each for each in await to.products() if len(each["skus"]) > 1)
    first, other, *_ = product["skus"]
    sandbox.wall.at += 60
    warehouse = first["inventory"][0]["warehouse_id"]
    line = {"warehouse_id": warehouse, "quantity": 77, "backorder_quantity": 5, "handling_time": 3}
    data = await to.data("POST", update(product), {"skus": [stock(first, line)]})
    shown = next(each for each in await to.products() if each["id"] == product["id"])
    by_id = {sku["id"]: sku for sku in shown["skus"]}

    assert {} == data
    assert [line] == by_id[first["id"]]["inventory"]
    assert other["inventory"] == by_id[other["id"]]["inventory"]
    assert sandbox.now == shown["update_time"]
    assert 77 == (await found(to, product))[first["id"]]["total_available_quantity"]
    await to.data("POST", update(product), {"skus": [stock(first, 0)]})
    again = next(each for each in await to.products() if each["id"] == product["id"])
    kept = {"warehouse_id": warehouse, "quantity": 0, "backorder_quantity": 5, "handling_time": 3}
    assert [kept] == next(sku for sku in again["skus"] if sku["id"] == first["id"])["inventory"]


async def test_what_is_wrong_with_one_variant_is_listed_in_a_success(sandbox: Sandbox) -> None:
    """Code 0, HTTP 200 and `errors` with 12052990 and 12052097, as the official sample has it; the others are set."""
    to = await wired(sandbox)
    product = next(each for each in await to.products() if len(each["skus"]) > 1)
    wrong, right, *_ = product["skus"]
    missing = {"warehouse_id": "7068000000000000009", "quantity": 5}
    data = await to.data("POST", update(product), {"skus": [stock(wrong, missing), stock(right, 41)]})
    after = await found(to, product)

    wanted = {
        "code": 12052990,
        "message": "Check failed",
        "detail": {
            "sku_id": wrong["id"],
            "extra_errors": [
                {"code": 12052097, "message": "The warehouse does not exist", "warehouse_id": "7068000000000000009"}
            ],
        },
    }
    assert {"errors": [wanted]} == data
    assert wrong["inventory"][0]["quantity"] == after[wrong["id"]]["total_available_quantity"]
    assert 41 == after[right["id"]]["total_available_quantity"]


async def failing(to: Wired, product: Any, *lines: Any) -> list[tuple[int, str]]:
    """What is wrong with lines for a product's first variant: the code and the warehouse of each."""
    data = await to.data("POST", update(product), {"skus": [stock(product["skus"][0], *lines)]})
    return [
        (extra["code"], extra.get("warehouse_id", ""))
        for error in data.get("errors", ())
        for extra in error["detail"]["extra_errors"]
    ]


async def test_all_warehouses_of_a_variant_have_to_be_named(sandbox: Sandbox) -> None:
    """12019028 if one is left out, also by leaving out the id; 12052533 for one in which it does not lie."""
    to = await wired(sandbox)
    (product, *_) = await to.products()
    second = await sandbox.steer("warehouses", shop=to.shop["id"], name="Second site", stock=True)
    unused = await sandbox.steer("warehouses", shop=to.shop["id"], name="Third site")
    one, two = to.shop["warehouse_id"], second["id"]
    both = [{"warehouse_id": one, "quantity": 4}, {"warehouse_id": two, "quantity": 6}]

    assert [(12019028, "")] == await failing(to, product, both[0])
    assert [(12019028, "")] == await failing(to, product, 4)
    assert [(12019028, "")] == await failing(to, product, both[0], both[0])
    extra = {"warehouse_id": unused["id"], "quantity": 1}
    assert [(12052533, unused["id"])] == await failing(to, product, *both, extra)
    assert [] == await failing(to, product, *both)
    sku = (await found(to, product))[product["skus"][0]["id"]]
    assert 10 == sku["total_available_quantity"]
    assert {one: 4, two: 6} == {line["warehouse_id"]: line["available_quantity"] for line in sku["warehouse_inventory"]}


async def test_a_warehouse_that_will_not_do_is_named(sandbox: Sandbox) -> None:
    """Somebody else's, a disabled one, and the one for returns."""
    to = await wired(sandbox)
    (product, *_) = await to.products()
    other = (await sandbox.world())["sellers"][0]["shops"][0]["warehouse_id"]
    listed = (await to.data("GET", WAREHOUSES))["warehouses"]
    returns = next(each["id"] for each in listed if each["type"] == "RETURN_WAREHOUSE")

    assert [(12052530, other)] == await failing(to, product, {"warehouse_id": other, "quantity": 1})
    assert [(12052532, returns)] == await failing(to, product, {"warehouse_id": returns, "quantity": 1})
    await sandbox.steer("warehouses", shop=to.shop["id"], id=to.shop["warehouse_id"], status="DISABLED")
    assert [(12052531, to.shop["warehouse_id"])] == await failing(to, product, 1)


@pytest.mark.parametrize("quantity", [-1, 100_000, 10**12])
async def test_a_stock_beyond_the_limits_is_listed(sandbox: Sandbox, quantity: int) -> None:
    """1 to 99,999, and 0 as long as the switch lets it."""
    to = await wired(sandbox)
    (product, *_) = await to.products()

    assert [12052055] == [code for code, _ in await failing(to, product, quantity)]
    assert [] == await failing(to, product, 99_999)


async def test_whether_nothing_can_be_in_stock_is_a_switch(sandbox: Sandbox) -> None:
    """`zero_stock`: the documents begin at 1, and sellers must be able to sell out."""
    to = await wired(sandbox)
    (product, *_) = await to.products()

    assert [] == await failing(to, product, 0)
    await sandbox.steer("switches", zero_stock="refused")
    assert [12052055] == [code for code, _ in await failing(to, product, 0)]
    assert [] == await failing(to, product, 1)


@pytest.mark.parametrize(
    ("status", "newer", "older"),
    [
        ("ACTIVATE", 0, 0),
        ("SELLER_DEACTIVATED", 0, 12052901),
        ("FREEZE", 12052901, 12052901),
        ("DELETED", 12052901, 12052901),
    ],
)
async def test_whose_stock_can_be_set_depends_on_its_status(
    sandbox: Sandbox, status: str, newer: int, older: int
) -> None:
    """All but frozen and deleted ones in 2026, active ones only in 2025: `stock_states`."""
    to = await wired(sandbox)
    (product, *_) = await to.products()
    await sandbox.steer("products", shop=to.shop["id"], products=[{"id": product["id"], "status": status}])
    body = {"skus": [stock(product["skus"][0], 5)]}

    assert newer == (await to.call("POST", update(product), body)).json["code"]
    await sandbox.steer("switches", stock_states="active_only")
    assert older == (await to.call("POST", update(product), body)).json["code"]


@pytest.mark.parametrize(
    ("skus", "code"),
    [
        ([], 12052902),
        ([{"inventory": [{"quantity": 1}]}], 12052036),
        ([{"id": "1729000000000000099", "inventory": [{"quantity": 1}]}], 12052556),
        ("twice", 12052553),
        (None, 36009004),
        ([{"id": "1"}], 36009004),
        ([{"id": "1", "inventory": [{"quantity": "5"}]}], 36009004),
        ([{"id": "1", "inventory": [{}]}], 36009004),
    ],
)
async def test_an_update_that_makes_no_sense_is_refused(sandbox: Sandbox, skus: Any, code: int) -> None:
    """As a whole; nothing is set."""
    to = await wired(sandbox)
    (product, *_) = await to.products()
    before = await found(to, product)
    given = [stock(product["skus"][0], 5)] * 2 if skus == "twice" else skus
    reply = await to.call("POST", update(product), {} if given is None else {"skus": given})

    assert_refused(reply, code)
    assert before == await found(to, product)


async def test_a_seller_that_is_not_active_is_refused(sandbox: Sandbox) -> None:
    """12052700, for searching products and for setting stock."""
    to = await wired(sandbox)
    (product, *_) = await to.products()
    await sandbox.steer(f"sellers/{to.seller['id']}/standing", standing="deactivated")
    body = {"skus": [stock(product["skus"][0], 5)]}

    assert_refused(await to.call("POST", update(product), body), 12052700)
    assert_refused(await to.call("POST", "/product/202502/products/search", {}, page_size="1"), 12052700)
    await sandbox.steer(f"sellers/{to.seller['id']}/standing", standing="active")
    assert {} == await to.data("POST", update(product), body)


async def test_warehouses_are_listed(sandbox: Sandbox) -> None:
    """One to sell from, one for returns at the same address under another id, and whatever was opened since."""
    to = await wired(sandbox)
    sales, returns = (await to.data("GET", WAREHOUSES))["warehouses"]

    assert to.shop["warehouse_id"] == sales["id"] != returns["id"]
    assert ("SALES_WAREHOUSE", "RETURN_WAREHOUSE") == (sales["type"], returns["type"])
    assert {"DOMESTIC_WAREHOUSE"} == {sales["sub_type"], returns["sub_type"]}
    assert (sales["address"], "GB") == (returns["address"], sales["address"]["region_code"])
    assert (True, "ENABLED") == (sales["is_default"], sales["effect_status"])
    opened = await sandbox.steer("warehouses", shop=to.shop["id"], name="Second site", status="RESTRICTED")
    third = (await to.data("GET", WAREHOUSES))["warehouses"][2]
    assert (opened["id"], "Second site", "RESTRICTED", False) == (
        third["id"],
        third["name"],
        third["effect_status"],
        third["is_default"],
    )


async def test_a_cross_border_sellers_warehouse_is_in_the_market(sandbox: Sandbox) -> None:
    """CB_OVERSEA_WAREHOUSE: "a local warehouse in the target market"."""
    to = await wired(sandbox, kind="cross_border", region="MY")
    listed = (await to.data("GET", WAREHOUSES))["warehouses"]

    assert {"CB_OVERSEA_WAREHOUSE"} == {each["sub_type"] for each in listed}
    assert {"MY"} == {each["address"]["region_code"] for each in listed}


async def test_warehouses_are_steered_with_sense(sandbox: Sandbox) -> None:
    """An unknown shop, warehouse or seller is a 404 that says what to do."""
    shop = (await sandbox.world())["sellers"][0]["shops"][0]["id"]
    for path, body in (
        ("warehouses", {"shop": "1"}),
        ("warehouses", {"shop": shop, "id": "1"}),
        ("sellers/1/standing", {"standing": "active"}),
    ):
        reply = await sandbox.client.post(f"/_sandbox/{path}", **body)
        assert 404 == reply.status
    assert 400 == (await sandbox.client.post("/_sandbox/sellers/1/standing", standing="gone")).status


async def test_whoever_listens_hears_that_an_app_has_sold_something_out(sandbox: Sandbox) -> None:
    """Notice 27 goes to every app with a grant that wants it."""
    to = await wired(sandbox)
    await sandbox.steer("apps", key=to.app["key"], webhook_url="http://127.0.0.1:1/hooks", topics=[27])
    product = next(each for each in await to.products() if each["skus"][0]["inventory"][0]["quantity"])
    await to.data("POST", update(product), {"skus": [stock(product["skus"][0], 0)]})
    log = await sandbox.ask("notices")

    assert [27] == [each["type"] for each in log["items"]]
