"""A hub for tests: everything real and connected, on a database of its own, with a turned clock where a test wants one.

The hub runs inside the test's process; requests reach it through its own ASGI application. What a worker does is done
when the test says so (`work`), so that a story can be told step by step.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from unittest.mock import patch

import httpx2
import pytest
from argon2 import PasswordHasher

from evergrant import postgres, settings
from evergrant.actions.ports import Ports
from evergrant.assembly import programs, provisioning
from evergrant.assembly.house import House, house
from evergrant.core.secret import Secret
from evergrant.jobs import timetable
from evergrant.store import schema
from evergrant.web import app
from evergrant.web.live import Live
from tests import postgres_fixture

ORIGIN = "http://localhost:8080"
PASSWORD = "correct horse battery staple"
EMAIL = "owner@acme.example"
_HASH = PasswordHasher.hash
QUIET_ROUNDS = 2
FOLLOWS = frozenset({"chain"})
"""Work that follows on whatever is done, by others too: not to be waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A hub and the ways into it."""

    parts: House
    tenant_id: str
    api_key: Secret
    api: httpx2.AsyncClient
    """Speaks for a program: carries the API key."""
    browser: httpx2.AsyncClient
    """Speaks for a person: carries cookies, follows redirects inside the hub only."""
    transport: httpx2.ASGITransport

    def new_browser(self) -> httpx2.AsyncClient:
        """Another person's browser."""
        return httpx2.AsyncClient(transport=self.transport, base_url=ORIGIN)

    @property
    def ports(self) -> Ports:
        """What the actions are given."""
        return self.parts.ports

    async def now(self, clock: str) -> datetime:
        """Platform time."""
        return await self.parts.ports.clock.now(clock)

    async def work(self) -> int:
        """Do everything a worker would find due, until nothing more is; gives how much that was."""
        done, quiet = 0, 0
        while quiet < QUIET_ROUNDS:
            found = await self._round()
            done += found
            quiet = 0 if found else quiet + 1
            if not found:
                await asyncio.sleep(0.02)
        return done

    async def _round(self) -> int:
        found = 0
        clocks = await self.parts.apps.clocks()
        for line in timetable.ONCE:
            done = await line.sweep("", self.ports)
            found += done if line.name not in FOLLOWS else 0
        for clock in clocks:
            for line in timetable.BY_CLOCK:
                found += await line.sweep(clock, self.ports)
            for due in timetable.DUE:
                rows = await due.take(clock, self.ports, 50)
                for row in rows:
                    await due.run(row, self.ports)
                found += len(rows)
        return found


@pytest.fixture
async def hub(database_server: postgres.Server, tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub with one tenant, on a database of its own."""
    async with a_hub(database_server, tmp_path) as made:
        yield made


@asynccontextmanager
async def a_hub(
    server: postgres.Server, folder: Path, *, sandbox_url: str = "http://127.0.0.1:9", return_urls: str = ""
) -> AsyncIterator[Hub]:
    """A hub whose apps may point to this sandbox."""
    chosen = settings.read(
        data_dir=folder / "data",
        public_url=ORIGIN,
        sandbox_urls=sandbox_url,
        return_urls=return_urls,
        calls_per_second=1000,
    )
    async with (
        postgres_fixture.fresh(server, await template(server)) as dsn,
        house(chosen, {"dsn": dsn}, clock_believed=0.0) as parts,
    ):
        with patch.object(PasswordHasher, "hash", lambda _hasher, password: _hashed(password)):
            made = await provisioning.add_tenant(
                parts, name="Acme Sync", email=EMAIL, person="Olive Owner", password=Secret(PASSWORD)
            )
        application = app.build(programs.desk_of(parts, Live()))
        transport = httpx2.ASGITransport(app=application)
        key = {"authorization": f"Bearer {made.api_key.reveal()}"}
        async with (
            httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=key) as api,
            httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as browser,
        ):
            yield Hub(
                parts=parts,
                tenant_id=made.tenant_id,
                api_key=made.api_key,
                api=api,
                browser=browser,
                transport=transport,
            )


@cache
def _hashed(password: str) -> str:
    """As argon2id makes it, once a run: it takes a tenth of a second of a processor, and every test has an owner."""
    return _HASH(PasswordHasher(), password)


async def template(server: postgres.Server) -> str:
    """A database with the schema, to be copied."""
    return await postgres_fixture.template(server, "evergrant_template", _prepare)


async def _prepare(dsn: str) -> None:
    await asyncio.to_thread(schema.migrate, {"dsn": dsn})
