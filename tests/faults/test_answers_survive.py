"""An answer of the platform is never lost once it is in hand: the database may be away, the disk full, a row damaged."""

import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from evergrant.actions import refresh
from evergrant.actions.ports import NotSentError, Taken
from evergrant.core.errors import DatabaseUnavailableError
from evergrant.jobs import timetable
from evergrant.providers.wire import Reply, Request
from tests.world_fixture import KEY, World


class Nowhere:
    """A pool of a database that went away."""

    def acquire(self, **_: object) -> Any:
        """Nobody answers."""
        raise OSError("the database is away")


@asynccontextmanager
async def away_after(world: World, path: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The database goes away as soon as the platform has answered a call to this path, and comes back at the end."""
    platform, database = world.hub.ports.platform, world.hub.parts.database
    send = platform.send

    async def and_away(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        if path in request.url:
            monkeypatch.setattr(database, "_pool", Nowhere())
        return reply

    monkeypatch.setattr(platform, "send", and_away)
    yield
    monkeypatch.undo()


async def due(world: World) -> Taken:
    """A refresh that is due, taken."""
    world.sandbox.advance("4d")
    (taken,) = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
    return taken


async def is_the_platforms(world: World) -> bool:
    """Whether the refresh token that stands is the one the platform knows."""
    async with world.hub.parts.database.connection() as connection:
        ours = await connection.fetchval("select encode(refresh_hash, 'hex') from tokens")
    return bool(world.sandbox.get("/grants", app=KEY)["items"][0]["refresh_token_sha256"] == ours)


async def sql(world: World, statement: str) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement)


def a_minute_later(world: World) -> None:
    """Slips on disk are old enough to belong to nobody."""
    for slip in (world.hub.parts.settings.data_dir / "spool").iterdir():
        os.utime(slip, (time.time() - 60, time.time() - 60))  # noqa: TID251  (a file's age)


async def test_the_database_goes_away_right_after_the_answer_to_a_refresh(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform has rotated: the new pair is on disk, and in the books as soon as they are back."""
    await world.linked()
    taken = await due(world)
    async with away_after(world, "/token/refresh", monkeypatch):
        with pytest.raises(DatabaseUnavailableError):
            await refresh.one(taken, world.hub.ports)
    assert not await is_the_platforms(world)
    a_minute_later(world)
    await world.hub.work()

    assert await is_the_platforms(world)
    assert "ok" == await sql(world, "select outcome from presentations")


async def test_the_database_goes_away_right_after_the_answer_to_a_code(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seller sees an honest 503; a minute later the connection is there, without anybody doing anything.

    The app's calls are counted, and this one cannot be counted off.
    """
    monkeypatch.setattr(world.hub.ports.books.paces, "_at_once", 3)
    person, link = world.hub.new_browser(), await world.link_session()
    back = world.consent(await world.depart(person, link))
    async with away_after(world, "/token/get", monkeypatch):
        assert 503 == (await person.get(back)).status_code
    a_minute_later(world)
    await sql(world, "update authorization_requests set lease_until = now() - interval '1 second' returning 1")
    for unfinished in await world.hub.ports.books.exchanges.take_unfinished(10):
        await timetable.resume(unfinished, world.hub.ports)
    await sql(world, "update authorization_requests set lease_until = now() - interval '1 second' returning 1")
    await world.hub.work()
    session = (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()

    assert ("completed", None) == (session["outcome"], session["code"])
    assert await is_the_platforms(world)


async def test_a_disk_that_takes_nothing_does_not_lose_the_answer(world: World) -> None:
    """The answer is in hand and the database is there: it is kept; and nothing more is shown until the disk is back."""
    await world.linked()
    taken = await due(world)
    shutil.rmtree(world.hub.parts.settings.data_dir / "spool")

    assert "ok" == await refresh.one(taken, world.hub.ports)
    assert await is_the_platforms(world)
    world.sandbox.advance("4d")
    assert [] == list(await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10))


async def test_a_row_that_does_not_open_harms_no_other(world: World) -> None:
    """It is set aside alone, and nobody takes it for a doubt: nothing was sent."""
    damaged, sound = await world.linked(), await world.linked_elsewhere()
    await sql(
        world,
        f"update tokens set refresh_sealed = refresh_sealed || '\\x00'::bytea where connection_id = '{damaged}' returning 1",  # noqa: S608
    )
    taken = await due(world)

    assert sound == taken.connection_id
    assert "ok" == await refresh.one(taken, world.hub.ports)
    assert "not_sent" == await sql(
        world,
        f"select outcome from presentations where connection_id = '{damaged}'",  # noqa: S608
    )


async def test_an_answer_that_returns_after_its_lease_is_kept_where_nothing_newer_stands(world: World) -> None:
    """Its machine was away for hours, and the old token was refused meanwhile: the pair on its disk is the only living
    one.
    """
    connection_id = await world.linked()
    taken = await due(world)
    books, real = world.hub.ports.books.tokens, await world.now()
    answer = await world.refreshed_by_the_platform(taken.refresh)
    await books.spool(taken, answer, at=real, due_at=answer.pair.access_ends)
    await sql(world, "update tokens set lease_until = now() - interval '1 second' returning 1")
    world.sandbox.advance("3d")
    await world.hub.work()
    before = await world.connection(connection_id)
    a_minute_later(world)
    await world.hub.work()
    after = await world.connection(connection_id)

    assert ("reauthorization_required", "refresh_outcome_lost") == (before["status"], before["reason"])
    assert ("active", None) == (after["status"], after["reason"])
    assert await is_the_platforms(world)


async def test_what_was_provably_not_sent_is_no_doubt_when_the_database_goes_away_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it goes away between the take and the way back: the worker that lives tells it when it is back."""
    await world.linked()
    world.sandbox.advance("4d")
    books, database, clock = world.hub.ports.books, world.hub.parts.database, world.sandbox.url
    away = [(books.tokens._epochs, "rise"), (books.apps, "by_id"), (books.tokens, "holds")]  # type: ignore[attr-defined]

    async def goes_away(*_: object, **__: object) -> Any:
        monkeypatch.setattr(database, "_pool", Nowhere())
        raise NotSentError("refused") if sends else DatabaseUnavailableError

    async def refresh_what_is_due() -> None:
        for taken in await books.tokens.take_due(clock, await world.now(), 10):
            await refresh.one(taken, world.hub.ports)

    for book, at in (*away, (world.hub.ports.platform, "send")):
        sends = at == "send"
        monkeypatch.setattr(book, at, goes_away)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailableError):
                await refresh_what_is_due()
        monkeypatch.undo()
        await sql(world, "update tokens set lease_until = now() - interval '1 second' returning 1")
        assert [] == list(await books.tokens.take_due(clock, await world.now(), 10)), "it waits a moment"
        assert 0 == await refresh.doubts(clock, world.hub.ports), at
        assert 0 == await sql(world, "select count(*) from presentations where outcome is distinct from 'not_sent'")
        await sql(world, "update tokens set lease_until = null returning 1")
    await world.hub.work()
    assert await is_the_platforms(world)
    assert 4 == await sql(world, "select count(*) from presentations where outcome = 'not_sent'")


async def test_a_frozen_worker_that_sent_nothing_ends_the_doubt_it_was_taken_for(world: World) -> None:
    """Its lease ran out, the attempt was doubted; it wakes up and says so: no probe, but a refresh as any other, soon. A
    doubt that something else brought stays.
    """
    connection_id = await world.linked()
    another = "insert into presentations select tenant_id, connection_id, 0, 'x', false, now(), 'in_doubt' from tokens returning 1"
    for statement, ends in ((another, False), ("delete from presentations where fence = 0 returning 1", True)):
        taken = await due(world)
        await sql(world, statement)
        await sql(world, "update tokens set lease_until = now() - interval '1 second' returning 1")
        assert 1 == await refresh.doubts(world.sandbox.url, world.hub.ports)
        assert (await world.connection(connection_id))["in_doubt_since"]
        assert "not_sent" == await refresh.one(taken, world.hub.ports)
        assert ends == ((await world.connection(connection_id))["in_doubt_since"] is None)
        await sql(world, "update tokens set lease_until = null returning 1")
    (again,) = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
    assert not again.probe
    assert "ok" == await refresh.one(again, world.hub.ports)


async def test_a_token_is_not_shown_when_the_lease_is_over(world: World) -> None:
    """A frozen worker wakes up: its lease is somebody else's by now, and it sends nothing."""
    await world.linked()
    taken = await due(world)
    await sql(world, "update tokens set fence = fence + 1 returning 1")

    assert "not_sent" == await refresh.one(taken, world.hub.ports)
    assert not [line for line in world.sandbox.log(kind="token") if line["path"].endswith("/refresh")]
    assert "not_sent" == await sql(world, "select outcome from presentations")
