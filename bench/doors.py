"""Token read and notice in: the real hub program under load, in turns with static JSON and one `SELECT 1`."""

import asyncio
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import asyncpg

from bench import filling
from bench.asks import Order
from bench.figures import Goal, Line, ratios, spread
from bench.filling import Home
from bench.ground import Ground, command
from bench.load import Seen, together
from evergrant.assembly.house import house

CONNECTIONS = 100_000
CLIENTS = 32
WARM_SECONDS = 1.0
SLICES = 4
"""Turns within a round."""
NOTICES_A_TURN = 100_000_000
"""Room for the ids of one turn's notices: no id is sent twice."""

STATIC, SELECT, TOKEN, NOTICE = "static JSON", "SELECT 1", "token read", "notice in"

Runs = Mapping[str, Sequence[Seen]]


def measure(ground: Ground, *, seconds: float, rounds: int, wanted: frozenset[str]) -> list[Line]:
    """The lines of both doors."""
    bare = ground.bare()
    home = asyncio.run(_fill(ground, f"http://127.0.0.1:{bare}"))
    hub = ground.hub()
    orders = {
        STATIC: Order(port=bare, path="/static", clients=CLIENTS, seconds=seconds),
        SELECT: Order(port=bare, path="/select-1", clients=CLIENTS, seconds=seconds),
    }
    if "tokens" in wanted:
        path = "/v1/connections/{}/token"
        orders[TOKEN] = replace(orders[STATIC], port=hub, path=path, bearer=home.api_key, connections=CONNECTIONS)
    if "notices" in wanted:
        path = f"/hooks/tiktok-shop/{home.app.id}"
        orders[NOTICE] = replace(
            orders[STATIC], port=hub, path=path, notice_key=filling.KEY, notice_secret=filling.SECRET
        )
    warm = {name: _run(replace(order, seconds=WARM_SECONDS), turn=0) for name, order in orders.items()}
    runs: dict[str, list[Seen]] = {name: [] for name in orders}
    for turn in range(1, rounds + 1):
        for name, seen in _round(orders, turn).items():
            runs[name].append(seen)
        told = " · ".join(f"{name} {seen[-1].per_second:,.0f}/s" for name, seen in runs.items())
        ground.told(f"doors, round {turn} of {rounds}: {told}")
    rows = asyncio.run(_rows(ground))
    return _lines(runs, {name: [warm[name], *seen] for name, seen in runs.items()}, rows)


async def _fill(ground: Ground, platform: str) -> Home:
    async with house(ground.settings_of(ground.server.dsn), {"dsn": ground.server.dsn}) as parts:
        home = await filling.settle(parts, platform)
        now = await parts.ports.clock.now(home.app.clock)
        await filling.connections(parts, home, range(CONNECTIONS), due_at=None, now=now, told=ground.told)
    return home


def _round(orders: Mapping[str, Order], turn: int) -> Mapping[str, Seen]:
    """One round, in short turns: what disturbs the machine for a second or two disturbs all that are compared."""
    slices: dict[str, list[Seen]] = {name: [] for name in orders}
    for part in range(SLICES):
        for name, order in orders.items():
            short = replace(order, seconds=order.seconds / SLICES)
            slices[name].append(_run(short, turn=turn * SLICES + part))
    return {name: together(seen) for name, seen in slices.items()}


def _run(order: Order, *, turn: int) -> Seen:
    given = replace(order, seed=turn, first_notice=7_000_000_000_000_000_000 + turn * NOTICES_A_TURN)
    done = subprocess.run(
        command("bench.load"), input=json.dumps(asdict(given)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"The load generator failed on {order.path}:\n{done.stderr}")
    return Seen(**json.loads(done.stdout))


async def _rows(ground: Ground) -> Mapping[str, int]:
    """How many rows the answers left behind."""
    connection = await asyncpg.connect(ground.server.dsn)
    try:
        return {
            TOKEN: await connection.fetchval("select count(*) from evergrant.audit where action = 'token.read'"),
            NOTICE: await connection.fetchval("select count(*) from evergrant.notices"),
        }
    finally:
        await connection.close()


def _lines(runs: Runs, everything: Runs, rows: Mapping[str, int]) -> list[Line]:
    rates = {name: tuple(seen.per_second for seen in some) for name, some in runs.items()}
    busy = spread([seen.busy for seen in runs[STATIC]]).middle
    lines = [
        _line(STATIC, runs, notes=f"the load generator's ceiling; it uses {busy:.0%} of a core here"),
        _line(SELECT, runs, against=STATIC, ratios=ratios(rates[SELECT], rates[STATIC])),
    ]
    for name, base, goal in ((TOKEN, SELECT, 0.30), (NOTICE, STATIC, 0.08)):
        if name in runs:
            line = _line(name, runs, against=base, ratios=ratios(rates[name], rates[base]), goal=Goal(bound=goal))
            lines.append(_with_rows(line, everything[name], rows[name]))
    if TOKEN in runs:
        against_static = _line(TOKEN, runs, against=STATIC, ratios=ratios(rates[TOKEN], rates[STATIC]))
        lines.append(replace(against_static, notes=""))
    return lines


def _line(
    name: str,
    runs: Runs,
    *,
    against: str = "",
    ratios: tuple[float, ...] = (),
    goal: Goal | None = None,
    notes: str = "",
) -> Line:
    some = runs[name]
    p99 = spread([seen.p99_ms for seen in some]).middle
    wrong = sum(seen.wrong for seen in some)
    first = next((seen.first_wrong for seen in some if seen.first_wrong), "")
    return Line(
        name=name,
        unit="/s",
        values=tuple(seen.per_second for seen in some),
        against=against,
        ratios=ratios,
        goal=goal,
        notes=", ".join(filter(None, (f"p99 {p99:.1f} ms", notes))),
        troubles=(f"{wrong} wrong answers, the first: {first}",) if wrong else (),
    )


def _with_rows(line: Line, answers: Sequence[Seen], rows: int) -> Line:
    """An answer without its durable row is no figure at all."""
    given = sum(seen.answers for seen in answers)
    if rows < given:
        return replace(line, troubles=(*line.troubles, f"{given:,} answers and {rows:,} rows"))
    return replace(line, notes=f"{line.notes}, a row for each of {given:,} answers")
