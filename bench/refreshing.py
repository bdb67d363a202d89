"""Refresh: the real worker over due rows, in turns with the same HTTP calls and nothing kept of them."""

import asyncio
import json
import subprocess
from dataclasses import asdict

from bench import filling
from bench.figures import Goal, Line, ratios
from bench.ground import Ground, command
from bench.refresher import Errand
from evergrant.assembly.house import house

LIKELY_AT_MOST = 3_000
"""Refreshes a second that the rows made for it suffice for."""

FULL, LOOP = "refresh", "the same HTTP loop"


def measure(ground: Ground, *, seconds: float, rounds: int) -> list[Line]:
    """The lines of both."""
    bare = ground.bare()
    dsn = ground.new_database("of_refreshes")
    errand = Errand(
        dsn=dsn,
        data_dir=str(ground.data_dir_of(dsn)),
        app_id=asyncio.run(_fill(ground, dsn, f"http://127.0.0.1:{bare}", int(LIKELY_AT_MOST * seconds))),
        seconds=seconds,
        rounds=rounds,
    )
    rates: dict[str, list[float]] = {FULL: [], LOOP: []}
    troubles: list[str] = []
    with (
        (ground.folder / "logs" / "refresher.log").open("wb") as log,
        subprocess.Popen(
            command("bench.refresher"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as running,
    ):
        assert running.stdin
        assert running.stdout
        running.stdin.write(json.dumps(asdict(errand)))
        running.stdin.close()
        for number, line in enumerate(running.stdout, start=1):
            told = json.loads(line)
            rates[FULL].append(told["full"])
            rates[LOOP].append(told["loop"])
            troubles += told["troubles"]
            ground.told(
                f"refresh, round {number} of {rounds}: {FULL} {told['full']:,.0f}/s · {LOOP} {told['loop']:,.0f}/s"
            )
    if running.returncode:
        raise RuntimeError(f"The refresher failed:\n{ground.children.log_of('refresher')}")
    full, loop = tuple(rates[FULL]), tuple(rates[LOOP])
    return [
        Line(name=LOOP, unit="/s", values=loop, notes="50 in flight, a fresh connection for each, nothing kept"),
        Line(
            name=FULL,
            unit="/s",
            values=full,
            against=LOOP,
            ratios=ratios(full, loop),
            goal=Goal(bound=0.20),
            troubles=tuple(troubles),
            notes="50 in flight: lease, attempt row, call, fsynced spool, transaction",
        ),
    ]


async def _fill(ground: Ground, dsn: str, platform: str, count: int) -> str:
    async with house(ground.settings_of(dsn), {"dsn": dsn}) as parts:
        home = await filling.settle(parts, platform)
        now = await parts.ports.clock.now(home.app.clock)
        await filling.connections(parts, home, range(count), due_at=None, now=now, told=ground.told)
    return home.app.id
