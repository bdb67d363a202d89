"""TF-10: a seller takes the authorization back, the platform says so, and just then something breaks."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic, time  # noqa: TID251  (compared with the platform's log)

from evergrant.core.errors import DatabaseUnavailableError
from faults import notices, oracle
from faults.notices import DEAUTHORIZATION, ORDER_STATUS, Post
from faults.own_server import OwnServer, own_server
from faults.programs import Program
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

AT_ONCE = 2
"""Of each mode: eight at once."""
QUEUED, FULL_QUEUED = 2_000, 10_000
USUALLY_SECONDS, LONGEST_SECONDS = 5.0, 60.0
LOOK_SECONDS = 0.05
STOPPED_SECONDS = 3.0
POLLS_APART, POLLED_SECONDS = 3600, 5.0
"""After the lease of the last token the clock is turned by so much that every flow which lives is polled."""

OTHERS = """
insert into notices (tenant_id, app_id, notification_id, body, priority)
select $1, $2, 'other-' || $3 || '-' || n, convert_to('{"type":5,"shop_id":"1","timestamp":1,"data":{}}', 'UTF8'), 1
from generate_series(1, $4::int) n
"""


@dataclass(slots=True)
class Scene:
    """Where it happens; the worker may be another one after each trial."""

    world: World
    server: OwnServer
    worker: Program
    post: Post
    queued: int
    taken: int = 0

    async def killed(self) -> float:
        """The worker dies, and another one comes."""
        self.worker.kill()
        self.worker = await self.world.worker()
        return monotonic()

    async def stopped(self) -> float:
        """No worker for a while, as during a deployment that went wrong."""
        self.worker.ask_to_stop()
        await self.worker.ended()
        await asyncio.sleep(STOPPED_SECONDS)
        self.worker = await self.world.worker()
        return monotonic()

    async def database(self) -> float:
        """PostgreSQL dies and is brought back."""
        _, back = await self.server.strike("immediate")
        return back

    async def queue(self) -> float:
        """Thousands of other notices came before, and are not understood yet."""
        return monotonic()


async def run(stand: Stand) -> None:
    """Each fault, some times over; then the calls the platform saw are looked through."""
    async with own_server(stand) as (own, server), own.world("ends", hubs=1, workers=0) as world:
        queued = FULL_QUEUED if stand.full else QUEUED
        scene = Scene(world, server, await world.worker(), Post(world), queued)
        deaths: dict[str, float] = {}
        everyone: list[Bond] = []
        took: list[float] = []
        for fault in (scene.queue, scene.killed, scene.stopped, scene.database):
            tally = stand.tally(fault.__name__)
            for _ in range(stand.times(3, 25)):
                bonds = [bond for mode in stand.modes for bond in await world.connect(mode, AT_ONCE)]
                await notices.polled(world, bonds)
                everyone += bonds
                with tally.trial(len(bonds)):
                    took += await _ended(scene, bonds, fault, tally, deaths)
        await _after(scene, everyone, sorted(took), deaths, stand.tally("after all"))


async def _ended(
    scene: Scene, bonds: Sequence[Bond], fault: Callable[[], Awaitable[float]], tally: Tally, deaths: dict[str, float]
) -> list[float]:
    """Eight sellers leave while the fault happens; gives how long each connection lived on, once it could end."""
    world = scene.world
    if fault == scene.queue:
        scene.taken += 1
        await world.sql(OTHERS, world.home.tenant_id, bonds[0].app.id, str(scene.taken), scene.queued)
    tokens = await _access(world, bonds)
    breaking = asyncio.ensure_future(fault())
    for bond, token in zip(bonds, tokens, strict=True):
        await world.platform.post(f"/grants/{bond.grant}/cancel")
        deaths[token] = time()
    at = await world.now()
    known = await asyncio.gather(*(scene.post.until_taken(bond, DEAUTHORIZATION, at) for bond in bonds))
    dead = await _dead(world, bonds)
    could = await breaking
    for bond in bonds:
        await scene.post.until_taken(bond, ORDER_STATUS, at)
        status, _ = await world.ask(f"/v1/connections/{bond.id}/token")
        tally.holds(status in (403, 409, 410), f"{bond.id} is dead, and its token answers {status}")
    tally.holds(len(dead) == len(bonds), f"{len(bonds) - len(dead)} of {len(bonds)} live on after a minute")
    return [
        max(0.0, dead[bond.id] - max(when, could)) for bond, when in zip(bonds, known, strict=True) if bond.id in dead
    ]


async def _access(world: World, bonds: Sequence[Bond]) -> list[str]:
    """SHA-256 of the access token of each, which is served now."""
    answers = [await world.ask(f"/v1/connections/{bond.id}/token") for bond in bonds]
    if wrong := [(status, body) for status, body in answers if status != 200]:
        raise RuntimeError(f"a living connection's token is not served: {wrong[0]}")
    return [hashlib.sha256(body["access_token"].encode()).hexdigest() for _, body in answers]


async def _dead(world: World, bonds: Sequence[Bond]) -> dict[str, float]:
    """When the end of each was committed, as far as that happened in time."""
    dead: dict[str, float] = {}
    deadline = monotonic() + LONGEST_SECONDS + 30.0
    while True:
        try:
            rows = await world.sql(
                "select id from connections where id = any($1) and state <> 'active'", [bond.id for bond in bonds]
            )
        except DatabaseUnavailableError:
            rows = []
        for row in rows:
            dead.setdefault(row["id"], monotonic())
        if len(dead) == len(bonds) or monotonic() > deadline:
            return dead
        await asyncio.sleep(LOOK_SECONDS)


async def _after(
    scene: Scene, everyone: Sequence[Bond], took: Sequence[float], deaths: dict[str, float], tally: Tally
) -> None:
    """How long it took, what is lost, who used the dead, and in which order it was told."""
    world = scene.world
    with tally.trial(0):
        tally.holds(await scene.post.settled(90.0) is not None, "notices are still not understood")
    living = await world.connect(everyone[0].mode, 1)
    await notices.polled(world, living)
    await asyncio.sleep(max(0.0, max(deaths.values()) + oracle.LEASE_OF_TOKENS + 1.0 - time()))
    await world.platform.turn(POLLS_APART)
    await asyncio.sleep(POLLED_SECONDS)
    usually, longest = took[int(len(took) * 0.99)], took[-1]
    tally.note(f"dead after p50 {took[len(took) // 2]:.2f} s, p99 {usually:.2f} s, max {longest:.2f} s")
    tally.holds(usually <= USUALLY_SECONDS, f"p99 {usually:.1f} s")
    tally.holds(longest <= LONGEST_SECONDS, f"max {longest:.1f} s")
    tally.add(await scene.post.lost())
    tally.add(await oracle.uses_of_the_dead(world, deaths))
    calls = await world.platform.lines(kind="api")
    used = sum(line["token_sha256"] in deaths for line in calls)
    late = sum(line["wall"] > max(deaths.values()) + oracle.LEASE_OF_TOKENS for line in calls)
    tally.note(f"{used} business calls with their tokens before, {late} calls by the living after the lease")
    tally.holds(used >= len(deaths) // 2 and late, "hardly any business call was made: nothing is shown of the dead")
    tally.add(await _order(world, everyone))


async def _order(world: World, everyone: Sequence[Bond]) -> list[str]:
    """Each was told dead once, and before what the platform said later: no later notice found it alive."""
    found = []
    rows = await world.sql(
        "select connection_id, type, count(*) as told from events where type = 'connection.suspended' group by 1, 2"
    )
    told = {row["connection_id"]: row["told"] for row in rows}
    found += [
        f"the tenant was told {told.get(bond.id, 0)} times that {bond.id} is over"
        for bond in everyone
        if told.get(bond.id) != 1
    ]
    woken = await world.sql(
        """
        select notification_id from notices where outcome = 'polling' and convert_from(body, 'UTF8') like '%"type":1,%'
        """
    )
    return [*found, *(f"a later notice, {row['notification_id']}, woke a dead connection" for row in woken)]


TEST = Trial(
    id="TF-10",
    proves="a deauthorization under kills, restarts, without a worker, behind thousands of notices: dead in seconds",
    run=run,
    patient=True,
)
