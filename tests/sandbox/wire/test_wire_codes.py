"""Every row of the wire sheet's two tables of errors (2.5, 3.7), provoked: number, HTTP status, sentence and envelope."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from evergrant_sandbox import errors, signing, switches
from evergrant_sandbox.errors import Code
from tests.sandbox.kit import DAY, Client, Reply, Sandbox
from tests.sandbox.wired import Wired, wired

SHOPS = "/authorization/202309/shops"
SEARCH = "/order/202309/orders/search"

Provoke = Callable[[Wired], Awaitable[Reply]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: the number, the status the sheet has (None: unknown, so a switch decides), and words of the message."""

    name: str
    code: int
    status: int | None
    words: str
    provoke: Provoke


async def ask(to: Wired, *, changes: dict[str, str | None] | None = None, **given: Any) -> Reply:
    """Authorized shops, with something changed."""
    token = given.pop("token", to.token)
    query = {name: str(value) for name, value in given.items()}
    return await to.sandbox.signed(to.app, token, "GET", SHOPS, query=query, changes=changes)


async def forced(to: Wired, code: int, status: int, message: str) -> Reply:
    """What only the platform's own trouble brings about is set as a fault."""
    await to.sandbox.steer("faults", action="status", kind="api", status=status, code=code, message=message)
    return await ask(to)


async def cancelled(to: Wired) -> Reply:
    """After the seller has cancelled."""
    await to.sandbox.steer(f"grants/{to.grant_id}/cancel")
    return await ask(to)


async def expired(to: Wired) -> Reply:
    """After seven days."""
    to.sandbox.wall.at += 7 * DAY
    return await ask(to)


async def narrow(to: Wired) -> Reply:
    """Without the scope."""
    pair = await to.sandbox.connected(to.app, to.seller, scopes=["seller.order.info"])
    return await ask(to, token=pair["access_token"])


async def elsewhere(to: Wired) -> Reply:
    """From an address that is not allowed."""
    await to.sandbox.steer("apps", key=to.app["key"], allowed_addresses=["203.0.113.9"])
    to.sandbox.client = Client(to.sandbox.application, peer="203.0.113.10")
    return await ask(to)


async def hurried(to: Wired) -> Reply:
    """Fifty-one in a second."""
    await to.sandbox.steer("switches", rate_limit="50_per_second")
    for _ in range(50):
        await ask(to)
    return await ask(to)


async def disabled(to: Wired) -> Reply:
    """By an app that was deactivated."""
    await to.sandbox.steer("apps", key=to.app["key"], status="deactivated")
    return await ask(to)


async def foreign(to: Wired) -> Reply:
    """For a shop the token is not good for."""
    other = (await to.sandbox.world())["sellers"][0]["shops"][0]["cipher"]
    return await to.call("POST", SEARCH, {}, cipher=False, shop_cipher=other, page_size="1")


async def uploaded(to: Wired, size: int, kind: str) -> Reply:
    """A file, as a form or not."""
    head = b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n'
    body = head + b"\xff\xd8\xff" + bytes(size) + b"\r\n--b--\r\n"
    query = {"app_key": to.app["key"], "timestamp": str(to.sandbox.now)}
    path = "/product/202309/images/upload"
    signed = b"" if kind.startswith("multipart") else body
    query["sign"] = signing.sign_request(secret=to.app["secret"], path=path, query=query, body=signed)
    headers = {"x-tts-access-token": to.token, "content-type": kind}
    return await to.sandbox.client.call("POST", path, query=query, body=body, headers=headers)


def row(name: str, code: int, status: int | None, words: str, provoke: Provoke) -> Row:
    """A row, as the table below writes it."""
    return Row(name=name, code=code, status=status, words=words, provoke=provoke)


ROWS = [
    row("deauthorized", 105001, None, "your token has been deauthorized", cancelled),
    row("expired", 105002, 401, "Expired credentials", expired),
    row("no scope", 105005, 401, "Access denied", narrow),
    row(
        "wrong user_type",
        101000,
        None,
        "Invalid query or header",
        lambda to: to.call("GET", "/authorization/202405/category_assets", cipher=False),
    ),
    row("foreign cipher", 101000, None, "Invalid query or header", foreign),
    row(
        "wrong sign",
        106001,
        401,
        "The 'sign' query parameter is invalid",
        lambda to: ask(to, changes={"sign": "0" * 64}),
    ),
    row(
        "no cipher",
        106013,
        None,
        "Missing identifier. The 'shop_cipher'",
        lambda to: to.call("POST", SEARCH, {}, cipher=False, page_size="1"),
    ),
    row("no sign", 36009004, None, "Missing credentials", lambda to: ask(to, changes={"sign": None})),
    row(
        "bad token in the query",
        36009004,
        None,
        "'access_token'",
        lambda to: ask(to, token=None, changes={"access_token": "junk"}),
    ),
    row("bad token", 36009004, None, "'x-tts-access-token' header", lambda to: ask(to, token="junk")),
    row("bad app_key", 36009004, 400, "'app_key'", lambda to: ask(to, changes={"app_key": "6sbxnobody"})),
    row("disabled app", 36009004, 400, "'app_key'", disabled),
    row("negative timestamp", 36009004, None, "Invalid timestamp", lambda to: ask(to, timestamp=-1)),
    row("old timestamp", 36009004, None, "earlier than 5 minutes", lambda to: ask(to, timestamp=to.sandbox.now - 301)),
    row("timestamp ahead", 36009004, None, "30 seconds", lambda to: ask(to, timestamp=to.sandbox.now + 31)),
    row("cipher not wanted", 36009004, None, "Unexpected identifier", lambda to: ask(to, shop_cipher="GCP_x")),
    row("asset cipher", 36009004, None, "Unexpected identifier", lambda to: ask(to, category_asset_cipher="GCP_x")),
    row("shop_id", 36009004, None, "Invalid identifier", lambda to: ask(to, shop_id="1")),
    row(
        "a field missing",
        36009004,
        400,
        "param body.skus is missing",
        lambda to: to.call("POST", "/product/202309/products/1729000000000000001/inventory/update", {}),
    ),
    row("address", 36009033, None, "IP allow list", elsewhere),
    row("too many", 36009002, 429, "Too many requests", hurried),
    row("internal", 36009003, 500, "Internal error", lambda to: forced(to, 36009003, 500, "Internal error.")),
    row("timeout", 36009007, 504, "Request timeout", lambda to: forced(to, 36009007, 504, "Request timeout.")),
    row("path", 36009009, 404, "Invalid path", lambda to: to.call("GET", "/order/202309/nothing", cipher=False)),
    row("method", 36009010, 405, "Invalid method", lambda to: to.call("GET", SEARCH)),
    row(
        "version",
        36009014,
        None,
        "version name is invalid",
        lambda to: to.call("POST", "/order/202001/orders/search", {}),
    ),
    row(
        "file size",
        36009021,
        None,
        "file size",
        lambda to: uploaded(to, 10 * 1024 * 1024, "multipart/form-data; boundary=b"),
    ),
    row("body format", 36009022, None, "body format", lambda to: to.call("POST", SEARCH, b"{", page_size="1")),
    row("no form", 36009023, None, "multipart/form-data", lambda to: uploaded(to, 1, "application/json")),
]


@pytest.mark.parametrize("unrecorded", ["400", "401", "200"])
@pytest.mark.parametrize("each", ROWS, ids=lambda each: each.name)
async def test_every_row_of_the_api_hosts_table(sandbox: Sandbox, each: Row, unrecorded: str) -> None:
    """`code`, `data` null, `message` and `request_id`, whatever the status; a status nobody recorded is a switch's."""
    await sandbox.steer("switches", unrecorded_status=unrecorded, deauthorized_status="401")
    to = await wired(sandbox)
    reply = await each.provoke(to)
    status = 401 if each.code == 105001 else each.status or int(unrecorded)

    assert (each.code, None, status) == (reply.json["code"], reply.json["data"], reply.status), reply.text
    assert each.words in reply.json["message"]
    assert ["code", "data", "message", "request_id"] == list(reply.json)
    assert "application/json; charset=utf-8" == reply.header("content-type")
    if each.name not in {"internal", "timeout"}:
        assert re.fullmatch(r"\d{14}[0-9A-F]{20}", reply.json["request_id"])


async def junk_code(to: Wired) -> Any:
    """A code nobody gave."""
    return await to.sandbox.exchange(to.app, "ROW_junk")


async def junk_token(to: Wired) -> Any:
    """A refresh token nobody gave."""
    return await to.sandbox.refresh(to.app, "ROW_junk")


async def ended(to: Wired) -> Any:
    """A refresh token past its time."""
    to.sandbox.wall.at += 400 * DAY
    return await to.sandbox.refresh(to.app, to.refresh_token)


async def token_elsewhere(to: Wired) -> Any:
    """From an address that is not allowed."""
    await elsewhere(to)
    return await to.sandbox.refresh(to.app, to.refresh_token)


async def stranger(to: Wired) -> Any:
    """By an app nobody knows."""
    return await to.sandbox.refresh({**to.app, "key": "6sbxnobody"}, to.refresh_token)


TOKEN_ROWS = [
    (36004004, "invalid auth code", junk_code),
    (36004005, "can not find related auth record", junk_token),
    (36004001, "rt has expired", ended),
    (36009033, "IP allow list", token_elsewhere),
    (36009004, "app_key", stranger),
]


@pytest.mark.parametrize(
    ("code", "words", "provoke"), TOKEN_ROWS, ids=lambda each: str(each) if isinstance(each, int) else ""
)
@pytest.mark.parametrize("data", ["omitted", "null"])
async def test_every_row_of_the_token_hosts_table(
    sandbox: Sandbox, code: int, words: str, provoke: Callable[[Wired], Awaitable[Any]], data: str
) -> None:
    """HTTP 200 (the kit looks), no `data` unless the switch says null."""
    await sandbox.steer("switches", token_error_data=data)
    answer = await provoke(await wired(sandbox))

    assert code == answer["code"]
    assert words in answer["message"]
    wanted = {"code", "message", "request_id"} | ({"data"} if data == "null" else set())
    assert wanted == set(answer)


def test_every_code_names_where_it_was_read() -> None:
    """And no code stands in the table that the sheet calls invented."""
    codes = [value for value in vars(errors).values() if isinstance(value, Code)]

    assert all(code.source for code in codes)
    assert not {98001004, 98001005, 98001006, 35004004, 12004001} & {code.number for code in codes}
    assert {row_.code for row_ in ROWS} - {36009007} <= {code.number for code in codes}
    assert set(switches.UNRECORDED_STATUS.positions) == {"400", "401", "200"}
