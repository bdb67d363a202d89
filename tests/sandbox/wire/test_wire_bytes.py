"""Whatever signed byte is changed, the call is refused over the wire and the hub would have signed it otherwise.

The vectors' own apps and shops are brought into the sandbox, and its clock to their moment, so that what is changed is the
vector itself: every letter of every name and value, of the path, of the body and of the secret.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from evergrant.core.secret import Secret
from evergrant.providers.tiktok_shop import signing as hub
from evergrant_sandbox import signing
from evergrant_sandbox.book import sellers
from tests.sandbox.kit import Reply, Sandbox, Wall, running
from tests.sandbox.wired import Wired, wired

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
REQUESTS = json.loads((VECTORS / "request_signatures.json").read_text(encoding="utf-8"))
NOTICES = json.loads((VECTORS / "notice_signatures.json").read_text(encoding="utf-8"))
# Neither a path of the platform's nor a call with a timestamp: it can be signed, but not sent.
ON_PAPER_ONLY = {"B ECOM test"}
WRONG_SIGN = 106001
# What a changed byte may be called where it hits what is looked at before the signature.
BEFORE_THE_SIGN = {36009004, 36009009, 36009010, 36009014}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of a vector."""

    secret: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes
    multipart: bool

    @property
    def by_the_sandbox(self) -> str:
        """The signature, as the sandbox makes it."""
        body = b"" if self.multipart else self.body
        return signing.sign_request(secret=self.secret, path=self.path, query=dict(self.query), body=body)

    @property
    def by_the_hub(self) -> str:
        """The signature, as the hub makes it."""
        return hub.sign_request(Secret(self.secret), self.path, self.query, self.body, multipart=self.multipart)


def call_of(vector: Any) -> Call:
    """A vector's call."""
    return Call(
        secret=vector["secret"],
        method=vector["method"],
        path=vector["path"],
        query=tuple(vector["query"].items()),
        body=vector["body"].encode(),
        multipart=vector["multipart"],
    )


def changed(text: str) -> Iterator[str]:
    """The text with each of its letters changed, one at a time."""
    for at, letter in enumerate(text):
        yield text[:at] + ("b" if letter == "a" else "a") + text[at + 1 :]


def changes(call: Call) -> Iterator[tuple[str, Call]]:
    """Every call that differs from this one by a signed byte, and where."""
    for secret in changed(call.secret):
        yield "secret", replace(call, secret=secret)
    for path in changed(call.path):
        yield "path", replace(call, path=path)
    for number, (name, value) in enumerate(call.query):
        others = [each for at, each in enumerate(call.query) if at != number]
        yield "parameter", replace(call, query=tuple(others))
        for wrong in changed(name):
            if wrong not in dict(others):
                yield "name", replace(call, query=(*others, (wrong, value)))
        for wrong in changed(value):
            yield "value", replace(call, query=(*others, (name, wrong)))
        yield "value", replace(call, query=(*others, (name, value + "0")))
    yield "parameter", replace(call, query=(*call.query, ("zz", "1")))
    if not call.multipart:
        for at in range(len(call.body)):
            yield "body", replace(call, body=call.body[:at] + bytes([call.body[at] ^ 1]) + call.body[at + 1 :])
        yield "body", replace(call, body=call.body + b" ")


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["name"])
def test_both_sides_sign_every_change_otherwise(vector: Any) -> None:
    """The hub and the sandbox, each with code of its own, agree on the vector and on every change of it."""
    call = call_of(vector)

    assert vector["sign"] == call.by_the_sandbox == call.by_the_hub
    count = 0
    for where, wrong in changes(call):
        assert vector["sign"] != wrong.by_the_sandbox, where
        assert wrong.by_the_sandbox == wrong.by_the_hub, where
        count += 1
    assert count >= 20


@pytest.fixture
async def world(founded: Path, tmp_path: Path) -> AsyncIterator[Sandbox]:
    """A sandbox that starts long before the vectors' moments."""
    del founded
    async with running(tmp_path / "data", wall=Wall(1_600_000_000)) as fresh:
        yield fresh


async def brought(world: Sandbox, vector: Any) -> Wired:
    """The vector's app, its shop's cipher and its moment, in the sandbox."""
    call = dict(vector["query"])
    to = await wired(world)
    app = await world.steer("apps", key=call["app_key"], secret=vector["secret"], scopes=to.app["scopes"])
    world.wall.at = int(call["timestamp"])
    if "shop_cipher" in call:
        world.application.platform.book.run(
            "UPDATE shops SET cipher = ? WHERE id = ?", call["shop_cipher"], to.shop["id"]
        )
        assert sellers.shop_by_cipher(world.application.platform.book, call["shop_cipher"])
    pair = await world.connected(app, to.seller)
    return replace(to, app=app, token=pair["access_token"])


async def send(to: Wired, call: Call, sign: str) -> Reply:
    """A call with a signature that may not be its own."""
    kind = "multipart/form-data; boundary=b" if call.multipart else "application/json"
    headers = {"x-tts-access-token": to.token, "content-type": kind}
    text = urlencode([*call.query, ("sign", sign)])
    path = f"{quote(call.path)}?{text}"
    return await to.sandbox.client.call(call.method, path, body=call.body, headers=headers)


def code_of(reply: Reply) -> int:
    """The code; a path that is none of the API's leads to the site's page for lost visitors."""
    assert reply.status < 500, reply.text
    if reply.status == 404 and not reply.body.startswith(b"{"):
        return 36009009
    return int(reply.json["code"])


SENT = [each for each in REQUESTS if each["name"] not in ON_PAPER_ONLY]


@pytest.mark.parametrize("vector", SENT, ids=lambda vector: vector["name"])
async def test_no_changed_byte_gets_past_the_sandbox(world: Sandbox, vector: Any) -> None:
    """With the vector's own signature, byte for byte: 106001, or what is looked at before the signature."""
    to, call = await brought(world, vector), call_of(vector)
    whole = await send(to, call, vector["sign"])
    codes: dict[str, set[int]] = {}
    for where, wrong in changes(call):
        if where == "secret" or (where == "body" and call.method == "GET"):
            # A GET has no body, so none is read.
            continue
        codes.setdefault(where, set()).add(code_of(await send(to, wrong, vector["sign"])))
    for secret in changed(call.secret):
        await world.steer("apps", key=dict(call.query)["app_key"], secret=secret)
        codes.setdefault("secret", set()).add(code_of(await send(to, call, vector["sign"])))

    # The signature itself is right: whatever else such a call may lack, it is not that.
    assert WRONG_SIGN != whole.json["code"]
    assert {WRONG_SIGN} == codes["secret"]
    assert {WRONG_SIGN} == codes.get("body", {WRONG_SIGN})
    for where, found in codes.items():
        assert found <= {WRONG_SIGN, *BEFORE_THE_SIGN}, where


@pytest.mark.parametrize("vector", SENT, ids=lambda vector: vector["name"])
async def test_a_signature_changed_in_any_digit_is_refused(world: Sandbox, vector: Any) -> None:
    """All sixty-four of them, shortened, lengthened, and in capitals."""
    to, call = await brought(world, vector), call_of(vector)
    sign = vector["sign"]
    for wrong in [*changed(sign), sign[:-1], sign + "0", sign.upper()]:
        assert WRONG_SIGN == (await send(to, call, wrong)).json["code"], wrong


@pytest.mark.parametrize("vector", NOTICES, ids=lambda vector: vector["name"])
def test_no_changed_byte_of_a_notice_gets_past_the_hub(vector: Any) -> None:
    """Every byte of the body, every letter of key and secret, every digit of the signature."""
    key, secret, body, sign = vector["app_key"], vector["secret"], vector["body"].encode(), vector["signature"].encode()

    assert vector["signature"] == signing.sign_notice(app_key=key, secret=secret, body=body)
    assert hub.is_notice_signed(key, Secret(secret), body, sign)
    for at in range(len(body)):
        wrong = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert not hub.is_notice_signed(key, Secret(secret), wrong, sign)
    for other in changed(key):
        assert not hub.is_notice_signed(other, Secret(secret), body, sign)
    for other in changed(secret):
        assert not hub.is_notice_signed(key, Secret(other), body, sign)
    for other in changed(vector["signature"]):
        assert not hub.is_notice_signed(key, Secret(secret), body, other.encode())


def test_every_vector_of_the_sheet_is_here_with_its_page_and_date() -> None:
    """A to K and W0, W6, W7; each says where it was read and when, and the official ones name page and capture."""
    assert list("ABCDEFGHIJK") == [each["name"][0] for each in REQUESTS]
    assert ["W0", "W6", "W7"] == [each["name"][:2] for each in NOTICES]
    for vector in [*REQUESTS, *NOTICES]:
        assert len(vector["source"]) > 20
        assert vector["read"][:2] == "20"
    for vector in (REQUESTS[0], NOTICES[0]):
        assert "official" in vector["name"]
        assert "Partner Center" in vector["source"]
        assert "2025-12-03" in vector["source"]
