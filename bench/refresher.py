"""A worker for the bench, as a process of its own: each round refreshes with all that is kept, then with nothing kept.

It reads its errand as JSON from its standard input and tells every round as one line of JSON.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import uvloop

from bench.filling import refresh_token
from evergrant import logs, settings
from evergrant.assembly.house import House, house
from evergrant.core.app import App
from evergrant.jobs.worker import Worker
from evergrant.providers import dialects
from evergrant.providers.wire import Granted

ALL_DUE = "update tokens set due_at = now(), lease_until = null"
OUTCOMES = "select outcome, count(*) from presentations group by outcome"
SOME_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be refreshed, and how long and how often."""

    dsn: str
    data_dir: str
    app_id: str
    seconds: float
    rounds: int


async def run(errand: Errand) -> None:
    """All rounds."""
    chosen = settings.read(data_dir=Path(errand.data_dir), log_format="json")
    async with house(chosen, {"dsn": errand.dsn}) as parts:
        app = await parts.apps.by_id(errand.app_id)
        await _loop(parts, app, seconds=1.0)  # to warm up
        for _ in range(errand.rounds):
            full, troubles = await _full(parts, errand.seconds)
            loop = await _loop(parts, app, seconds=errand.seconds)
            print(json.dumps({"full": full, "loop": loop, "troubles": troubles}), flush=True)


async def _full(parts: House, seconds: float) -> tuple[float, list[str]]:
    """Refreshes a second by the real worker, which finishes what it began before the clock is stopped."""
    async with parts.database.connection() as connection:
        await connection.execute(ALL_DUE, timeout=SOME_SECONDS)
    before = await _outcomes(parts)
    worker = Worker(parts.ports, at_once={"refresh": parts.settings.refresh_at_once})
    begun = perf_counter()
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(seconds)
    worker.stop()
    await running
    spent = perf_counter() - begun
    after = await _outcomes(parts)
    troubles = [f"{after[name]} refreshes ended as {name}" for name in after if name != "ok"]
    async with parts.database.connection() as connection:
        if not await connection.fetchval("select exists(select from tokens where due_at <= now())"):
            troubles.append("nothing was left to refresh before the time was over")
    return (after.get("ok", 0) - before.get("ok", 0)) / spent, troubles


async def _outcomes(parts: House) -> dict[str, int]:
    async with parts.database.connection() as connection:
        return {str(row["outcome"]): row["count"] for row in await connection.fetch(OUTCOMES)}


async def _loop(parts: House, app: App, *, seconds: float) -> float:
    """Calls a second when the answers are read and dropped."""
    until = perf_counter() + seconds
    done = 0
    dialect = dialects.named(app.provider)

    async def one_after_another(number: int) -> None:
        nonlocal done
        while perf_counter() < until:
            now = await parts.ports.clock.now(app.clock)
            request = dialect.refresh_request(app, refresh_token(number, now + timedelta(days=365)))
            answer = dialect.read_tokens(await parts.ports.platform.send(request, once=True), now)
            assert isinstance(answer, Granted)
            done += 1

    begun = perf_counter()
    await asyncio.gather(*(one_after_another(number) for number in range(parts.settings.refresh_at_once)))
    return done / (perf_counter() - begun)


def main() -> None:
    logs.configure(level="info", form="json")
    uvloop.run(run(Errand(**json.load(sys.stdin))))


if __name__ == "__main__":
    main()
