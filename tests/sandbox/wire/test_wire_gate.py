"""The gate, check by check: addresses, disabled apps, content types, versions, legacy ids and how fast one may call."""

import json
from typing import Any

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import Client, Sandbox
from tests.sandbox.wired import Wired, assert_refused, wired

SHOPS = "/authorization/202309/shops"
SEARCH = "/order/202309/orders/search"
UPLOAD = "/product/202309/images/upload"


async def shops(to: Wired, **query: str) -> Any:
    """The simplest call there is."""
    return await to.call("GET", SHOPS, cipher=False, **query)


# --- who calls, and from where


@pytest.mark.parametrize(
    ("allowed", "peer", "let_in"),
    [
        ([], "203.0.113.9", True),
        (["203.0.113.9"], "203.0.113.9", True),
        (["198.51.100.0/24", "203.0.113.0/24"], "203.0.113.9", True),
        (["2001:db8::/32"], "2001:db8::7", True),
        (["203.0.113.9"], "::ffff:203.0.113.9", True),
        (["203.0.113.9"], "::ffff:203.0.113.8", False),
        (["203.0.113.9"], "203.0.113.8", False),
        (["203.0.113.9"], "2001:db8::7", False),
        (["203.0.113.9"], "", False),
    ],
)
async def test_an_allow_list_keeps_other_addresses_out(
    sandbox: Sandbox,
    allowed: list[str],
    peer: str,
    let_in: bool,  # noqa: FBT001
) -> None:
    """36009033 from the API host and from the token host, each in its own envelope; the token is not used up."""
    to = await wired(sandbox)
    await sandbox.steer("apps", key=to.app["key"], allowed_addresses=allowed)
    sandbox.client = Client(sandbox.application, peer=peer)
    reply = await shops(to)
    refreshed = await sandbox.refresh(to.app, to.refresh_token)

    if let_in:
        assert (0, 0) == (reply.json["code"], refreshed["code"])
        return
    assert_refused(reply, 36009033, says="IP address is not in the IP allow list")
    assert ["code", "message", "request_id"] == list(refreshed)
    assert 36009033 == refreshed["code"]
    sandbox.client = Client(sandbox.application)
    await sandbox.steer("apps", key=to.app["key"], allowed_addresses=[])
    assert 0 == (await sandbox.refresh(to.app, to.refresh_token))["code"]


@pytest.mark.parametrize("line", ["203.0.113", "203.0.113.9/40", "host.example", "203.0.113.9 198.51.100.1"])
async def test_an_allow_list_holds_addresses_only(sandbox: Sandbox, line: str) -> None:
    """What is none is refused when the list is made."""
    reply = await sandbox.client.post("/_sandbox/apps", allowed_addresses=[line])

    assert (400, "invalid_app") == (reply.status, reply.json["error"]["code"])


async def test_a_deactivated_app_is_as_good_as_unknown(sandbox: Sandbox) -> None:
    """36009004 about the app_key, "disabled or deleted app"; from the token host as well."""
    to = await wired(sandbox)
    await sandbox.steer("apps", key=to.app["key"], status="deactivated")

    assert_refused(await shops(to), 36009004, says="app_key")
    refused = await sandbox.refresh(to.app, to.refresh_token)
    assert 36009004 == refused["code"]
    assert "app_key" in refused["message"]


# --- content types


@pytest.mark.parametrize("given", ["", "text/plain", "application/json", "application/json; charset=utf-8"])
@pytest.mark.parametrize("position", ["tolerated", "required"])
async def test_whether_the_content_type_is_needed_is_a_switch(sandbox: Sandbox, given: str, position: str) -> None:
    """Documented as required, "also on GET"; what happens without it is not."""
    await sandbox.steer("switches", content_type_header=position)
    to = await wired(sandbox)
    query = {"app_key": to.app["key"], "timestamp": str(sandbox.now)}
    query["sign"] = signing.sign_request(secret=to.app["secret"], path=SHOPS, query=query)
    headers = {"x-tts-access-token": to.token, **({"content-type": given} if given else {})}
    reply = await sandbox.client.call("GET", SHOPS, query=query, headers=headers)

    if position == "required" and not given.startswith("application/json"):
        assert_refused(reply, 36009022, says="application/json")
    else:
        assert 0 == reply.json["code"]


async def test_a_body_that_is_not_signed_counts_for_nothing(sandbox: Sandbox) -> None:
    """Called multipart, a body is not signed: where JSON belongs that would let anything through."""
    to = await wired(sandbox)
    query = {
        "app_key": to.app["key"],
        "timestamp": str(sandbox.now),
        "shop_cipher": to.shop["cipher"],
        "page_size": "1",
    }
    query["sign"] = signing.sign_request(secret=to.app["secret"], path=SEARCH, query=query)
    headers = {"x-tts-access-token": to.token, "content-type": "multipart/form-data; boundary=b"}
    reply = await sandbox.client.call("POST", SEARCH, query=query, body=b'{"order_status":"UNPAID"}', headers=headers)

    assert_refused(reply, 36009022)


# --- images: the one form


def form(*parts: tuple[str, bytes]) -> bytes:
    """A form with files."""
    lines = [
        b'--b0\r\nContent-Disposition: form-data; name="%b"; filename="x"\r\n\r\n%b\r\n' % (name.encode(), content)
        for name, content in parts
    ]
    return b"".join([*lines, b"--b0--\r\n"])


async def upload(to: Wired, body: bytes, kind: str = "multipart/form-data; boundary=b0") -> Any:
    """An upload, signed as for multipart: without its body."""
    query = {"app_key": to.app["key"], "timestamp": str(to.sandbox.now)}
    signed = b"" if kind.startswith("multipart") else body
    query["sign"] = signing.sign_request(secret=to.app["secret"], path=UPLOAD, query=query, body=signed)
    headers = {"x-tts-access-token": to.token, "content-type": kind}
    return await to.sandbox.client.call("POST", UPLOAD, query=query, body=body, headers=headers)


PNG = b"\x89PNG\r\n\x1a\n" + b"\r\n--b0 is no boundary" + bytes(40)


async def test_an_image_is_uploaded_without_its_body_being_signed(sandbox: Sandbox) -> None:
    """The same bytes get the same made-up address; the use case is repeated."""
    to = await wired(sandbox)
    first = await upload(to, form(("data", b"\x89PNG\r\n\x1a\n" + bytes(40)), ("use_case", b"SIZE_CHART_IMAGE")))
    again = await upload(to, form(("data", b"\x89PNG\r\n\x1a\n" + bytes(40))))

    assert (200, 0) == (first.status, first.json["code"])
    assert ["uri", "url", "height", "width", "use_case"] == list(first.json["data"])
    assert ("SIZE_CHART_IMAGE", "MAIN_IMAGE") == (first.json["data"]["use_case"], again.json["data"]["use_case"])
    assert first.json["data"]["uri"] == again.json["data"]["uri"]
    assert first.json["data"]["url"].endswith(first.json["data"]["uri"])


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b'{"data":"x"}', "application/json", 36009023),
        (form(("data", b"\xff\xd8\xff")), "multipart/form-data", 36009023),
        (form(("file", b"\xff\xd8\xff")), "multipart/form-data; boundary=b0", 12038002),
        (form(("data", b"")), "multipart/form-data; boundary=b0", 12038002),
        (b"", "multipart/form-data; boundary=b0", 12038002),
        (form(("data", b"GIF89a")), "multipart/form-data; boundary=b0", 12038004),
        (form(("data", b"\xff\xd8\xff"), ("use_case", b"POSTER")), "multipart/form-data; boundary=b0", 11050001),
        (form(("data", b"\xff\xd8\xff" + bytes(10 * 1024 * 1024))), "multipart/form-data; boundary=b0", 36009021),
        (form(("data", b"\xff\xd8\xff" + bytes(12 * 1024 * 1024))), "multipart/form-data; boundary=b0", 36009021),
    ],
    ids=["json", "no boundary", "no data", "empty", "nothing", "gif", "use case", "large", "very large"],
)
async def test_an_upload_that_is_none_is_refused(sandbox: Sandbox, body: bytes, kind: str, code: int) -> None:
    """Not a form, no file, no picture, more than ten megabytes."""
    assert_refused(await upload(await wired(sandbox), body, kind), code)


# --- paths, versions, ids


@pytest.mark.parametrize(
    ("position", "code", "status"),
    [("36009014", 36009014, 400), ("36009004", 36009004, 400), ("36009009", 36009009, 404)],
)
@pytest.mark.parametrize(
    "path",
    ["/order/202401/orders/search", "/product/202310/products/1729000000000000001/inventory/update"],
)
async def test_a_version_that_does_not_exist_is_a_switch(
    sandbox: Sandbox, path: str, position: str, code: int, status: int
) -> None:
    """Two numbers are documented; a path that exists in no version is 36009009 in any case."""
    await sandbox.steer("switches", invalid_api_version=position)
    to = await wired(sandbox)

    assert_refused(await to.call("POST", path, {}), code, status=status)
    assert_refused(await to.call("POST", "/order/202309/orders/find", {}), 36009009, status=404)


async def test_identifiers_that_do_not_belong_are_refused(sandbox: Sandbox) -> None:
    """category_asset_cipher is a partner's; the legacy shop_id must be one of the token's shops."""
    to = await wired(sandbox)
    other = (await sandbox.world())["sellers"][0]["shops"][0]["id"]

    assert_refused(await shops(to, category_asset_cipher="TTP_x"), 36009004, says="Unexpected identifier")
    assert_refused(await shops(to, shop_id=other), 36009004, says="Invalid identifier. The 'shop_id'")
    assert_refused(await shops(to, shop_id=""), 36009004, says="shop_id")
    assert 0 == (await shops(to, shop_id=to.shop["id"])).json["code"]


async def test_a_message_can_end_in_a_link(sandbox: Sandbox) -> None:
    """As live ones do; the log keeps the message without it."""
    await sandbox.steer("switches", more_details_link="added")
    to = await wired(sandbox)
    reply = await shops(to, shop_id="1")

    assert "invalid. For more details: https://" in reply.json["message"]
    assert (await sandbox.ask("log", kind="api"))["items"][-1]["message"].endswith("invalid.")


# --- how fast


async def test_nothing_throttles_unless_it_is_told_to(sandbox: Sandbox) -> None:
    """The newest source names no number, so there is none."""
    to = await wired(sandbox)

    assert {0} == {(await shops(to)).json["code"] for _ in range(120)}


async def test_fifty_a_second_are_for_one_app_shop_and_api(sandbox: Sandbox) -> None:
    """HTTP 429, 36009002 and Retry-After; another API, shop or app has a count of its own, and a second later all is well."""
    await sandbox.steer("switches", rate_limit="50_per_second")
    to, other = await wired(sandbox), await wired(sandbox)
    codes = [(await shops(to)).json["code"] for _ in range(50)]
    over = await shops(to)

    assert [0] * 50 == codes
    assert_refused(over, 36009002, status=429, says="Too many requests")
    assert "1" == over.header("retry-after")
    assert 0 == (await to.call("POST", SEARCH, {}, page_size="1")).json["code"]
    assert 0 == (await shops(other)).json["code"]
    sandbox.wall.at += 1
    assert 0 == (await shops(to)).json["code"]


async def test_every_product_shares_the_count_of_its_api(sandbox: Sandbox) -> None:
    """An id in the path does not make another API of it."""
    await sandbox.steer("switches", rate_limit="50_per_second")
    to = await wired(sandbox)
    path = "/product/202309/products/{}/inventory/update"
    codes = [(await to.call("POST", path.format(number), {"skus": []})).json["code"] for number in range(51)]

    assert 36009002 not in codes[:50]
    assert 36009002 == codes[50]


@pytest.mark.parametrize(("position", "most"), [("100_per_hour", 100), ("1000_per_hour", 1000)])
async def test_a_test_accounts_shop_has_so_many_calls_an_hour(sandbox: Sandbox, position: str, most: int) -> None:
    """Two notices, two numbers; Retry-After says how long the hour lasts. Online sellers are let off."""
    await sandbox.steer("switches", development_shop_limit=position)
    to, online = await wired(sandbox, test=True), await wired(sandbox)
    codes = {(await shops(to)).json["code"] for _ in range(most)}
    sandbox.wall.at += 60
    over = await shops(to)

    assert {0} == codes
    assert_refused(over, 36009002, status=429)
    assert str(3600 - sandbox.now % 3600) == over.header("retry-after")
    assert 0 == (await shops(online)).json["code"]
    sandbox.wall.at += 3600
    assert 0 == (await shops(to)).json["code"]


async def test_a_new_world_counts_its_calls_from_the_start(sandbox: Sandbox) -> None:
    """The same app and shop in the same hour are others after a reset."""

    async def code() -> int:
        await sandbox.steer("switches", development_shop_limit="100_per_hour")
        world = await sandbox.world()
        app, seller = world["apps"][0], next(each for each in world["sellers"] if each["test"])
        token, query = (await sandbox.connected(app, seller))["access_token"], {"page_size": "1"}
        query["shop_cipher"] = seller["shops"][0]["cipher"]
        path = "/order/202309/orders/search"
        replies = [await sandbox.signed(app, token, "POST", path, query=query) for _ in range(60)]
        return int(replies[-1].json["code"])

    before = await code()
    await sandbox.steer("reset")

    assert (0, 0) == (before, await code())


async def test_a_delete_with_a_body_is_signed_with_it(sandbox: Sandbox) -> None:
    """The exact bytes, as for any other method; without them in the signature it is refused."""
    to = await wired(sandbox)
    path, body = "/authorization/202403/shops", b'{"reason": "test"}'
    query = {"app_key": to.app["key"], "timestamp": str(sandbox.now), "shop_cipher": to.shop["cipher"]}
    headers = {"x-tts-access-token": to.token, "content-type": "application/json"}
    without = signing.sign_request(secret=to.app["secret"], path=path, query=query)
    refused = await sandbox.client.call("DELETE", path, query={**query, "sign": without}, body=body, headers=headers)
    with_it = signing.sign_request(secret=to.app["secret"], path=path, query=query, body=body)
    taken = await sandbox.client.call("DELETE", path, query={**query, "sign": with_it}, body=body, headers=headers)

    assert_refused(refused, 106001, status=401)
    assert 0 == taken.json["code"]


async def test_the_body_of_a_get_is_not_signed_and_not_read(sandbox: Sandbox) -> None:
    """A GET has no body; what a client sends with one all the same does not matter."""
    to = await wired(sandbox)
    query = {"app_key": to.app["key"], "timestamp": str(sandbox.now)}
    query["sign"] = signing.sign_request(secret=to.app["secret"], path=SHOPS, query=query)
    headers = {"x-tts-access-token": to.token, "content-type": "application/json"}
    reply = await sandbox.client.call("GET", SHOPS, query=query, body=json.dumps({}).encode(), headers=headers)

    assert 0 == reply.json["code"]
