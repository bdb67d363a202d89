"""The vendor's own calls of the platform, made through the hub: signed and authorized there, and never with a secret in sight."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from evergrant.actions.ports import AnswerLostError, NotSentError
from evergrant.assembly import provisioning
from evergrant.core.errors import AuditUnavailableError
from evergrant.providers.wire import Reply, Request
from evergrant.store.answers import Answers
from tests.hub_fixture import ORIGIN
from tests.journeys.test_the_seller_leaves_and_returns import grant_of
from tests.world_fixture import KEY, SECRET, World

ORDERS = "/order/202309/orders/search"
SHOPS = "/authorization/202309/shops"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 30


class Crash(BaseException):
    """The process is gone."""


def at(connection_id: str, path: str) -> str:
    """The proxied path."""
    return f"/v1/connections/{connection_id}/proxy{path}"


async def search(world: World, connection_id: str, **given: Any) -> httpx2.Response:
    """A search for orders."""
    query = {"page_size": "5"} | given.pop("params", {})
    return await world.hub.api.post(at(connection_id, ORDERS), params=query, json={}, **given)


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal of the hub's."""
    assert answer.headers.get("x-error-code") == answer.json()["error"]["code"], answer.text
    return answer.status_code, answer.headers["x-error-code"]


def called(world: World, path: str = ORDERS) -> int:
    """How often the platform saw a call."""
    return sum(entry["path"] == path for entry in world.sandbox.log(kind="api", app=KEY))


async def rows(world: World, statement: str, *given: Any) -> list[Any]:
    """Rows straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return list(await connection.fetch(statement, *given))


@asynccontextmanager
async def with_scopes(world: World, *scopes: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A program whose key may do this much."""
    key = await provisioning.add_key(world.hub.parts, world.hub.tenant_id, name="other", scopes=list(scopes))
    headers = {"authorization": f"Bearer {key.reveal()}"}
    async with httpx2.AsyncClient(transport=world.hub.transport, base_url=ORIGIN, headers=headers) as client:
        yield client


async def test_calls_of_every_kind_reach_the_platform_signed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A search, a page behind it, stock, a picture, the list of shops: the platform's own answers, recorded, no secret shown."""
    connection_id = await world.linked()
    first = await search(world, connection_id)
    following = await search(world, connection_id, params={"page_token": first.json()["data"]["next_page_token"]})
    products = await world.hub.api.post(at(connection_id, "/product/202502/products/search?page_size=1"), json={})
    product = products.json()["data"]["products"][0]
    (sku, *_) = product["skus"]
    where = [{"warehouse_id": each["warehouse_id"], "quantity": 77} for each in sku["inventory"]]
    stock = f"/product/202309/products/{product['id']}/inventory/update"
    put = await world.hub.api.post(
        at(connection_id, stock), content=b'{ "skus": %s }' % _json([{"id": sku["id"], "inventory": where}])
    )
    picture = await world.hub.api.post(
        at(connection_id, "/product/202309/images/upload"),
        files={"data": ("m.png", PNG, "image/png")},
        data={"use_case": "MAIN_IMAGE"},
    )
    shops = await world.hub.api.get(at(connection_id, SHOPS))
    counted = await world.hub.api.post(
        at(connection_id, "/product/202309/inventory/search"), json={"product_ids": [product["id"]]}
    )
    refused = await world.hub.api.get(at(connection_id, "/order/202309/nothing/here"))
    answers = [first, following, products, put, picture, shops, counted]
    token, _ = await _token(world, connection_id)
    audit = await rows(world, "select actor, request_id, detail::text from audit where action = 'platform.called'")
    logged = capsys.readouterr()

    assert [(200, 0)] * 7 == [(each.status_code, each.json()["code"]) for each in answers], [e.text for e in answers]
    assert 10 == len({order["id"] for page in (first, following) for order in page.json()["data"]["orders"]})
    assert {"77"} == {
        str(each["available_quantity"])
        for known in counted.json()["data"]["inventory"][0]["skus"]
        if known["id"] == sku["id"]
        for each in known["warehouse_inventory"]
    }
    assert first.headers["x-platform-request-id"] == first.json()["request_id"]
    assert "application/json" in first.headers["content-type"]
    assert "no-store" == first.headers["cache-control"]
    assert 36009009 == refused.json()["code"], "the platform's own refusal, as it is"
    assert "x-error-code" not in refused.headers
    assert {each.headers["x-request-id"] for each in (*answers, refused)} == {row["request_id"] for row in audit}
    shown = [each.text + str(each.headers) for each in (*answers, refused)] + [logged.out, logged.err, str(audit)]
    assert not [each for each in shown for secret in (token, SECRET, world.hub.api_key.reveal()) if secret in each]


def _json(value: Any) -> bytes:
    return httpx2.Request("POST", ORIGIN, json=value).content


async def _token(world: World, connection_id: str) -> tuple[str, Any]:
    found = await world.hub.ports.books.tokens.access(world.hub.tenant_id, connection_id)
    assert found
    return found[0].reveal(), found[1]


PATHS = [
    *("", "/", "/order", "/order/202309", "/order/202309/", "/order/202309//x", "/order/202309/orders/search/"),
    *(
        "/order/202309/../../api/v2/token/get",
        "/order/202309/%2e%2e/x",
        "/order/202309/%252e%252e/x",
        "/order/202309/.x",
    ),
    *("/api/v2/token/get", "/api/v2/token/refresh", "/open/authorize", "/_sandbox/202309/log", "/oauth/authorize"),
    *(
        "//evil.example/order/202309/x",
        "/https://evil.example/202309/x",
        "/order@evil.example/202309/x",
        "/\\evil/202309/x",
    ),
    *(
        "/order/202309/a%00b",
        "/order/202309/a%0d%0ab",
        "/order/202309/a%20b",
        "/order/202309/%C3%A9",
        "/order/202309/a%3Fb",
    ),
    *(
        "/order/2023091/x",
        "/order/20230a/x",
        "/order/202309/" + "x" * 129,
        "/order/202309" + "/x" * 13,
        "/Order/202309/x",
        f"/{'x' * 129}/202309/x",
    ),
    *("/order/202309/a;b", "/order/202309/a%23b", "/_a/202309/x", "/order/202309/%EF%BC%8F", "/order/٢٠٢٣٠٩/x"),
]
"""None of them is a call of the platform's API."""

QUERIES = [
    *("app_key=x", "sign=x", "timestamp=1", "access_token=x", "Access_Token=x", "shop_cipher=ROW_x", "a=1&a=2"),
    *("shop_id=1&shop_id=2", "a=%FF", "shop_cipher=none&shop_id=1", "&".join(f"a{n}=1" for n in range(201))),
]


async def test_what_is_no_call_never_leaves(world: World) -> None:
    """Other paths, other hosts, what only the hub sets, other people's connections, keys that may not: refused with a code."""
    connection_id = await world.linked()
    before = len(world.sandbox.log(app=KEY))
    paths = [await world.hub.api.get(at(connection_id, path)) for path in PATHS]
    queries = [await world.hub.api.post(f"{at(connection_id, ORDERS)}?{query}", json={}) for query in QUERIES]
    header = await search(world, connection_id, headers={"x-tts-access-token": "mine"})
    odd = await search(world, connection_id, headers={b"content-type": "é".encode()})
    missing = await search(world, "con_nobody")
    shop = await search(world, connection_id, params={"shop_id": "749"})
    async with with_scopes(world, "read", "manage", "webhooks") as looks:
        keyless = await looks.post(at(connection_id, ORDERS), json={})
    anonymous = await world.hub.new_browser().post(at(connection_id, ORDERS), json={})
    methods = [await world.hub.api.request(each, at(connection_id, ORDERS)) for each in ("OPTIONS", "HEAD", "TRACE")]
    large = await world.hub.api.post(at(connection_id, ORDERS), content=b"x" * (1024 * 1024 + 1))

    told = {path: code(answer) for path, answer in zip(PATHS, paths, strict=True)}
    assert {(422, "path_refused"), (404, "not_found"), (422, "invalid_request")} >= set(told.values()), told
    assert {"": (404, "not_found"), "/order/202309/a%00b": (422, "invalid_request")} == {
        path: said for path, said in told.items() if said != (422, "path_refused")
    }
    assert {(422, "invalid_request")} == {code(answer) for answer in (*queries, header, odd)}
    assert [(404, "not_found")] * 2 == [code(missing), code(shop)]
    assert [(403, "api_key_scope_missing"), (401, "api_key_missing")] == [code(keyless), code(anonymous)]
    assert [405] * 3 == [answer.status_code for answer in methods]
    assert (413, "too_large") == code(large)
    assert before == len(world.sandbox.log(app=KEY))
    assert [] == await rows(world, "select 1 from audit where action = 'platform.called'")


async def test_which_shop_a_call_is_about(world: World) -> None:
    """One of several has to be named; one the last consent left out is refused; `none` leaves the shop out."""
    shops = [{"name": f"Pier {n}", "region": "GB", "orders": n, "products": 0} for n in (1, 2)]
    pier = {"name": "Pier Ltd", "email": "pia@pier.example", "password": "sandbox", "region": "GB"}
    seller = world.sandbox.post("/sellers", pier | {"shops": shops, "kind": "cross_border"})
    connection_id = await world.linked_by(seller, "pier")
    known = [shop["id"] for shop in (await world.connection(connection_id))["shops"]]
    unnamed = await search(world, connection_id)
    found = [(await search(world, connection_id, params={"shop_id": each})).json() for each in known]
    bare = await search(world, connection_id, params={"shop_cipher": "none"})
    await rows(world, "update shops set authorized = false where shop_id = $1", known[1])
    left_out = await search(world, connection_id, params={"shop_id": known[1]})

    assert (422, "invalid_request") == code(unnamed)
    assert {1, 2} == {each["data"]["total_count"] for each in found}
    assert 106013 == bare.json()["code"], "the platform misses the shop, so none was told"
    assert (409, "shop_not_authorized") == code(left_out)


async def test_nothing_leaves_while_the_gate_is_shut(world: World) -> None:
    """The same refusal as for the token; the platform's word that the authorization is gone shuts it, others do not."""
    connection_id = await world.linked()
    wrong = {"kind": "api", "action": "status", "status": 401, "times": 1}
    world.sandbox.post("/faults", wrong | {"code": 101000})
    odd = await search(world, connection_id)
    stands = (await world.connection(connection_id))["status"]
    world.sandbox.post("/faults", wrong | {"code": 105001})
    gone = await search(world, connection_id)
    suspended = await search(world, connection_id, headers={"idempotency-key": "later"})
    await world.hub.work()
    alive = await search(world, connection_id, headers={"idempotency-key": "later"})
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    cancelled = await search(world, connection_id)
    await world.hub.work()
    before = called(world)
    shut = [await search(world, connection_id), await world.hub.api.get(f"/v1/connections/{connection_id}/token")]
    shopless = await world.hub.api.get(at(connection_id, SHOPS))

    assert [(401, 101000), (401, 105001)] == [(each.status_code, each.json()["code"]) for each in (odd, gone)]
    assert "active" == stands
    assert (409, "authorization_suspended") == code(suspended)
    assert (200, 0) == (alive.status_code, alive.json()["code"])
    assert 105001 == cancelled.json()["code"]
    bodies = [{**each.json()["error"], "request_id": ""} for each in shut]
    assert (409, "reauthorization_required") == code(shut[0]) == code(shopless)
    assert bodies[0] == bodies[1]
    assert before == called(world)


async def test_an_expired_token_is_refreshed_and_the_caller_told_to_come_back(world: World) -> None:
    """By our own clock, and by the platform's word; the next call after the refresh succeeds."""
    connection_id = await world.linked()
    world.sandbox.advance("8d")
    ours = await search(world, connection_id, headers={"idempotency-key": "k"})
    saved = called(world)
    await world.hub.work()
    fine = await search(world, connection_id, headers={"idempotency-key": "k"})
    world.sandbox.advance("1h")
    world.sandbox.post("/faults", {"kind": "api", "action": "status", "status": 401, "code": 105002, "times": 1})
    theirs = await search(world, connection_id, headers={"idempotency-key": "l"})
    before = await _token(world, connection_id)
    await world.hub.work()
    again = await search(world, connection_id, headers={"idempotency-key": "l"})

    assert [(503, "token_being_refreshed")] * 2 == [code(ours), code(theirs)]
    assert "2" == ours.headers["retry-after"]
    assert 0 == saved, "a token that is known to be over is not shown"
    assert [(200, 0)] * 2 == [(each.status_code, each.json()["code"]) for each in (fine, again)]
    assert before != await _token(world, connection_id)


async def test_a_shop_is_called_at_its_pace(world: World) -> None:
    """The platform's own 429 goes on with how long to wait, and until then the hub says it without asking."""
    connection_id = await world.linked()
    throttle = {"kind": "api", "action": "status", "status": 429, "code": 36009002, "retry_after": 90, "times": 1}
    world.sandbox.post("/faults", throttle)
    first = await search(world, connection_id, headers={"idempotency-key": "k"})
    before = called(world)
    second = await search(world, connection_id, headers={"idempotency-key": "k"})
    third = await world.hub.api.get(at(connection_id, SHOPS))

    assert (429, 36009002) == (first.status_code, first.json()["code"])
    assert [(429, "shop_pace_exceeded")] * 2 == [code(second), code(third)]
    assert int(first.headers["retry-after"]) in range(1, 91)
    assert int(second.headers["retry-after"]) in range(1, 92)
    assert before == called(world)


async def test_with_a_key_a_call_is_made_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told again what the platform said, its refusals too; a lost answer is said to be unknown, and stays so."""
    connection_id = await world.linked()
    keyed = [await search(world, connection_id, headers={"idempotency-key": "k"}) for _ in range(3)]
    bad = [
        await search(world, connection_id, params={"page_size": "0"}, headers={"idempotency-key": "bad"})
        for _ in range(2)
    ]
    other = await search(world, connection_id, params={"page_size": "6"}, headers={"idempotency-key": "k"})
    seen = called(world)
    world.sandbox.post("/faults", {"kind": "api", "path": ORDERS, "action": "lose_reply", "times": 1})
    lost = [await search(world, connection_id, headers={"idempotency-key": "lost"}) for _ in range(2)]
    tried = called(world)

    async def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as dying:
        dying.setattr(Answers, "keep", dies)  # the platform has acted, and nobody has kept what it said
        with pytest.raises(Crash):
            await search(world, connection_id, headers={"idempotency-key": "dead"})
    twin = await search(world, connection_id, headers={"idempotency-key": "dead"})
    await rows(world, "update kept_answers set lease_until = now() - interval '1 second' where status is null")
    dead = await search(world, connection_id, headers={"idempotency-key": "dead"})
    changed = await search(world, connection_id, params={"page_size": "6"}, headers={"idempotency-key": "dead"})

    assert 1 == len({answer.content for answer in keyed})
    assert [None, "true", "true"] == [answer.headers.get("idempotency-replayed") for answer in keyed]
    assert bad[0].json()["code"] != 0
    assert bad[0].content == bad[1].content
    assert (422, "idempotency_key_reused") == code(other) == code(changed)
    assert 2 == seen
    assert [504, 504] == [answer.status_code for answer in lost]
    assert lost[0].content == lost[1].content
    assert "call_outcome_unknown" == lost[0].json()["error"]["code"]
    assert 3 == tried
    assert (409, "idempotency_in_progress") == code(twin)
    assert (504, "call_outcome_unknown") == code(dead)
    assert 4 == called(world)


async def test_what_comes_of_a_call_is_said_honestly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never sent: try again. Lost: a read may be tried again, a change is not known. An echo does not show the token."""
    connection_id = await world.linked()
    token, _ = await _token(world, connection_id)
    send, asked = world.hub.ports.platform.send, list[tuple[str, bool]]()
    outcome: list[Exception | Reply] = []

    async def played(request: Request, *, once: bool = False) -> Reply:
        asked.append((request.method, once))
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    monkeypatch.setattr(world.hub.ports.platform, "send", played)
    told = {}
    for error in (NotSentError(), AnswerLostError()):
        outcome[:] = [error]
        for method in ("GET", "POST", "DELETE"):
            answer = await world.hub.api.request(method, at(connection_id, ORDERS), headers={"idempotency-key": method})
            told[type(error).__name__, method] = code(answer)
    echo = f'{{"code": 0, "request_id": "r\\r\\n", "data": "{token} {token}"}}'.encode()
    outcome[:] = [Reply(status=299, body=echo, media_type="text/odd", retry_after=5.0)]
    shown = await world.hub.api.get(at(connection_id, ORDERS))
    outcome[:] = [Reply(status=204, body=b"")]
    empty = await world.hub.api.delete(at(connection_id, ORDERS))
    monkeypatch.undo()

    again, unknown = (503, "platform_unavailable"), (504, "call_outcome_unknown")
    assert {again} == {told["NotSentError", method] for method in ("GET", "POST", "DELETE")}
    assert [again, unknown, unknown] == [told["AnswerLostError", method] for method in ("GET", "POST", "DELETE")]
    assert {("GET", False), ("POST", True), ("DELETE", True)} == set(asked)
    assert (299, "text/odd") == (shown.status_code, shown.headers["content-type"])
    assert token not in shown.text
    assert "... ..." in shown.text
    assert not {"x-platform-request-id", "retry-after"} & set(shown.headers)
    assert (204, b"") == (empty.status_code, empty.content)
    assert world.hub.ports.platform.send == send


async def test_what_cannot_be_recorded_does_not_leave(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the trail comes first."""
    connection_id = await world.linked()

    async def full(*_: object) -> None:
        raise AuditUnavailableError

    monkeypatch.setattr(type(world.hub.parts.trail), "record", full)
    refused = await search(world, connection_id)

    assert (503, "audit_unavailable") == code(refused)
    assert 0 == called(world)
