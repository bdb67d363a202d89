"""Replay: records held since an outage, released by the real worker in their order, in turns with the same calls and nothing kept."""

import asyncio
import json
import subprocess
from dataclasses import asdict
from typing import Any
from urllib.request import urlopen

from bench import filling
from bench.figures import Goal, Line, ratios
from bench.ground import Ground, command
from bench.replayer import SHOPS, Errand
from evergrant.assembly.house import house

SHAPES = {"5 variants a product": 5, "1 variant a product": 1}
RECORDS_A_SECOND = 1_000
"""So many are held for each second a round is to last; more than are asked for."""
MUST_A_SECOND, MOST_LOST = 600, 0.90

OPEN_FLOWS = """
insert into flows (tenant_id, connection_id, shop_id, kind, clock, paused_by_vendor)
select s.tenant_id, s.connection_id, s.shop_id, 'stock', c.clock, false
from shops s join connections c on c.tenant_id = s.tenant_id and c.id = s.connection_id
"""


def measure(ground: Ground, *, seconds: float, rounds: int) -> list[Line]:
    """The lines of every shape of a catalogue."""
    bare = ground.bare()
    dsn = ground.new_database("of_replays")
    app_id = asyncio.run(_fill(ground, dsn, f"http://127.0.0.1:{bare}"))
    lines: list[Line] = []
    for shape, variants in SHAPES.items():
        errand = Errand(
            dsn=dsn,
            data_dir=str(ground.data_dir_of(dsn)),
            app_id=app_id,
            records=int(RECORDS_A_SECOND * seconds * (2 if variants > 1 else 1)),
            rounds=rounds,
            variants=variants,
        )
        lines += _shape(ground, shape, errand, bare)
    return lines


def _shape(ground: Ground, shape: str, errand: Errand, bare: int) -> list[Line]:
    rates: dict[str, list[float]] = {"well": [], "poisoned": [], "loop": []}
    troubles: list[str] = []
    for told in _rounds(ground, errand):
        for name, values in rates.items():
            values.append(told[name])
        troubles += told["troubles"]
        with urlopen(f"http://127.0.0.1:{bare}/disorder") as answer:
            if out_of_order := json.load(answer)["disorder"]:
                troubles.append(f"{out_of_order} levels came behind a newer one of their SKU")
        said = " · ".join(f"{name} {told[name]:,.0f}/s" for name in rates)
        ground.told(f"replay, {shape}, round {len(rates['well'])} of {errand.rounds}: {said}")
    well, poisoned, loop = (tuple(values) for values in rates.values())
    return [
        Line(
            name=f"replay, {shape}",
            unit="/s",
            values=well,
            against="the same calls",
            ratios=ratios(well, loop),
            goal=Goal(bound=MUST_A_SECOND, of_ratio=False),
            troubles=tuple(troubles),
            notes="three levels a SKU, ten shops; lease, gate, call, settled in one commit a wave; order checked at the platform",
        ),
        Line(
            name=f"replay, {shape}, 1 % poisoned",
            unit="/s",
            values=poisoned,
            against="without",
            ratios=ratios(poisoned, well),
            goal=Goal(bound=MOST_LOST),
            notes="the others' records a second; poisoned ones are parked with an exception",
        ),
    ]


def _rounds(ground: Ground, errand: Errand) -> list[dict[str, Any]]:
    with (
        (ground.folder / "logs" / "replayer.log").open("wb") as log,
        subprocess.Popen(
            command("bench.replayer"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as running,
    ):
        told, _ = running.communicate(json.dumps(asdict(errand)))
    if running.returncode:
        raise RuntimeError(f"The replayer failed:\n{ground.children.log_of('replayer')}")
    return [json.loads(line) for line in told.splitlines()]


async def _fill(ground: Ground, dsn: str, platform: str) -> str:
    async with house(ground.settings_of(dsn), {"dsn": dsn}) as parts:
        home = await filling.settle(parts, platform)
        now = await parts.ports.clock.now(home.app.clock)
        await filling.connections(parts, home, range(SHOPS), due_at=None, now=now, told=ground.told)
        async with parts.database.connection() as connection:
            await connection.execute("update connections set scopes = scopes || 'seller.product.write'::text")
            await connection.execute(OPEN_FLOWS)
    return home.app.id
