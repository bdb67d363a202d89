"""The two clients: one for ordinary code, one for async code. What they send and read stands in `calls`."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Self, TypeVar

import httpx2

from evergrant_sdk import calls
from evergrant_sdk.calls import Call
from evergrant_sdk.values import Connection, HubUnavailable, LinkSession, Token

Answer = TypeVar("Answer")

TIMEOUT_SECONDS = 10.0


class Evergrant:
    """The hub, for ordinary code. Use it as a context manager, or call `close`."""

    def __init__(self, hub: str, api_key: str, *, transport: httpx2.BaseTransport | None = None) -> None:
        self._http = httpx2.Client(
            base_url=hub, headers=_headers(api_key), timeout=TIMEOUT_SECONDS, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def token(self, connection_id: str, *, shop_id: str | None = None, min_ttl: int = 0) -> Token:
        """A fresh access token that lives at least `min_ttl` seconds longer.

        Raises:
            SellerMustRenew: the authorization is over, and only the seller can give it again.
            Refused: the connection is not there, or the API key may not.
            HubUnavailable: the hub is away, or is refreshing the token just now: try again in a moment.
        """
        return self._send(calls.token(connection_id, shop_id=shop_id, min_ttl=min_ttl))

    def tokens(self, connection_ids: Sequence[str], *, min_ttl: int = 0) -> dict[str, Token | Exception]:
        """Fresh access tokens of up to 100 connections, by their ids. In the place of one that is refused stands the
        exception that `token` would have raised.
        """
        return self._send(calls.tokens(connection_ids, min_ttl=min_ttl))

    def connection(self, connection_id: str) -> Connection:
        """One connection."""
        return self._send(calls.connection(connection_id))

    def connections(self, **wanted: str) -> Iterator[Connection]:
        """Every connection, filtered by `status`, `merchant_id`, `expires_before` or `q`."""
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = self._send(calls.connections(cursor, **wanted))
            yield from page

    def new_link(self, **given: Any) -> LinkSession:
        """Make a hosted link: `merchant_id`, `app_id`, and for a renewal `purpose="renew"` and `connection_id`."""
        return self._send(calls.new_link(**given))

    def link(self, session_id: str) -> LinkSession:
        """How far a link has come."""
        return self._send(calls.link(session_id))

    def _send(self, call: Call[Answer]) -> Answer:
        try:
            answer = self._http.request(call.method, call.path, params=dict(call.query), json=call.body)
        except httpx2.HTTPError as error:
            raise HubUnavailable(type(error).__name__) from error
        return _read(call, answer)


class AsyncEvergrant:
    """The hub, for async code. Use it as a context manager, or call `close`."""

    def __init__(self, hub: str, api_key: str, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._http = httpx2.AsyncClient(
            base_url=hub, headers=_headers(api_key), timeout=TIMEOUT_SECONDS, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def token(self, connection_id: str, *, shop_id: str | None = None, min_ttl: int = 0) -> Token:
        """A fresh access token that lives at least `min_ttl` seconds longer. Raises as `Evergrant.token` does."""
        return await self._send(calls.token(connection_id, shop_id=shop_id, min_ttl=min_ttl))

    async def tokens(self, connection_ids: Sequence[str], *, min_ttl: int = 0) -> dict[str, Token | Exception]:
        """Fresh access tokens of up to 100 connections, by their ids. In the place of one that is refused stands the
        exception that `token` would have raised.
        """
        return await self._send(calls.tokens(connection_ids, min_ttl=min_ttl))

    async def connection(self, connection_id: str) -> Connection:
        """One connection."""
        return await self._send(calls.connection(connection_id))

    async def connections(self, **wanted: str) -> AsyncIterator[Connection]:
        """Every connection, filtered by `status`, `merchant_id`, `expires_before` or `q`."""
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = await self._send(calls.connections(cursor, **wanted))
            for found in page:
                yield found

    async def new_link(self, **given: Any) -> LinkSession:
        """Make a hosted link: `merchant_id`, `app_id`, and for a renewal `purpose="renew"` and `connection_id`."""
        return await self._send(calls.new_link(**given))

    async def link(self, session_id: str) -> LinkSession:
        """How far a link has come."""
        return await self._send(calls.link(session_id))

    async def _send(self, call: Call[Answer]) -> Answer:
        try:
            answer = await self._http.request(call.method, call.path, params=dict(call.query), json=call.body)
        except httpx2.HTTPError as error:
            raise HubUnavailable(type(error).__name__) from error
        return _read(call, answer)


def _headers(api_key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {api_key}"}


def _read(call: Call[Answer], answer: httpx2.Response) -> Answer:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not answer.is_success or body is None:
        raise calls.refusal(answer.status_code, body)
    return call.read(body)
