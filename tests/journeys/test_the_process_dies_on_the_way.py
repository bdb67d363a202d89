"""The process dies while a seller comes back, or while a notice is taken: another goes on from what was kept.

The crash points C1 to C7 and W1 to W4 of the reliability reference, 5.2. A death is an error at exactly that point which
nothing in the program catches; whatever it held is dropped, and a fresh process opens the same database and folder.
"""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from evergrant.actions.ports import NotSentError
from evergrant.assembly import programs
from evergrant.assembly.house import house
from evergrant.core.errors import PlatformError
from evergrant.providers.wire import Reply, Request
from evergrant.store import audit
from evergrant.web import app
from evergrant.web.live import Live
from tests.hub_fixture import ORIGIN
from tests.world_fixture import World

Break = Callable[[World, pytest.MonkeyPatch], None]


class Killed(BaseException):
    """The process is dead."""


async def dies(*_: object, **__: object) -> Any:
    """Here."""
    raise Killed


def before(book: str, step: str) -> Break:
    """Death right before this step of a book."""

    def patched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(getattr(world.hub.ports.books, book), step, dies)

    return patched


def after(book: str, step: str) -> Break:
    """Death right after this step is committed."""

    def patched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        known = getattr(world.hub.ports.books, book)
        whole: Callable[..., Awaitable[Any]] = getattr(known, step)

        async def and_dies(*given: Any, **named: Any) -> Any:
            await whole(*given, **named)
            raise Killed

        monkeypatch.setattr(known, step, and_dies)

    return patched


def calling(path: str, *, sent: bool) -> Break:
    """Death while the platform is called: before the call, or when its answer is there and not read."""

    def patched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        platform = world.hub.ports.platform
        send = platform.send

        async def and_dies(request: Request, *, once: bool = False) -> Reply:
            if path not in request.url:
                return await send(request, once=once)
            if sent:
                await send(request, once=once)
            raise Killed

        monkeypatch.setattr(platform, "send", and_dies)

    return patched


@asynccontextmanager
async def another_process(world: World) -> AsyncIterator[World]:
    """The same database, the same folder, nothing else; slips on disk are old enough to belong to nobody."""
    for slip in (world.hub.parts.settings.data_dir / "spool").glob("*"):
        os.utime(slip, (time.time() - 60, time.time() - 60))  # noqa: TID251  (a file's age)
    async with house(world.hub.parts.settings, world.hub.parts.arguments, clock_believed=0.0) as parts:
        transport = httpx2.ASGITransport(app=app.build(programs.desk_of(parts, Live())))
        key = {"authorization": f"Bearer {world.hub.api_key.reveal()}"}
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=key) as api:
            yield replace(world, hub=replace(world.hub, parts=parts, api=api, transport=transport))


def the_same_browser(world: World, known: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The browser that left, talking to the new process."""
    return httpx2.AsyncClient(transport=world.hub.transport, base_url=ORIGIN, cookies=known.cookies)


async def sql(world: World, statement: str, *given: Any) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement, *given)


async def time_passes(world: World, seconds: int) -> None:
    """Leases that end within so many seconds are over, and what happened is as old."""
    span = timedelta(seconds=seconds)
    await sql(
        world,
        "update authorization_requests set lease_until = lease_until - $1::interval, consumed_at = consumed_at - $1",
        span,
    )
    await sql(world, "update notices set lease_until = lease_until - $1::interval", span)
    await sql(world, "update app_paces set shut_until = shut_until - $1::interval", span)


def shown(world: World) -> int:
    """How often a code was shown to the platform."""
    return len([entry for entry in world.sandbox.log(kind="token") if entry["path"].endswith("/get")])


async def ends_on(person: httpx2.AsyncClient, back: str) -> tuple[int, str]:
    """Status and code of the page a return ends on."""
    answer = await person.get(back)
    while answer.status_code == 303:
        answer = await person.get(answer.headers["location"])
    return answer.status_code, answer.headers.get("x-error-code", "")


CALLBACK: dict[str, tuple[Break, tuple[int, str]]] = {
    "C1 nothing written": (before("links", "claim"), (200, "")),
    "C2 code kept, not sent": (before("exchanges", "begin"), (200, "")),
    "C3 sent, answer not read": (calling("/token/get", sent=True), (409, "exchange_outcome_lost")),
    "C4 read, on disk, not in the books": (before("exchanges", "_heal_one"), (200, "")),
    "C4 read, kept nowhere": (before("exchanges", "keep_answer"), (409, "exchange_outcome_lost")),
    "C5 in the books, nobody told": (after("exchanges", "complete"), (200, "")),
    "C6 answer kept, shops not asked for": (calling("/authorization/", sent=False), (200, "")),
    "C7 the browser never got the answer": (after("exchanges", "complete"), (200, "")),
}


@pytest.mark.parametrize("point", CALLBACK)
async def test_a_seller_whose_return_met_a_dying_process_is_connected_or_told(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Half a minute later the same browser sees the result: connected, or, where the answer is lost, start again."""
    broken, expected = CALLBACK[point]
    person, link = world.hub.new_browser(), await world.link_session()
    back = world.consent(await world.depart(person, link))
    with monkeypatch.context() as patched:
        broken(world, patched)
        with pytest.raises(Killed):
            await person.get(back)
    async with another_process(world) as restarted:
        await time_passes(restarted, 60 if "lost" in expected[1] else 30)
        await restarted.hub.work()
        same = the_same_browser(restarted, person)
        assert expected == await ends_on(same, back)
        assert expected == await ends_on(same, back) or point.startswith("C1")
        await restarted.hub.work()
        made = await sql(restarted, "select count(*) from connections")
        told = await sql(restarted, "select count(*) from events where type = 'connection.authorized'")
        left = await sql(
            restarted,
            "select count(*) from authorization_requests where code_sealed is not null or grant_sealed is not null",
        )

        assert 1 == shown(restarted)
        assert (expected[0] == 200, expected[0] == 200, 0) == (made == 1, told == 1, left)
        if expected[0] != 200:
            assert (0, 0) == (made, told)
            again = restarted.consent(await restarted.depart(same, link))
            assert (200, "") == await ends_on(same, again)


async def test_while_the_platform_is_away_the_code_waits_and_the_page_polls(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused for nine minutes: 202 and "look again"; then a worker exchanges it. After ten it is given up, unshown."""
    person, link = world.hub.new_browser(), await world.link_session()
    late = await world.link_session()

    async def refused(_request: Request, *, once: bool = False) -> Reply:  # noqa: ARG001  (the protocol's)
        raise NotSentError

    async def works(seconds: int) -> int:
        await time_passes(world, seconds)
        with suppress(PlatformError):
            await world.hub.work()
        return (await person.get(waiting)).status_code

    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ports.platform, "send", refused)
        waiting = (await person.get(world.consent(await world.depart(person, link)))).headers["location"]
        page = await person.get(waiting)
        assert (202, "2") == (page.status_code, page.headers["refresh"])
        assert {202} == {await works(60) for _ in range(9)}
    assert 200 == await works(30)
    with monkeypatch.context() as patched:
        patched.setattr(world.hub.ports.platform, "send", refused)
        waiting = (await person.get(world.consent(await world.depart(person, late)))).headers["location"]
        assert {202} == {await works(299) for _ in range(2)}
    assert 503 == await works(10)
    assert "platform_unavailable" == (await person.get(waiting)).headers["x-error-code"]
    assert 1 == shown(world)


def in_the_middle_of_a_change(_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Death when the state is changed and its follow-ups are not, in one transaction."""
    monkeypatch.setattr(audit, "write", dies)


NOTICES: dict[str, tuple[Break, bool]] = {
    "W1 verified, not kept": (before("inbox", "put"), True),
    "W2 kept, not answered": (after("inbox", "put"), True),
    "W3 answered, not understood": (before("inbox", "settle"), False),
    "W4 in the middle of the change": (in_the_middle_of_a_change, False),
}


@pytest.mark.parametrize("point", NOTICES)
async def test_a_notice_that_met_a_dying_process_has_its_effect_once(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Not answered: delivered again, and counted once. Answered: another worker takes it within half a minute."""
    broken, at_the_door = NOTICES[point]
    connection_id = await world.linked()
    await world.hub.work()
    body = world.deauthorization(await world.now())
    with monkeypatch.context() as patched:
        if not at_the_door:
            assert 200 == await world.deliver(body)
        broken(world, patched)
        with pytest.raises(Killed):
            await (world.deliver(body) if at_the_door else world.hub.work())
    async with another_process(world) as restarted:
        found = await restarted.connection(connection_id)
        assert ("active", {"running", "not_carried"}) == (found["status"], {flow["state"] for flow in found["flows"]})
        assert 0 == await sql(restarted, "select count(*) from notices where settled_at is not null")
        if at_the_door:
            assert 200 == await restarted.deliver(body)
        await time_passes(restarted, 30)
        await restarted.hub.work()
        told = await restarted.events(connection_id)

        assert (1, 1) == (told.count("connection.suspended"), told.count("connection.resumed"))
        assert 1 == await sql(restarted, "select count(*) from notices where settled_at is not null")
