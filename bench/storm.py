"""The storm: ten thousand refreshes due at once at a platform that takes fifty calls at a time, and token reads meanwhile."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter

import asyncpg

from bench import filling
from bench.asks import connection_id
from bench.figures import Goal, Line, percentile
from bench.ground import Ground
from evergrant.assembly.house import house
from evergrant.stage.cast import free_port

DUE, CAP, LATENCY = 10_000, 50, 0.05
LIMIT_SECONDS = DUE / CAP * LATENCY
"""What the cap itself takes."""
MUST_SECONDS, AIM_SECONDS = 60.0, 15.0
READ_EVERY, QUIET_SECONDS, PATIENCE_SECONDS = 0.02, 3.0, 120.0

ALL_DUE = "update evergrant.tokens set due_at = now(), lease_until = null; notify evergrant_work, 'refresh'"
LEFT = "select count(*) from evergrant.tokens where due_at <= now()"
ENDED_BADLY = "select count(*) from evergrant.presentations where outcome is distinct from 'ok'"


def measure(ground: Ground, *, rounds: int) -> list[Line]:
    """The lines of the storm."""
    platform, hub = free_port(), free_port()
    dsn = ground.new_database("of_the_storm")
    capped = ("--port", str(platform), "--dsn", ground.server.dsn, "--latency", str(LATENCY))
    ground.start("capped", "bench.bare", *capped)
    ground.await_program(f"http://127.0.0.1:{platform}/")
    key = asyncio.run(_fill(ground, dsn, f"http://127.0.0.1:{platform}"))
    own = {
        "EVERGRANT_DATA_DIR": str(ground.data_dir_of(dsn)),
        "EVERGRANT_DATABASE_URL": dsn,
        "EVERGRANT_LOG_FORMAT": "json",
        "EVERGRANT_APP_CALLS_AT_ONCE": str(CAP),
    }
    ground.start("stormy hub", "evergrant", "serve", environment={**own, "EVERGRANT_PORT": str(hub)})
    ground.await_program(f"http://127.0.0.1:{hub}/readyz")
    ground.start("stormy worker", "evergrant", "work", environment=own)
    return asyncio.run(_storms(ground, dsn, platform, hub, key, rounds))


async def _fill(ground: Ground, dsn: str, platform: str) -> str:
    async with house(ground.settings_of(dsn), {"dsn": dsn}) as parts:
        home = await filling.settle(parts, platform)
        now = await parts.ports.clock.now(home.app.clock)
        await filling.connections(parts, home, range(DUE), due_at=None, now=now, told=ground.told)
    return home.api_key


async def _storms(ground: Ground, dsn: str, platform: int, hub: int, key: str, rounds: int) -> list[Line]:
    spent: list[float] = []
    slower: list[float] = []
    troubles: list[str] = []
    connection = await asyncpg.connect(dsn)
    try:
        for turn in range(1, rounds + 1):
            quiet = await _reads(hub, key, asyncio.create_task(asyncio.sleep(QUIET_SECONDS)), troubles)
            storm = asyncio.create_task(_storm(connection))
            stormy = await _reads(hub, key, storm, troubles)
            spent.append(await storm)
            slower.append(percentile(stormy, 0.99) / percentile(quiet, 0.99))
            most = json.loads(await _get(platform, "/most", ""))["most"]
            if most > CAP:
                troubles.append(f"{most} calls in flight where {CAP} are allowed")
            told = f"{spent[-1]:.1f} s, at most {most} in flight, reads p99 {1000 * percentile(stormy, 0.99):.1f} ms"
            ground.told(f"storm, round {turn} of {rounds}: {told} (quiet {1000 * percentile(quiet, 0.99):.1f} ms)")
        if bad := await connection.fetchval(ENDED_BADLY):
            troubles.append(f"{bad} refreshes did not end as ok")
    finally:
        await connection.close()
    against = f"the cap's own {LIMIT_SECONDS:.0f} s"
    return [
        Line(
            name=f"storm: {DUE:,} due at once",
            unit="s",
            values=tuple(spent),
            against=against,
            ratios=tuple(seconds / LIMIT_SECONDS for seconds in spent),
            goal=Goal(bound=MUST_SECONDS, at_most=True, of_ratio=False),
            troubles=tuple(dict.fromkeys(troubles)),
            notes=f"platform: {CAP} in flight, {1000 * LATENCY:.0f} ms each; the aim is {AIM_SECONDS:.0f} s",
        ),
        Line(
            name="token read p99 in the storm",
            unit="x quiet",
            values=tuple(slower),
            goal=Goal(bound=3.0, at_most=True, of_ratio=False),
            notes=f"{1 / READ_EVERY:.0f} reads a second",
        ),
    ]


async def _storm(connection: asyncpg.Connection) -> float:
    await connection.execute(ALL_DUE)
    begun = perf_counter()
    while await connection.fetchval(LEFT):
        if perf_counter() - begun > PATIENCE_SECONDS:
            break
        await asyncio.sleep(0.1)
    return perf_counter() - begun


async def _reads(hub: int, key: str, until: "asyncio.Task[object]", troubles: list[str]) -> Sequence[float]:
    """Seconds each read took, sorted; one begins every fiftieth of a second, whether or not the last is back."""
    reads: list[asyncio.Task[float]] = []
    while not until.done():
        path = f"/v1/connections/{connection_id(len(reads) * 7919 % DUE)}/token"
        reads.append(asyncio.create_task(_read(hub, path, key, troubles)))
        await asyncio.sleep(READ_EVERY)
    return sorted(await asyncio.gather(*reads))


async def _read(hub: int, path: str, key: str, troubles: list[str]) -> float:
    begun = perf_counter()
    told = json.loads(await _get(hub, path, key))
    spent = perf_counter() - begun
    if "expires_at" not in told:
        troubles.append(f"a read was answered {told}")
    elif datetime.fromisoformat(told["expires_at"]) <= datetime.now(UTC):  # noqa: TID251  (the bench judges by its own clock)
        troubles.append("an expired token was lent")
    return spent


async def _get(port: int, path: str, key: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    shown = f"authorization: Bearer {key}\r\n" if key else ""
    writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{shown}\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]
