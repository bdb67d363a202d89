"""TF-20: a dump, then refreshes, then the dump again. The hub sees that its database is older than its tokens."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx2
import pytest

from evergrant import postgres
from evergrant.actions import recover, steer
from evergrant.actions.reading import Whence
from evergrant.assembly import backups, programs, provisioning
from evergrant.assembly.house import StartError, house
from evergrant.cli import backup
from evergrant.core.secret import Secret
from evergrant.web import app
from evergrant.web.live import Live
from tests import postgres_fixture
from tests.hub_fixture import EMAIL, ORIGIN, PASSWORD, Hub
from tests.world_fixture import KEY, World

MANY = 4
COUNT = "update epochs set counter = $1 where number = (select max(number) from epochs)"


async def linked(world: World) -> list[str]:
    """Connections of as many sellers."""
    ids = []
    for number in range(MANY):
        shop = {"name": f"Shop {number}", "region": "GB", "orders": 0, "products": 0}
        seller = {"name": f"Seller {number}", "email": f"s{number}@x.example", "password": "sandbox", "region": "GB"}
        ids.append(
            await world.linked_by(world.sandbox.post("/sellers", seller | {"shops": [shop]}), f"customer {number}")
        )
    return ids


def shown(world: World) -> Counter[str]:
    """How often the platform was shown each refresh token, by its hash; codes do not count."""
    calls = world.sandbox.log(kind="token", app=KEY)
    return Counter(str(call["token_sha256"]) for call in calls if call["path"].endswith("/refresh"))


@asynccontextmanager
async def restored(
    server: postgres.Server, world: World, file: Path, *, doors_first: bool = False
) -> AsyncIterator[Hub]:
    """The hub on what the dump holds, with the data folder as it is; `doors_first`: `serve` starts before `work`."""
    async with postgres_fixture.fresh(server) as dsn:
        backup.tell(await asyncio.to_thread(backups.restore, {"dsn": dsn}, file))
        if doors_first:
            async with house(world.hub.parts.settings, {"dsn": dsn}, walled=True):
                pass
        async with house(world.hub.parts.settings, {"dsn": dsn}, clock_believed=0.0) as parts:
            doors = httpx2.ASGITransport(app=app.build(programs.desk_of(parts, Live())))
            async with httpx2.AsyncClient(transport=doors, base_url=ORIGIN, headers=world.hub.api.headers) as api:
                yield replace(world.hub, parts=parts, api=api, transport=doors)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the dump goes."""
    return tmp_path / "evergrant.dump"


async def dumped(world: World, file: Path) -> None:
    """Dump the database of the world, for the eyes of its owner."""
    await asyncio.to_thread(backups.dump, world.hub.parts.arguments, file)
    assert 0o600 == (await asyncio.to_thread(file.stat)).st_mode & 0o777


async def test_no_old_token_is_shown_until_somebody_decides(
    world: World, database_server: postgres.Server, file: Path
) -> None:
    """0 before the choice; after `--probe` each once, declared; live access tokens are lent all the time."""
    ids = await linked(world)
    await world.hub.work()
    await dumped(world, file)
    world.sandbox.advance("4d")
    await world.hub.work()
    before = shown(world)
    assert MANY == before.total()
    async with restored(database_server, world, file, doors_first=True) as hub:
        await hub.work()
        assert before == shown(world)
        assert MANY == await hub.parts.recovery.held(world.hub.tenant_id)
        assert await hub.parts.keys.for_token(world.hub.api_key, ids[0])
        assert (MANY, 0) == (await hub.parts.recovery.status())[:2]

        assert MANY == await hub.parts.recovery.probe()
        await hub.work()
        again = shown(world) - before
        assert {1} == set(again.values())
        assert set(again) == set(before)
        async with hub.parts.database.connection() as connection:
            probes = await connection.fetch("select probe, outcome from presentations where probe")
            states = await connection.fetch("select state, reason from connections")
        assert [(True, "final")] * MANY == [tuple(row) for row in probes]  # a strict platform: they were used up
        assert {("reauthorization_required", "refresh_outcome_lost")} == {tuple(row) for row in states}
        await hub.work()
        assert again == shown(world) - before
    async with restored(database_server, world, file) as hub:  # the same dump once more, after it was settled: again
        assert MANY == await hub.parts.recovery.held()


async def test_what_is_proven_is_released_and_the_rest_can_be_given_up(
    world: World, database_server: postgres.Server, file: Path
) -> None:
    """An answer in the spool heals its connection; a new consent proves another; sellers of the rest are asked."""
    ids = await linked(world)
    await world.hub.work()
    world.sandbox.advance("4d")
    now = await world.now()
    await dumped(world, file)
    taken = await world.hub.ports.books.tokens.take_due(world.sandbox.url, now, 10)
    first = next(each for each in taken if each.connection_id == ids[0])
    answer = await world.refreshed_by_the_platform(first.refresh)
    await world.hub.ports.books.tokens.spool(first, answer, at=now, due_at=now + timedelta(days=3))
    before = shown(world)
    async with restored(database_server, world, file) as hub:
        assert MANY == await hub.parts.recovery.held()
        assert [] == await hub.ports.books.tokens.take_due(world.sandbox.url, now, 10)
        for slip in (world.hub.parts.settings.data_dir / "spool").glob("*.slip"):
            os.utime(slip, (1, 1))
        (spooled,) = await hub.ports.books.tokens.spooled()
        await hub.work()
        assert (MANY - 1, 1) == (await hub.parts.recovery.status())[:2]
        access = await hub.ports.books.tokens.access(world.hub.tenant_id, ids[0])
        assert access
        assert access[0].same_as(spooled.granted.pair.access)
        await _ends_and_begins_anew(world, hub, ids[1])
        assert MANY - 2 == await recover.ask_sellers(hub.ports)
        assert (0, 0) == (await hub.parts.recovery.status())[:2]
        states = {
            each: (await hub.parts.connections.find(world.hub.tenant_id, each)).authorization.state for each in ids
        }
        assert dict.fromkeys(ids[:2], "active") | dict.fromkeys(ids[2:], "reauthorization_required") == states
        await hub.work()
        assert before == shown(world)


async def _ends_and_begins_anew(world: World, hub: Hub, connection_id: str) -> None:
    """A connection that is held ends, and its seller renews it: the new pair is its first again, and is not held."""
    await steer.disconnect(hub.tenant_id, connection_id, actor="test", ports=hub.ports)
    assert (MANY - 2, 1) == (await hub.parts.recovery.status())[:2]
    async with hub.parts.database.connection() as connection:  # left behind by a version that did not know better
        await connection.execute(
            "insert into recovery_held (tenant_id, connection_id, version) values ($1, $2, 1)",
            hub.tenant_id,
            connection_id,
        )
    renewed = await replace(world, hub=hub).linked_by({"email": "s1@x.example"}, "customer 1")
    assert renewed == connection_id
    assert (MANY - 2, 1) == (await hub.parts.recovery.status())[:2]


async def test_what_is_no_old_database_is_no_alarm(
    world: World, database_server: postgres.Server, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new machine, a second machine that was away, the newest dump: nothing is held. A used database is not restored over.

    Nobody is logged in by the dump, and whoever restores is told which API keys live again.
    """
    await linked(world)
    parts, login = world.hub.parts, Secret("a login")
    person = await parts.people.by_password(EMAIL, Secret(PASSWORD), Whence(address="127.0.0.1", browser=None))
    assert person
    await parts.people.log_in(person, login, browser=Secret("a browser"), instead_of=None)
    spare = await provisioning.add_key(parts, world.hub.tenant_id, name="spare", scopes=["read"])
    first, second_key = await parts.keys.of(world.hub.tenant_id)
    await parts.keys.revoke(world.hub.tenant_id, first.id)
    elsewhere = world.hub.parts.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "keys").symlink_to(world.hub.parts.settings.data_dir / "keys")
    async with house(elsewhere, world.hub.parts.arguments) as second:
        assert 0 == await second.recovery.held()
    world.sandbox.advance("4d")
    await world.hub.work()
    async with house(elsewhere, world.hub.parts.arguments) as second:
        assert 0 == await second.recovery.held()
    await dumped(world, file)
    await parts.keys.revoke(world.hub.tenant_id, second_key.id)
    async with restored(database_server, world, file) as hub:
        assert 0 == await hub.parts.recovery.held()
        assert await parts.people.by_login(login)
        assert None is await hub.parts.people.by_login(login)
        known = await hub.parts.keys.find(spare)
        assert known
        assert not known.revoked
    told = capsys.readouterr().out
    assert "logins    1 ended" in told
    assert "keys      1 API keys work" in told
    assert f"keys revoke {second_key.id} --tenant {world.hub.tenant_id}   spare" in told
    assert "secrets   1 apps have the secrets of the dump, and 0 older" in told
    with pytest.raises(StartError, match="stop serve and work"):
        await asyncio.to_thread(backups.restore, world.hub.parts.arguments, file)
    with pytest.raises(StartError, match="there already"):
        await asyncio.to_thread(backups.dump, world.hub.parts.arguments, file)


async def test_two_machines_settle_one_restore(
    world: World, database_server: postgres.Server, file: Path, tmp_path: Path
) -> None:
    """Whoever comes later, with a disk that has seen as much, does not hold anew what was decided; a live restore is seen."""
    await linked(world)
    await dumped(world, file)
    elsewhere = world.hub.parts.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "keys").symlink_to(world.hub.parts.settings.data_dir / "keys")
    world.sandbox.advance("4d")
    await world.hub.work()
    async with house(elsewhere, world.hub.parts.arguments):
        pass
    async with restored(database_server, world, file) as hub:
        assert MANY == await hub.parts.recovery.probe()
        async with house(elsewhere, hub.parts.arguments) as second:
            assert 0 == await second.recovery.held()
        connection = await asyncpg.connect(**hub.parts.arguments, server_settings={"search_path": "evergrant"})
        await connection.execute(COUNT, 7)
        assert not await hub.ports.books.upkeep.epochs.compare()
        await connection.execute(COUNT, 6)
        assert [] == await hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
        assert MANY == await hub.parts.recovery.held()

        assert MANY == await hub.parts.recovery.probe()
        await connection.execute(COUNT, 3)
        async with house(world.hub.parts.settings, hub.parts.arguments, walled=True) as doors:
            await connection.execute(COUNT, 2)
            with doors.database.visited():
                doors.database.enter("ten_of_somebody_else")
                assert await doors.ports.books.upkeep.epochs.compare()  # a code of theirs is about to be shown
        assert MANY == await hub.parts.recovery.held()
        await connection.close()
