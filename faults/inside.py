"""A hub inside this process on a database of the trial's choice: its doors and its timetable, one step at a time.

A crash or a cut is decided by what stands between it and the database; when time has to pass, the trial says so.
"""

import os
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx2

from evergrant import settings
from evergrant.assembly import programs
from evergrant.assembly.house import House, house
from evergrant.core.errors import EvergrantError
from evergrant.jobs import timetable
from evergrant.web import app
from evergrant.web.live import Live
from faults.world import World

Result = TypeVar("Result")

ORIGIN = "http://localhost:8080"
AGES = 120.0
ROUNDS = 12
LEASED = ("tokens", "flows", "notices", "authorization_requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The hub, and two ways into it: a program's, and people's."""

    world: World
    parts: House
    api: httpx2.AsyncClient
    transport: httpx2.ASGITransport

    def browser(self) -> httpx2.AsyncClient:
        """Somebody's browser."""
        return httpx2.AsyncClient(transport=self.transport, base_url=ORIGIN)

    async def work(self) -> None:
        """Do what is due until nothing is; whatever fails is left, as a worker leaves it."""
        for _ in range(ROUNDS):
            if not await self._round():
                return

    async def ages(self) -> None:
        """Time passes: leases are over, slips on disk are nobody's any more."""
        for table in LEASED:
            await self.world.sql(
                f"update {table} set lease_until = now() - interval '1 s' where lease_until is not null"  # noqa: S608
            )
        await self.world.sql("update connections set verify_after = now() where verify_after > now()")
        await self.world.sql("update presentations set begun_at = now() - interval '2 min' where outcome is null")
        old = time.time() - AGES  # noqa: TID251  (a file's age)
        for slip in (self.world.data / "spool").iterdir():
            os.utime(slip, (old, old))

    async def _round(self) -> int:
        found = 0
        ports, clock = self.parts.ports, self.world.platform.url
        for sweep in timetable.ONCE:
            found += await _tried(sweep.sweep("", ports)) or 0
        for sweep in timetable.BY_CLOCK:
            found += await _tried(sweep.sweep(clock, ports)) or 0
        for due in timetable.DUE:
            rows = await _tried(due.take(clock, ports, 50)) or []
            for row in rows:
                await _tried(due.run(row, ports))
            found += len(rows)
        return found


async def _tried(work: Awaitable[Result]) -> Result | None:
    """What it gives; nothing if it failed with an error the hub knows."""
    try:
        return await work
    except EvergrantError:
        return None


@asynccontextmanager
async def inside(world: World, dsn: str) -> AsyncIterator[Inside]:
    """A hub of this world whose database is reached at this address."""
    chosen = settings.read(data_dir=world.data, public_url=ORIGIN, sandbox_urls=world.platform.url)
    async with house(chosen, {"dsn": dsn}, clock_believed=0.0) as parts:
        transport = httpx2.ASGITransport(app=app.build(programs.desk_of(parts, Live())))
        key = {"authorization": f"Bearer {world.home.api_key}"}
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=key) as api:
            yield Inside(world=world, parts=parts, api=api, transport=transport)
