"""Taking due rows: the timetable's own statement over ten thousand and over ten million connections, in turns."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from statistics import median
from time import perf_counter

from bench import crowd, filling
from bench.figures import Goal, Line, ratios
from bench.ground import Ground
from evergrant.assembly.house import House, house
from evergrant.core.app import WALL

FEW, MANY = 10_000, 10_000_000
AT_ONCE = 100
TAKES_A_ROUND = 10

REFRESHED = """
with settled as (update presentations set outcome = 'ok', ended_at = now() where connection_id = any($1) and outcome is null)
update tokens set due_at = now() + interval '80 hours', lease_until = null where connection_id = any($1)
"""
"""What a refresh leaves of a row that was taken, so that the next take finds the table as it would in life."""


def measure(ground: Ground, *, rounds: int) -> list[Line]:
    """The lines of both sizes."""
    addresses = {size: ground.new_database(f"of_{size}") for size in (FEW, MANY)}
    for size, dsn in addresses.items():
        asyncio.run(_fill(ground, dsn, size, due=AT_ONCE * TAKES_A_ROUND * (rounds + 1)))
    spent = asyncio.run(_take_in_turns(ground, addresses, rounds))
    few = Line(name=f"take 100 due of {FEW:,}", unit="ms", values=tuple(spent[FEW]))
    many = Line(
        name=f"take 100 due of {MANY:,}",
        unit="ms",
        values=tuple(spent[MANY]),
        against=f"of {FEW:,}",
        ratios=ratios(spent[MANY], spent[FEW]),
        goal=Goal(bound=1.5, at_most=True),
    )
    return [few, many]


async def _fill(ground: Ground, dsn: str, size: int, *, due: int) -> None:
    """A crowd whose refreshes lie ahead, spread as in life, and the same number of due ones for every size."""
    async with house(ground.settings_of(dsn), {"dsn": dsn}) as parts:
        home = await filling.settle(parts, "http://127.0.0.1:9")
        await crowd.gather(dsn, home, size - due, ground.told)
        now = await parts.ports.clock.now(WALL)
        await filling.connections(parts, home, range(size, size + due), due_at=now, now=now, told=ground.told)
    await crowd.settle_down(dsn, ground.told)


async def _take_in_turns(ground: Ground, addresses: dict[int, str], rounds: int) -> dict[int, Sequence[float]]:
    """Milliseconds for one take, round by round: the median of takes that alternate between the sizes.

    The round before the first warms up and is not counted.
    """
    spent: dict[int, list[float]] = {size: [] for size in addresses}
    async with AsyncExitStack() as stack:
        opened = {
            size: await stack.enter_async_context(house(ground.settings_of(dsn), {"dsn": dsn}))
            for size, dsn in addresses.items()
        }
        for turn in range(rounds + 1):
            takes: dict[int, list[float]] = {size: [] for size in opened}
            for _ in range(TAKES_A_ROUND):
                for size, parts in opened.items():
                    takes[size].append(await _milliseconds(parts))
            for size, each in takes.items():
                spent[size].append(median(each))
            told = " · ".join(f"of {size:,} {each[-1]:.1f} ms" for size, each in spent.items())
            ground.told(f"take 100 due, round {turn} of {rounds}: {told}" + ("" if turn else " (not counted)"))
    return {size: each[1:] for size, each in spent.items()}


async def _milliseconds(parts: House) -> float:
    now = await parts.ports.clock.now(WALL)
    begun = perf_counter()
    taken = await parts.ports.books.tokens.take_due(WALL, now, AT_ONCE)
    spent = perf_counter() - begun
    if len(taken) != AT_ONCE:
        raise RuntimeError(f"{len(taken)} rows were taken where {AT_ONCE} are due.")
    async with parts.database.connection() as connection:
        await connection.execute(REFRESHED, [one.connection_id for one in taken])
    return spent * 1000
