"""The hub's dialect held against the golden vectors, which the sandbox is held against by code of its own."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evergrant.core import flows
from evergrant.core.app import App, Hosts
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation
from evergrant.providers import tiktok_shop
from evergrant.providers.tiktok_shop import signing
from evergrant.providers.wire import Access, CallRefused, Granted, Refused, Reply, Request, Trouble, Unreadable

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def vectors(name: str) -> list[Any]:
    """The vectors of one file, each a test parameter under its own name."""
    found = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["name"]) for vector in found]


def sign(vector: dict[str, Any], **change: Any) -> str:
    """The signature of a vector, with something changed."""
    given = vector | change
    query = list(given["query"].items())
    body = given["body"].encode()
    return signing.sign_request(Secret(given["secret"]), given["path"], query, body, multipart=given["multipart"])


@pytest.mark.parametrize("name", ["request_signatures", "notice_signatures", "token_answers", "refusals"])
def test_every_vector_says_where_it_was_read_and_when(name: str) -> None:
    """A page or an observation, and a date; the official samples with the day of their capture."""
    found = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))

    assert len({vector["name"] for vector in found}) == len(found) > 0
    for vector in found:
        assert len(vector["source"]) > 3, vector["name"]
        wanted = r"\d{4}-\d\d-\d\d" if "official" in vector["name"] else r"\d{4}-\d\d(-\d\d)?"
        assert re.fullmatch(wanted, vector["read"]), vector["name"]


@pytest.mark.parametrize("vector", vectors("request_signatures"))
def test_requests_are_signed_as_the_platform_does(vector: dict[str, Any]) -> None:
    """To the last digit, and in whatever order the parameters come."""
    backwards = dict(reversed(vector["query"].items()))

    assert vector["sign"] == sign(vector) == sign(vector, query=backwards)


@pytest.mark.parametrize("vector", vectors("request_signatures"))
def test_any_signed_byte_changes_the_signature(vector: dict[str, Any]) -> None:
    """Path, every parameter's name and value, the body, the secret; but not `sign` and `access_token`."""
    changes: list[dict[str, Any]] = [{"path": f"{vector['path']}x"}, {"secret": f"{vector['secret']}x"}]
    changes += [{"query": vector["query"] | {name: f"{value}x"}} for name, value in vector["query"].items()]
    changes += [{"query": vector["query"] | {"zz": "1"}}]
    if not vector["multipart"]:
        changes.append({"body": f"{vector['body']} "})
    for change in changes:
        assert vector["sign"] != sign(vector, **change), change
    assert vector["sign"] == sign(vector, query=vector["query"] | {"sign": "x", "access_token": "y"})


@pytest.mark.parametrize("vector", vectors("notice_signatures"))
def test_notices_are_verified_on_their_raw_bytes(vector: dict[str, Any]) -> None:
    """The platform's own signature holds, also in upper case; one changed byte anywhere does not."""
    key, secret, body = vector["app_key"], Secret(vector["secret"]), vector["body"].encode()
    signature = vector["signature"].encode()

    assert signing.is_notice_signed(key, secret, body, signature)
    assert signing.is_notice_signed(key, secret, body, signature.upper())
    assert not signing.is_notice_signed(f"{key}x", secret, body, signature)
    assert not signing.is_notice_signed(key, Secret("x"), body, signature)
    for at in range(0, len(body), 7):
        assert not signing.is_notice_signed(key, secret, body[:at] + b"~" + body[at + 1 :], signature)
    for wrong in (b"", b"\xff" * 64, signature[:-1], signature + b"0", b"Bearer " + signature):
        assert not signing.is_notice_signed(key, secret, body, wrong)


@pytest.mark.parametrize("vector", vectors("token_answers"))
def test_the_token_hosts_answers_are_classed(vector: dict[str, Any]) -> None:
    """A pair is a grant; a refusal of the code or token is final; what is not the envelope is neither."""
    issued = datetime.fromtimestamp(1790695200, UTC)
    answer = tiktok_shop.read_tokens(Reply(status=vector["status"], body=vector["body"].encode()), issued)
    if not vector["body"].startswith("{"):
        assert isinstance(answer, Unreadable)
        return
    body = json.loads(vector["body"])
    if body["code"] == 0:
        assert isinstance(answer, Granted)
        assert body["data"]["refresh_token_expire_in"] == int(answer.pair.refresh_ends.timestamp())
    else:
        assert Refused(platform_code=body["code"]) == answer


@pytest.mark.parametrize("vector", vectors("refusals"))
def test_the_apis_refusals_are_understood(vector: dict[str, Any]) -> None:
    """Every documented refusal asks for something the hub knows how to do."""
    body = {"code": vector["code"], "message": f"… {vector['keyword']} …", "data": None, "request_id": "1"}
    reply = Reply(status=vector["status"] or 200, body=json.dumps(body).encode())
    answer = tiktok_shop.read_page(flows.Kind.ORDERS, reply)

    assert isinstance(answer, CallRefused)
    assert answer.trouble in Trouble
    assert (answer.trouble is Trouble.AUTHORIZATION_GONE) == (vector["code"] == 105001 or "access" in vector["keyword"])


def an_app() -> App:
    """The app of vector F."""
    return App(
        tenant_id="ten",
        id="app",
        provider="tiktok-shop",
        region="ROW",
        name="",
        key="6sbxkey0001",
        secret=Secret("sbx_secret_4f2a9c"),
        service_id="7",
        hosts=Hosts(authorize="https://a.test", auth="https://b.test", api="https://c.test"),
        required_scopes=frozenset(),
        rotation=Rotation.UNKNOWN,
        clock="wall",
    )


def bare(request: Request) -> dict[str, str]:
    """A request's query, secrets revealed."""
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in request.query}


def test_a_page_token_is_signed_raw_and_travels_as_a_value() -> None:
    """`next_page_token` may hold + and /: signed decoded, encoded only on the wire (vector F)."""
    now = datetime.fromtimestamp(1767225600, UTC)
    window = flows.Window(since=now, until=now)
    access = Access(token=Secret("t"), cipher="ROW_sbxAAA111")
    request = tiktok_shop.pull_request(an_app(), flows.Kind.ORDERS, access, window, "a+b/c==", now)
    query = bare(request)
    expected = signing.sign_request(
        Secret("sbx_secret_4f2a9c"), "/order/202309/orders/search", query.items(), request.body
    )

    assert ("a+b/c==", expected) == (query["page_token"], query["sign"])
    assert {"x-tts-access-token", "content-type"} == {name for name, _ in request.headers}


def test_the_token_hosts_requests_are_gets_with_their_own_grant_names() -> None:
    """`authorized_code`, not `authorization_code`; the secret in the query, and wrapped until the socket (2.1, 2.2)."""
    exchange = tiktok_shop.exchange_request(an_app(), Secret("CNRY-code"))
    refresh = tiktok_shop.refresh_request(an_app(), Secret("CNRY-refresh"))

    assert ("GET", "https://b.test/api/v2/token/get") == (exchange.method, exchange.url)
    assert ("GET", "https://b.test/api/v2/token/refresh") == (refresh.method, refresh.url)
    assert {"app_key", "app_secret", "auth_code", "grant_type"} == set(bare(exchange))
    assert "authorized_code" == bare(exchange)["grant_type"]
    assert {"app_key", "app_secret", "refresh_token", "grant_type"} == set(bare(refresh))
    assert "CNRY" not in repr(exchange) + repr(refresh)
    assert "sbx_secret" not in repr(exchange) + repr(an_app())


def test_the_consent_link_has_a_service_and_a_state_and_nothing_else() -> None:
    """There is no redirect_uri, scope or client_id on the wire for sellers (1.2)."""
    assert "https://a.test/open/authorize?service_id=7&state=s-1" == tiktok_shop.consent_url(an_app(), Secret("s-1"))
