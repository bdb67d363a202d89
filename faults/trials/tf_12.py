"""TF-12, as far as there is something to follow: the event log, read by cursor while programs and database die.

Delivery by webhook is not built yet; what it will be made from is this log.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from evergrant.core.tokens import Rotation
from faults import notices
from faults.own_server import OwnServer, own_server
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

CONNECTIONS, FULL_CONNECTIONS = 40, 200
TURNS, FULL_TURNS = 20, 500
READERS = 3
AGAIN_SECONDS = 0.1
BETWEEN_SECONDS = 2.0
STRIKES = ("immediate", "kill -9", "fast")


@dataclass(slots=True)
class Reader:
    """A vendor's program that follows the log; `got` is what it was told, in the order it was told."""

    world: World
    number: int
    got: list[dict[str, Any]] = field(default_factory=list)
    cursor: str = ""
    stopping: bool = False

    async def run(self) -> None:
        """Follow until it is stopped and has come to the end."""
        while True:
            page = await _asked(self.world, "get", f"/v1/events?cursor={self.cursor}&limit=50", self.number)
            if page is None:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            again = bool(self.got) and any(event["id"] == self.got[-1]["id"] for event in page["items"])
            self.got += page["items"]
            if again:
                return  # told twice: it would go on for ever
            self.cursor = page["tail_cursor"]
            if not page["items"]:
                if self.stopping:
                    return
                await asyncio.sleep(AGAIN_SECONDS)


async def run(stand: Stand) -> None:
    """Writers turn flows off and on, readers follow, and hubs, worker and database die in turn."""
    async with own_server(stand) as (own, server), own.world("log", hubs=2, workers=1) as world:
        tally = stand.tally("event log")
        count = stand.times(CONNECTIONS, FULL_CONNECTIONS)
        turns = FULL_TURNS if stand.full else TURNS
        bonds = await world.connect(Rotation.STRICT, count)
        await notices.polled(world, bonds)
        readers = [Reader(world, number) for number in range(READERS)]
        reading = [asyncio.create_task(reader.run()) for reader in readers]
        breaking = asyncio.create_task(_broken(world, server, tally))
        with tally.trial(count * turns):
            async with asyncio.TaskGroup() as tasks:
                for some in _fives(bonds):
                    tasks.create_task(_turned(world, some, turns))
            breaking.cancel()
            await asyncio.gather(breaking, return_exceptions=True)
            await world.hub()
            for reader in readers:
                reader.stopping = True
            await asyncio.gather(*reading)
        await _checked(world, bonds, readers, turns, tally)


def _fives(bonds: Sequence[Bond]) -> list[Sequence[Bond]]:
    return [bonds[start : start + 5] for start in range(0, len(bonds), 5)]


async def _asked(world: World, method: str, path: str, number: int) -> dict[str, Any] | None:
    """What a hub answers, this one or another; None if it cannot just now."""
    hub = world.hubs[number % len(world.hubs)]
    headers = {"authorization": f"Bearer {world.home.api_key}"}
    try:
        async with world.session.request(
            method, f"{hub.address}{path}", headers=headers, timeout=aiohttp.ClientTimeout(total=10)
        ) as answer:
            return dict(await answer.json()) if answer.status < 300 else None
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None


async def _turned(world: World, bonds: Sequence[Bond], turns: int) -> None:
    """Pause and resume each of these, so many times; what was not answered is asked for again."""
    for turn in range(turns):
        verb = "pause" if turn % 2 == 0 else "resume"
        for number, bond in enumerate(bonds):
            await _until_answered(world, f"/v1/connections/{bond.id}/{verb}", number + turn)


async def _until_answered(world: World, path: str, number: int) -> None:
    while True:
        if await _asked(world, "post", path, number) is not None:
            return
        await asyncio.sleep(AGAIN_SECONDS)


async def _broken(world: World, server: OwnServer, tally: Tally) -> None:
    """A hub, the worker, the database: one after the other, as long as it lasts."""
    strikes, kills = itertools.cycle(STRIKES), 0
    worker = next(program for program in world.programs.started if program.name.startswith("worker"))
    try:
        while True:
            await asyncio.sleep(BETWEEN_SECONDS)
            world.hubs.pop(0).kill()
            kills += 1
            await world.hub()
            await asyncio.sleep(BETWEEN_SECONDS)
            worker.kill()
            worker = world.start_worker()
            await server.strike(next(strikes))
            kills += 2
    finally:
        tally.note(f"{kills} kills and restarts")


async def _checked(world: World, bonds: Sequence[Bond], readers: Sequence[Reader], turns: int, tally: Tally) -> None:
    """Each reader was told all that happened, once and in order; and what happened is what was asked for, once."""
    rows = await world.sql(
        "select id, type, connection_id from events where tenant_id = $1 order by position", world.home.tenant_id
    )
    told = [row["id"] for row in rows]
    for reader in readers:
        got = [event["id"] for event in reader.got]
        tally.holds(
            got == told, f"reader {reader.number} was told {len(got)} events, {len(set(got))} different, of {len(told)}"
        )
    for bond in bonds:
        turned = [row["type"] for row in rows if row["connection_id"] == bond.id and row["type"] != "flow.synced"]
        wanted = ["flow.paused" if turn % 2 == 0 else "flow.resumed" for turn in range(turns)]
        tally.holds(turned == wanted, f"{bond.id} was turned {turns} times and is told as {turned}")
    tally.note(f"{len(told)} events, {len(readers)} readers")


TEST = Trial(
    id="TF-12",
    proves="the event log followed by cursor under kills and restarts: gapless, in order, each event once (no webhooks yet)",
    run=run,
)
