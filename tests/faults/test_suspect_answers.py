"""Answers that bring a pair and something that cannot be; pairs that come too late: nothing is thrown away, each is told of."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import msgspec
import pytest

from evergrant.actions import refresh
from evergrant.actions.ports import AnswerLostError, NotSentError, Taken
from evergrant.core.connection import Change
from evergrant.core.secret import Secret
from evergrant.jobs import timetable
from evergrant.providers.wire import Reply, Request
from evergrant.store import sealing
from tests.world_fixture import KEY, World


async def sql(world: World, statement: str, *given: Any) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement, *given)


async def due(world: World) -> Taken:
    """A refresh that is due, taken."""
    world.sandbox.advance("4d")
    (taken,) = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
    return taken


async def is_the_platforms(world: World) -> bool:
    """Whether the refresh token that stands is the one the platform knows."""
    ours = await sql(world, "select encode(refresh_hash, 'hex') from tokens")
    return bool(world.sandbox.get("/grants", app=KEY)["items"][0]["refresh_token_sha256"] == ours)


async def lent(world: World, connection_id: str) -> int:
    """The status of a token read."""
    return (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).status_code


def answered_with(world: World, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """The platform works as ever, and fields of its answers are replaced, or left out where None is given."""
    platform = world.hub.ports.platform
    send = platform.send

    async def and_changed(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        if "/token/" not in request.url:
            return reply
        body = msgspec.json.decode(reply.body)
        body["data"] = {name: value for name, value in (body["data"] | fields).items() if value is not None}
        return replace(reply, body=msgspec.json.encode(body))

    monkeypatch.setattr(platform, "send", and_changed)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("access_token_expire_in", 0), ("access_token", 7), ("refresh_token_expire_in", "soon"), ("open_id", "")],
)
async def test_a_suspect_answers_refresh_token_is_the_one_that_lives_and_its_access_token_only_if_sane(
    world: World, monkeypatch: pytest.MonkeyPatch, field: str, wrong: Any
) -> None:
    """The platform has rotated: the new refresh token stands, the whole answer is sealed away, the next answer heals."""
    connection_id = await world.linked()
    taken = await due(world)
    before = await world.hub.ports.books.tokens.access(taken.tenant_id, connection_id)
    answered_with(world, monkeypatch, **{field: wrong})

    assert "suspect" == await refresh.one(taken, world.hub.ports)
    after = await world.hub.ports.books.tokens.access(taken.tenant_id, connection_id)
    assert before
    assert after
    assert field.startswith("access") == after[0].same_as(before[0])
    assert await is_the_platforms(world)
    assert 200 == await lent(world, connection_id)
    assert [field] == await sql(world, "select fields from suspect_answers")
    assert "connection.answer_suspect" in await world.events(connection_id)
    assert 1 == await sql(world, "select count(*) from audit where action = 'token.answer_suspect'")
    stored = await world.hub.ports.books.suspects.newest(taken.tenant_id, connection_id)
    assert stored
    assert wrong == msgspec.json.decode(stored.reply.body)["data"][field]

    monkeypatch.undo()
    world.sandbox.advance("4d")
    await world.hub.work()
    assert await is_the_platforms(world)
    assert "active" == (await world.connection(connection_id))["status"]


async def test_a_suspect_answer_without_a_refresh_token_is_a_doubt_and_is_read_again_by_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this version cannot read stays kept; what it can read by then heals, and nothing waits any more."""
    connection_id = await world.linked()
    taken = await due(world)
    answered_with(world, monkeypatch, refresh_token=7)
    assert "in_doubt" == await refresh.one(taken, world.hub.ports)
    assert 200 == await lent(world, connection_id)
    assert (await world.connection(connection_id))["in_doubt_since"]
    assert "still_suspect" == await refresh.reprocess(taken.tenant_id, connection_id, world.hub.ports)

    grant = world.sandbox.get("/grants", app=KEY)["items"][0]
    monkeypatch.undo()
    suspects = world.hub.ports.books.suspects
    stored = await suspects.newest(taken.tenant_id, connection_id)
    assert stored
    body = msgspec.json.decode(stored.reply.body)
    body["data"]["refresh_token"] = "a token this version can read"
    sealed = stored.whose.key.seal("answer", stored.whose.version + 1, Secret(msgspec.json.encode(body).decode()))
    await sql(world, "update suspect_answers set answer_sealed = $1 returning 1", sealed)

    assert "ok" == await refresh.reprocess(taken.tenant_id, connection_id, world.hub.ports)
    assert "nothing_kept" == await refresh.reprocess(taken.tenant_id, connection_id, world.hub.ports)
    assert (await world.connection(connection_id))["in_doubt_since"] is None
    assert grant["refresh_token_sha256"]


@pytest.mark.parametrize(
    ("book", "at", "wrong"),
    [
        ("suspects", "keep", {"refresh_token": 7}),
        ("suspects", "keep", {"access_token_expire_in": 0}),
        ("tokens", "access", {"access_token_expire_in": 0}),
        ("connections", "find", {"access_token_expire_in": 0, "open_id": 7}),
        ("tokens", "keep_unchanged", {"access_token_expire_in": 0}),
    ],
)
async def test_a_suspect_answer_on_disk_reaches_the_books_after_a_crash(
    world: World, monkeypatch: pytest.MonkeyPatch, book: str, at: str, wrong: dict[str, Any]
) -> None:
    """Killed anywhere after the fsync: it is brought home once, with its alarm, and a refresh token in it is used."""
    connection_id = await world.linked()
    taken = await due(world)
    answered_with(world, monkeypatch, **wrong)

    async def killed(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(getattr(world.hub.ports.books, book), at, killed)
    with pytest.raises(OSError):  # noqa: PT011
        await refresh.one(taken, world.hub.ports)
    monkeypatch.undo()
    monkeypatch.setattr("evergrant.store.spool.SETTLED_SECONDS", 0.0)

    assert [1, 0] == [await refresh.heal(world.hub.ports) for _ in range(2)]
    assert 1 == (await world.events(connection_id)).count("connection.answer_suspect")
    is_lost = "refresh_token" in wrong
    assert is_lost != await is_the_platforms(world)
    assert (None if is_lost else "ok") == await sql(world, "select outcome from presentations")
    assert 200 == await lent(world, connection_id)


async def opened(world: World) -> list[Any]:
    """The refresh tokens in the suspect answers to codes, in the order they were kept."""
    vault = world.hub.parts.apps._vault
    async with world.hub.parts.database.connection() as connection:
        rows = await connection.fetch("select * from suspect_answers where fence = 0 order by kept_at")
        keys = [await sealing.key_of(connection, vault, row["tenant_id"], f"{row['owner_id']}:answer") for row in rows]
    answers = [key.open("answer", 1, row["answer_sealed"]) for key, row in zip(keys, rows, strict=True)]
    return [msgspec.json.decode(answer.reveal())["data"]["refresh_token"] for answer in answers]


async def test_a_suspect_answer_to_a_code_opens_after_its_request_has_ended_and_not_after_it_is_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, or by whoever finishes for a killed process: it may hold the only living refresh token of its grant."""

    async def comes_back() -> httpx2.Response:
        person, link = world.hub.new_browser(), await world.link_session()
        back = world.consent(await world.depart(person, link))
        return await person.get(back, follow_redirects=True)

    suspects = world.hub.ports.books.suspects
    answered_with(world, monkeypatch, access_token_expire_in=0)
    assert "exchange_outcome_lost" == (await comes_back()).headers["x-error-code"]

    async def killed(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(suspects, "keep", killed)
        assert 500 == (await comes_back()).status_code
    monkeypatch.setattr("evergrant.store.spool.SETTLED_SECONDS", 0.0)
    await sql(world, "update authorization_requests set lease_until = now() where exchange = 'sent' returning 1")
    (unfinished,) = await world.hub.ports.books.exchanges.take_unfinished(10)
    assert "exchange_outcome_lost" == await timetable.resume(unfinished, world.hub.ports)

    assert [True, True] == ["sbx" in token for token in await opened(world)]
    assert 202 == (await world.hub.api.delete(f"/v1/merchants/{world.merchant_id}")).status_code
    assert 0 == await sql(world, "select count(*) from data_keys where owner_id like '%:answer'")
    await world.hub.work()
    assert 0 == await sql(world, "select count(*) from suspect_answers")


async def test_an_answer_without_a_refresh_token_keeps_the_one_at_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a platform that does not rotate: the access token is new, the refresh token and its end as before."""
    world.sandbox.post(f"/apps/{KEY}/rotation", {"mode": "stable"})
    connection_id = await world.linked()
    taken = await due(world)
    answered_with(world, monkeypatch, refresh_token=None, refresh_token_expire_in=None)

    assert "ok" == await refresh.one(taken, world.hub.ports)
    assert await is_the_platforms(world)
    assert taken.refresh_ends == await sql(world, "select refresh_ends from tokens")
    assert taken.access_ends < await sql(world, "select access_ends from tokens")
    assert "active" == (await world.connection(connection_id))["status"]


async def test_another_sellers_pair_is_set_aside_and_the_connection_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old access token goes on, the pair is sealed away and never tried by itself."""
    connection_id = await world.linked()
    taken = await due(world)
    answered_with(world, monkeypatch, open_id="somebody-else")

    assert "in_doubt" == await refresh.one(taken, world.hub.ports)
    assert 200 == await lent(world, connection_id)
    assert "connection.identity_changed" in await world.events(connection_id)
    assert (await world.connection(connection_id))["in_doubt_since"]
    await sql(
        world, "update connections set state = 'reauthorization_required', reason = 'refresh_refused' returning 1"
    )
    await sql(world, "update tokens set due_at = null returning 1")
    assert 0 == await refresh.orphans(world.sandbox.url, world.hub.ports)


@pytest.mark.parametrize("wrong", [{}, {"refresh_token_expire_in": "soon"}])
async def test_what_comes_for_a_connection_that_was_erased_meanwhile_is_kept_nowhere_and_alarms_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    """The platform answers while it is being forgotten: whose the pair is cannot be compared any more, and need not be."""
    connection_id = await world.linked()
    taken = await due(world)
    answered_with(world, monkeypatch, **wrong)
    send = world.hub.ports.platform.send

    async def and_erased(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        assert 202 == (await world.hub.api.delete(f"/v1/connections/{connection_id}")).status_code
        return reply

    monkeypatch.setattr(world.hub.ports.platform, "send", and_erased)
    assert "outlived" == await refresh.one(taken, world.hub.ports)
    told = await world.events(connection_id)
    assert "connection.erased" in told
    assert {"connection.identity_changed", "connection.answer_suspect"}.isdisjoint(told)
    assert [] == list((world.hub.parts.settings.data_dir / "spool").iterdir())
    assert [0, 0] == [await sql(world, f"select count(*) from {table}") for table in ("stray_pairs", "suspect_answers")]  # noqa: S608


async def test_a_pair_that_came_too_late_is_tried_once_where_the_newer_one_was_refused(world: World) -> None:
    """The standing pair is dead, the stray one lives: it is shown through the same protocol, and the connection is back."""
    connection_id = await world.linked()
    taken = await due(world)
    books, now = world.hub.ports.books, await world.now()
    answer = await world.refreshed_by_the_platform(taken.refresh)
    await sql(
        world,
        "update tokens set version = version + 1, refresh_hash = 'x', fence = fence + 1, due_at = null returning 1",
    )
    known = await books.connections.find(taken.tenant_id, connection_id)
    for number, granted in enumerate((replace(answer, pair=replace(answer.pair, refresh=Secret("dead"))), answer)):
        spooled = await books.tokens.spool(taken, granted, at=now + timedelta(seconds=1 - number), due_at=now)
        assert "outlived" == await books.tokens.keep(spooled, Change(before=known, after=known, at=now, events=()))
    assert 0 == await refresh.orphans(world.sandbox.url, world.hub.ports)
    await sql(
        world, "update connections set state = 'reauthorization_required', reason = 'refresh_refused' returning 1"
    )
    await world.hub.work()

    found = await world.connection(connection_id)
    assert ("active", None) == (found["status"], found["reason"])
    assert await is_the_platforms(world)
    assert 2 == await sql(world, "select count(*) from audit where action = 'token.orphan_tried'")
    assert 0 == await sql(world, "select count(*) from stray_pairs where tried_at is null")
    shown = [line for line in world.sandbox.log(kind="token") if line["path"].endswith("/refresh")]
    assert 3 == len(shown) == len({line["token_sha256"] for line in shown})


WAIT = "select t.lease_until - p.ended_at from tokens t join presentations p on p.fence = t.fence"


async def test_a_code_nobody_knows_is_asked_again_later_and_later_and_stops_no_other_seller(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a second use is forgiven: once more at once, then with a back-off; the platform is there, so no breaker opens."""
    await world.linked()
    await sql(world, "update apps set rotation = 'retry_safe' returning 1")
    world.hub.parts.apps._forget(world.app_id)
    world.sandbox.advance("4d")

    async def answers(_request: Request, *, once: bool = False) -> Reply:
        assert once
        return Reply(status=200, body=b'{"code":36004099,"message":"x"}')

    async def taken_at_once() -> int:
        due = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
        return len([await refresh.one(taken, world.hub.ports) for taken in due])

    monkeypatch.setattr(world.hub.ports.platform, "send", answers)
    assert [1, 1, 0] == [await taken_at_once() for _ in range(3)]
    waits = []
    for _ in range(5):
        await sql(world, "update tokens set lease_until = null returning 1")
        assert 1 == await taken_at_once()
        waits.append((await sql(world, WAIT)).total_seconds())
    assert [10, 20, 40, 80, 160] == waits
    assert None is await sql(world, "select 1 from app_paces where failures > 0 or shut_until is not null")

    monkeypatch.undo()
    await sql(world, "update tokens set lease_until = null returning 1")
    assert 1 == await taken_at_once()
    assert (0, None) == tuple(await sql(world, "select row(failures, lease_until) from tokens"))
    assert await is_the_platforms(world)


FAULTS: list[tuple[str, Any, str]] = [
    ("not sent", NotSentError("refused"), "not_sent"),
    ("time-out", AnswerLostError("late"), "in_doubt"),
    ("502 with HTML", Reply(status=502, body=b"<html>"), "in_doubt"),
    ("empty 200", Reply(status=200, body=b""), "in_doubt"),
    ("truncated", Reply(status=200, body=b'{"code":0,"data":{"acc'), "in_doubt"),
    ("gzip lie", Reply(status=200, body=b"\x1f\x8b\x08{}"), "in_doubt"),
    ("byte order mark", Reply(status=200, body=b'\xef\xbb\xbf{"code":0}'), "in_doubt"),
    ("429", Reply(status=429, body=b"", retry_after=7), "told_to_wait"),
    ("429 for ever", Reply(status=429, body=b"", retry_after=1e9), "told_to_wait"),
    ("429 without a word", Reply(status=429, body=b"<html>"), "told_to_wait"),
    ("wrong secret", Reply(status=200, body=b'{"code":36009004,"message":"app_secret"}'), "misconfigured"),
    ("envelope, internal", Reply(status=500, body=b'{"code":36009003,"message":"x"}'), "in_doubt"),
    ("refused", Reply(status=200, body=b'{"code":36004004,"message":"x"}'), "final"),
]


async def test_every_outside_fault_has_its_class_its_state_and_its_next_step(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Section 5.3 as a table: only a final refusal moves the state, and the living token is lent through all others."""
    connection_id = await world.linked()
    world.sandbox.advance("4d")
    for name, fault, expected in FAULTS:
        await sql(world, "update tokens set lease_until = null, due_at = issued_at, failures = 0 returning 1")
        await sql(world, "delete from presentations returning 1")
        await sql(world, "delete from app_paces returning 1")
        (taken,) = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)

        async def goes_wrong(_request: Request, *, once: bool = False, fault: Any = fault) -> Reply:
            assert once
            if isinstance(fault, Exception):
                raise fault
            found: Reply = fault
            return found

        monkeypatch.setattr(world.hub.ports.platform, "send", goes_wrong)
        assert expected == await refresh.one(taken, world.hub.ports), name
        monkeypatch.undo()
        found = await world.connection(connection_id)
        assert expected == await sql(world, "select outcome from presentations"), name
        assert ("reauthorization_required" if expected == "final" else "active") == found["status"], name
        assert (409 if expected == "final" else 200) == await lent(world, connection_id), name
        again = await sql(
            world,
            "select greatest(due_at, case when lease_until > now() then $1::timestamptz end) from tokens",
            await world.now(),
        )
        assert (again is None) == (expected == "final"), name
        rests = await sql(world, "select shut_until is not null from app_paces")
        assert (expected in ("told_to_wait", "misconfigured")) == bool(rests), name
