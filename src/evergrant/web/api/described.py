"""The OpenAPI document: what FastAPI knows of its routes, and beside it the fast lanes, which it does not see."""

from typing import Any

from fastapi import FastAPI

from evergrant.web import proxied, repeats

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "properties": {
                "code": {"type": "string", "description": "Stable: what a program decides by."},
                "message": {"type": "string", "description": "What to do, in a sentence."},
                "request_id": {"type": "string"},
                "remedy": {"type": "string", "enum": ["seller_renews", "you_resume", "wait", "none"]},
            },
        }
    },
}

TOKEN: dict[str, Any] = {
    "tags": ["connections"],
    "summary": "Read Token",
    "description": "A living access token, its end and the cipher of the shop; recorded before it leaves. 409 with the reason"
    " once the authorization is over or being verified.",
    "operationId": "read_token",
    "parameters": [
        {"name": "connection_id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "shop_id", "in": "query", "required": False, "schema": {"type": "string"}},
        {
            "name": "min_ttl",
            "in": "query",
            "required": False,
            "description": "Seconds the token has to live on at least.",
            "schema": {"type": "integer", "minimum": 0, "maximum": 86400, "default": 0},
        },
    ],
    "responses": {
        "200": {
            "description": "Successful Response",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Token"}}},
        }
    },
}

TOKEN_SHAPE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "access_token": {"type": "string"},
        "expires_at": {"type": "string", "format": "date-time"},
        "shop_cipher": {"type": ["string", "null"]},
        "open_id": {"type": "string"},
        "scopes": {"type": "array", "items": {"type": "string"}},
        "missing_scopes": {"type": "array", "items": {"type": "string"}},
    },
}

TOKENS: dict[str, Any] = {
    "tags": ["connections"],
    "summary": "Read Tokens",
    "description": "Tokens of up to 100 connections, in the order asked for: each item has a `token`, or the `error` that"
    " reading it alone would have given.",
    "operationId": "read_tokens",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["ids"],
                    "additionalProperties": False,
                    "properties": {
                        "ids": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 100,
                            "items": {"type": "string", "minLength": 1, "maxLength": 200},
                        },
                        "min_ttl": {"type": "integer", "minimum": 0, "maximum": 86400, "default": 0},
                    },
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "Successful Response",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "items": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "required": ["id"],
                                    "properties": {
                                        "id": {"type": "string"},
                                        "token": {"$ref": "#/components/schemas/Token"},
                                        "error": ERROR["properties"]["error"],
                                    },
                                },
                            }
                        },
                    }
                }
            },
        }
    },
}

PROXIED: dict[str, Any] = {
    "tags": ["connections"],
    "summary": "Call The Platform",
    "description": "Any call of the platform's API, signed and authorized: parameters, body and content type go on as they"
    " are, and the platform's status, body and content type come back. 409 as for a token; 429 when the shop is called too fast.",
    "parameters": [
        {"name": "connection_id", "in": "path", "required": True, "schema": {"type": "string"}},
        {
            "name": "path",
            "in": "path",
            "required": True,
            "description": "The platform's own path, with its slashes: `order/202309/orders/search`.",
            "schema": {"type": "string", "examples": ["order/202309/orders/search"]},
        },
        {
            "name": "shop_id",
            "in": "query",
            "required": False,
            "description": "Which shop the call is about; needed where the connection has several.",
            "schema": {"type": "string"},
        },
    ],
    "responses": {
        "default": {
            "description": "Whatever the platform answers, with its id of the call in `X-Platform-Request-Id`."
        },
        "504": {
            "description": "The platform's answer was lost: whether it did what was asked is not known.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        },
    },
}

REPEATABLE: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A key of your own for this call. Made again with it within 7 days, it acts once and is answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": repeats.LONGEST},
}

SCHEME = {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer eg_…`."}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        document["paths"]["/v1/connections/{connection_id}/token"] = {"get": TOKEN}
        document["paths"]["/v1/tokens"] = {"post": TOKENS}
        document["paths"]["/v1/connections/{connection_id}/proxy/{path}"] = {
            method.lower(): _proxied(method.lower()) for method in sorted(proxied.METHODS)
        }
        components = document.setdefault("components", {"schemas": {}})
        components["securitySchemes"] = {"key": SCHEME}
        components["schemas"] |= {"Error": ERROR, "Token": TOKEN_SHAPE}
        document["security"] = [{"key": []}]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                _refusals(operation)
                if repeats.is_repeatable(method.upper(), path):
                    operation.setdefault("parameters", []).append(REPEATABLE)
        app.openapi_schema = document
    return app.openapi_schema


def _proxied(method: str) -> dict[str, Any]:
    """One method of the proxy; those with a body take any."""
    told = PROXIED | {
        "operationId": f"call_platform_{method}",
        "parameters": list(PROXIED["parameters"]),
        "responses": dict(PROXIED["responses"]),
    }
    if method in {"post", "put", "patch", "delete"}:
        told["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return told


def _refusals(operation: dict[str, Any]) -> None:
    """Every refusal has the one envelope, whatever its status."""
    refusal = {
        "description": "Refused: the code says why, the message what to do.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    operation["responses"].pop("422", None)
    operation["responses"] |= {"4XX": refusal, "503": refusal}
