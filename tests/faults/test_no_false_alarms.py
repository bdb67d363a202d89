"""Random faults around every refresh: a seller is asked again exactly where the platform really ended the authorization."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from evergrant import postgres
from evergrant.actions import refresh
from evergrant.actions.ports import AnswerLostError, NotSentError
from evergrant.providers.wire import Reply, Request
from tests.hub_fixture import a_hub
from tests.sandbox_fixture import Sandbox
from tests.world_fixture import KEY, World, settle

SELLERS, ROUNDS, SEED = 4, 30, 20260929
BEFORE: tuple[Any, ...] = (
    NotSentError("refused"),
    Reply(status=429, body=b"", retry_after=7),
    Reply(status=429, body=b"<html>"),
)
"""What goes wrong before the platform has done anything."""
AFTER: tuple[Any, ...] = (
    AnswerLostError("late"),
    Reply(status=502, body=b"<html>"),
    Reply(status=200, body=b""),
    Reply(status=200, body=b'{"code":0,"data":{"access_tok'),
    Reply(status=500, body=b'{"code":36009003,"message":"Internal error"}'),
)
"""What goes wrong when it has rotated."""


def with_faults(world: World, dice: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three refreshes go wrong somewhere."""
    send = world.hub.ports.platform.send

    async def perhaps(request: Request, *, once: bool = False) -> Reply:
        fault = dice.choice((*BEFORE, *AFTER, *[None] * 4)) if "/token/refresh" in request.url else None
        reply = None if fault is not None and fault in BEFORE else await send(request, once=once)
        if isinstance(fault, Exception):
            raise fault
        found = reply if fault is None else fault
        assert isinstance(found, Reply)
        return found

    monkeypatch.setattr(world.hub.ports.platform, "send", perhaps)


async def everything_is_due(world: World) -> None:
    """Waits and leases are over, and every pair whose clock is turned is due."""
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update tokens set lease_until = null, due_at = issued_at where due_at is not null")
        await connection.execute("delete from app_paces")


async def test_the_seller_is_asked_exactly_where_the_authorization_really_ended(
    database_server: postgres.Server, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred refreshes of a platform that forgives a second use, two grants ended at moments nobody chose."""
    dice = Random(SEED)
    async with a_hub(database_server, tmp_path, sandbox_url=sandbox.url) as hub:
        world = await settle(hub, sandbox, rotation="retry_safe")
        sandbox.post(f"/apps/{KEY}/rotation", {"mode": "retry_safe"})
        for number in range(SELLERS):
            shop = {"name": f"Shop {number}", "region": "GB", "orders": 0, "products": 1}
            given = {"name": f"S{number}", "email": f"s{number}@s.example", "password": "sandbox", "region": "GB"}
            await world.linked_by(sandbox.post("/sellers", given | {"shops": [shop]}), f"c{number}")
        with_faults(world, dice, monkeypatch)
        outcomes: list[str] = []
        for turn in range(ROUNDS):
            if turn in (10, 20):
                grant = dice.choice(
                    [each for each in sandbox.get("/grants", app=KEY)["items"] if each["status"] == "active"]
                )
                sandbox.post(f"/grants/{grant['id']}/deactivate")
            await everything_is_due(world)
            due = await hub.ports.books.tokens.take_due(sandbox.url, await world.now(), 10)
            outcomes += [await refresh.one(taken, hub.ports) for taken in due]
        monkeypatch.undo()
        await everything_is_due(world)
        await hub.work()

        ended = {each["open_id"] for each in sandbox.get("/grants", app=KEY)["items"] if each["status"] != "active"}
        async with hub.parts.database.connection() as connection:
            rows = await connection.fetch("select open_id, state, in_doubt_since from connections")
        assert 2 == len(ended)
        assert ended == {row["open_id"] for row in rows if row["state"] == "reauthorization_required"}
        assert {"active", "reauthorization_required"} == {row["state"] for row in rows}
        assert not any(row["in_doubt_since"] for row in rows if row["state"] == "active")
        assert {"ok", "in_doubt", "not_sent", "told_to_wait", "final"} == set(outcomes)
