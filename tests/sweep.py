"""A sweep for secrets: every `Secret` that is made while it watches, and everything a hub says or keeps, in every form.

What other tests add later is covered without a word here: secrets are noticed where they are made, tables are read as the
database lists them, routes as the OpenAPI document and the application list them.
"""

import base64
import itertools
import subprocess
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute

from evergrant.assembly import backups, programs
from evergrant.core.secret import Secret
from evergrant.postgres import binaries
from evergrant.store.database import Database
from evergrant.web import app
from evergrant.web.live import Live
from tests.hub_fixture import Hub

SHORTEST = 12
"""A secret's first characters that count as the secret."""

SAYS_SECRETS = {
    ("GET", "/token"): "an access token, to whom it is lent",
    ("POST", "/v1/tokens"): "the same, many at once",
    ("POST", "/v1/link-sessions"): "the address of a hosted link, to who made it",
    ("GET", "/l/"): "the form of a hosted link leads back to it",
}
"""Answers that are meant to carry one, by method and how the path begins or ends; only when they succeed."""

QUIET_HEADERS = (b"set-cookie", b"location")
"""Where a cookie is given and where a browser is sent on with its state."""


def forms(secret: str) -> set[str]:
    """The beginning of a secret as it is, and as hex, base64 at any offset, address and reversed text show it."""
    start = secret[:SHORTEST]
    raw = start.encode()
    found = {start, start[::-1], raw.hex(), raw.hex().upper(), quote(start, safe="")}
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode()
        whole = encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
        found |= {whole, whole.replace("+", "-").replace("/", "_")}
    return found


@dataclass
class Sweep:
    """What was made, and what was said, where."""

    made: set[str] = field(default_factory=set)
    said: list[tuple[str, str]] = field(default_factory=list)
    meant: list[str] = field(default_factory=list)
    is_watching: bool = True

    def note(self, where: str, text: str) -> None:
        """Something that was said or kept."""
        self.said.append((where, text))

    def found(self, said: list[tuple[str, str]] | None = None) -> list[tuple[str, str]]:
        """Where a secret stands, and the form it stands there in."""
        needles = set(itertools.chain.from_iterable(forms(secret) for secret in self.made))
        return [
            (where, needle)
            for where, text in (self.said if said is None else said)
            for needle in needles
            if needle in text
        ]


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sweep]:
    """Watches from now on: secrets as they are made, statements with their parameters as the database gets them."""
    watching = Sweep()
    keep = Secret.__init__

    def noticed(self: Secret, value: str) -> None:
        keep(self, value)
        if (
            watching.is_watching and len(value) >= SHORTEST and not value.startswith("{")
        ):  # what is packed as JSON is made of others
            watching.made.add(value)

    monkeypatch.setattr(Secret, "__init__", noticed)
    connection = Database.connection

    def logged(query: Any) -> None:
        watching.note("database log", f"{query.query} {query.args!r} {query.exception!r}")

    @asynccontextmanager
    async def heard(self: Database, **given: Any) -> Any:
        async with connection(self, **given) as found:
            found.add_query_logger(logged)
            yield found

    monkeypatch.setattr(Database, "connection", heard)

    def tapped(_logger: object, _method: str, line: Any) -> Any:
        watching.note("log", str(line))
        return line

    # Loggers are made once and keep this very list: what is added here is seen by each, behind whatever renders the line.
    processors = structlog.get_config()["processors"]
    processors.append(tapped)
    yield watching
    processors.remove(tapped)


def listen(hub: Hub, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Note every answer the hub gives from now on, with its headers; those that are meant to carry a secret apart."""
    serve: Callable[..., Any] = hub.transport.app

    async def noted(scope: Any, receive: Any, send: Any) -> None:
        parts: list[bytes] = []
        status = 0

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = [value for name, value in message["headers"] if name.lower() not in QUIET_HEADERS]
                sweep.note(f"headers of {scope['path']}", b"\n".join(told).decode("latin-1"))
            parts.append(message.get("body", b""))
            await send(message)

        await serve(scope, receive, sending)
        method, path, body = scope["method"], scope["path"], b"".join(parts).decode("utf-8", "replace")
        meant = [
            each for each in SAYS_SECRETS if each[0] == method and (path.startswith(each[1]) or path.endswith(each[1]))
        ]
        if meant and status < 300:
            sweep.meant.append(body)
        else:
            sweep.note(f"{method} {path} {status}", body)

    monkeypatch.setattr(hub.transport, "app", noted)


def application(hub: Hub) -> FastAPI:
    """The application behind guard and lanes."""
    guard: Any = app.build(programs.desk_of(hub.parts, Live()))
    return cast("FastAPI", guard._app._behind)


async def crawl(hub: Hub) -> int:
    """Ask for every address that can be read, with every id there is; gives how many answered."""
    ids = await _ids(hub)
    routers = [getattr(route, "original_router", None) for route in application(hub).routes]
    routes = [route for router in routers if router for route in router.routes if isinstance(route, APIRoute)]
    paths = {route.path for route in routes if "GET" in (route.methods or ())} | {
        path for path, methods in application(hub).openapi()["paths"].items() if "get" in methods
    }
    answered = 0
    for path in sorted(paths - {"/live", "/logout"}):
        names = path.count("{")
        for chosen in itertools.product(ids, repeat=names) if names < 2 else ():
            address = _filled(path, chosen)
            for client in (hub.api, hub.browser):
                answered += (await client.get(address)).is_success
            if "records" in path:
                answered += (await hub.api.get(f"{address}?flow=orders")).is_success
    return answered


def _filled(path: str, chosen: tuple[str, ...]) -> str:
    for value in chosen:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + value + path[end + 1 :]
    return path


async def _ids(hub: Hub) -> list[str]:
    async with hub.parts.database.connection() as connection:
        tables = await connection.fetch(
            "select table_name from information_schema.columns where table_schema = 'evergrant' and column_name = 'id'"
            " and data_type = 'text' and table_name not in ('events', 'audit')"
        )
        found = [await connection.fetch(f'select id from "{table}" order by id limit 2') for (table,) in tables]  # noqa: S608
    return sorted({row["id"] for rows in found for row in rows})


async def tables(hub: Hub, sweep: Sweep) -> int:
    """Note every row of every table, as a dump has it; gives how many tables."""
    async with hub.parts.database.connection() as connection:
        names = await connection.fetch("select tablename from pg_tables where schemaname = 'evergrant'")
        for (name,) in names:
            rows = await connection.fetch(f'select t::text as line from "{name}" t')  # noqa: S608
            sweep.note(f"table {name}", "\n".join(row["line"] for row in rows))
    return len(names)


def dump(hub: Hub, folder: Path, sweep: Sweep) -> int:
    """Note a backup as `evergrant backup` writes it, unpacked; gives how many lines it has."""
    backups.dump(hub.parts.arguments, folder / "backup")
    program = binaries.find(binaries.Binaries.EMBEDDED, None) / "pg_restore"
    command = [str(program), "--file=-", str(folder / "backup")]
    text: str = subprocess.run(command, capture_output=True, text=True, check=True, env=binaries.environment()).stdout
    sweep.note("dump", text)
    return text.count("\n")


def what_the_server_logged(home: Path, sweep: Sweep) -> int:
    """Note the log PostgreSQL itself writes; gives how many lines it has."""
    text = (home / "server" / "server.log").read_text(encoding="utf-8", errors="replace")
    sweep.note("server log", text)
    return text.count("\n")


def disk(folder: Path, sweep: Sweep) -> int:
    """Note every file of the hub's own below a folder; gives how many."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        sweep.note(f"file {path.name}", path.read_bytes().decode("latin-1"))
    return len(files)


def processes(sweep: Sweep) -> None:
    """Note what every process here shows of itself: command lines, and the environment of this one."""
    for shown in (Path("/proc/self/environ"), *Path("/proc").glob("[0-9]*/cmdline")):
        for text in _read(shown):
            sweep.note(str(shown), text)


def _read(path: Path) -> Iterator[str]:
    try:
        yield path.read_bytes().decode("latin-1")
    except OSError:  # it is gone meanwhile
        return
