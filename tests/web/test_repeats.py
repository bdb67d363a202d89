"""`Idempotency-Key`: a call made twice acts once and is answered twice alike, whoever died in between (TS-30)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from evergrant.assembly import programs, provisioning
from evergrant.assembly.house import house
from evergrant.core.errors import DatabaseUnavailableError
from evergrant.core.secret import Secret
from evergrant.store.apps import Merchants
from evergrant.web import app, repeats
from evergrant.web.live import Live
from tests.hub_fixture import ORIGIN, Hub
from tests.world_fixture import World

MERCHANT = {"external_id": "m1", "name": "First"}


class Crash(BaseException):
    """The process is gone: nothing it had in memory goes on."""


def keyed(key: str) -> dict[str, str]:
    """The header."""
    return {"idempotency-key": key}


async def merchants(hub: Hub) -> list[str]:
    """External ids, as the API shows them."""
    return [item["external_id"] for item in (await hub.api.get("/v1/merchants")).json()["items"]]


async def bearing(hub: Hub, secret: Secret) -> httpx2.AsyncClient:
    """A program with another key."""
    key = {"authorization": f"Bearer {secret.reveal()}"}
    return httpx2.AsyncClient(transport=hub.transport, base_url=ORIGIN, headers=key)


@asynccontextmanager
async def another_process(hub: Hub) -> AsyncIterator[httpx2.AsyncClient]:
    """The same database behind doors that remember nothing, with the wall as `evergrant serve` has it."""
    async with house(hub.parts.settings, hub.parts.arguments, walled=True) as parts:
        transport = httpx2.ASGITransport(app=app.build(programs.desk_of(parts, Live())))
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=hub.api.headers) as client:
            yield client


async def test_the_same_key_is_answered_with_the_same_bytes(world: World) -> None:
    """From another process too; with another body 422; per route and per tenant; what was answered stands sealed."""
    hub, key = world.hub, keyed("order-4711")
    body = {"merchant_id": world.merchant_id, "app_id": world.app_id}
    first = await hub.api.post("/v1/link-sessions", json=body, headers=key)
    async with another_process(hub) as elsewhere:
        again = await elsewhere.post("/v1/link-sessions", json=body, headers=key)
        assert (await elsewhere.post("/v1/merchants", json=MERCHANT, headers=key)).status_code == 201, "another route"
    other = await hub.api.post("/v1/link-sessions", json=body | {"expires_in": 60}, headers=key)
    scoped = await provisioning.add_key(hub.parts, hub.tenant_id, name="looks", scopes=["read"])
    rival = await provisioning.add_tenant(
        hub.parts, name="Rival", email="r@r.example", person="R", password=Secret("rrrrrrrr")
    )
    async with await bearing(hub, scoped) as looks, await bearing(hub, rival.api_key) as foreign:
        told = await looks.post("/v1/link-sessions", json=body, headers=key)
        theirs = await foreign.post("/v1/link-sessions", json=body, headers=key)
    async with hub.parts.database.connection() as connection:
        made = await connection.fetchval("select count(*) from link_sessions")
        kept = await connection.fetch("select sealed, kept_answers::text as row from kept_answers")

    assert (201, first.content) == (again.status_code, again.content)
    assert "true" == again.headers["idempotency-replayed"]
    assert "idempotency-replayed" not in first.headers
    assert 1 == made
    assert (422, "idempotency_key_reused") == (other.status_code, other.json()["error"]["code"])
    assert (403, "api_key_scope_missing") == (told.status_code, told.json()["error"]["code"])
    assert (404, "not_found") == (theirs.status_code, theirs.json()["error"]["code"])
    handle = first.json()["url"].rsplit("/", 1)[1]
    assert not any(handle in row["row"] or handle.encode() in row["sealed"] for row in kept)


async def test_no_crash_comes_between_the_deed_and_its_answer(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead before the commit: nothing was done, and the next try does it. Dead after it: the next try is told."""

    async def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as dying:
        dying.setattr("evergrant.store.answers.Answers.keep", dies)  # the merchant is written, its answer is not
        with pytest.raises(Crash):
            await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed("k"))
    assert [] == await merchants(hub)
    with monkeypatch.context() as dying:
        dying.setattr(repeats, "_send", dies)  # both are committed, and nobody is told
        with pytest.raises(Crash):
            await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed("k"))
    assert ["m1"] == await merchants(hub)
    async with another_process(hub) as elsewhere:
        again = await elsewhere.post("/v1/merchants", json=MERCHANT, headers=keyed("k"))
    assert (201, "m1") == (again.status_code, again.json()["external_id"])
    assert ["m1"] == await merchants(hub)


async def test_a_twin_is_told_to_wait(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first is under way, in this process or another; then it gets the same answer. On both kinds of routes."""
    add = Merchants.add
    for route in (frozenset[str](), frozenset({"POST /v1/merchants"})):
        monkeypatch.setattr(repeats, "REACHING_OUT", route)
        begun, go = asyncio.Event(), asyncio.Event()

        async def slowly(book: Merchants, merchant: Any, begun: asyncio.Event = begun, go: asyncio.Event = go) -> Any:
            begun.set()
            await go.wait()
            return await add(book, merchant)

        monkeypatch.setattr(Merchants, "add", slowly)
        body, key = {"external_id": f"twin{len(route)}", "name": "T"}, keyed(f"twin{len(route)}")
        first = asyncio.create_task(hub.api.post("/v1/merchants", json=body, headers=key))
        await begun.wait()
        async with another_process(hub) as elsewhere:
            twin = await elsewhere.post("/v1/merchants", json=body, headers=key)
        go.set()
        monkeypatch.setattr(Merchants, "add", add)
        made = await first
        assert (409, "idempotency_in_progress") == (twin.status_code, twin.json()["error"]["code"])
        assert made.status_code == 201
        assert made.content == (await hub.api.post("/v1/merchants", json=body, headers=key)).content


async def test_what_is_kept_and_for_how_long(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash's 500 is; what was not understood, or is to be tried again, is not. After seven days a key is new."""

    async def breaks(*_: object) -> None:
        raise KeyError("no such thing")

    async def away(*_: object) -> None:
        raise DatabaseUnavailableError

    for way, status in ((breaks, 500), (away, 503)):
        with monkeypatch.context() as broken:
            broken.setattr(Merchants, "add", way)
            first = await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed(f"k{status}"))
        again = await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed(f"k{status}"))
        assert status == first.status_code
        assert (again.content == first.content) == (status == 500)
        assert again.status_code == (500 if status == 500 else 201)
    assert (await hub.api.post("/v1/merchants", json={}, headers=keyed("v"))).status_code == 422
    assert (await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed("v"))).status_code == 409, (
        "kept: a conflict"
    )
    for wrong in ("", "x" * 256):
        refused = await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed(wrong))
        assert (400, "idempotency_key_invalid") == (refused.status_code, refused.json()["error"]["code"])
    week = {"external_id": "w", "name": "W"}
    assert (await hub.api.post("/v1/merchants", json=week, headers=keyed("x" * 255))).status_code == 201
    await age(hub, "7 days 1 second")
    assert (await hub.api.post("/v1/merchants", json=week, headers=keyed("x" * 255))).status_code == 409, "done anew"
    await age(hub, "7 days 1 second")
    swept = await hub.parts.ports.books.answers.sweep()
    assert swept == 4
    assert await hub.parts.ports.books.answers.sweep() == 0
    nobody = httpx2.AsyncClient(transport=hub.transport, base_url=ORIGIN)
    assert (await nobody.post("/v1/merchants", json=week, headers=keyed("n"))).json()["error"][
        "code"
    ] == "api_key_missing"


async def test_what_reaches_out_is_run_again_once_its_lease_is_over(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction spans it: a killed one is under way until its lease ends, then the same request runs again."""
    monkeypatch.setattr(repeats, "REACHING_OUT", frozenset({"POST /v1/merchants"}))

    async def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as dying:
        dying.setattr(Merchants, "add", dies)
        with pytest.raises(Crash):
            await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed("k"))
    early = await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed("k"))
    async with hub.parts.database.connection() as connection:
        await connection.execute("update kept_answers set lease_until = now() - interval '1 second'")
    other = await hub.api.post("/v1/merchants", json=MERCHANT | {"name": "Another"}, headers=keyed("k"))
    late = await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed("k"))
    again = await hub.api.post("/v1/merchants", json=MERCHANT, headers=keyed("k"))
    unkept = [await hub.api.post("/v1/merchants", json={}, headers=keyed("v")) for _ in range(2)]

    assert (409, "idempotency_in_progress") == (early.status_code, early.json()["error"]["code"])
    assert (422, "idempotency_key_reused") == (other.status_code, other.json()["error"]["code"])
    assert (201, 201) == (late.status_code, again.status_code)
    assert late.content == again.content
    assert {422} == {answer.status_code for answer in unkept}, "an answer that is not kept leaves the key free"


async def age(hub: Hub, by: str) -> None:
    """Let what is kept grow older."""
    async with hub.parts.database.connection() as connection:
        await connection.execute("update kept_answers set kept_at = kept_at - $1::text::interval", by)
