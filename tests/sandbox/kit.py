"""What the sandbox's tests share: a sandbox in this process, a clock that stands, and a client without a socket."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from evergrant_sandbox import app as composition
from evergrant_sandbox import signing
from evergrant_sandbox.app import Application

START = 1_800_000_000  # 2027-01-15T08:00:00Z
HERE = "http://127.0.0.1:8090"
DAY = 86_400


class Wall:
    """A wall clock that stands until it is set."""

    def __init__(self, at: float = START) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def header(self, name: str) -> str | None:
        """A header by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


class Client:
    """Calls an application as a server would, without a socket; keeps cookies as a browser would."""

    def __init__(self, application: Any, *, peer: str = "127.0.0.1", host: str = "127.0.0.1:8090") -> None:
        self.application = application
        self.peer = peer
        self.host = host
        self.cookies: dict[str, str] = {}

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One call."""
        path, _, given = path.partition("?")
        text = "&".join(part for part in (given, urlencode(query or {})) if part)
        lines = {"host": self.host, **(headers or {})}
        if self.cookies:
            lines["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": text.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in lines.items()],
            "client": (self.peer, "50000"),
            "server": ("127.0.0.1", "8090"),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        start = sent[0]
        found = [(name.decode().lower(), value.decode()) for name, value in start["headers"]]
        for name, value in found:
            if name == "set-cookie":
                self._keep(value)
        whole = b"".join(message.get("body", b"") for message in sent[1:])
        return Reply(status=start["status"], headers=found, body=whole)

    async def get(self, path: str, /, **query: str) -> Reply:
        """GET."""
        return await self.call("GET", path, query=query)

    async def post(self, path: str, /, **body: Any) -> Reply:
        """POST with a JSON body."""
        return await self.call("POST", path, body=json.dumps(body).encode())

    def _keep(self, line: str) -> None:
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        if "Max-Age=0" in attributes:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value.strip('"')


@dataclass(kw_only=True)
class Sandbox:
    """A sandbox in this process, with its clock on the wall in the test's hands."""

    application: Application
    client: Client
    wall: Wall

    @property
    def now(self) -> int:
        """The platform's present."""
        return self.application.platform.clock.now()

    async def steer(self, path: str, /, **body: Any) -> Any:
        """A steering call that must succeed."""
        reply = await self.client.post(f"/_sandbox/{path}", **body)
        assert reply.status < 300, reply.text
        return reply.json

    async def ask(self, path: str, /, **query: str) -> Any:
        """A steering question."""
        reply = await self.client.get(f"/_sandbox/{path}", **query)
        assert reply.status == 200, reply.text
        return reply.json

    async def world(self) -> Any:
        """Everything there is."""
        return await self.ask("world")

    async def app(self, **changes: Any) -> Any:
        """An app of its own for this test."""
        return await self.steer("apps", **changes)

    async def seller(self, **given: Any) -> Any:
        """A seller with one small shop, unless the test wants another."""
        given.setdefault("shops", [{"name": "Small Shop", "orders": 3, "products": 2}])
        return await self.steer("sellers", **given)

    async def token(self, path: str, app: Any, **query: str) -> Any:
        """A call of the token host, read as JSON."""
        reply = await self.client.get(f"/api/v2/token/{path}", app_key=app["key"], app_secret=app["secret"], **query)
        assert reply.status == 200, reply.text
        return reply.json

    async def exchange(self, app: Any, code: str) -> Any:
        """The answer to a code."""
        return await self.token("get", app, auth_code=code, grant_type="authorized_code")

    async def refresh(self, app: Any, refresh_token: str) -> Any:
        """The answer to a refresh token."""
        return await self.token("refresh", app, refresh_token=refresh_token, grant_type="refresh_token")

    async def connected(self, app: Any, seller: Any, **consent: Any) -> Any:
        """A seller's consent and its first pair: the pair's data, with `grant_id` beside it."""
        given = await self.steer("authorize", app=app["key"], seller=seller["email"], **consent)
        answer = await self.exchange(app, given["code"])
        assert answer["code"] == 0, answer
        return {**answer["data"], "grant_id": given["grant_id"]}

    async def signed(
        self,
        app: Any,
        token: str | None,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        changes: Mapping[str, str | None] | None = None,
    ) -> Reply:
        """A signed call; `changes` are made to the query after signing (None removes)."""
        full = {"app_key": app["key"], "timestamp": str(self.now), **(query or {})}
        full["sign"] = signing.sign_request(secret=app["secret"], path=path, query=full, body=body)
        for name, value in (changes or {}).items():
            full.pop(name, None)
            if value is not None:
                full[name] = value
        lines = {"content-type": "application/json", **(headers or {})}
        if token is not None:
            lines["x-tts-access-token"] = token
        return await self.client.call(method, path, query=full, body=body, headers=lines)


@asynccontextmanager
async def running(folder: Path, *, wall: Wall | None = None) -> AsyncIterator[Sandbox]:
    """A sandbox over a folder, with its agenda running."""
    clock = wall or Wall()
    dice = Random(str(folder)).randbytes
    async with composition.opened(folder, wall=clock, dice=dice) as application:
        agenda = asyncio.create_task(application.platform.agenda.run())
        try:
            yield Sandbox(application=application, client=Client(application), wall=clock)
        finally:
            agenda.cancel()
            await asyncio.gather(agenda, return_exceptions=True)


async def eventually(holds: Callable[[], Awaitable[Any]]) -> Any:
    """What is true sooner or later, asked again and again for five seconds."""
    for _ in range(500):
        if found := await holds():
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true within five seconds")


def sha256(value: str) -> str:
    """What the log keeps of a token."""
    return hashlib.sha256(value.encode()).hexdigest()
