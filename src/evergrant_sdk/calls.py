"""The hub's calls as values: what to send, and how to read the answer. Both clients send the very same ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from evergrant_sdk.values import Connection, HubUnavailable, LinkSession, Refused, SellerMustRenew, Shop, Token

Answer = TypeVar("Answer")

COME_BACK = frozenset({429, 502, 503, 504})
COME_BACK_CODES = frozenset({"token_being_refreshed"})
"""The same, told of one connection among many, where no status of its own goes with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Answer]):
    """One call: method, path, query, body, and the reader of its answer."""

    method: str
    path: str
    read: Callable[[Any], Answer]
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


def token(connection_id: str, *, shop_id: str | None = None, min_ttl: int = 0) -> Call[Token]:
    """A fresh access token that lives at least `min_ttl` seconds longer."""
    query: dict[str, str | int] = {}
    if shop_id is not None:
        query["shop_id"] = shop_id
    if min_ttl:
        query["min_ttl"] = min_ttl
    return Call(method="GET", path=f"/v1/connections/{quote(connection_id, safe='')}/token", query=query, read=_token)


def tokens(connection_ids: Sequence[str], *, min_ttl: int = 0) -> Call[dict[str, Token | Exception]]:
    """Fresh access tokens of up to 100 connections, by their ids."""
    body = {"ids": list(connection_ids), "min_ttl": min_ttl}
    return Call(method="POST", path="/v1/tokens", body=body, read=_tokens)


def connection(connection_id: str) -> Call[Connection]:
    """One connection."""
    return Call(method="GET", path=f"/v1/connections/{quote(connection_id, safe='')}", read=_connection)


def connections(cursor: str = "", **wanted: str) -> Call[tuple[list[Connection], str | None]]:
    """A page of connections, and the cursor of the next one."""
    query: dict[str, str | int] = {"cursor": cursor, "limit": 200, **wanted}
    return Call(method="GET", path="/v1/connections", query=query, read=_connections)


def new_link(
    *,
    merchant_id: str,
    app_id: str,
    purpose: str = "link",
    connection_id: str | None = None,
    return_to: str | None = None,
    expires_in: int | None = None,
) -> Call[LinkSession]:
    """A hosted link; with purpose `renew`, for one connection."""
    given = {
        "merchant_id": merchant_id,
        "app_id": app_id,
        "purpose": purpose,
        "connection_id": connection_id,
        "return_to": return_to,
        "expires_in": expires_in,
    }
    body = {name: value for name, value in given.items() if value is not None}
    return Call(method="POST", path="/v1/link-sessions", body=body, read=_link)


def link(session_id: str) -> Call[LinkSession]:
    """How far a link has come."""
    return Call(method="GET", path=f"/v1/link-sessions/{quote(session_id, safe='')}", read=_link)


def refusal(status: int, body: Any) -> Exception:
    """The exception for an answer that is not a success. What stands between us and the hub may answer in its own words."""
    told = body.get("error") if isinstance(body, dict) else None
    error = told if isinstance(told, dict) else {}
    code, message = str(error.get("code", "unknown")), str(error.get("message", f"HTTP {status}"))
    if status in COME_BACK or code in COME_BACK_CODES:
        return HubUnavailable(f"{code}: {message}")
    kind = SellerMustRenew if error.get("remedy") == "seller_renews" else Refused
    return kind(status=status, code=code, message=message, request_id=str(error.get("request_id", "")))


def _token(found: Any) -> Token:
    return Token(
        access_token=found["access_token"],
        expires_at=datetime.fromisoformat(found["expires_at"]),
        shop_cipher=found["shop_cipher"],
        open_id=found["open_id"],
        scopes=tuple(found["scopes"]),
        missing_scopes=tuple(found["missing_scopes"]),
    )


def _tokens(found: Any) -> dict[str, Token | Exception]:
    """An item that is refused is no reason to lose the others: its exception stands in its place."""
    return {item["id"]: _token(item["token"]) if "token" in item else refusal(200, item) for item in found["items"]}


def _connection(found: Any) -> Connection:
    ends = found["authorization_expires_at"]
    return Connection(
        id=found["id"],
        merchant_id=found["merchant_id"],
        app_id=found["app_id"],
        status=found["status"],
        reason=found["reason"],
        authorization_expires_at=datetime.fromisoformat(ends) if ends else None,
        days_remaining=found["days_remaining"],
        expiring=found["expiring"],
        scopes=tuple(found["scopes"]),
        missing_scopes=tuple(found["missing_scopes"]),
        shops=tuple(_shop(shop) for shop in found["shops"]),
    )


def _shop(found: Any) -> Shop:
    """Its fields by name: a hub that tells more is no reason to fail."""
    return Shop(
        id=found["id"], name=found["name"], region=found["region"], cipher=found["cipher"], status=found["status"]
    )


def _connections(found: Any) -> tuple[list[Connection], str | None]:
    return [_connection(item) for item in found["items"]], found["next_cursor"]


def _link(found: Any) -> LinkSession:
    result = found["result"] or {}
    return LinkSession(
        id=found["id"],
        url=found.get("url"),
        expires_at=datetime.fromisoformat(found["expires_at"]),
        outcome=found["outcome"],
        code=found["code"],
        connection_id=result.get("connection_id"),
    )
