"""The bare limit: static JSON, one `SELECT 1`, and a platform that answers refreshes, on the hub's own server arrangement.

    python -m bench.bare --port 9000 --dsn postgresql://…

The same Granian in the same event loop, the same driver with the same pool, and nothing of ours around them.
"""

import argparse
import asyncio
import json
import re
import signal
import time
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import asyncpg
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

POOL = 10
"""The hub's own default (`database_connections`)."""
UPDATE = "/inventory/update"
LEVEL = re.compile(rb'"id":"([0-9]+)","inventory":\[\{"warehouse_id":"[0-9]+","quantity":([0-9]+)')
POISON = b"66"
"""How the number of a variant begins whose stock is refused."""
UNORDERED, LEVELS_A_SKU = b"18", 3
"""Variants whose levels come in no order; how many levels the others get before the first comes anew."""
STATIC = json.dumps({"code": 0, "message": "Success", "data": {"name": "Evergrant", "number": 42}}).encode()
WEEK = 7 * 86_400


class Bare:
    """An ASGI application with a few paths."""

    def __init__(self, pool: Any, latency: float) -> None:
        self._pool = pool
        self._latency = latency
        self._flying = self._most = 0
        self._numbers = count()
        self._levels: dict[bytes, int] = {}
        self._disorder = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        content = STATIC
        if scope["path"] == "/select-1":
            async with self._pool.acquire() as connection:
                content = b'{"one":%d}' % await connection.fetchval("select 1")
        elif scope["path"] == "/api/v2/token/refresh":
            content = await self._slowly(scope["query_string"].decode())
        elif scope["path"].endswith(UPDATE):
            content = self._updated((await receive())["body"])
        elif scope["path"] == "/disorder":
            content, self._disorder = b'{"disorder":%d}' % self._disorder, 0
            self._levels.clear()
        elif scope["path"] == "/most":
            content, self._most = b'{"most":%d}' % self._most, self._flying
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _updated(self, body: bytes) -> bytes:
        """New stock: levels of a variant are to come one after the other, round and round; poisoned ones are refused."""
        refused = []
        for number, level in LEVEL.findall(body):
            if number.startswith(POISON):
                detail = {"sku_id": number.decode(), "extra_errors": []}
                refused.append({"code": 12052990, "message": "Check failed", "detail": detail})
            if not number.startswith(UNORDERED):
                self._disorder += int(level) != self._levels.get(number, 0) % LEVELS_A_SKU + 1
                self._levels[number] = int(level)
        return json.dumps({"code": 0, "message": "Success", "data": {"errors": refused}}).encode()

    async def _slowly(self, query: str) -> bytes:
        """A pair after the latency; how many wait for one at the same time is counted."""
        self._flying += 1
        self._most = max(self._most, self._flying)
        if self._latency:
            await asyncio.sleep(self._latency)
        self._flying -= 1
        return self._pair(query)

    def _pair(self, query: str) -> bytes:
        """A fresh pair for what the refresh token names: `TTP_<open id>.<end, Unix seconds>.<anything>`."""
        shown = parse_qs(query)["refresh_token"][0]
        open_id, ends, _ = shown.removeprefix("TTP_").split(".")
        number, now = next(self._numbers), int(time.time())  # noqa: TID251  (a platform has a clock of its own)
        data = {
            "access_token": f"TTP_access.{number:060d}",
            "access_token_expire_in": now + WEEK,
            "refresh_token": f"TTP_{open_id}.{ends}.{number:040d}",
            "refresh_token_expire_in": int(ends),
            "open_id": open_id,
            "seller_name": "Bench",
            "seller_base_region": "GB",
            "user_type": 0,
            "granted_scopes": [
                "seller.authorization.info",
                "seller.order.info",
                "seller.product.basic",
                "seller.product.write",
            ],
        }
        return json.dumps({"code": 0, "message": "success", "data": data, "request_id": "bench"}).encode()


async def _keep_session(_connection: object) -> None:
    """As in the hub: no query when a connection is given back."""


async def serve(port: int, dsn: str, latency: float) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncpg.create_pool(dsn, min_size=2, max_size=POOL, reset=_keep_session) as pool:
        server = Server(
            Bare(pool, latency), address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False
        )
        serving = asyncio.create_task(server.serve())
        await stop.wait()
        server.stop()  # type: ignore[no-untyped-call]
        await serving


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bare")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds a refresh takes")
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.dsn, given.latency))


if __name__ == "__main__":
    main()
