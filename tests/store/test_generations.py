"""Generations of the vault's key: made, taken up by running programs, wrapped again whatever is killed, destroyed."""

import asyncio
from pathlib import Path

import pytest

from evergrant.assembly.house import StartError, house
from evergrant.core.errors import ConflictError, VaultIntegrityError
from evergrant.store import generations
from evergrant.store.database import Connection
from tests.hub_fixture import Hub
from tests.world_fixture import World

KILLS = 6
"""How often the re-wrapping is killed in the middle."""
BREATH = 0.01
"""What each of the readers waits between two of its reads."""


def keys_folder(hub: Hub) -> Path:
    """Where the wrapping keys lie."""
    return hub.parts.settings.data_dir / "keys"


async def left(hub: Hub) -> int:
    """How many data keys the first generation still wraps."""
    return (await hub.parts.generations.all())[0].wraps


async def test_a_rotation_under_work_fails_nobody_and_the_old_key_can_go(world: World) -> None:
    """Reads, notices and refreshes go on while data keys are wrapped again, by a worker that is killed again and again."""
    hub, connection_id = world.hub, await world.linked()
    path = f"/v1/connections/{connection_id}/token"
    before = (await hub.api.get(path)).json()["access_token"]
    for number in range(KILLS):
        given = {"key": f"6more{number}", "secret": "more_secret", "service_id": "7000000000000000001"}
        assert (await hub.api.post("/v1/apps", json=given)).status_code == 201
    statuses: list[int] = []
    stop, renewed = asyncio.Event(), asyncio.Event()

    async def reading() -> None:
        while not stop.is_set():
            answer = await hub.api.get(path)
            statuses.append(answer.status_code)
            if answer.json().get("access_token", before) != before:
                renewed.set()
            await asyncio.sleep(BREATH)  # else the readers leave nobody else a turn

    async def noticing() -> None:
        bodies = [b'{"type":99,"timestamp":1,"tts_notification_id":"%d"}' % number for number in range(8)]
        statuses.extend([await world.deliver(body) for body in bodies])

    async with house(hub.parts.settings, hub.parts.arguments) as worker:
        readers = [asyncio.create_task(reading()) for _ in range(3)]
        await worker.generations.rotate()
        counts = [await left(hub)]
        for killed in range(KILLS):
            task = asyncio.create_task(worker.generations.rewrap(limit=1))
            for _ in range(killed):  # a step further each time
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            counts.append(await left(hub))
        while await worker.generations.rewrap(limit=2):
            counts.append(await left(hub))
        await noticing()
        assert (await hub.api.get(path)).status_code == 200
        assert (await hub.api.post(f"/v1/connections/{connection_id}/refresh")).status_code == 202
        world.sandbox.advance("4d")
        work = asyncio.create_task(hub.work())  # comes to its end once nobody reads: every read leaves a line to bind
        async with asyncio.timeout(60):
            await renewed.wait()
        stop.set()
        await asyncio.gather(work, *readers)

        assert counts[0] >= KILLS + 2
        assert counts == sorted(counts, reverse=True)
        assert await left(hub) == 0
        assert await worker.generations.retire(1)
    assert {200} == set(statuses)
    assert len(statuses) > 8 + KILLS, "they read all the while"
    assert ["vault-0002.key"] == [found.name for found in keys_folder(hub).iterdir()]

    async with house(hub.parts.settings, hub.parts.arguments) as anew:
        token = await anew.ports.books.tokens.access(hub.tenant_id, connection_id)
        assert token is not None
        assert token[0].reveal() != before
        assert (await anew.apps.by_id(world.app_id)).secret.reveal()
        assert [False, True] == [one.is_here for one in await anew.generations.all()]
    assert (await hub.api.get(path)).json()["access_token"] == token[0].reveal()


async def test_a_program_that_sleeps_through_a_rotation_wraps_with_nothing_retired(hub: Hub) -> None:
    """It knows the first generation only. What it seals meanwhile is wrapped again; after the end it looks for the second."""
    given = {"key": "6gen0001", "secret": "gen_secret_1", "service_id": "7000000000000000001"}
    async with house(hub.parts.settings, hub.parts.arguments) as other:
        with pytest.raises(ConflictError, match="newest"):
            await other.generations.retire(1)
        assert await other.generations.prepare() == 2
        assert await other.generations.prepare() == 2
        assert len(await other.generations.all()) == 1
        await other.generations.rotate()
        assert (await hub.api.post("/v1/apps", json=given)).status_code == 201
        with pytest.raises(ConflictError, match="1 data keys are still wrapped"):
            await other.generations.retire(1)
        assert await other.generations.rewrap() == 1
        await other.generations.retire(1)

    assert (await hub.api.post("/v1/apps", json=given | {"key": "6gen0002"})).status_code == 201
    assert [0, 2] == [one.wraps for one in await hub.parts.generations.all()]
    assert [app.secret.reveal() for app in await hub.parts.apps.of(hub.tenant_id)] == ["gen_secret_1"] * 2


async def test_nothing_is_wrapped_again_under_what_is_retired_at_that_moment(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker read that 2 is the newest; before it writes, 3 is announced and 2 destroyed. What it wraps opens all the same."""
    given = {"key": "6gen0003", "secret": "gen_secret_3", "service_id": "7000000000000000001"}
    assert (await hub.api.post("/v1/apps", json=given)).status_code == 201
    ours, living, raced = hub.parts.generations, generations._living, asyncio.Event()
    await ours.rotate()

    async def overtaken(connection: Connection) -> list[int]:
        found = await living(connection)
        if not raced.is_set():
            raced.set()
            await ours.rotate()
            await ours.retire(2)
        return found

    monkeypatch.setattr(generations, "_living", overtaken)
    assert 1 == await ours.rewrap()
    assert [(0, True), (0, False), (1, True)] == [(one.wraps, one.is_here) for one in await ours.all()]
    async with house(hub.parts.settings, hub.parts.arguments) as anew:
        assert ["gen_secret_3"] == [app.secret.reveal() for app in await anew.apps.of(hub.tenant_id)]


async def test_a_key_that_does_not_open_is_named_and_left_and_stops_no_other(hub: Hub) -> None:
    """A damaged data key keeps its generation from being retired, and nothing else."""
    for number in range(3):
        given = {"key": f"6bad{number}", "secret": "bad_secret", "service_id": "7000000000000000001"}
        await hub.api.post("/v1/apps", json=given)
    async with hub.parts.database.connection() as connection:
        await connection.execute(
            "update data_keys set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)"
            " where owner_id = (select min(id) from apps)"
        )
    await hub.parts.generations.rotate()

    assert [1, 1, 0, 0] == [await hub.parts.generations.rewrap(limit=1) for _ in range(5)][-4:]
    assert await left(hub) == 1
    with pytest.raises(ConflictError, match="1 data keys"):
        await hub.parts.generations.retire(1)


async def test_a_machine_without_the_new_file_says_so(hub: Hub) -> None:
    """The folder has to be copied: what the new generation wraps does not open without it, and nothing starts anew."""
    await hub.parts.generations.rotate()
    (keys_folder(hub) / "vault-0002.key").rename(keys_folder(hub) / "elsewhere")

    with pytest.raises(StartError, match=r"vault-0002\.key is missing"):
        async with house(hub.parts.settings, hub.parts.arguments):
            pass


async def test_one_connection_is_sealed_anew_under_a_fresh_key(world: World) -> None:
    """After a suspicion: the same tokens, another data key; not while a refresh is under way."""
    hub, connection_id = world.hub, await world.linked()
    where = (hub.tenant_id, connection_id)
    before = await hub.ports.books.tokens.access(*where)
    async with hub.parts.database.connection() as connection:
        old = await connection.fetchrow("select * from tokens")
        key = await connection.fetchval("select wrapped from data_keys where owner_id = $1", connection_id)
    await hub.parts.generations.reseal(*where)
    after = await hub.ports.books.tokens.access(*where)
    async with hub.parts.database.connection() as connection:
        new = await connection.fetchrow("select * from tokens")
        assert key != await connection.fetchval("select wrapped from data_keys where owner_id = $1", connection_id)
        await connection.execute("update tokens set access_sealed = $1", old["access_sealed"])
        with pytest.raises(VaultIntegrityError):
            await hub.ports.books.tokens.access(*where)
        await connection.execute("update tokens set access_sealed = $1", new["access_sealed"])
    assert before is not None
    assert after is not None
    assert before[0].same_as(after[0])
    assert old["version"] == new["version"]

    taken = await hub.ports.books.tokens.take_due(world.sandbox.url, old["due_at"], 10)
    assert len(taken) == 1
    with pytest.raises(ConflictError, match="under way"):
        await hub.parts.generations.reseal(*where)
