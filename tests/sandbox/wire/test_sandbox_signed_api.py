"""The signed API's gate, every check of it (wire sheet section 3)."""

import json
from pathlib import Path
from typing import Any

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import Sandbox

SHOPS = "/authorization/202309/shops"


SEARCH = "/order/202309/orders/search"


PRODUCTS = "/product/202502/products/search"


REFUSALS = {
    each["name"]: each
    for each in json.loads(
        (Path(__file__).resolve().parents[2] / "vectors" / "refusals.json").read_text(encoding="utf-8")
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
