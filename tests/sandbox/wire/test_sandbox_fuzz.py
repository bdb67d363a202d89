"""Whatever is thrown at it, the sandbox answers in the platform's manner: never a 5xx, and nothing is let through."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evergrant_sandbox import signing, wire
from tests.sandbox.looped import Looped

PATHS = [
    "/api/v2/token/get",
    "/api/v2/token/refresh",
    "/authorization/202309/shops",
    "/authorization/202403/shops",
    "/order/202309/orders/search",
    "/order/202507/orders",
    "/product/202502/products/search",
]
NAMES = ["app_key", "app_secret", "auth_code", "refresh_token", "grant_type", "timestamp", "sign", "shop_cipher"]
NAMES += ["page_size", "page_token", "sort_field", "sort_order", "ids", "access_token", "x"]
TEXT = st.text(max_size=40) | st.sampled_from(
    ["authorized_code", "refresh_token", "1", "20", "-1", "²", "\x00", "9" * 30]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
MANY = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looped]:
    """One sandbox for all examples."""
    made = Looped(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


@MANY
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
    path=st.sampled_from(PATHS),
    query=st.dictionaries(st.sampled_from(NAMES), TEXT, max_size=8),
    body=st.binary(max_size=60),
    token=TEXT,
)
def test_unsigned_calls_are_refused_in_the_envelope(
    bench: Looped, method: str, path: str, query: dict[str, str], body: bytes, token: str
) -> None:
    """Random parameters, headers and bodies: a code that is not 0, or the token host's 404."""
    headers = {"x-tts-access-token": token.encode("unicode_escape").decode()}
    reply = bench.do(bench.sandbox.client.call(method, path, query=_sendable(query), body=body, headers=headers))

    assert reply.status < 500
    if reply.text != "404 page not found":
        assert 0 != reply.json["code"]


@MANY
@given(
    method_and_path=st.sampled_from([("POST", PATHS[4]), ("GET", PATHS[5]), ("POST", PATHS[6]), ("GET", PATHS[2])]),
    query=st.dictionaries(st.sampled_from(NAMES[8:13]), TEXT, max_size=5),
    body=st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()),
)
def test_signed_calls_are_answered_or_refused_but_never_broken(
    bench: Looped, method_and_path: tuple[str, str], query: dict[str, str], body: bytes
) -> None:
    """A rightful client with senseless parameters and bodies: the platform's codes, no 5xx."""
    method, path = method_and_path
    full = _sendable(query) if path == PATHS[2] else {**_sendable(query), "shop_cipher": bench.cipher}
    reply = bench.do(
        bench.sandbox.signed(
            bench.app,
            bench.pair["access_token"],
            method,
            path,
            query=full,
            body=b"" if method == "GET" else body,
        )
    )

    assert reply.status < 500, reply.text
    assert {"code", "message", "request_id"} <= set(reply.json)


@MANY
@given(
    route=st.sampled_from(
        ["apps", "sellers", "orders", "products", "authorize", "notices", "faults", "switches", "grants/1/renew"]
    ),
    body=JSON,
)
def test_steering_bodies_are_taken_or_refused_but_never_break_it(bench: Looped, route: str, body: Any) -> None:
    """Any JSON: 2xx or 4xx."""
    call = bench.sandbox.client.call("POST", f"/_sandbox/{route}", body=json.dumps(body).encode())
    reply = bench.do(call)

    assert reply.status < 500
    if reply.status >= 400:
        assert {"code", "message"} == set(reply.json["error"])
    bench.do(bench.sandbox.client.call("DELETE", "/_sandbox/faults"))


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="#"), max_size=80))
def test_any_query_string_is_read(text: str) -> None:
    """Names and values come out decoded, whatever the text."""
    query = wire.read_query(text)

    assert all(isinstance(value, str) for value in query.values())


@given(st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=20), max_size=5))
def test_a_query_is_read_as_it_was_meant(query: dict[str, str]) -> None:
    """What a careful client encodes comes out unchanged."""
    from urllib.parse import urlencode  # noqa: PLC0415

    meant = _sendable(query)
    read = {name: value for name, value in wire.read_query(urlencode(meant)).items() if name}

    assert {name: value for name, value in meant.items() if name} == read


def test_a_body_that_is_too_long_does_not_verify(bench: Looped) -> None:
    """More than a megabyte is no call of this API."""
    body = b'{"order_status":"UNPAID"' + b" " * wire.LARGEST_BODY + b"}"
    query = {"shop_cipher": bench.cipher, "page_size": "1"}
    reply = bench.do(
        bench.sandbox.signed(bench.app, bench.pair["access_token"], "POST", PATHS[4], query=query, body=body)
    )

    just_enough = body[: wire.LARGEST_BODY - 1] + b"}"
    call = {**query, "app_key": bench.app["key"], "timestamp": str(bench.sandbox.now)}
    call["sign"] = signing.sign_request(secret=bench.app["secret"], path=PATHS[4], query=call, body=just_enough)
    headers = {"x-tts-access-token": bench.pair["access_token"], "content-type": "application/json"}

    def send(sent: bytes) -> int:
        return int(
            bench.do(bench.sandbox.client.call("POST", PATHS[4], query=call, body=sent, headers=headers)).json["code"]
        )

    assert 106001 == reply.json["code"]
    assert (0, 106001) == (send(just_enough), send(just_enough + b" "))
    assert signing.UNSIGNED == {"sign", "access_token"}


def _sendable(query: dict[str, str]) -> dict[str, str]:
    """What can be sent at all: no lone surrogates."""
    return {
        name.encode("utf-8", "ignore").decode(): value.encode("utf-8", "ignore").decode()
        for name, value in query.items()
    }
