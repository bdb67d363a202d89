"""Rubbish at every door, drawn from the hub's own OpenAPI document and its routes: a clear no, never a crash.

One place of one request is wrong at a time, systematically; then many at once, as hypothesis likes it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evergrant.core.secret import Secret
from evergrant.providers.tiktok_shop import signing
from evergrant.web import problems
from tests.hub_fixture import EMAIL, PASSWORD
from tests.world_fixture import KEY, SECRET, World

ODD_TEXTS = [
    *("", "\0", "a\0b", "\ud800", "²", "٣", "-1", "1e5", "9" * 18, "9" * 19, "9" * 400, "x" * 5000, "\u202e", "😀"),
    *("../..", "a\r\nb: c", "%00", "null", "[", "'", "\\", "orders", "con_none", "tiktok-shop", "https://[", "//x"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01", "253402300800", "0001-01-01T00:00:00Z"),
]
ODD_VALUES: list[Any] = [
    *(*ODD_TEXTS, None, True, 0, -1, 2**31, 2**63, 2**70, 1.5, 1e308, float("nan"), [], {}, [[]], {"a": {}}),
    *(["\0"], ["\ud800"], [None], {"\ud800": 1}, {"\0": 1}),
]
ODD_BODIES = [
    *(b"", b"\xff\xfe", b"[" * 100_000, b"{", b"NaN", b'"x"', b'{"expires_in": 1e400}', b'{"\\ud800": 1}', b"\0"),
    *(b'{"expires_in": ' + b"9" * 5000 + b"}", b'{"name": "\\ud800"}', b"a=%00", b"--a\r\n\r\n\r\n--a--"),
]
ODD_TYPES = [
    *("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "é", ""),
    *("multipart/form-data; boundary=a", "multipart/form-data; boundary=a; charset=unicode_escape"),
]
FORMS = {
    "/login": ("email", "password", "next"),
    "/logout": (),
    "/dashboard/renew": ("connection_id", "mode"),
    "/connectors/{connection_id}/sync": (),
    "/connectors/{connection_id}/connect": ("mode",),
    "/exceptions/retry": ("cause",),
    "/exceptions/rules": ("cause", "action", "after"),
    "/exceptions/rules/{exception_rule_id}/remove": (),
    "/exceptions/{exception_id}/dismiss": (),
    "/connect": ("app_id", "merchant_id", "new_merchant", "mode"),
    "/connections/{connection_id}/sync": ("flow",),
    "/connections/{connection_id}/pause": ("flow",),
    "/connections/{connection_id}/resume": ("flow",),
    "/l/{handle}": (),
    "/done/{session_id}": (),
    "/claims/{claim_id}": ("workspace", "merchant_id", "new_merchant", "password"),
    "/claims/{claim_id}/dismiss": (),
}
"""Every form of the pages, with its fields."""

QUERIES = {
    "/dashboard": ("link",),
    "/login": ("next",),
    "/connectors": ("link", "done", "of"),
    "/exceptions/records": ("cause", "cursor"),
    "/exceptions/retry": ("cause",),
    "/outages": ("cursor",),
    "/outages/state": ("cursor",),
    "/replays/{replay_id}": ("cursor",),
    "/cb/{provider}/{app_id}": ("code", "state", "error"),
}
"""What the pages read from their addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `path` and `query` are not quoted yet; a body that is bytes goes out as it is."""

    method: str
    path: str
    places: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    kind: str = "application/json"

    def content(self) -> bytes | None:
        """The body's bytes."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        if self.kind == "application/json":
            return json.dumps(self.body).encode()
        return urlencode(self.body, errors="surrogatepass").encode()

    def target(self) -> str:
        """The address."""
        places = {name: quote(value, safe="", errors="surrogatepass") or "%20" for name, value in self.places.items()}
        asked = urlencode(self.query, errors="surrogatepass")
        return self.path.format(**places) + (f"?{asked}" if asked else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Who comes to the doors, what they may name there, and what went wrong so far."""

    world: World
    person: httpx2.AsyncClient
    csrf: str
    known: dict[str, str]
    bad: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    async def ask(self, asked: Asked, client: httpx2.AsyncClient | None = None, **headers: str) -> None:
        """Ask, and note the answer if it is not clear."""
        sender = client or (self.world.hub.api if asked.path.startswith("/v1") else self.person)
        sent = {name.encode(): value.encode() for name, value in {"content-type": asked.kind, **headers}.items()}
        body = asked.content()
        got = await sender.request(asked.method, asked.target(), content=body, headers=sent)
        self.statuses[got.status_code] += 1
        wrong = unclear(got, is_api=asked.path.startswith(("/v1", "/hooks")))
        if wrong:
            self.bad.append(f"{got.status_code} {wrong}: {asked.method} {asked.target()[:100]} {(body or b'')[:120]!r}")


def unclear(got: httpx2.Response, *, is_api: bool) -> str:
    """What is wrong with an answer; nothing if it is a success or a refusal with a stable code."""
    if got.status_code < 400 or "x-platform-request-id" in got.headers:
        return ""  # a success, or what the platform itself said to a call made through the hub
    code = got.headers.get("x-error-code", "")
    if code not in problems.STATUSES and code != "login_required":
        return f"code {code!r}"
    if got.status_code >= 500 and got.status_code != 503:
        return "5xx"
    if is_api and got.request.method != "HEAD":
        error = got.json()["error"]
        if error["code"] != code or not error["message"] or error["request_id"] != got.headers["x-request-id"]:
            return "envelope"
    return ""


@pytest.fixture
async def doors(world: World) -> Doors:
    """A hub with a connection, and somebody logged in."""
    connection_id = await world.linked()
    link = await world.link_session()
    person = world.hub.new_browser()
    found = re.search(r'name="csrf" value="([^"]+)"', (await person.get("/login")).text)
    assert found
    await person.post("/login", data={"csrf": found[1], "email": EMAIL, "password": PASSWORD})
    found = re.search(r'name="csrf" value="([^"]+)"', (await person.get("/connect")).text)
    assert found
    gone = await world.hub.api.post("/v1/merchants", json={"external_id": "gone", "name": "Gone"})
    erased = await world.hub.api.delete(f"/v1/merchants/{gone.json()['id']}")
    await world.hub.new_browser().get(world.consent(None, shop_id=str(world.seller["shops"][1]["id"])))
    (claim, *_) = (await world.hub.api.get("/v1/claims")).json()["items"]
    known = {
        "connection_id": connection_id,
        "claim_id": claim["id"],
        "erasure_id": erased.json()["id"],
        "session_id": link["id"],
        "outage_id": await world.past_outage(connection_id),
        "path": "order/202309/orders/search",
        "name": "re-authorize-in-seller-center",
        "handle": link["url"].rsplit("/", 1)[1],
        "merchant_id": world.merchant_id,
        "app_id": world.app_id,
        "shop_id": world.shop_id,
        "provider": "tiktok-shop",
        "flow": "orders",
        **await failures(world, connection_id),
    }
    return Doors(world=world, person=person, csrf=found[1], known=known)


async def failures(world: World, connection_id: str) -> dict[str, Any]:
    """What stands among the exceptions."""
    api, flow = world.hub.api, {"items": [{"sku": "NOBODY-KNOWS", "quantity": 1}]}
    await api.put(f"/v1/connections/{connection_id}/inventory", json=flow)
    await world.hub.work()
    (broken,) = (await api.get("/v1/exceptions")).json()["items"]
    begun = await api.post("/v1/replays", json={"cause": "sku_not_mapped"})
    rule = await api.post("/v1/exception-rules", json={"cause": "x", "action": "dismiss", "after_minutes": 60})
    return {
        "exception_id": broken["id"],
        "replay_id": begun.json()["id"],
        "exception_rule_id": rule.json()["id"],
        "cause": "sku_not_mapped",
    }


def application(world: World) -> FastAPI:
    """The application behind the Guard and the fast lanes."""
    behind: FastAPI = world.hub.transport.app._app._behind  # type: ignore[attr-defined]
    return behind


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema with its reference followed; of alternatives, the first."""
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        found: dict[str, Any] = document["components"]["schemas"][name]
        return found
    return schema


def usual(name: str, schema: dict[str, Any], doors: Doors) -> Any:
    """A value that is accepted."""
    if name in doors.known:
        return doors.known[name]
    if "enum" in schema or "default" in schema:
        return schema.get("default", schema.get("enum", [None])[0])
    return {"integer": 60, "array": []}.get(str(schema.get("type")), doors.world.hub.ports.dice.identifier("x"))


def operations(document: dict[str, Any], doors: Doors) -> Iterator[tuple[Asked, dict[str, Any]]]:
    """Every operation of the document, as a request that is in order, and the properties of its body."""
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            places = {
                one["name"]: doors.known[one["name"]] for one in told.get("parameters", ()) if one["in"] == "path"
            }
            content = told.get("requestBody", {}).get("content", {})
            schema = resolved(content["application/json"]["schema"], document) if content else {}
            properties = {
                name: resolved(one, document) | {key: one[key] for key in ("default",) if key in one}
                for name, one in schema.get("properties", {}).items()
            }
            body = {name: usual(name, properties[name], doors) for name in schema.get("required", ())}
            query = {
                one["name"]: usual(one["name"], resolved(one["schema"], document), doors)
                for one in told.get("parameters", ())
                if one["in"] == "query" and one.get("required")
            }
            asked = Asked(method=method.upper(), path=path, places=places, query=query, body=body if content else None)
            yield (
                asked,
                {"body": properties, "query": [p["name"] for p in told.get("parameters", ()) if p["in"] == "query"]},
            )


def spoiled(asked: Asked, slots: dict[str, Any]) -> Iterator[Asked]:
    """The request with one thing wrong, in every way."""
    for odd in ODD_TEXTS:
        for name in asked.places:
            yield replace(asked, places=asked.places | {name: odd})
        for name in slots["query"]:
            yield replace(asked, query=asked.query | {name: odd})
    for name, schema in slots["body"].items():
        for odd in ODD_VALUES:
            yield replace(asked, body=asked.body | {name: odd})
            for inner in schema.get("properties", {}):
                yield replace(asked, body=asked.body | {name: {inner: odd}})


async def test_rubbish_in_the_api_is_refused_with_a_code(doors: Doors) -> None:
    """Every operation, every parameter and field, every odd value, one at a time."""
    document = application(doors.world).openapi()
    for asked, slots in operations(document, doors):
        await doors.ask(asked)
        for one in spoiled(asked, slots):
            await doors.ask(one)

    assert [] == doors.bad
    assert doors.statuses[422] > 500
    assert doors.statuses[200] + doors.statuses[201] > 100


async def test_bodies_that_are_none_are_refused_with_a_code(doors: Doors) -> None:
    """Bytes that are no text, depth without end, the wrong kind: at every door that reads a body, key or not."""
    paths = {path for path, methods in application(doors.world).openapi()["paths"].items() if "post" in methods}
    for path in sorted(paths | set(FORMS)):
        places = {name: value for name, value in doors.known.items() if f"{{{name}}}" in path}
        for body in ODD_BODIES:
            for kind in ODD_TYPES:
                await doors.ask(Asked(method="POST", path=path, places=places, body=body, kind=kind))

    assert [] == doors.bad


async def test_rubbish_on_the_pages_is_refused_with_a_code(doors: Doors) -> None:
    """Every form and its fields, every page and what it reads from its address."""
    form = "application/x-www-form-urlencoded"
    for path, names in FORMS.items():
        places = {name: value for name, value in doors.known.items() if f"{{{name}}}" in path}
        for name in (*names, "csrf"):
            for odd in ODD_TEXTS:
                body = {"csrf": doors.csrf, "app_id": doors.known["app_id"], name: odd}
                await doors.ask(Asked(method="POST", path=path, places=places, body=body, kind=form))
    for path in sorted(pages(doors.world, "GET")):
        places = {name: value for name, value in doors.known.items() if f"{{{name}}}" in path}
        for odd in ODD_TEXTS:
            for name in places:
                await doors.ask(Asked(method="GET", path=path, places=places | {name: odd}))
            for name in QUERIES.get(path, ("anything",)):
                await doors.ask(Asked(method="GET", path=path, places=places, query={name: odd}))
    for name in ("eg_login", "eg_visit", "eg_link_x"):
        for odd in (r'"\000"', "%00", "é", "x" * 5000, '"'):
            await doors.ask(
                Asked(method="GET", path="/dashboard"), doors.world.hub.new_browser(), cookie=f"{name}={odd}"
            )

    assert [] == doors.bad
    assert set(FORMS) == pages(doors.world, "POST")


def pages(world: World, method: str) -> set[str]:
    """The pages' routes, but for the one that never ends."""
    found: set[str] = set()
    waiting = list(application(world).routes)
    while waiting:
        route: Any = waiting.pop()
        waiting += getattr(getattr(route, "original_router", None), "routes", [])
        if method in (getattr(route, "methods", None) or ()) and not route.include_in_schema:
            found.add(route.path)
    assert found
    return found - {"/live", "/openapi.json"}


async def test_rubbish_in_the_fast_lanes_is_refused_with_a_code(doors: Doors) -> None:
    """Token reads and notices, the latter signed, since everything behind the signature reads them."""
    token, hook = "/v1/connections/{connection_id}/token", "/hooks/tiktok-shop/{app_id}"
    places = {"connection_id": doors.known["connection_id"]}
    app = {"app_id": doors.known["app_id"]}
    usual_notice = {"type": 1, "tts_notification_id": "7", "shop_id": "1", "timestamp": 1767225600, "data": {}}
    for odd in ODD_TEXTS:
        await doors.ask(Asked(method="GET", path=token, places={"connection_id": odd}))
        await doors.ask(Asked(method="POST", path=hook, places={"app_id": odd}, body=b"{}"))
        for name in ("shop_id", "min_ttl"):
            await doors.ask(Asked(method="GET", path=token, places=places, query={name: odd}))
    bodies = [json.dumps(usual_notice | {name: odd}).encode() for name in usual_notice for odd in ODD_VALUES]
    for body in (*bodies, *ODD_BODIES):
        signed = signing.sign_notice(KEY, Secret(SECRET), body)
        await doors.ask(Asked(method="POST", path=hook, places=app, body=body), authorization=signed)
    for shown in ("Bearer eg_²", "Bearer eg_é", "Bearer", "²", "Bearer eg_" + "x" * 5000):
        anonymous = doors.world.hub.new_browser()
        await doors.ask(Asked(method="GET", path=token, places=places), anonymous, authorization=shown)
        await doors.ask(Asked(method="POST", path=hook, places=app, body=b"{}"), anonymous, authorization=shown)

    assert [] == doors.bad
    await doors.world.hub.work()


async def test_odd_methods_and_hosts_are_refused_with_a_code(doors: Doors) -> None:
    """Methods nobody has, hosts that are none, lengths that are no numbers."""
    token = f"/v1/connections/{doors.known['connection_id']}/token"
    for method in ("TRACE", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "FOO"):
        for path in ("/v1/connections", "/v1/apps/", token, "/login", "/dashboard", "/l/x", "/nowhere", "/static/x"):
            await doors.ask(Asked(method=method, path=path))
    for host in ("[::1", "a b", "evil.example", "x" * 5000, "é"):
        for path in ("/dashboard", "/v1/nowhere", "/v1/apps/", "/nowhere", "/login", "/static/x"):
            await doors.ask(Asked(method="GET", path=path), doors.world.hub.new_browser(), host=host)
    for length in ("²", "-1", "9" * 30, "x"):
        anonymous = doors.world.hub.new_browser()
        await doors.ask(Asked(method="POST", path="/v1/merchants", body=b"{}"), anonymous, **{"content-length": length})

    assert [] == doors.bad


TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_hypothesis_thinks_of_is_answered_clearly(doors: Doors, data: st.DataObject) -> None:
    """Any operation, with any mixture of what is in order and what is not."""
    document = application(doors.world).openapi()
    asked, slots = data.draw(st.sampled_from(list(operations(document, doors))))
    odd = Asked(
        method=asked.method,
        path=asked.path,
        places={name: data.draw(st.just(value) | TEXTS.filter(bool)) for name, value in asked.places.items()},
        query=asked.query | data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(slots["query"], TEXTS))),
        body=None
        if asked.body is None
        else asked.body | data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(slots["body"], VALUES))),
    )
    await doors.ask(odd)

    assert [] == doors.bad
