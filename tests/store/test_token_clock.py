"""The token clock under races and crashes: taken once, kept under the fence, healed from the spool, doubted when silent."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evergrant.actions import refresh
from evergrant.actions.ports import StaleError, Taken
from evergrant.core.connection import Change
from evergrant.core.secret import Secret
from evergrant.core.tokens import TokenPair
from evergrant.providers.wire import Granted
from evergrant.store import sealing
from tests.world_fixture import World


async def due(world: World) -> datetime:
    """A linked connection whose refresh is due; gives platform time."""
    await world.linked()
    world.sandbox.advance("4d")
    return await world.now()


async def take(world: World) -> list[Taken]:
    """What a worker would take now."""
    return list(await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10))


async def sql(world: World, statement: str) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement)


def slips(world: World) -> list[Path]:
    """What lies in the spool."""
    return list((world.hub.parts.settings.data_dir / "spool").iterdir())


def granted(now: datetime, mark: str, open_id: str = "") -> Granted:
    """An answer of the platform."""
    pair = TokenPair(
        access=Secret(f"access-{mark}"),
        access_ends=now + timedelta(days=7),
        refresh=Secret(f"refresh-{mark}"),
        refresh_ends=now + timedelta(days=365),
    )
    return Granted(pair=pair, open_id=open_id, user_type=0, seller_name="", region="GB", scopes=frozenset())


async def keep(world: World, taken: Taken, mark: str) -> str:
    """Keep an answer for a taken refresh, the connection unchanged."""
    now = await world.now()
    known = await world.hub.parts.connections.find(taken.tenant_id, taken.connection_id)
    change = Change(before=known, after=known, at=now, events=())
    books = world.hub.ports.books.tokens
    spooled = await books.spool(taken, granted(now, mark), at=now, due_at=now + timedelta(days=3))
    return await books.keep(spooled, change)


async def access(world: World, taken: Taken) -> str:
    """The access token that stands."""
    found = await world.hub.ports.books.tokens.access(taken.tenant_id, taken.connection_id)
    assert found
    return found[0].reveal()


async def test_many_workers_take_a_due_refresh_once(world: World) -> None:
    """Sixteen at the same moment: one has it, and its attempt is kept before anything is shown."""
    await due(world)
    taken = [one for many in await asyncio.gather(*(take(world) for _ in range(16))) for one in many]

    assert 1 == len(taken)
    assert 1 == await sql(world, "select count(*) from presentations where outcome is null")
    assert taken[0].fence == await sql(world, "select fence from presentations")


async def test_a_lease_that_ran_out_does_not_let_a_second_presentation_happen(world: World) -> None:
    """An attempt without an outcome is a doubt, not a free row: nobody takes it, and it is named within a sweep."""
    await due(world)
    assert 1 == len(await take(world))
    await sql(world, "update tokens set lease_until = now() - interval '1 second' returning 1")

    assert [] == await take(world)
    assert 1 == await refresh.doubts(world.sandbox.url, world.hub.ports)
    assert "in_doubt" == await sql(world, "select outcome from presentations")
    assert [] == await take(world)


async def test_a_late_writer_changes_nothing_and_its_pair_is_kept_aside(world: World) -> None:
    """A frozen worker wakes up after its lease: the fence has moved, the newer pair stands, the late one is sealed away."""
    await due(world)
    (late,) = await take(world)
    await sql(world, "update tokens set fence = fence + 1, lease_until = null returning 1")
    await sql(world, "update presentations set outcome = 'outlived' returning 1")
    (current,) = await take(world)

    assert "ok" == await keep(world, current, "current")
    assert "outlived" == await keep(world, late, "late")
    assert "access-current" == await access(world, current)
    assert 1 == await sql(world, "select count(*) from stray_pairs where why = 'outlived'")


async def test_an_answer_on_disk_reaches_the_database_after_a_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the fsync and the commit: the next process brings the pair to the database, once."""
    await due(world)
    (taken,) = await take(world)
    answer = granted(await world.now(), "spooled", open_id=await sql(world, "select open_id from connections"))
    await world.hub.ports.books.tokens.spool(taken, answer, at=await world.now(), due_at=await world.now())
    monkeypatch.setattr("evergrant.store.spool.SETTLED_SECONDS", 0.0)

    assert "access-spooled" != await access(world, taken)
    assert 1 == await refresh.heal(world.hub.ports)
    assert "access-spooled" == await access(world, taken)
    assert "ok" == await sql(world, "select outcome from presentations")
    assert 0 == await refresh.heal(world.hub.ports)
    assert [] == slips(world)


async def test_the_spool_holds_nothing_readable(world: World) -> None:
    """What lies on disk is sealed with the connection's own key."""
    await due(world)
    (taken,) = await take(world)
    now = await world.now()
    await world.hub.ports.books.tokens.spool(taken, granted(now, "CNRY"), at=now, due_at=now)
    (slip,) = slips(world)

    assert b"CNRY" not in slip.read_bytes()


@pytest.mark.parametrize("name", ["", "renamed"], ids=["nothing else", "a change"])
async def test_a_kept_answer_ends_the_doubt(world: World, name: str) -> None:
    """Whether the answer changes the connection or not: pair, outcome and record stand, and nothing is in doubt."""
    await due(world)
    (taken,) = await take(world)
    await sql(world, "update connections set in_doubt_since = now() returning 1")
    now = await world.now()
    known = await world.hub.parts.connections.find(taken.tenant_id, taken.connection_id)
    change = Change(before=known, after=replace(known, seller_name=name or known.seller_name), at=now, events=())
    spooled = await world.hub.ports.books.tokens.spool(taken, granted(now, "sure"), at=now, due_at=now)
    kept = await world.hub.ports.books.tokens.keep(spooled, change)

    assert "ok" == kept == await sql(world, "select outcome from presentations")
    assert "access-sure" == await access(world, taken)
    assert await sql(world, "select in_doubt_since is null from connections")
    assert 1 == await sql(world, "select count(*) from audit where action = 'token.refreshed'")


async def test_a_change_that_was_overtaken_keeps_the_answer_on_disk(world: World) -> None:
    """The connection moved while the answer was on its way: the caller decides anew, and a crash now loses nothing."""
    await due(world)
    (taken,) = await take(world)
    known = await world.hub.parts.connections.find(taken.tenant_id, taken.connection_id)
    await sql(world, "update connections set revision = revision + 1 returning 1")
    now = await world.now()
    change = Change(before=known, after=replace(known, seller_name="moved"), at=now, events=())
    spooled = await world.hub.ports.books.tokens.spool(taken, granted(now, "x"), at=now, due_at=now)
    with pytest.raises(StaleError):
        await world.hub.ports.books.tokens.keep(spooled, change)

    assert "access-x" != await access(world, taken)
    assert 1 == len(slips(world))


async def test_nothing_is_taken_after_the_end_of_the_authorization(world: World) -> None:
    """The sweep may be late; the refresh token's own end is checked where rows are taken (R-ECOM-4)."""
    await world.linked(period="30d")
    world.sandbox.advance("31d")

    assert [] == await take(world)


async def test_what_the_database_holds_is_sealed(world: World) -> None:
    """No token, secret, code, state or key can be read in any column of any table."""
    await world.linked()
    token = (await world.hub.api.get(f"/v1/connections/{(await ids(world))[0]}/token")).json()["access_token"]
    async with world.hub.parts.database.connection() as connection:
        tables = [
            row["tablename"]
            for row in await connection.fetch("select tablename from pg_tables where schemaname = 'evergrant'")
        ]
        dump = ""
        for table in tables:
            dump += str(await connection.fetchval(f"select json_agg(t)::text from {table} t"))  # noqa: S608

    assert len(tables) > 20
    for secret in (token, "story_secret_4f2a9c77", world.hub.api_key.reveal(), "correct horse"):
        assert secret not in dump
        assert secret.encode().hex() not in dump


async def ids(world: World) -> list[str]:
    """Every connection's id."""
    return [item["id"] for item in (await world.hub.api.get("/v1/connections")).json()["items"]]


async def test_a_pair_moved_to_another_row_does_not_open(world: World) -> None:
    """The seal names its connection: an insider who copies a row gets nothing out of it."""
    await due(world)
    (taken,) = await take(world)
    async with world.hub.parts.database.connection() as connection:
        key = await sealing.key_for(connection, vault_of(world), taken.tenant_id, "con_other")
        row = await connection.fetchrow("select version, access_sealed from tokens")

    with pytest.raises(Exception, match="does not open"):
        key.open("access_token", row["version"], row["access_sealed"])


def vault_of(world: World) -> Any:
    """The vault, which only the store holds."""
    return world.hub.parts.apps._vault


async def test_a_caller_who_comes_late_does_not_make_the_next_pair_due(world: World) -> None:
    """It read the old pair, and asks for a new one when that is there already; or wants more than any pair lives."""
    connection_id = await world.linked()
    books, now = world.hub.ports.books.tokens, await world.now()

    async def wanted(life: timedelta) -> bool:
        await books.want(world.hub.tenant_id, connection_id, now, until=now + life)
        async with world.hub.parts.database.connection() as connection:
            return bool(await connection.fetchval("select due_at <= $1 from tokens", now))

    assert not await wanted(timedelta(days=6)), "it lives seven days"
    assert not await wanted(timedelta(days=8)), "the next one would not live longer"
    world.sandbox.advance("2d")
    now = await world.now()
    assert await wanted(timedelta(days=6))
