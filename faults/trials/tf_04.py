"""TF-04: the database, the disk, or both take nothing exactly when the platform has answered a refresh."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from evergrant.core.tokens import Rotation
from faults import oracle
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.tools.postgres_proxy import PostgresProxy
from faults.tools.preloads import NotHereError
from faults.tools.small_disk import SmallDisk, small_disk
from faults.world import Bond, World

AT_ONCE = 2
"""Of each mode: eight in flight."""
OUTAGE_SECONDS, FULL_OUTAGE_SECONDS = 20.0, 120.0
USABLE_SECONDS = 1.0
"""From the moment the database is back."""
AWHILE = 3.0
LOOK_SECONDS = 0.05


async def run(stand: Stand) -> None:
    """Each way of failing, with eight answers in the air."""
    async with stand.world("saves", hubs=1, workers=0) as world:
        async with PostgresProxy(world.dsn, folder=world.folder / "proxy") as proxy:
            worker = await world.worker(dsn=proxy.dsn)
            for name in ("refuses", "hangs"):
                tally = stand.tally(f"database {name}")
                for _ in range(stand.times(3, 10)):
                    with tally.trial(AT_ONCE * len(stand.modes)):
                        await _database_away(stand, world, proxy, name, tally)
            worker.ask_to_stop()
            await worker.ended()
        await _disks(stand, world)


async def _bonds(stand: Stand, world: World) -> list[Bond]:
    return [bond for mode in stand.modes for bond in await world.connect(mode, AT_ONCE)]


async def _answered(world: World, bonds: Sequence[Bond]) -> list[str]:
    """The platform has rotated all of these, and its answers wait to be let go."""
    held = await world.platform.hold("after_rotate", [bond.grant for bond in bonds])
    await world.due(bonds)
    standing = await world.platform.held(held)
    if standing != len(bonds):
        raise RuntimeError(f"only {standing} of {len(bonds)} refreshes are in flight")
    return held


async def _database_away(stand: Stand, world: World, proxy: PostgresProxy, how: str, tally: Tally) -> None:
    bonds = await _bonds(stand, world)
    held = await _answered(world, bonds)
    if how == "refuses":
        proxy.refuse()
        await proxy.cut_all()
    else:
        proxy.freeze()
    await world.platform.release(held)
    await asyncio.sleep(FULL_OUTAGE_SECONDS if stand.full else OUTAGE_SECONDS)
    found = await oracle.standings(world, bonds)
    moves = [each for each in found if each.bond.mode is not Rotation.STABLE]
    tally.holds(not any(each.is_same for each in moves), "the database took an answer while it was away")
    proxy.refuse(on=False)
    proxy.go_on()
    took = await _usable(world, bonds)
    tally.note(f"every new access token served {took or -1:.2f} s after the database was back")
    tally.holds(took is not None and took <= USABLE_SECONDS, f"new tokens took {took} s after the database was back")
    await _kept(world, bonds, tally)


async def _usable(world: World, bonds: Sequence[Bond], seconds: float = 30.0) -> float | None:
    """Seconds until the hub holds the platform's newest pair of each, and the first of them is served."""
    begun = monotonic()
    hashes: dict[str, str | None] = {}
    for app in {bond.app.key for bond in bonds}:
        hashes |= {name: grant.refresh for name, grant in (await world.platform.grants(app)).items()}
    wanted = {bond.id: hashes[bond.grant] for bond in bonds}
    while monotonic() - begun < seconds:
        rows = await world.sql("select connection_id, encode(refresh_hash, 'hex') as hash from tokens")
        held = {row["connection_id"]: row["hash"] for row in rows}
        if all(held[name] == hash_ for name, hash_ in wanted.items()):
            took = monotonic() - begun
            status, _ = await world.ask(f"/v1/connections/{bonds[0].id}/token")
            return took if status == 200 else None
        await asyncio.sleep(LOOK_SECONDS)
    return None


async def _kept(world: World, bonds: Sequence[Bond], tally: Tally) -> None:
    """Nothing was lost, nothing ended, nothing was shown twice."""
    await oracle.settled(world, bonds, 30.0)
    for each in await oracle.standings(world, bonds):
        tally.holds(
            each.is_same and each.status == "active" and not each.in_doubt,
            f"{each.bond.mode}: {each.bond.id} is {each.status}, in doubt {each.in_doubt}, same token {each.is_same}",
        )
    seen = await world.platform.refreshes()
    tally.add(await oracle.presentations(world, bonds, seen))
    tally.add(await oracle.writers(world, bonds, seen, {}))


async def _disks(stand: Stand, world: World) -> None:
    """The spool on a disk that is full, with the database there, and without it."""
    try:
        with small_disk(world.data / "spool") as disk:
            async with PostgresProxy(world.dsn, folder=world.folder / "proxy") as proxy:
                worker = await world.worker(dsn=proxy.dsn)
                full, both = stand.tally("spool full"), stand.tally("both")
                for _ in range(stand.times(3, 25)):
                    with full.trial(AT_ONCE * len(stand.modes)):
                        await _spool_full(stand, world, disk, full)
                for _ in range(stand.times(3, 25)):
                    with both.trial(AT_ONCE * len(stand.modes)):
                        await _both(stand, world, disk, proxy, both)
                worker.ask_to_stop()
                await worker.ended()
    except NotHereError as missing:
        stand.tally("spool full").note(str(missing))


async def _spool_full(stand: Stand, world: World, disk: SmallDisk, tally: Tally) -> None:
    bonds = await _bonds(stand, world)
    held = await _answered(world, bonds)
    disk.fill()
    await world.platform.release(held)
    took = await _usable(world, bonds)
    tally.holds(took is not None, "answers the disk did not take were not kept by the database either")
    disk.empty()
    await _kept(world, bonds, tally)


async def _both(stand: Stand, world: World, disk: SmallDisk, proxy: PostgresProxy, tally: Tally) -> None:
    """With neither there, nothing is shown; with the database alone, nothing either: the disk is asked first."""
    bonds = await _bonds(stand, world)
    before = await world.platform.last()
    disk.fill()
    proxy.refuse()
    await proxy.cut_all()
    await world.due(bonds)
    await asyncio.sleep(AWHILE)
    proxy.refuse(on=False)
    await asyncio.sleep(AWHILE)
    shown = await world.platform.refreshes(before)
    tally.holds(not shown, f"{len(shown)} refresh tokens were shown that nobody could have kept an answer for")
    disk.empty()
    took = await oracle.settled(world, bonds, 30.0)
    tally.holds(took is not None, "refreshes did not go on when there was room again")
    await _kept(world, bonds, tally)


TEST = Trial(
    id="TF-04",
    proves="database or disk takes nothing exactly after the answer: nothing is lost while one of them is left",
    run=run,
)
