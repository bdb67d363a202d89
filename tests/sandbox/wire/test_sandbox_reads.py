"""What the signed endpoints answer: orders, products, and an authorization given back (wire sheet section 6)."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import Sandbox
from tests.sandbox.wire.test_sandbox_signed_api import PRODUCTS, SEARCH, assert_refused, connected, search


async def test_all_pages_together_are_all_orders_once(sandbox: Sandbox) -> None:
    """Newest first; the token of the next page is opaque, and missing on the last."""
    app, seller, token, cipher = await connected(sandbox, orders=45)
    call = (app, token, cipher)
    seen: list[Any] = []
    tokens: list[str] = []
    page = await search(sandbox, call, page_size="7")
    while True:
        seen += page["orders"]
        assert 45 == page["total_count"]
        if not page["next_page_token"]:
            break
        tokens.append(page["next_page_token"])
        page = await search(sandbox, call, page_size="7", page_token=tokens[-1])

    assert 45 == len({order["id"] for order in seen}) == len(seen)
    assert sorted((order["create_time"] for order in seen), reverse=True) == [order["create_time"] for order in seen]
    assert 6 == len(set(tokens))
    assert seller["shops"][0]["orders"] == 45


async def test_pages_go_on_among_orders_from_before_1970(sandbox: Sandbox) -> None:
    """A world may be begun at any moment, and its orders lie two weeks back."""
    await sandbox.steer("reset", now=3600)
    app, _, token, cipher = await connected(sandbox, orders=9)
    page = await search(sandbox, (app, token, cipher), page_size="5")
    following = await search(sandbox, (app, token, cipher), page_size="5", page_token=page["next_page_token"])

    assert [5, 4] == [len(each["orders"]) for each in (page, following)]
    assert following["orders"][-1]["create_time"] < 0


async def test_page_tokens_hold_what_must_be_percent_encoded(sandbox: Sandbox) -> None:
    """Some hold `+`, some `/`, some end in `=`; a client that leaves the `+` as it is fails."""
    app, _, token, cipher = await connected(sandbox, orders=60)
    call = (app, token, cipher)
    page, tokens = await search(sandbox, call, page_size="1"), []
    while page["next_page_token"]:
        tokens.append(page["next_page_token"])
        page = await search(sandbox, call, page_size="1", page_token=tokens[-1])
    plus = next(each for each in tokens if "+" in each)
    query = {"app_key": app["key"], "timestamp": str(sandbox.now), "shop_cipher": cipher, "page_size": "1"}
    query["page_token"] = plus
    query["sign"] = signing.sign_request(secret=app["secret"], path=SEARCH, query=query)
    raw = urlencode(query).replace("%2B", "+")
    careless = await sandbox.client.call("POST", f"{SEARCH}?{raw}", headers={"x-tts-access-token": token})

    assert {True} == {any(sign in each for each in tokens) for sign in "+/="}
    assert not all(each.endswith("=") for each in tokens)
    assert_refused("wrong sign", careless)


@pytest.mark.parametrize("token", ["a+b/c==", "AAAA", "é", "x" * 300])
async def test_a_page_token_of_somebody_elses_is_refused(sandbox: Sandbox, token: str) -> None:
    """Junk; and a token of another search below."""
    app, _, access, cipher = await connected(sandbox)
    query = {"shop_cipher": cipher, "page_size": "1", "page_token": token}
    reply = await sandbox.signed(app, access, "POST", SEARCH, query=query)

    assert (400, 36009004) == (reply.status, reply.json["code"])
    assert "page_token" in reply.json["message"]


async def test_a_page_token_is_good_for_its_search_only(sandbox: Sandbox) -> None:
    """Sorting otherwise in the middle is refused."""
    app, _, access, cipher = await connected(sandbox)
    page = await search(sandbox, (app, access, cipher), page_size="1")
    query = {"shop_cipher": cipher, "page_size": "1", "page_token": page["next_page_token"], "sort_order": "ASC"}

    assert "page_token" in (await sandbox.signed(app, access, "POST", SEARCH, query=query)).json["message"]


@pytest.mark.parametrize("field", ["create_time", "update_time"])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
async def test_orders_are_sorted_as_asked(sandbox: Sandbox, field: str, order: str) -> None:
    """By creation or update, up or down, across pages."""
    app, _, access, cipher = await connected(sandbox, orders=20)
    call = (app, access, cipher)
    first = await search(sandbox, call, page_size="12", sort_field=field, sort_order=order)
    second = await search(
        sandbox, call, page_size="12", sort_field=field, sort_order=order, page_token=first["next_page_token"]
    )
    times = [each[field] for each in first["orders"] + second["orders"]]

    assert sorted(times, reverse=order == "DESC") == times
    assert 20 == len(times)


async def test_filters_pick_what_they_name(sandbox: Sandbox) -> None:
    """Each filter of the body alone, against the same orders read whole."""
    app, seller, access, cipher = await connected(sandbox, orders=40)
    call = (app, access, cipher)
    whole = (await search(sandbox, call))["orders"]
    middle = sorted(each["create_time"] for each in whole)[20]
    late = sorted(each["update_time"] for each in whole)[20]
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"order_status": "DELIVERED"}, lambda each: each["status"] == "DELIVERED"),
        ({"create_time_ge": middle}, lambda each: each["create_time"] >= middle),
        ({"create_time_lt": middle}, lambda each: each["create_time"] < middle),
        ({"update_time_ge": late, "update_time_lt": late + 1}, lambda each: each["update_time"] == late),
        ({"shipping_type": "SELLER"}, lambda each: each["shipping_type"] == "SELLER"),
        ({"buyer_user_id": whole[3]["user_id"]}, lambda each: each["user_id"] == whole[3]["user_id"]),
        ({"is_buyer_request_cancel": True}, lambda _: False),
        ({"warehouse_ids": [seller["shops"][0]["warehouse_id"]]}, lambda _: True),
        ({"warehouse_ids": ["1"]}, lambda _: False),
        ({"something_new": [1]}, lambda _: True),
    ]

    for filters, holds in cases:
        page = await search(sandbox, call, filters)
        wanted = [each["id"] for each in whole if holds(each)]
        assert wanted == [each["id"] for each in page["orders"]], filters
        assert len(wanted) == page["total_count"]


@pytest.mark.parametrize(
    ("query", "body", "keyword"),
    [
        ({"page_size": "0"}, b"", "page_size"),
        ({"page_size": "101"}, b"", "page_size"),
        ({"page_size": "ten"}, b"", "page_size"),
        ({"page_size": "²"}, b"", "page_size"),
        ({"sort_field": "total"}, b"", "sort_field"),
        ({"sort_order": "desc"}, b"", "sort_order"),
        ({}, b'{"order_status":"LOST"}', "body.order_status"),
        ({}, b'{"create_time_ge":"1"}', "body.create_time_ge"),
        ({}, b'{"create_time_ge":-1}', "body.create_time_ge"),
        ({}, b'{"create_time_ge":99999999999999999999}', "body.create_time_ge"),
        ({}, b"[]", "body"),
        ({}, b"{", "JSON"),
        ({}, b"\xff", "JSON"),
        ({}, b'{"buyer_user_id":"\\ud800"}', "JSON"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(
    sandbox: Sandbox, query: dict[str, str], body: bytes, keyword: str
) -> None:
    """Never a 500, always the field's name."""
    app, _, access, cipher = await connected(sandbox)
    full = {"shop_cipher": cipher, "page_size": "10", **query}
    reply = await sandbox.signed(app, access, "POST", SEARCH, query=full, body=body)

    assert 400 == reply.status, reply.text
    assert keyword in reply.json["message"]


async def test_the_page_size_is_required(sandbox: Sandbox) -> None:
    """The documents call it required and name a default; the stricter reading is taken."""
    app, _, access, cipher = await connected(sandbox)
    reply = await sandbox.signed(app, access, "POST", SEARCH, query={"shop_cipher": cipher})

    assert "page_size is missing" in reply.json["message"]


@pytest.mark.parametrize("version", ["202309", "202507"])
async def test_orders_are_read_by_id(sandbox: Sandbox, version: str) -> None:
    """In the order asked for; a foreign id refuses all, and so do more than fifty."""
    app, _, access, cipher = await connected(sandbox)
    whole = (await search(sandbox, (app, access, cipher)))["orders"]
    path = f"/order/{version}/orders"

    async def ask(ids: str) -> Any:
        return (await sandbox.signed(app, access, "GET", path, query={"shop_cipher": cipher, "ids": ids})).json

    two = await ask(f"{whole[2]['id']},{whole[0]['id']}")
    assert [whole[2], whole[0]] == two["data"]["orders"]
    assert 21008111 == (await ask(f"{whole[0]['id']},576000000000000001"))["code"]
    assert "ids is invalid" in (await ask(",".join(["1"] * 51)))["message"]
    assert "ids is missing" in (await ask(""))["message"]


async def test_an_unpaid_order_has_no_address(sandbox: Sandbox) -> None:
    """Nor a held one; it comes with the payment."""
    app, seller, access, cipher = await connected(sandbox)
    shop = seller["shops"][0]["id"]
    made = (await sandbox.steer("orders", shop=shop, orders=[{"status": "UNPAID"}]))["orders"][0]
    before = (await search(sandbox, (app, access, cipher), {"order_status": "UNPAID"}))["orders"]
    await sandbox.steer("orders", shop=shop, orders=[{"id": made["id"], "status": "AWAITING_SHIPMENT"}])
    after = (await search(sandbox, (app, access, cipher)))["orders"]

    assert [False] == ["recipient_address" in each for each in before if each["id"] == made["id"]]
    assert [True] == ["recipient_address" in each for each in after if each["id"] == made["id"]]


# --- products
@pytest.mark.parametrize("version", ["202309", "202312", "202502"])
async def test_products_are_searched_in_every_version(sandbox: Sandbox, version: str) -> None:
    """Pages, statuses, seller SKUs and SKU ids."""
    app, _, access, cipher = await connected(sandbox, products=12)
    path = f"/product/{version}/products/search"

    async def ask(body: Any = None, **query: str) -> Any:
        raw = json.dumps(body or {}).encode()
        full = {"shop_cipher": cipher, "page_size": "100", **query}
        return (await sandbox.signed(app, access, "POST", path, query=full, body=raw)).json

    whole = (await ask())["data"]
    first = await ask(page_size="5")
    second = await ask(page_size="5", page_token=first["data"]["next_page_token"])
    sku = whole["products"][4]["skus"][0]
    by_code = await ask({"seller_skus": [sku["seller_sku"]]})
    by_id = await ask({"sku_ids": [sku["id"]]})
    active = await ask({"status": "ACTIVATE"})

    assert 12 == whole["total_count"] == len(whole["products"])
    assert whole["products"][:10] == first["data"]["products"] + second["data"]["products"]
    assert [whole["products"][4]] == by_code["data"]["products"] == by_id["data"]["products"]
    wanted = [each for each in whole["products"] if each["status"] == "ACTIVATE"]
    assert wanted == active["data"]["products"]
    late = sorted(each["update_time"] for each in whole["products"])[6]
    assert 6 == (await ask({"update_time_ge": late}))["data"]["total_count"]
    assert 7 == (await ask({"update_time_le": late}))["data"]["total_count"]


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ({"page_size": "101"}, {}, 12019109),
        ({"page_size": "0"}, {}, 12019109),
        ({}, {"seller_skus": [str(number) for number in range(11)]}, 12019027),
        ({}, {"sku_ids": [str(number) for number in range(11)]}, 12019087),
        ({}, {"create_time_ge": 2, "create_time_le": 1}, 12019118),
        ({}, {"create_time_ge": -1}, 12019118),
        ({}, {"update_time_ge": 2, "update_time_le": 1}, 12019119),
        ({}, {"update_time_le": 10**18}, 12019119),
        ({}, {"status": "SOLD"}, 12052910),
        ({}, {"create_time_ge": "1"}, 12052910),
        ({}, {"listing_platforms": ["TIKTOK_SHOP"]}, 12052910),
    ],
)
async def test_a_product_search_has_codes_of_its_own(
    sandbox: Sandbox, query: dict[str, str], body: Any, code: int
) -> None:
    """Page size, number of filters, times, and what is no filter at all."""
    app, _, access, cipher = await connected(sandbox)
    full = {"shop_cipher": cipher, "page_size": "10", **query}
    reply = await sandbox.signed(app, access, "POST", PRODUCTS, query=full, body=json.dumps(body).encode())

    assert code == reply.json["code"]


# --- giving back
async def test_a_developer_can_give_an_authorization_back(sandbox: Sandbox) -> None:
    """DELETE /authorization/202403/shops ends it; data is an empty object."""
    app, _, access, cipher = await connected(sandbox)
    path = "/authorization/202403/shops"
    reply = await sandbox.signed(app, access, "DELETE", path, query={"shop_cipher": cipher})
    grant = (await sandbox.ask("grants"))["items"][0]
    again = await sandbox.signed(app, access, "DELETE", path, query={"shop_cipher": cipher})

    assert (0, {}) == (reply.json["code"], reply.json["data"])
    assert ("deactivated", "developer") == (grant["status"], grant["ended_by"])
    assert_refused("deauthorized token", again)


async def test_whether_a_developer_can_give_back_at_all_is_disputed(sandbox: Sandbox) -> None:
    """`developer_revoke` at `missing`: the path does not exist."""
    await sandbox.steer("switches", developer_revoke="missing")
    app, _, access, cipher = await connected(sandbox)
    reply = await sandbox.signed(app, access, "DELETE", "/authorization/202403/shops", query={"shop_cipher": cipher})

    assert 36009009 == reply.json["code"]
    assert "active" == (await sandbox.ask("grants"))["items"][0]["status"]
