"""TF-20: a dump, then refreshes, then the dump again: nothing old is shown until a person has chosen."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg

from bench.ground import command
from evergrant.assembly import backups
from evergrant.assembly.house import house
from faults import oracle
from faults.holding import holding
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import READY_SECONDS, Bond, World

OF_EACH_MODE = 25
"""A hundred connections."""
SPOOLED = 2
"""Of each mode: their newest answer was on disk and not in the database when the worker died."""
QUIET_SECONDS = 10.0
"""How long everything is due and nothing may be shown. A slip on disk is taken up after five."""
SETTLED_SECONDS = 90.0


async def run(stand: Stand) -> None:
    """A world for each of the two choices."""
    for choice in ("--probe", "--ask-sellers"):
        tally = stand.tally(choice)
        async with stand.world(choice.strip("-").replace("-", "_"), hubs=0, workers=0) as world:
            some = stand.times(OF_EACH_MODE, OF_EACH_MODE)
            bonds = [bond for mode in stand.modes for bond in await world.connect(mode, some)]
            with tally.trial(len(bonds)):
                healed = await _refreshed_behind_the_dump(world, bonds, world.folder / "old.dump")
                async with _restored(stand, world, world.folder / "old.dump", hub_first=choice == "--probe") as old:
                    await _held(old, bonds, healed, tally)
                    await _chosen(old, choice, bonds, healed, tally)


async def _refreshed_behind_the_dump(world: World, bonds: Sequence[Bond], file: Path) -> list[Bond]:
    """Refresh all, dump, refresh all, and of some once more; gives those whose last answer is on disk alone."""
    worker = await world.worker()
    await _refreshed(world, bonds)
    await asyncio.to_thread(backups.dump, world.parts.arguments, file)
    await _refreshed(world, bonds)
    some = [bond for app in world.apps.values() for bond in [each for each in bonds if each.app is app][:SPOOLED]]
    async with holding(world, some) as rows:
        await world.due(some)
        await rows.blocked(1)
        await asyncio.sleep(1.0)  # until the answers of all of these are on disk
        worker.kill()
        await rows.refuse()
    return some


async def _refreshed(world: World, bonds: Sequence[Bond]) -> None:
    await world.due(bonds)
    if await oracle.settled(world, bonds, SETTLED_SECONDS) is None:
        raise RuntimeError("the refreshes were not done: there is nothing to be tried")


@asynccontextmanager
async def _restored(stand: Stand, world: World, file: Path, *, hub_first: bool) -> AsyncIterator[World]:
    """The dump in another database, and hub and worker on it with the data directory as it is.

    Whoever is first finds out; a hub sees one tenant's rows at a time, and holds everybody's all the same.
    """
    name = f"{world.folder.name}_restored"
    connection = await asyncpg.connect(stand.server.dsn)
    try:
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    dsn = stand.server.dsn_of(name)
    await asyncio.to_thread(backups.restore, {"dsn": dsn}, file)
    old = replace(world, dsn=dsn, hubs=[])
    if hub_first:
        await old.hub()
    worker = await old.worker()
    if not hub_first:
        await old.hub()
    async with house(world.parts.settings, {"dsn": dsn}) as parts:
        yield replace(old, parts=parts)
    worker.kill()


async def _held(world: World, bonds: Sequence[Bond], healed: Sequence[Bond], tally: Tally) -> None:
    """Everything is due, and nothing is shown; tokens are served; what was on disk is healed, and counted."""
    before = await world.platform.last()
    said = await _recover(world)
    tally.holds(said.startswith("held"), f"the hub takes the old database for a new one: {said}")
    await world.due([bond for bond in bonds if bond not in healed])
    await asyncio.sleep(QUIET_SECONDS)
    shown = await world.platform.refreshes(before)
    tally.holds(not shown, f"{len(shown)} old refresh tokens were shown before anybody had chosen")
    answers = await asyncio.gather(*(world.ask(f"/v1/connections/{bond.id}/token") for bond in bonds))
    refused = [status for status, _ in answers if status != 200]
    tally.holds(not refused, f"{len(refused)} of {len(bonds)} living access tokens are not served: {refused[:3]}")
    said = await _recover(world)
    tally.note(" ".join(said.split()[:2]) + " held, " + " ".join(said.partition("proven")[2].split()[:1]) + " proven")
    wanted = (f"held      {len(bonds) - len(healed)} ", f"proven    {len(healed)} ")
    tally.holds(all(words in said for words in wanted), f"{len(healed)} were on disk, and the hub says: {said}")
    same = {each.bond.id for each in await oracle.standings(world, healed) if each.is_same}
    tally.holds(len(same) == len(healed), f"{len(healed) - len(same)} pairs from the disk are not the newest")


async def _chosen(world: World, choice: str, bonds: Sequence[Bond], healed: Sequence[Bond], tally: Tally) -> None:
    """Each held token is shown once, as a probe; or none is, and the sellers are asked."""
    before = await world.platform.last()
    held = [bond for bond in bonds if bond not in healed]
    hashes = await world.sql("select connection_id, encode(refresh_hash, 'hex') as hash from tokens")
    old = {row["connection_id"]: row["hash"] for row in hashes}
    await world.rest(healed)
    await _recover(world, choice)
    took = await oracle.settled(world, held, SETTLED_SECONDS, doubts=False)
    tally.holds(took is not None, "long after the choice something is still open")
    times = Counter((each.grant, each.shown) for each in await world.platform.refreshes(before))
    wanted = Counter({(bond.grant, old[bond.id]): 1 for bond in held} if choice == "--probe" else {})
    tally.holds(times == wanted, f"{times.total()} presentations after the choice, {len(wanted)} expected")
    found = await oracle.standings(world, bonds)
    tally.add(oracle.silent_losses(found))
    mine = [each for each in found if each.bond in held]
    for each in mine:
        lives = choice == "--probe" and each.bond.mode in oracle.FORGIVING
        right = (each.status == "active" and each.is_same) if lives else each.status == "reauthorization_required"
        tally.holds(right, f"{each.bond.mode}: {each.bond.id} is {each.status}, same token {each.is_same}")
    for each in found:
        if each.bond in healed:
            tally.holds(each.is_same and each.status == "active", f"{each.bond.id} was healed and is {each.status}")
    tally.note(f"{times.total()} shown after the choice, {sum(each.status != 'active' for each in mine)} sellers asked")


async def _recover(world: World, *choice: str) -> str:
    """What `evergrant recover` says."""
    running = await asyncio.create_subprocess_exec(
        *command("evergrant", "recover", *choice),
        env={**os.environ, **world.environment()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(READY_SECONDS):
        said, _ = await running.communicate()
    if running.returncode:
        raise RuntimeError(f"evergrant recover {' '.join(choice)}: {said.decode(errors='replace')[-400:]}")
    return said.decode()


TEST = Trial(
    id="TF-20",
    proves="an old dump is put back: no old refresh token is shown until somebody chooses, what is on disk is healed",
    run=run,
    patient=True,
)
