"""A world for trials: a database, a sandbox, hub and worker processes, and one app for each way tokens rotate."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from bench.ground import command
from evergrant import postgres, settings
from evergrant.assembly import database
from evergrant.assembly.house import House, house
from evergrant.core.app import App
from evergrant.core.tokens import Rotation
from evergrant.stage.cast import await_answer, free_port
from faults import filling
from faults.filling import DAY, MODES, Home
from faults.programs import Program, Programs
from faults.steering import Platform

READY_SECONDS = 60.0
ONE_MIGRATION = threading.Lock()
"""Alembic keeps what it is doing in globals: tests that run at once migrate one after the other."""
CONNECTIONS = "4"
"""Connections a process keeps to the database: many processes share one server here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """One connection of the hub, and the grant at the platform it stands for."""

    id: str
    grant: str
    app: App
    open_id: str
    shop_id: str

    @property
    def mode(self) -> Rotation:
        """How its tokens rotate."""
        return self.app.rotation


@dataclass(slots=True, kw_only=True)
class World:
    """Everything a trial needs. `parts` is the hub's own code on the same database, for what steering cannot do."""

    folder: Path
    dsn: str
    platform: Platform
    programs: Programs
    parts: House
    home: Home
    apps: dict[Rotation, App]
    session: aiohttp.ClientSession
    hubs: list[Program] = field(default_factory=list)
    made: int = 0

    @property
    def data(self) -> Path:
        """The data directory all processes share: the vault's key, the spool."""
        return self.folder / "data"

    def environment(self, port: int = 0, *, dsn: str = "") -> dict[str, str]:
        """What a program of this world is started with; `dsn` puts something between it and the database."""
        return {
            "EVERGRANT_DATA_DIR": str(self.data),
            "EVERGRANT_DATABASE_URL": dsn or self.dsn,
            "EVERGRANT_DATABASE_CONNECTIONS": CONNECTIONS,
            "EVERGRANT_PORT": str(port),
            "EVERGRANT_PUBLIC_URL": f"http://localhost:{port}",
            "EVERGRANT_SANDBOX_URLS": self.platform.url,
            "EVERGRANT_LOG_FORMAT": "json",
        }

    def start_worker(
        self, *, dsn: str = "", more: Mapping[str, str] | None = None, before: Sequence[str] = ()
    ) -> Program:
        """Start a worker and do not wait for it. `more` goes into its environment, `before` before its command."""
        given = self.environment(dsn=dsn) | dict(more or {})
        return self.programs.start("worker", [*before, *command("evergrant", "work")], given)

    async def worker(self, **given: Any) -> Program:
        """Start a worker and wait until it works."""
        started = self.start_worker(**given)
        await started.says("worker.started", READY_SECONDS)
        return started

    def start_hub(self, *, dsn: str = "", more: Mapping[str, str] | None = None, before: Sequence[str] = ()) -> Program:
        """Start a server on a port of its own and do not wait for it."""
        port = free_port()
        given = self.environment(port, dsn=dsn) | dict(more or {})
        started = self.programs.start("hub", [*before, *command("evergrant", "serve")], given, port=port)
        self.hubs.append(started)
        return started

    async def hub(self, **given: Any) -> Program:
        """Start a server and wait until it answers."""
        return await self.ready(self.start_hub(**given))

    async def ready(self, hub: Program) -> Program:
        """Wait until a server that was started answers."""
        await answers(hub, "/readyz")
        return hub

    async def connect(self, mode: Rotation, count: int) -> list[Bond]:
        """New connections, active, each with the pair of a real consent; none of them is due."""
        app, bonds, found = self.apps[mode], [], []
        for _ in range(count):
            self.made += 1
            connection_id = f"con_{self.made:032x}"
            shop, grant, granted = await filling.consented(self.parts, self.platform, app, self.made)
            bonds.append(Bond(id=connection_id, grant=grant, app=app, open_id=granted.open_id, shop_id=shop["id"]))
            found.append((connection_id, shop, granted))
        await filling.adopt(self.parts, self.home, app, found, await self.now())
        return bonds

    async def due(self, bonds: Sequence[Bond]) -> None:
        """Make the refreshes of these due now, and tell the workers."""
        await self.sql(
            "update tokens set due_at = $2 where connection_id = any($1)", [bond.id for bond in bonds], await self.now()
        )
        await self.sql("select pg_notify('evergrant_work', 'refresh')")

    async def rest(self, bonds: Sequence[Bond]) -> None:
        """Let the token clocks of these stand still: they have no part in what comes."""
        await self.sql("update tokens set due_at = null where connection_id = any($1)", [bond.id for bond in bonds])

    async def now(self) -> datetime:
        """Platform time."""
        return datetime.fromisoformat((await self.platform.get("/clock"))["now"])

    async def sql(self, statement: str, *given: Any) -> list[Any]:
        """Rows straight from the database."""
        async with self.parts.database.connection() as connection:
            return list(await connection.fetch(statement, *given))

    async def ask(self, path: str, *, hub: Program | None = None, **query: str | int) -> tuple[int, Any]:
        """Ask the API; gives status and body."""
        where = (hub or self.hubs[0]).address
        headers = {"authorization": f"Bearer {self.home.api_key}"}
        async with self.session.get(f"{where}{path}", params=query, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def all(self, path: str) -> list[dict[str, Any]]:
        """Every item of a list of the API."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            _, page = await self.ask(path, cursor=cursor, limit=200)
            found += page["items"]
            cursor = page["next_cursor"]
        return found


async def answers(program: Program, path: str) -> None:
    """Wait until a program answers at a path."""

    def gone() -> Exception | None:
        return None if program.lives else RuntimeError(program.words())

    await asyncio.to_thread(await_answer, f"{program.address}{path}", READY_SECONDS, failed=gone)


@asynccontextmanager
async def opened(
    server: postgres.Server,
    folder: Path,
    *,
    access_seconds: int = 7 * DAY,
    modes: Sequence[Rotation] = MODES,
) -> AsyncIterator[World]:
    """A fresh database on this server and a fresh sandbox; no hub and no worker runs yet."""
    programs = Programs(folder)
    async with AsyncExitStack() as stack:
        stack.callback(programs.stop)
        dsn = await _new_database(server, folder.name)
        port = free_port()
        given = command("evergrant_sandbox", "--port", str(port), "--data", str(folder / "sandbox"))
        sandbox = programs.start("sandbox", given, {}, port=port)
        await answers(sandbox, "/_sandbox/clock")
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=90), connector=aiohttp.TCPConnector(limit=0), trust_env=False
            )
        )
        chosen = settings.read(data_dir=folder / "data", log_format="json")
        parts = await stack.enter_async_context(house(chosen, {"dsn": dsn}))
        platform, home = Platform(sandbox.address, session), await filling.settled(parts)
        apps = {mode: await filling.app(parts, home, platform, mode, access_seconds) for mode in modes}
        yield World(
            folder=folder,
            dsn=dsn,
            platform=platform,
            programs=programs,
            parts=parts,
            home=home,
            apps=apps,
            session=session,
        )


async def _new_database(server: postgres.Server, name: str) -> str:
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    dsn = server.dsn_of(name)
    async with asyncio.timeout(READY_SECONDS):
        await asyncio.to_thread(_migrated, dsn)
    return dsn


def _migrated(dsn: str) -> None:
    with ONE_MIGRATION:
        database.migrate({"dsn": dsn})
