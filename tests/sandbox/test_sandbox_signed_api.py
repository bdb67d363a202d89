"""The signed API: every check of the gate, and what the endpoints answer (wire sheet sections 3 and 6)."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import Sandbox

SHOPS = "/authorization/202309/shops"
SEARCH = "/order/202309/orders/search"
PRODUCTS = "/product/202502/products/search"
REFUSALS = {
    each["name"]: each
    for each in json.loads(
        (Path(__file__).resolve().parents[1] / "vectors" / "refusals.json").read_text(encoding="utf-8")
    )
}


async def connected(sandbox: Sandbox, **shop: Any) -> tuple[Any, Any, str, str]:
    """An app, a seller, the access token and the shop's cipher."""
    app = await sandbox.app()
    seller = await sandbox.seller(shops=[{"name": "Shop", "orders": 3, "products": 3, **shop}])
    pair = await sandbox.connected(app, seller)
    return app, seller, pair["access_token"], seller["shops"][0]["cipher"]


def assert_refused(name: str, reply: Any) -> None:
    """The refusal recorded under this name, in the platform's envelope."""
    wanted, answer = REFUSALS[name], reply.json
    assert ["code", "data", "message", "request_id"] == list(answer)
    assert (wanted["code"], None) == (answer["code"], answer["data"])
    assert wanted["keyword"] in answer["message"]
    if wanted["status"] is not None:
        assert wanted["status"] == reply.status


# --- the gate


async def test_a_signed_call_is_answered_in_the_envelope(sandbox: Sandbox) -> None:
    """The API host says `Success` with a capital letter."""
    app, seller, token, cipher = await connected(sandbox)
    reply = await sandbox.signed(app, token, "GET", SHOPS)
    shop = seller["shops"][0]

    assert 200 == reply.status
    assert ["code", "message", "data", "request_id"] == list(reply.json)
    assert (0, "Success") == (reply.json["code"], reply.json["message"])
    wanted = {
        "id": shop["id"],
        "name": "Shop",
        "region": "GB",
        "seller_type": "LOCAL",
        "cipher": cipher,
        "code": shop["code"],
    }
    assert [wanted] == reply.json["data"]["shops"]
    assert list(wanted) == list(reply.json["data"]["shops"][0])


async def test_the_token_may_stand_in_the_query(sandbox: Sandbox) -> None:
    """Legacy, and still read; it is not signed."""
    app, _, token, _ = await connected(sandbox)
    good = await sandbox.signed(app, None, "GET", SHOPS, changes={"access_token": token})
    bad = await sandbox.signed(app, None, "GET", SHOPS, changes={"access_token": "junk"})

    assert 0 == good.json["code"]
    assert "access_token" in bad.json["message"]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("wrong sign", {"sign": "0" * 64}),
        ("missing sign", {"sign": None}),
        ("unknown app_key", {"app_key": "nobody"}),
        ("unknown app_key", {"app_key": None}),
        ("wrong sign", {"page_size": "1"}),
        ("wrong sign", {"sign": "é"}),
    ],
)
async def test_a_query_that_is_not_what_was_signed_is_refused(
    sandbox: Sandbox, name: str, changes: dict[str, str | None]
) -> None:
    """Unknown parameters are tolerated only if they are signed."""
    app, _, token, _ = await connected(sandbox)

    assert_refused(name, await sandbox.signed(app, token, "GET", SHOPS, changes=changes))


async def test_unknown_parameters_are_tolerated_when_signed(sandbox: Sandbox) -> None:
    """The platform does not mind them."""
    app, _, token, _ = await connected(sandbox)
    reply = await sandbox.signed(app, token, "GET", SHOPS, query={"version": "202309", "x": ""})

    assert 0 == reply.json["code"]


async def test_an_upper_case_signature_is_refused(sandbox: Sandbox) -> None:
    """Seen live."""
    app, _, token, _ = await connected(sandbox)
    query = {"app_key": app["key"], "timestamp": str(sandbox.now)}
    sign = signing.sign_request(secret=app["secret"], path=SHOPS, query=query).upper()

    assert_refused("upper-case sign", await sandbox.signed(app, token, "GET", SHOPS, changes={"sign": sign}))


@pytest.mark.parametrize("shift", [-300, 0, 30])
async def test_a_timestamp_in_the_window_is_taken(sandbox: Sandbox, shift: int) -> None:
    """Five minutes back, thirty seconds ahead, of the sandbox's clock."""
    app, _, _, _ = await connected(sandbox)
    await sandbox.steer("clock", advance="90d")
    fresh = await sandbox.connected(app, (await sandbox.world())["sellers"][-1])
    reply = await sandbox.signed(
        app, fresh["access_token"], "GET", SHOPS, query={"timestamp": str(sandbox.now + shift)}
    )

    assert 0 == reply.json["code"]


@pytest.mark.parametrize(
    ("timestamp", "keyword"),
    [
        (-301, "earlier than 5 minutes"),
        (31, "30 seconds"),
        ("milliseconds", "30 seconds"),
        ("-5", "positive"),
        ("soon", "positive"),
        ("9" * 5000, "30 seconds"),
        ("²", "positive"),
        ("", "required"),
    ],
)
async def test_a_timestamp_out_of_the_window_is_refused(sandbox: Sandbox, timestamp: int | str, keyword: str) -> None:
    """Old, ahead, in milliseconds, negative, no number, missing."""
    app, _, token, _ = await connected(sandbox)
    given = str(sandbox.now + timestamp) if isinstance(timestamp, int) else timestamp
    given = str(sandbox.now * 1000) if given == "milliseconds" else given
    reply = await sandbox.signed(app, token, "GET", SHOPS, query={"timestamp": given})

    assert (400, 36009004) == (reply.status, reply.json["code"])
    assert keyword in reply.json["message"]


async def test_a_body_is_signed_to_the_byte(sandbox: Sandbox) -> None:
    """A client that re-spaces its JSON after signing is refused; a multipart body is not signed at all."""
    app, _, token, cipher = await connected(sandbox)
    query = {"shop_cipher": cipher, "page_size": "10", "app_key": app["key"], "timestamp": str(sandbox.now)}
    sign = signing.sign_request(secret=app["secret"], path=SEARCH, query=query, body=b'{"order_status":"UNPAID"}')
    signed = {**query, "sign": sign}
    headers = {"x-tts-access-token": token, "content-type": "application/json"}
    good = await sandbox.client.call("POST", SEARCH, query=signed, body=b'{"order_status":"UNPAID"}', headers=headers)
    spaced = await sandbox.client.call(
        "POST", SEARCH, query=signed, body=b'{"order_status": "UNPAID"}', headers=headers
    )

    assert 0 == good.json["code"]
    assert_refused("wrong sign", spaced)


@pytest.mark.parametrize("value", ["junk", "ROW_sbx" + "A" * 100, "é", None])
async def test_a_token_nobody_gave_is_malformed(sandbox: Sandbox, value: str | None) -> None:
    """36009004 with the header's name; so is another app's token, a refresh token, and none at all."""
    app, _, _, _ = await connected(sandbox)

    assert_refused("malformed token", await sandbox.signed(app, value, "GET", SHOPS))


async def test_another_apps_token_and_a_refresh_token_are_malformed(sandbox: Sandbox) -> None:
    """Each in its own way no access token of this app."""
    app, seller, _, _ = await connected(sandbox)
    pair = await sandbox.connected(app, seller)
    foreign = await sandbox.connected(await sandbox.app(), seller)

    assert_refused("malformed token", await sandbox.signed(app, foreign["access_token"], "GET", SHOPS))
    assert_refused("malformed token", await sandbox.signed(app, pair["refresh_token"], "GET", SHOPS))


async def test_an_expired_token_says_so(sandbox: Sandbox) -> None:
    """105002 with HTTP 401, and the log knows whose it was."""
    app, _, token, _ = await connected(sandbox)
    await sandbox.steer("clock", advance="7d")
    reply = await sandbox.signed(app, token, "GET", SHOPS)
    last = (await sandbox.ask("log", kind="api"))["items"][-1]
    grant = (await sandbox.ask("grants"))["items"][0]

    assert_refused("expired token", reply)
    assert (grant["id"], 105002, 401) == (last["grant"], last["code"], last["status"])


@pytest.mark.parametrize(
    ("position", "code"), [("105001", 105001), ("105002", 105002), ("36009004", 36009004), ("101000", 101000)]
)
async def test_a_deauthorized_token_answers_as_the_switch_says(sandbox: Sandbox, position: str, code: int) -> None:
    """105001 unless told otherwise; the HTTP status of 105001 is a switch too."""
    await sandbox.steer("switches", deauthorized_code=position, deauthorized_status="403")
    app, _, token, _ = await connected(sandbox)
    grant = (await sandbox.ask("grants"))["items"][0]
    await sandbox.steer(f"grants/{grant['id']}/cancel")
    reply = await sandbox.signed(app, token, "GET", SHOPS)

    assert code == reply.json["code"]
    if code == 105001:
        assert_refused("deauthorized token", reply)
        assert 403 == reply.status


@pytest.mark.parametrize("scope", ["seller.order.info", "seller.authorization.info", "seller.product.basic"])
async def test_a_missing_scope_is_refused(sandbox: Sandbox, scope: str) -> None:
    """At the consent or at the app: either way 105005."""
    app, seller, _, cipher = await connected(sandbox)
    others = [each for each in app["scopes"] if each != scope]
    narrow = await sandbox.connected(app, seller, scopes=others)
    path, query, body = {
        "seller.order.info": (SEARCH, {"shop_cipher": cipher, "page_size": "1"}, b"{}"),
        "seller.product.basic": (PRODUCTS, {"shop_cipher": cipher, "page_size": "1"}, b"{}"),
        "seller.authorization.info": (SHOPS, {}, b""),
    }[scope]
    method = "GET" if path == SHOPS else "POST"

    assert_refused(
        "scope missing", await sandbox.signed(app, narrow["access_token"], method, path, query=query, body=body)
    )


async def test_a_cipher_belongs_where_it_belongs(sandbox: Sandbox) -> None:
    """Missing: 106013. Where none is wanted: 36009004. A foreign or unknown one: 101000."""
    app, _, token, cipher = await connected(sandbox)
    other = (await sandbox.world())["sellers"][0]["shops"][0]["cipher"]
    size = {"page_size": "10"}

    assert_refused("shop_cipher missing", await sandbox.signed(app, token, "POST", SEARCH, query=size))
    assert_refused(
        "shop_cipher where none belongs",
        await sandbox.signed(app, token, "GET", SHOPS, query={"shop_cipher": cipher}),
    )
    for foreign in (other, "GCP_sbxnobody"):
        reply = await sandbox.signed(app, token, "POST", SEARCH, query={**size, "shop_cipher": foreign})
        assert_refused("foreign shop_cipher", reply)


async def test_a_sellers_other_shop_is_not_covered(sandbox: Sandbox) -> None:
    """One local consent, one shop."""
    app = await sandbox.app()
    seller = await sandbox.seller(shops=[{"name": "A", "orders": 1}, {"name": "B", "orders": 1}])
    pair = await sandbox.connected(app, seller, shop=seller["shops"][0]["id"])
    query = {"shop_cipher": seller["shops"][1]["cipher"], "page_size": "1"}

    assert_refused("foreign shop_cipher", await sandbox.signed(app, pair["access_token"], "POST", SEARCH, query=query))


async def test_a_missing_cipher_can_be_tolerated_for_a_local_seller(sandbox: Sandbox) -> None:
    """`missing_shop_cipher` at `tolerated`; a cross-border seller's is missed all the same."""
    await sandbox.steer("switches", missing_shop_cipher="tolerated")
    app, _, token, _ = await connected(sandbox)
    wide = next(each for each in (await sandbox.world())["sellers"] if each["kind"] == "cross_border")
    cross = await sandbox.connected(app, wide)
    local = await sandbox.signed(app, token, "POST", SEARCH, query={"page_size": "1"})
    missed = await sandbox.signed(app, cross["access_token"], "POST", SEARCH, query={"page_size": "1"})

    assert 0 == local.json["code"]
    assert_refused("shop_cipher missing", missed)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/order/202309/nothing", 36009009),
        ("GET", "/authorization/202301/shops", 36009014),
        ("GET", SEARCH, 36009010),
        ("POST", SHOPS, 36009010),
        ("PATCH", SHOPS, 36009010),
        ("HEAD", SHOPS, 36009010),
        ("GET", SHOPS + "/", 36009009),
    ],
)
async def test_what_is_not_there_is_refused_in_the_envelope(
    sandbox: Sandbox, method: str, path: str, code: int
) -> None:
    """An unknown path, version or method; a trailing slash."""
    app, _, token, _ = await connected(sandbox)
    reply = await sandbox.signed(app, token, method, path)

    assert code == reply.json["code"]
    assert reply.status in {400, 404, 405}


async def test_an_unrecorded_status_is_a_switch(sandbox: Sandbox) -> None:
    """101000, 106013 and some 36009004: nobody wrote down their HTTP status."""
    await sandbox.steer("switches", unrecorded_status="200")
    app, _, token, _ = await connected(sandbox)
    reply = await sandbox.signed(app, token, "POST", SEARCH, query={"page_size": "1"})

    assert (200, 106013) == (reply.status, reply.json["code"])


# --- orders


async def search(sandbox: Sandbox, call: tuple[Any, str, str], body: Any = None, **query: str) -> Any:
    """One page of orders."""
    app, token, cipher = call
    query = {"shop_cipher": cipher, "page_size": "100", **query}
    raw = b"" if body is None else json.dumps(body).encode()
    reply = await sandbox.signed(app, token, "POST", SEARCH, query=query, body=raw)
    assert 200 == reply.status, reply.text
    return reply.json["data"]


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
