"""A generated month: who trades, who gives levels, how an authorization ends and comes back, and a worker that is killed."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from evergrant.core.flows import Kind
from tests.journeys.claiming import sql
from tests.journeys.ledgers import outages
from tests.world_fixture import KEY, SCOPES, World

ENDINGS = ("expires", "cancelled", "deactivated", "loses_a_permission")
STATUSES = ("AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "CANCELLED")
LOOK_SECONDS = 0.15
PATIENCE_SECONDS = 30.0
LEASES = {"flows": "lease_until", "pushes": "lease_until", "connections": "verify_after", "notices": "lease_until"}
"""Rows that are a worker's alone for a while. Where it was killed, the test lets that while pass."""
FREE = """
update {table} set {until} = now() where ctid = any(array(
    select ctid from {table} where {until} > now() and {until} < now() + interval '1 minute' for update skip locked))
"""


class Worker:
    """A worker as a real process, which may be killed at any moment; then another one comes up in its place."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._log = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        """Start one."""
        parts = self._world.hub.parts
        environment = os.environ | {
            "EVERGRANT_DATABASE_URL": str(parts.arguments["dsn"]),
            "EVERGRANT_DATA_DIR": str(parts.settings.data_dir),
            "EVERGRANT_SANDBOX_URLS": self._world.sandbox.url,
            "EVERGRANT_DATABASE_CONNECTIONS": "4",
            "EVERGRANT_LOG_FORMAT": "json",
        }
        command = [sys.executable, "-m", "evergrant", "work"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    async def kill(self) -> None:
        """In the middle of whatever it does. What it held is free after a while, which the test lets pass."""
        await asyncio.to_thread(self.stop)
        self.kills += 1
        for table, until_when in LEASES.items():
            await sql(self._world, FREE.format(table=table, until=until_when))
        self.start()

    def stop(self) -> None:
        """Kill it."""
        if self._process:
            self._process.kill()
            self._process.wait()


@dataclass(kw_only=True)
class Month:
    """One month of one shop. `orders` and `levels` are what the platform and the vendor know to be true at its end."""

    world: World
    connection_id: str
    dice: random.Random
    worker: Worker
    skus: list[str]
    orders: dict[str, tuple[str, int]] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    async def step(self, hours: float) -> None:
        """Time passes, somebody trades, the vendor counts; perhaps a worker dies over it."""
        await self._steer("/clock", {"advance": f"{round(hours * 60)}m"})
        await self.trade()
        await self.count()
        if self.dice.random() < 0.07:
            await asyncio.sleep(self.dice.uniform(0, LOOK_SECONDS))
            await self.worker.kill()
        await asyncio.sleep(LOOK_SECONDS)

    async def trade(self) -> None:
        """Orders come, and others move."""
        shop = self.world.shop_id
        moved = self.dice.sample(sorted(self.orders), min(len(self.orders), self.dice.randrange(3)))
        steps = [{"id": each, "status": self.dice.choice(STATUSES)} for each in moved]
        made = await self._steer("/orders", {"shop": shop, "count": self.dice.randrange(4), "orders": steps})
        self.orders |= {each["id"]: (each["status"], each["update_time"]) for each in made["orders"]}

    async def count(self) -> None:
        """The vendor gives new levels of some SKUs."""
        given = {sku: self.dice.randrange(1, 500) for sku in self.dice.sample(self.skus, self.dice.randrange(3))}
        if not given:
            return
        items = [{"sku": sku, "quantity": level, "shop_id": self.world.shop_id} for sku, level in given.items()]
        answer = await self.world.hub.api.put(f"/v1/connections/{self.connection_id}/inventory", json={"items": items})
        assert answer.status_code == 202, answer.text
        self.levels |= given

    async def outage(self) -> None:
        """The authorization ends in one of four ways, lasts so for hours or days, and is renewed."""
        ending = self.dice.choice(ENDINGS)
        self.told.append(ending)
        without = [scope for scope in SCOPES if scope != "seller.product.write"]
        if ending == "expires":
            await self._consent(period="1d")
            await self.step(self.dice.uniform(1, 20))
            await self._expired()
        elif ending == "loses_a_permission":
            await self._consent(scopes=without)
        else:
            await self._ended(ending)
        for _ in range(self.dice.randrange(1, 4)):
            await self.step(self.dice.uniform(1, 16))
        await self._consent()
        if self.dice.random() < 0.6:
            await self.closes()
        elif self.dice.random() < 0.5:
            await asyncio.sleep(self.dice.uniform(0, 0.5))
            await self.worker.kill()

    async def closes(self) -> None:
        """What was missed is made good before anything else happens."""

        async def is_closed() -> bool:
            return all(each["closed_at"] for each in await outages(self.world, self.connection_id))

        await until(is_closed, "an outage is still open")

    async def quiet(self) -> None:
        """Everything is made good: no outage is open, nothing waits, and every flow has run since."""

        async def is_quiet() -> bool:
            waits = await sql(self.world, "select count(*) from pushes where state = 'waiting'")
            found = await outages(self.world, self.connection_id)
            return not waits and all(outage["closed_at"] for outage in found)

        await until(is_quiet, "an outage is still open, or a level waits")
        since = await self.world.now()
        await self._steer("/clock", {"advance": "1h"})

        async def has_run() -> bool:
            ran = "select count(*) from flows where last_success_at > $1 and connection_id = $2 and shop_id = $3 and kind = $4"
            whose = (self.connection_id, self.world.shop_id, Kind.ORDERS.value)
            return bool(await sql(self.world, ran, since, *whose))

        await until(has_run, "orders were not pulled once more")

    async def _expired(self) -> None:
        """The clock is turned to a second before the end, which then passes by itself: no call is under way over a jump."""
        ends = (await self.world.connection(self.connection_id))["authorization_expires_at"]
        before = datetime.fromisoformat(ends) - timedelta(seconds=1)
        await self._steer("/clock", {"now": before.timestamp()})
        await until(lambda: self._is("expired"), "the connection has not expired")

    async def _ended(self, how: str) -> None:
        grants = await asyncio.to_thread(self.world.sandbox.get, "/grants", app=KEY)
        living = next(grant for grant in grants["items"] if grant["status"] == "active")
        await self._steer(f"/grants/{living['id']}/{'cancel' if how == 'cancelled' else 'deactivate'}", {})
        if how == "cancelled":
            number = str(7600000000000000000 + len(self.told))
            assert 200 == await self.world.deliver(self.world.deauthorization(await self.world.now(), number))
        await self._steer("/clock", {"advance": "20m"})  # nobody tells of a deactivation: the next poll finds it

        async def is_over() -> bool:
            return (await self.world.connection(self.connection_id))["status"] not in ("active", "suspended")

        await until(is_over, f"nobody noticed that it was {how}")

    async def _is(self, status: str) -> bool:
        return bool((await self.world.connection(self.connection_id))["status"] == status)

    async def _consent(self, **given: Any) -> None:
        person = self.world.hub.new_browser()
        link = await self.world.link_session(purpose="renew", connection_id=self.connection_id)
        state = await self.world.depart(person, link)
        back = await asyncio.to_thread(lambda: self.world.consent(state, **({"period": "365d"} | given)))
        assert (await person.get(back)).status_code == 303
        found = (await self.world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()
        assert "completed" == found["outcome"], found

    async def _steer(self, path: str, body: dict[str, Any]) -> Any:
        return await asyncio.to_thread(self.world.sandbox.post, path, body)


async def until(holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Wait for something the workers do."""
    deadline = monotonic() + PATIENCE_SECONDS
    while not await holds():
        assert monotonic() < deadline, otherwise
        await asyncio.sleep(0.1)
