"""A process dies at each step of a return without a state: a worker finishes it, and the code is shown once (C1 to C7)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from evergrant.actions import adopt
from evergrant.core.secret import Secret
from evergrant.providers.wire import Reply, Request
from tests.faults.test_answers_survive import a_minute_later
from tests.journeys.claiming import installed, sql, told
from tests.journeys.test_whose_renewal import a_seller, pair
from tests.world_fixture import World


class DroppedError(Exception):
    """The process is gone; nothing after this line happens in it."""


def dies_before(kept: Any, name: str, patch: pytest.MonkeyPatch) -> None:
    """The process dies where it would have called this."""

    async def gone(*_: object, **__: object) -> None:
        raise DroppedError

    patch.setattr(kept, name, gone)


def dies_after(kept: Any, name: str, patch: pytest.MonkeyPatch) -> None:
    """The process dies as soon as this is done."""
    real = getattr(kept, name)

    async def done_and_gone(*given: Any, **named: Any) -> None:
        await real(*given, **named)
        raise DroppedError

    patch.setattr(kept, name, done_and_gone)


def dies_at_the_answer(world: World, patch: pytest.MonkeyPatch) -> None:
    """The process dies with the answer to the code on its way to it."""
    send = world.hub.ports.platform.send

    async def and_gone(request: Request, *, once: bool = False) -> Reply:
        reply = await send(request, once=once)
        if "/token/get" in request.url:
            raise DroppedError
        return reply

    patch.setattr(world.hub.ports.platform, "send", and_gone)


def at_the_end(world: World, patch: pytest.MonkeyPatch, dies: Callable[[Any, str, pytest.MonkeyPatch], None]) -> None:
    """The process dies around the one commit that says whose the grant is."""
    dies(world.hub.ports.books.quarantine, "keep", patch)
    dies(world.hub.ports.books.exchanges, "complete", patch)


STEPS: dict[str, Callable[[World, pytest.MonkeyPatch], None]] = {
    "C2 kept, not sent": lambda world, patch: dies_before(world.hub.ports.books.exchanges, "begin", patch),
    "C3 sent, not read": dies_at_the_answer,
    "C4 read, on disk only": lambda world, patch: dies_before(world.hub.ports.books.exchanges, "_heal_one", patch),
    "C5 kept, shops not asked for": lambda world, patch: dies_after(
        world.hub.ports.books.exchanges, "keep_answer", patch
    ),
    "C6 shops read, nothing decided": lambda world, patch: dies_before(
        world.hub.ports.books.connections, "holders", patch
    ),
    "C6 decided, not kept": lambda world, patch: at_the_end(world, patch, dies_before),
    "C7 kept, not told": lambda world, patch: at_the_end(world, patch, dies_after),
}


async def dropped(world: World, back: str, step: str) -> str:
    """A return without a state whose process dies at this step; gives the claim."""
    app = await world.hub.parts.apps.by_id(world.app_id)
    code = Secret(parse_qs(urlsplit(back).query)["code"][0])
    unasked = await adopt.arrive(code, app, Secret("what the browser proves"), world.hub.ports)
    assert unasked
    with pytest.MonkeyPatch.context() as patch:
        STEPS[step](world, patch)
        with pytest.raises(DroppedError):
            await adopt.finish(unasked, world.hub.ports)
    return unasked.claim_id


async def a_worker_comes(world: World) -> None:
    """The lease of the dead runs out, its slips belong to nobody, and a worker looks."""
    await sql(
        world,
        "update authorization_requests set lease_until = now() - interval '1 second' where exchange = 'sent' returning 1",
    )
    a_minute_later(world)
    await world.hub.ports.books.exchanges.heal()
    await sql(
        world,
        "update authorization_requests set lease_until = now() - interval '1 second' where lease_until is not null returning 1",
    )
    await world.hub.work()


@pytest.mark.parametrize("held", [False, True], ids=["nobody's", "held"])
async def test_a_process_that_dies_at_any_step_loses_nothing(world: World, *, held: bool) -> None:
    """Waiting or adopted in the end, as without the crash, or honestly lost where the answer never came; one token call each."""
    seen, expected = {}, {}
    for number, step in enumerate(STEPS):
        seller = a_seller(world, f"crash{number}")
        holding = await world.linked_by(seller, f"crash{number}") if held else None
        before = await pair(world, holding) if holding else None
        calls = shown(world)
        back = world.consent(None, seller=seller["email"], shop_id=seller["shops"][0]["id"])
        claim_id = await dropped(world, back, step)
        await a_worker_comes(world)
        claim = (await world.hub.api.get(f"/v1/claims/{claim_id}")).json()
        after = await pair(world, holding) if holding else None
        lost = step.startswith("C3")
        seen[step] = (claim["status"], shown(world) - calls, before == after)
        expected[step] = ("failed" if lost else "adopted" if held else "waiting", 1, lost or not held)

    assert expected == seen
    assert 0 == await sql(
        world, "select count(*) from authorization_requests where exchange in ('waiting', 'sent', 'answered')"
    )
    assert 0 == await sql(world, "select count(*) from data_keys where owner_id like 'req_%'")


def shown(world: World) -> int:
    """How often a code was shown to the platform."""
    return len([entry for entry in world.sandbox.log(kind="token") if entry["path"].endswith("/get")])


async def test_a_process_that_dies_before_anything_is_kept_leaves_the_address_good(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C1: the same address works again; and a reload after the end shows the result (C7)."""
    back, browser = world.consent(None), world.hub.new_browser()
    with monkeypatch.context() as patch:
        dies_before(world.hub.ports.books.quarantine, "arrive", patch)
        assert (500, "internal_error") == told(await browser.get(back))
    assert 0 == await sql(world, "select count(*) from authorization_requests")
    first = await browser.get(back)
    again = await browser.get(back)

    assert (303, first.headers["location"]) == (again.status_code, again.headers["location"])
    assert 1 == shown(world)
    assert first.headers["location"] != f"/claims/{await installed(world, browser)}"
