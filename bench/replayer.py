"""A worker for the bench, as a process of its own: each round releases what was held, then makes the same calls with nothing kept.

It reads its errand as JSON from its standard input and tells every round as one line of JSON.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import uvloop

from bench.bare import LEVELS_A_SKU
from evergrant import logs, settings
from evergrant.actions.pushes import CALLS_A_WAVE
from evergrant.assembly.house import House, house
from evergrant.core.app import App
from evergrant.core.secret import Secret
from evergrant.jobs.worker import Worker
from evergrant.providers import dialects
from evergrant.providers.wire import Access, Level, StockSet

SHOPS = 10
CALLS_PER_SECOND = 1000
AT_ONCE = 10
SOME_SECONDS = 120.0
PATIENCE_SECONDS = 120.0

FORGET = "truncate pushes, exceptions, replay_items, wares, events"

# As many variants of each product as wanted, shops in turn. What the platform refuses is known by its number (bench/bare.py).
SELL = """
insert into wares (tenant_id, connection_id, shop_id, sku_id, product_id, seller_sku, warehouse_ids, status)
select s.tenant_id, s.connection_id, s.shop_id,
    case when $3 and n % 100 = 7 then '66' else '17' end || lpad(n::text, 17, '0'), '1729' || lpad((n / $2)::text, 15, '0'),
    'SKU-' || n, array['7068000000000000001'], 'ACTIVATE'
from generate_series(0, $1 - 1) n
join (select *, row_number() over (order by connection_id) - 1 as place from shops) s on s.place = n / $2 % $4
"""

# Held since an outage: levels of each SKU in their order. (Levels given over the API supersede each other; these were not.)
HOLD = """
insert into pushes (tenant_id, id, connection_id, shop_id, kind, entity, document, due_at)
select tenant_id, 'psh_' || md5(sku_id || level), connection_id, shop_id, 'stock', seller_sku,
    convert_to('{"quantity": ' || level || '}', 'UTF8'), now()
from generate_series(1, $1) level cross join (select * from wares order by random()) w order by level
"""

# Each SKU has stood among the exceptions since, and ends there with its first level.
FAILED = """
insert into exceptions (tenant_id, id, connection_id, shop_id, kind, entity, cause, message, push_id, attempts)
select tenant_id, 'exc_' || md5(sku_id), connection_id, shop_id, 'stock', seller_sku, 'authorization_expired', '', null, 0
from wares
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be released, and how often."""

    dsn: str
    data_dir: str
    app_id: str
    records: int
    rounds: int
    variants: int


async def run(errand: Errand) -> None:
    """All rounds."""
    chosen = settings.read(
        data_dir=Path(errand.data_dir), log_format="json", calls_per_second=CALLS_PER_SECOND, database_connections=20
    )
    async with house(chosen, {"dsn": errand.dsn}) as parts:
        app = await parts.apps.by_id(errand.app_id)
        await _loop(parts, app, errand, seconds=1.0)  # to warm up
        for number in range(errand.rounds + 1):
            well, troubles = await _released(parts, errand, poisoned=False)
            ill, more = await _released(parts, errand, poisoned=True)
            loop = await _loop(parts, app, errand, seconds=2.0)
            if number:  # the first warms up
                told = {"well": well, "poisoned": ill, "loop": loop, "troubles": troubles + more}
                print(json.dumps(told), flush=True)


async def _released(parts: House, errand: Errand, *, poisoned: bool) -> tuple[float, list[str]]:
    """Records a second that the real worker brought to the platform, poisoned ones not counted."""
    skus = errand.records // LEVELS_A_SKU
    async with parts.database.connection() as connection:
        await connection.execute(FORGET)
        await connection.execute(SELL, skus, errand.variants, poisoned, SHOPS, timeout=SOME_SECONDS)
        await connection.execute(HOLD, LEVELS_A_SKU, timeout=SOME_SECONDS)
        await connection.execute(FAILED, timeout=SOME_SECONDS)
        await connection.execute("analyze pushes, wares, exceptions", timeout=SOME_SECONDS)
    worker = Worker(parts.ports, at_once={"push": AT_ONCE})
    begun = perf_counter()
    running = asyncio.create_task(worker.run())
    while await _waiting(parts) and perf_counter() - begun < PATIENCE_SECONDS:  # noqa: ASYNC110  (rows tell nobody)
        await asyncio.sleep(0.05)
    spent = perf_counter() - begun
    worker.stop()
    await running
    states = await _states(parts)
    bad = skus // 100 if poisoned else 0
    wanted = LEVELS_A_SKU * (skus - bad)
    troubles = [] if states.get("done") == wanted else [f"{states} where {wanted} were to be done"]
    return states.get("done", 0) / spent, troubles


async def _waiting(parts: House) -> bool:
    async with parts.database.connection() as connection:
        return bool(await connection.fetchval("select exists (select from pushes where state = 'waiting')"))


async def _states(parts: House) -> dict[str, int]:
    async with parts.database.connection() as connection:
        rows = await connection.fetch("select state, count(*) from pushes group by state")
    return {row["state"]: row["count"] for row in rows}


async def _loop(parts: House, app: App, errand: Errand, *, seconds: float) -> float:
    """Records a second when the same calls are made side by side and nothing is kept."""
    dialect, access = dialects.named(app.provider), Access(token=Secret("TTP_access"), cipher="GCP_bench")
    levels = [
        Level(sku_id=f"18{number:017d}", quantities=(("7068000000000000001", LEVELS_A_SKU),))
        for number in range(errand.variants)
    ]
    until, done = perf_counter() + seconds, 0

    async def waves() -> None:
        nonlocal done
        while perf_counter() < until:
            now = await parts.ports.clock.now(app.clock)
            calls = [dialect.stock_request(app, access, "1729", levels, now) for _ in range(CALLS_A_WAVE)]
            replies = await parts.ports.platform.send_all(calls)
            assert all(reply and isinstance(dialect.read_stock(reply), StockSet) for reply in replies)
            done += len(calls) * errand.variants

    begun = perf_counter()
    await asyncio.gather(*(waves() for _ in range(2)))
    return done / (perf_counter() - begun)


def main() -> None:
    logs.configure(level="warning", form="json")
    uvloop.run(run(Errand(**json.load(sys.stdin))))


if __name__ == "__main__":
    main()
