"""TF-08: PostgreSQL goes and comes back, in every way it can, while notices, refreshes and token reads go on."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from time import monotonic

import aiohttp

from faults import oracle
from faults.notices import ORDER_STATUS, Post
from faults.own_server import KINDS, OwnServer, own_server
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

BONDS_A_MODE = 6
NOTICES_A_SECOND, READS_A_SECOND, REFRESHES_A_SECOND = 20, 50, 5
BETWEEN_SECONDS = 6.0
GRACE_SECONDS = 5.0
"""How long after an outage a door may still say 503."""
SETTLED_SECONDS = 60.0


@dataclass(slots=True)
class Traffic:
    """What vendors, sellers and clocks do meanwhile; `reads` has every (moment, status) of a token read."""

    world: World
    post: Post
    bonds: Sequence[Bond]
    reads: list[tuple[float, int]] = field(default_factory=list)
    stopping: bool = False

    async def run(self) -> None:
        """Go on until it is stopped."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._often(NOTICES_A_SECOND, self._notice))
            tasks.create_task(self._often(READS_A_SECOND, self._read))
            tasks.create_task(self._often(REFRESHES_A_SECOND, self._refresh))

    async def _often(self, a_second: int, act: Callable[[Bond], Coroutine[None, None, None]]) -> None:
        number, begun = 0, monotonic()
        async with asyncio.TaskGroup() as tasks:
            while not self.stopping:
                tasks.create_task(act(self.bonds[number % len(self.bonds)]))
                number += 1
                await asyncio.sleep(max(0.0, begun + number / a_second - monotonic()))

    async def _notice(self, bond: Bond) -> None:
        await self.post.deliver(bond, ORDER_STATUS, await self.world.now())

    async def _read(self, bond: Bond) -> None:
        try:
            status, _ = await self.world.ask(f"/v1/connections/{bond.id}/token")
        except (aiohttp.ClientError, TimeoutError, ValueError):
            status = 0
        self.reads.append((monotonic(), status))

    async def _refresh(self, bond: Bond) -> None:
        try:
            await self.world.due([bond])
        except Exception:  # noqa: BLE001  (the database is away: that is what this is about)
            return


async def run(stand: Stand) -> None:
    """Every kind of end in turn under traffic, without a hand laid on the hub or its worker."""
    async with own_server(stand) as (own, server), own.world("restarts", hubs=1, workers=1) as world:
        bonds = [bond for mode in own.modes for bond in await world.connect(mode, BONDS_A_MODE)]
        traffic = Traffic(world, Post(world), bonds)
        running = asyncio.create_task(traffic.run())
        outages: list[tuple[float, float]] = []
        await asyncio.sleep(2.0)
        for kind in KINDS:
            tally = stand.tally(kind)
            for _ in range(stand.times(3, 10)):
                with tally.trial():
                    outages.append(await _struck(server, kind, tally))
                    await asyncio.sleep(BETWEEN_SECONDS)
        traffic.stopping = True
        await running
        await _after(world, bonds, traffic, outages, stand.tally("after all"))


async def _struck(server: OwnServer, kind: str, tally: Tally) -> tuple[float, float]:
    gone, back = await server.strike(kind)
    tally.note(f"away {back - gone:.1f} s")
    return gone, back


async def _after(
    world: World, bonds: Sequence[Bond], traffic: Traffic, outages: Sequence[tuple[float, float]], tally: Tally
) -> None:
    """Nothing acknowledged is lost, nobody was refused for longer than needed, every refresh is where it belongs."""
    with tally.trial(0):
        took = await traffic.post.settled(SETTLED_SECONDS)
        tally.holds(took is not None, "notices are still not understood a minute after the last restart")
        done = await oracle.settled(world, bonds, SETTLED_SECONDS)
        tally.holds(done is not None, "refreshes are still open a minute after the last restart")
    tally.add(await traffic.post.lost())
    for name, seen in (("notice", traffic.post.answers), ("token read", traffic.reads)):
        late = [at for at, status in seen if (status >= 500 or not status) and not _excused(at, outages)]
        tally.holds(not late, f"{len(late)} of {len(seen)} {name}s were refused outside of outage + {GRACE_SECONDS} s")
        tally.note(f"{len(seen)} {name}s, {sum(status == 200 for _, status in seen)} answered 200")
    tally.note(
        f"{len(traffic.post.acknowledged)} notices acknowledged, 0 lost" if not tally.violations else "lost some"
    )
    found = await oracle.standings(world, bonds)
    tally.add(oracle.silent_losses(found))
    tally.add(oracle.losses(found))
    tally.add(oracle.revoked(found))
    seen_refreshes = await world.platform.refreshes()
    tally.note(f"{len(seen_refreshes)} refreshes")
    tally.add(await oracle.presentations(world, bonds, seen_refreshes))


def _excused(at: float, outages: Sequence[tuple[float, float]]) -> bool:
    return any(gone <= at <= back + GRACE_SECONDS for gone, back in outages)


TEST = Trial(
    id="TF-08",
    proves="PostgreSQL stops in four ways under traffic and returns: no acknowledged notice lost, nobody's hands needed",
    run=run,
)
