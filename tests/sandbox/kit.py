"""What the sandbox's tests share: an in-process sandbox, a client, a browser that goes by labels, a receiver of notices."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from aiohttp import web
from lxml import html

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


# --- pages


class Visitor:
    """A person at a browser without JavaScript: reads labels, fills fields, presses buttons, follows redirects."""

    def __init__(self, sandbox: Sandbox, *, client: Client | None = None) -> None:
        self.client = client or Client(sandbox.application)
        self.reply = Reply(status=0, headers=[], body=b"")
        self.address = HERE
        self.trail: list[str] = []
        self._filled: dict[str, str] = {}

    @property
    def path(self) -> str:
        """The path of the page in front of the visitor."""
        return urlsplit(self.address).path

    @property
    def query(self) -> dict[str, str]:
        """The query of the address the visitor ended at."""
        return dict(parse_qsl(urlsplit(self.address).query))

    @property
    def is_away(self) -> bool:
        """Whether the visitor was sent to another site."""
        return not self.address.startswith(HERE)

    @property
    def page(self) -> html.HtmlElement:
        """The page."""
        return html.fromstring(self.reply.text)

    @property
    def heading(self) -> str:
        """The page's title, as a person reads it."""
        return _words(self.page.xpath("//h1")[0])

    @property
    def text(self) -> str:
        """All words of the page's main part."""
        return _words(self.page.xpath("//main")[0])

    @property
    def buttons(self) -> list[str]:
        """The labels of all buttons of the page's main part."""
        return [_words(each) for each in self.page.xpath("//main//button")]

    async def open(self, address: str) -> None:
        """Go to an address."""
        await self._go("GET", urljoin(HERE, address), b"")

    def fill(self, label: str, value: str) -> None:
        """Fill in, choose, check (`yes`) or uncheck (empty) the field with this label."""
        self._filled[self._field(label)] = value

    def options(self, label: str) -> list[str]:
        """What a drop-down offers."""
        name = self._field(label)
        return [_words(each) for each in self.page.xpath(f"//select[@name='{name}']/option")]

    def value(self, label: str) -> str:
        """What stands in a field."""
        name = self._field(label)
        chosen = self.page.xpath(f"//select[@name='{name}']/option[@selected]")
        if chosen:
            return _words(chosen[0])
        written = self.page.xpath(f"//textarea[@name='{name}']")
        if written:
            return str(written[0].text or "")
        return str(self.page.xpath(f"//*[@name='{name}']/@value")[0])

    async def press(self, label: str) -> None:
        """Press a button: its form is sent, and redirects within the site are followed."""
        found = [each for each in self.page.xpath("//button") if _words(each) == label]
        assert found, f"no button {label!r} among {self.buttons}"
        form = next(found[0].iterancestors("form"))
        fields = _fields_of(form)
        fields.update({name: value for name, value in self._filled.items() if name in _names_of(form)})
        fields = {name: value for name, value in fields.items() if value or name not in _checkboxes_of(form)}
        if found[0].get("name"):
            fields[found[0].get("name", "")] = found[0].get("value", "")
        method, address = str(form.get("method", "get")).upper(), urljoin(self.address, form.get("action", ""))
        if method == "GET":
            await self._go(method, f"{address}?{urlencode(fields)}", b"")
        else:
            await self._go(method, address, urlencode(fields).encode())

    async def sign_in(self, email: str, password: str = "sandbox") -> None:
        """Fill in the login page."""
        self.fill("Email or phone number", email)
        self.fill("Password", password)
        await self.press("Log in")

    async def _go(self, method: str, address: str, body: bytes) -> None:
        self._filled = {}
        self.trail = []
        headers = {"content-type": "application/x-www-form-urlencoded"}
        for _ in range(10):
            self.address = address
            self.trail.append(urlsplit(address).path)
            if self.is_away:
                return
            target = address.removeprefix(HERE)
            self.reply = await self.client.call(method, target, body=body, headers=headers)
            location = self.reply.header("location")
            if location is None:
                return
            method, address, body = "GET", urljoin(address, location), b""
        raise AssertionError("too many redirects")

    def _field(self, label: str) -> str:
        for each in self.page.xpath("//label"):
            if _words(each).startswith(label):
                target = each.get("for")
                field_of = self.page.xpath(f"//*[@id='{target}']") if target else each.xpath(".//input")
                return str(field_of[0].get("name"))
        raise AssertionError(f"no field labelled {label!r}")


def _words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _checkboxes_of(form: html.HtmlElement) -> set[str]:
    return {str(name) for name in form.xpath(".//input[@type='checkbox']/@name")}


def _names_of(form: html.HtmlElement) -> set[str]:
    return {str(name) for name in form.xpath(".//input/@name | .//select/@name | .//textarea/@name")}


def _fields_of(form: html.HtmlElement) -> dict[str, str]:
    fields = {
        str(each.get("name")): str(each.get("value", ""))
        for each in form.xpath(".//input[@name][not(@type='checkbox')]")
    }
    fields |= {str(each.get("name")): "yes" for each in form.xpath(".//input[@type='checkbox'][@checked]")}
    fields |= {str(each.get("name")): str(each.text or "") for each in form.xpath(".//textarea[@name]")}
    for each in form.xpath(".//select[@name]"):
        chosen = each.xpath("./option[@selected]") or each.xpath("./option")
        fields[str(each.get("name"))] = str(chosen[0].get("value", _words(chosen[0])))
    return fields


# --- receiving notices


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
        async with asyncio.timeout(5):
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
