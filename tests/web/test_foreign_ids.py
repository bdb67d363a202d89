"""Another tenant's id answers like one that nobody has: every operation of openapi.json and every page, every id (TS-09).

Generated: a new route is tried without a word here. Where the generator knows no value for a field it says so and fails.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from evergrant.web import access
from evergrant.web.guard import Guard
from tests.web.two_tenants import CHOSEN, CannotFillError, TwoTenants, neighbour, two_tenants
from tests.world_fixture import World

BY_SECRET = ("/l/", "/cb/", "/done/", "/hooks/")
"""Pages that belong to whoever brings their secret, whatever tenant they are of."""

CURSORS = {"cursor", "after"}
SEARCHES = {"q"}
KEYS = {"idempotency-key"}

FILLED: Mapping[str, Any] = {
    "provider": "tiktok-shop",
    "region": "ROW",
    "purpose": "link",
    "return_to": None,
    "base_urls": {},
    "path": "order/202309/orders/search",
    "expires_before": "2027-01-01T00:00:00Z",
}
"""What a plain field of that name takes, where its schema does not tell."""

VARIES = (
    (re.compile(r'"request_id":\s*"[^"]+"'), '"request_id": "…"'),
    (re.compile(r"\b[a-z]{2,4}_[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "INSTANT"),
    (re.compile(r"<svg.*?</svg>", re.DOTALL), "PICTURE"),  # a cursor may be a number that stands in one
    (re.compile(r">(now|\d+ (second|minute)s? ago)<"), ">A WHILE AGO<"),
    (re.compile(r"/l/[\w-]{43}"), "/l/HANDLE"),
    (re.compile(r'"signature":\s*"[^"]+"'), '"signature": "…"'),
    (re.compile(r"\b[0-9a-f]{64}\b"), "CSRF"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "MADE UP"),
)


@dataclass(kw_only=True)
class Call:
    """One operation with its fields: where each stands, and its schema."""

    method: str
    path: str
    fields: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """(place, name) -> schema; place is path, query, header, body or form."""
    required: set[tuple[str, str]] = field(default_factory=set)

    def ids(self) -> list[tuple[str, str]]:
        """The fields somebody else's value could be tried in."""
        return [known for known in self.fields if is_id(known[1])]


def of_what(call: Call, name: str) -> str:
    """What a field is called, or of what it holds the ids where that tells nothing."""
    last = name.rsplit(".", 1)[-1]
    return "exception_id" if last == "ids" and call.path.endswith("/replays") else last


def is_id(name: str) -> bool:
    """Whether a field holds an id, by its name."""
    low = name.lower()
    return low in {"id", "ids", *CURSORS, *SEARCHES, *KEYS} or low.endswith(("_id", "_ids"))


def operations(document: dict[str, Any]) -> Iterator[Call]:
    """Every operation of the OpenAPI document."""
    for path, known in document["paths"].items():
        for method, operation in known.items():
            call = Call(method=method.upper(), path=path)
            for given in operation.get("parameters", ()):
                place = given["in"], given["name"]
                call.fields[place] = resolved(document, given["schema"])
                if given.get("required"):
                    call.required.add(place)
            content = operation.get("requestBody", {}).get("content", {})
            for name, (schema, is_required) in members(document, content.get("application/json", {}).get("schema", {})):
                call.fields["body", name] = schema
                if is_required:
                    call.required.add(("body", name))
            yield call


def members(
    document: dict[str, Any], schema: dict[str, Any], before: str = ""
) -> Iterator[tuple[str, tuple[dict[str, Any], bool]]]:
    """The fields of a body, those of nested objects with dots, those of lists with `[]`."""
    whole = resolved(document, schema)
    for name, below in whole.get("properties", {}).items():
        inner = resolved(document, below)
        needed = name in whole.get("required", ())
        if inner.get("type") == "array" and "properties" in resolved(document, inner.get("items", {})):
            yield from members(document, inner["items"], f"{before}{name}[].")
        elif "properties" in inner and (needed or any(is_id(each) for each in inner["properties"])):
            yield from members(document, inner, f"{before}{name}.")
        else:
            yield f"{before}{name}", (inner, needed)


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, the first of several that is not null."""
    if "$ref" in schema:
        return resolved(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for many in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(many, ()):
            if one.get("type") != "null":
                return resolved(document, one) | {key: schema[key] for key in ("default",) if key in schema}
    return schema


def plain(name: str, schema: dict[str, Any]) -> Any:
    """A value for a field that is no id. Raises CannotFillError."""
    last = name.rsplit(".", 1)[-1]
    if last in FILLED:
        return FILLED[last]
    if "enum" in schema or "const" in schema:
        return schema["enum"][0] if "enum" in schema else schema["const"]
    match schema.get("type"):
        case "string":
            return "2027-01-01T00:00:00Z" if schema.get("format") == "date-time" else "x" * schema.get("minLength", 1)
        case "integer" | "number":
            return schema.get("default", int(schema.get("minimum", 1)))
        case "boolean":
            return False
        case "array":
            return []
        case "object":
            return {}
    raise CannotFillError(f"No value for `{name}` ({json.dumps(schema)}): add one to FILLED.")


@pytest.fixture
async def two(world: World) -> AsyncIterator[TwoTenants]:
    """Two tenants."""
    made = await two_tenants(world)
    yield made
    await made.api.aclose()
    await made.browser.aclose()


async def sent(two: TwoTenants, call: Call, tried: Mapping[tuple[str, str], Any]) -> httpx2.Response:
    """The call with these values in these fields, and values of one's own in all others it needs."""
    values: dict[tuple[str, str], Any] = {}
    for (place, name), schema in call.fields.items():
        if (place, name) in tried:
            value = tried[place, name]
            values[place, name] = [value] if schema.get("type") == "array" else value
        elif (place, name) in call.required or (place == "path"):
            last = of_what(call, name)
            own = (
                await two.own(last)
                if is_id(last) and last.lower() not in CURSORS | SEARCHES | KEYS
                else plain(name, schema)
            )
            values[place, name] = [own] if schema.get("type") == "array" and own != [] and is_id(last) else own
    path = call.path
    for (place, name), value in values.items():
        if place == "path":
            path = path.replace("{" + name + "}", str(value))
    body: dict[str, Any] = {}
    for (place, name), value in values.items():
        if place == "body":
            put(body, name, value)
    has_body = any(place == "body" for place, _ in call.fields)
    return await two.api.request(
        call.method,
        path,
        params={name: value for (place, name), value in values.items() if place == "query"},
        headers={name: value for (place, name), value in values.items() if place == "header"},
        json=companions(call, body) if has_body else None,
    )


def companions(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """What one field brings with it: a connection is named to renew it, a variant with its product. A change changes
    something.
    """
    if call.method == "PATCH" and not body:
        return {"settings": {}} if "{connection_id}" in call.path else {"retire_older": True}
    if call.path == "/v1/replays" and not body:
        return {"cause": "sku_not_mapped"}
    if "sku_id" in body.get("items", [{}])[0]:
        body["items"][0].setdefault("product_id", "1729000000000000001")
    return body | {"purpose": "renew"} if "connection_id" in body and "merchant_id" in body else body


def put(body: dict[str, Any], name: str, value: Any) -> None:
    """Set a field by its dotted name."""
    head, _, rest = name.partition(".")
    if not rest:
        body[head] = value
    elif head.endswith("[]"):
        put(body.setdefault(head[:-2], [{}])[0], rest, value)
    else:
        put(body.setdefault(head, {}), rest, value)


def told(answer: httpx2.Response, given: str) -> tuple[int, str, str]:
    """What an answer says, without what differs between two calls anyway."""
    text = answer.text
    for pattern, mask in VARIES:  # instants first: a cursor may be a number that stands in one
        text = pattern.sub(mask, text)
    before = (
        r'cursor=|cursor": ?"' if given.isdigit() and len(given) < 6 else r"(?<!\w)"
    )  # a drawing, too, is full of numbers
    text = re.sub(rf"({before}){re.escape(given)}(?!\w)", r"\1GIVEN", text)
    return answer.status_code, answer.headers.get("x-error-code", ""), text


async def values_for(two: TwoTenants, call: Call, name: str) -> list[str]:
    """Values of the other tenant to be tried in a field."""
    last = of_what(call, name)
    low = last.lower()
    if low in CURSORS:
        events = (await two.world.hub.api.get("/v1/events", params={"limit": 200})).json()
        return [two.theirs["connection_id"], two.theirs["merchant_id"], events["tail_cursor"]]
    if low in SEARCHES:
        return ["Harbour Lane"]
    if low in KEYS:
        return ["shared"]
    return [await two.foreign(last)]


async def share_key(two: TwoTenants, call: Call) -> None:
    """The other tenant has used the key `shared` on every route there is."""
    async with two.world.hub.parts.database.connection() as connection:
        await connection.execute(
            """
            insert into kept_answers select (jsonb_populate_record(k, jsonb_build_object('route', $1::text))).*
            from kept_answers k where tenant_id = $2 and route = 'POST /v1/merchants' and key = 'shared'
            on conflict do nothing
            """,
            f"{call.method} {call.path}",
            two.world.hub.tenant_id,
        )


async def test_every_operation_answers_a_foreign_id_like_one_that_nobody_has(two: TwoTenants) -> None:
    """Status and bytes are the same, nothing of the other's is in them, and not one of the other's rows has changed."""
    document = (await two.api.get("/openapi.json")).json()
    calls, tried = list(operations(document)), 0
    hidden = {*two.theirs.values(), two.world.hub.tenant_id, "rosa@harbourlane.example"} - {
        two.theirs[name] for name in CHOSEN
    }
    for call in calls:
        own = await sent(two, call, {})
        assert own.status_code not in (400, 401, 403, 404, 405, 422, 500), (
            f"{call.method} {call.path} cannot be filled with values of one's own: {own.status_code} {own.text}"
        )
        for place in call.ids():
            for value in await values_for(two, call, place[1]):
                if place[1].lower() in KEYS:
                    await share_key(two, call)
                before = await two.checksum()
                nobodys = neighbour(value)
                unknown = await sent(two, call, {place: nobodys})
                foreign = await sent(two, call, {place: value})
                where = f"{call.method} {call.path}, {place[0]} {place[1]}"
                assert told(unknown, nobodys) == told(foreign, value), where
                leaked = [each for each in hidden - {value} if each in foreign.text]
                assert not leaked, f"{where} tells {leaked}"
                assert before == await two.checksum(), f"{where} changed rows of the other tenant"
                tried += 1

    assert len(calls) >= 18
    assert tried >= 25


def pages(two: TwoTenants) -> list[Call]:
    """Every page with an id, taken from the application itself."""
    guard: Any = two.world.hub.transport.app
    assert isinstance(guard, Guard)
    behind: Any = guard._app
    found = []
    for router in [getattr(route, "original_router", None) for route in behind._behind.routes]:
        for route in router.routes if router else ():
            if not isinstance(route, APIRoute) or route.include_in_schema or route.path.startswith(BY_SECRET):
                continue
            for method in route.methods or ():
                call = Call(method=method, path=route.path)
                for place, params in (("path", route.dependant.path_params), ("query", route.dependant.query_params)):
                    call.fields |= {(place, each.alias): {"type": "string"} for each in params}
                call.fields |= {("form", each.alias): {"type": "string"} for each in route.dependant.body_params}
                found.append(call)
    return found


async def opened(two: TwoTenants, call: Call, place: tuple[str, str], value: str) -> httpx2.Response:
    """The page, or the form, with this value, by whoever is logged in."""
    fields: dict[tuple[str, str], str] = {place: value}
    for known in call.fields:
        if known not in fields and is_id(known[1]) and known[1] not in SEARCHES | CURSORS:
            fields[known] = await two.own(known[1])
    path = call.path
    for (where, name), each in fields.items():
        path = path.replace("{" + name + "}", each) if where == "path" else path
    cookie = two.browser.cookies[access.LOGIN_COOKIE]
    form = {name: each for (where, name), each in fields.items() if where == "form"} | {"csrf": access.csrf_of(cookie)}
    return await two.browser.request(
        call.method,
        path,
        params={name: each for (where, name), each in fields.items() if where == "query"},
        data=form if call.method == "POST" else None,
    )


async def test_every_page_answers_a_foreign_id_like_one_that_nobody_has(two: TwoTenants) -> None:
    """Pages, their parts, their forms, for a person of the other team."""
    tried = []
    for call in pages(two):
        for place in call.ids():
            for value in await values_for(two, call, place[1]):
                nobodys, before = neighbour(value), await two.checksum()
                unknown = await opened(two, call, place, nobodys)
                foreign = await opened(two, call, place, value)
                where = f"{call.method} {call.path}, {place[0]} {place[1]}"
                assert told(unknown, nobodys) == told(foreign, value), where
                assert not [each for each in two.theirs.values() if each != value and each in foreign.text], where
                assert before == await two.checksum(), f"{where} changed rows of the other tenant"
                tried.append(where)
    seen = await two.browser.get("/dashboard")

    assert len(tried) >= 5, tried
    assert "Harbour Lane" not in seen.text, "neither cards nor counters"
