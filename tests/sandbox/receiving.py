"""A receiver of notices on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One notice as it arrived."""

    signature: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)


@dataclass(kw_only=True)
class Receiver:
    """A webhook receiver on a real socket. It answers as it is told, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    # What every answer carries beside its status.
    body: bytes = b""
    location: str = ""
    delay: float = 0.0
    # What the receiver does before it answers, such as asking the platform back.
    meanwhile: Callable[[], Awaitable[None]] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """One notice."""
        body = await request.read()
        self.deliveries.append(
            Delivery(signature=request.headers.get("Authorization", ""), body=body, headers=dict(request.headers))
        )
        self.arrived.set()
        if self.meanwhile:
            await self.meanwhile()
        await asyncio.sleep(self.delay)
        status = self.answers.pop(0) if self.answers else 200
        headers = {"Location": self.location} if self.location else {}
        return web.Response(status=status, body=self.body, headers=headers)

    async def wait_for(self, count: int) -> list[Delivery]:
        """All deliveries, once there are that many."""
        async with asyncio.timeout(20):
            while len(self.deliveries) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.deliveries

    def types(self) -> list[int]:
        """The types that arrived, in their order."""
        return [delivery.json["type"] for delivery in self.deliveries]


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that listens, on a port of its own unless the test wants one."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hooks", receiver.take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hooks"
    try:
        yield receiver
    finally:
        await runner.cleanup()
