"""TF-06: callers go away after 50 ms, servers and workers are asked to stop in the middle of a refresh."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import aiohttp

from faults import oracle
from faults.programs import Program
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

AT_ONCE, CALLERS = 25, 4
AWAY_SECONDS = 0.05
LATE_SECONDS = 0.3
STOP_LATE_SECONDS = 2.0
"""How late the platform answers while a program is stopped."""
DRAIN_SECONDS = 30.0
DONE_SECONDS = 60.0


async def run(stand: Stand) -> None:
    """Callers that leave, then programs that are stopped, in every mode."""
    async with stand.world("leaving", hubs=1, workers=1) as world:
        for mode in stand.modes:
            tally = stand.tally(f"{mode.value}, callers leave")
            for _ in range(stand.times(8, 20)):
                bonds = await world.connect(mode, AT_ONCE)
                with tally.trial(AT_ONCE):
                    await _left(world, bonds, tally)
        worker, hub = world.programs.started[-1], world.hubs[0]
        for mode in stand.modes:
            tally = stand.tally(f"{mode.value}, SIGTERM")
            for _ in range(stand.times(2, 25)):
                bonds = await world.connect(mode, AT_ONCE)
                with tally.trial(AT_ONCE):
                    worker, hub = await _stopped(world, worker, hub, bonds, tally)


async def _left(world: World, bonds: Sequence[Bond], tally: Tally) -> None:
    """Every one of these is asked for by callers that are gone before the platform answers."""
    faults = [
        await world.platform.fault("delay", seconds=LATE_SECONDS, moment="after_work", grant=bond.grant)
        for bond in bonds
    ]
    await world.due(bonds)
    await asyncio.gather(*(_gone(world, bond) for bond in bonds for _ in range(CALLERS)))
    await _whole(world, bonds, tally)
    await world.platform.release(faults)


async def _gone(world: World, bond: Bond) -> None:
    """Ask for a token that outlives the one there is, and close the connection after 50 ms."""
    timeout = aiohttp.ClientTimeout(total=AWAY_SECONDS)
    headers = {"authorization": f"Bearer {world.home.api_key}", "connection": "close"}
    where = f"{world.hubs[0].address}/v1/connections/{bond.id}/token?min_ttl=86400"
    with suppress(TimeoutError, aiohttp.ClientError):
        async with world.session.get(where, headers=headers, timeout=timeout) as answer:
            await answer.read()


async def _stopped(
    world: World, worker: Program, hub: Program, bonds: Sequence[Bond], tally: Tally
) -> tuple[Program, Program]:
    """Worker and server are asked to stop while the platform is about to answer; gives those that follow them."""
    faults = [
        await world.platform.fault("delay", seconds=STOP_LATE_SECONDS, moment="after_work", grant=bond.grant)
        for bond in bonds
    ]
    await world.due(bonds)
    await _shown(world, bonds)
    callers = [asyncio.create_task(_gone(world, bond)) for bond in bonds]
    worker.ask_to_stop()
    hub.ask_to_stop()
    for program in (worker, hub):
        took = await program.ended(DRAIN_SECONDS)
        tally.holds(took is not None, f"{program.name} did not end within {DRAIN_SECONDS:.0f} s of SIGTERM")
        if took is not None:
            tally.holds(program.process.returncode == 0, f"{program.name} ended with {program.process.returncode}")
    await asyncio.gather(*callers)
    world.hubs.remove(hub)
    follower, server = world.start_worker(), world.start_hub()
    await _whole(world, bonds, tally)  # the follower has nothing to mend: what was begun was finished
    await world.platform.release(faults)
    await follower.says("worker.started")
    return follower, await world.ready(server)


async def _shown(world: World, bonds: Sequence[Bond]) -> None:
    """Wait until all of these are in flight."""
    wanted = [bond.id for bond in bonds]
    for _ in range(500):
        rows = await world.sql("select count(*) as some from presentations where connection_id = any($1)", wanted)
        if rows[0]["some"] == len(bonds):
            return
        await asyncio.sleep(0.02)


async def _whole(world: World, bonds: Sequence[Bond], tally: Tally) -> None:
    """Every refresh came to its end at the first attempt: one call, the platform's pair, no doubt."""
    if await oracle.settled(world, bonds, DONE_SECONDS, doubts=False) is None:
        tally.violated(f"{bonds[0].mode}: a refresh was not done within {DONE_SECONDS:.0f} s")
    rows = await world.sql(
        "select connection_id, outcome from presentations where connection_id = any($1)", [bond.id for bond in bonds]
    )
    ends = {row["connection_id"]: row["outcome"] for row in rows}
    tally.add([f"{bond.mode}: {bond.id} came out {ends.get(bond.id)}" for bond in bonds if ends.get(bond.id) != "ok"])
    tally.holds(len(rows) == len(bonds), f"{len(rows)} attempts for {len(bonds)} refreshes")
    grants = await world.platform.grants(bonds[0].app.key)
    vault = await world.sql(
        "select connection_id, encode(refresh_hash, 'hex') as hash from tokens where connection_id = any($1)",
        [bond.id for bond in bonds],
    )
    held = {row["connection_id"]: row["hash"] for row in vault}
    tally.add(
        [f"I1 {bond.id}: not the platform's token" for bond in bonds if held[bond.id] != grants[bond.grant].refresh]
    )


TEST = Trial(
    id="TF-06",
    proves="callers gone after 50 ms, SIGTERM to server and worker mid-refresh: nothing is cancelled, drained in 30 s",
    run=run,
)
