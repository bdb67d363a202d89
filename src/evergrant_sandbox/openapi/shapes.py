"""The small change of the document: schemas, parameters and the two envelopes."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
# "64-bit: never a float" (3.4).
ID: Schema = {"type": "string", "pattern": "^[0-9]{1,19}$"}
SECONDS: Schema = {"type": "integer", "minimum": 0, "maximum": 9_999_999_999}
# "Money is a decimal string" (6).
MONEY: Schema = {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}
REGION: Schema = {"type": "string", "pattern": "^[A-Z]{2}$"}
REQUEST_ID: Schema = {"type": "string", "pattern": "^[0-9]{14}[0-9A-F]+$"}

JSON = "application/json"


def fields(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these fields; others may be there, as the platform adds some now and then."""
    return {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        **({"required": list(needed)} if needed else {}),
    }


def closed(needed: Mapping[str, Schema]) -> Schema:
    """An object with exactly these fields."""
    return {**fields(needed), "additionalProperties": False}


def several(items: Schema, *, most: int | None = None) -> Schema:
    """A list."""
    return {"type": "array", "items": items, **({} if most is None else {"maxItems": most})}


def choice(*words: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(words)}


def parameter(place: str, name: str, schema: Schema, *, needed: bool = False) -> Schema:
    """A parameter in the query, the path or a header."""
    return {"name": name, "in": place, "required": needed or place == "path", "schema": schema}


def body(schema: Schema, media: str = JSON) -> Schema:
    """A body."""
    return {"required": False, "content": {media: {"schema": schema}}}


# 3.1: what every signed call brings.
SIGNED = (
    parameter("query", "app_key", TEXT, needed=True),
    parameter("query", "timestamp", {"type": "string", "pattern": "^[0-9]{10}$"}, needed=True),
    parameter("query", "sign", {"type": "string", "pattern": "^[0-9a-f]{64}$"}, needed=True),
    parameter("header", "x-tts-access-token", TEXT, needed=True),
)
CIPHER = parameter("query", "shop_cipher", TEXT, needed=True)
CIPHER_OR_NOT = parameter("query", "shop_cipher", TEXT)
# 6: paging.
PAGES = (
    parameter("query", "page_size", {"type": "integer", "minimum": 1, "maximum": 100}, needed=True),
    parameter("query", "page_token", TEXT),
)

# 3.7: the envelope of a refusal of the API host, and 2.5 that of the token host, whose fixtures have no `data`.
REFUSED = closed(
    {
        "code": {"type": "integer", "not": {"const": 0}},
        "data": {"type": "null"},
        "message": TEXT,
        "request_id": REQUEST_ID,
    }
)
TOKEN_REFUSED = closed({"code": {"type": "integer", "not": {"const": 0}}, "message": TEXT, "request_id": REQUEST_ID})


def _says(schema: Schema) -> Schema:
    return {"content": {JSON: {"schema": schema}}}


def signed(
    section: str,
    summary: str,
    *,
    data: Schema,
    parameters: tuple[Schema, ...] = (),
    sends: Schema | None = None,
    scope: str = "",
) -> Schema:
    """One operation of the API host, with the section of the wire sheet it was written from."""
    succeeded = closed({"code": {"const": 0}, "message": {"const": "Success"}, "data": data, "request_id": REQUEST_ID})
    return {
        "summary": summary,
        "x-wire-sheet": section,
        **({"x-scope": scope} if scope else {}),
        "parameters": [*SIGNED, *parameters],
        **({"requestBody": sends} if sends else {}),
        "responses": {
            "200": {"description": "Done, or refused: `code` decides", **_says({"oneOf": [succeeded, REFUSED]})},
            "default": {"description": "Refused", **_says(REFUSED)},
        },
    }


def token(section: str, summary: str, *, data: Schema, parameters: tuple[Schema, ...]) -> Schema:
    """One operation of the token host: not signed, HTTP 200 whatever happens."""
    succeeded = closed({"code": {"const": 0}, "message": {"const": "success"}, "data": data, "request_id": REQUEST_ID})
    return {
        "summary": summary,
        "x-wire-sheet": section,
        "parameters": list(parameters),
        "responses": {"200": {"description": "`code` decides", **_says({"oneOf": [succeeded, TOKEN_REFUSED]})}},
    }
