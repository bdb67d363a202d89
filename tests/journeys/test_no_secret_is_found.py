"""The canary sweep (TS-13, I11): after a dozen flows and their errors no secret stands anywhere but where it is meant to."""

import asyncio
import logging
import re
from base64 import b64encode
from pathlib import Path

import pytest

from evergrant.assembly import provisioning
from evergrant.assembly.house import house
from evergrant.core.secret import Secret
from tests import postgres_fixture
from tests import sweep as sweeping
from tests.hub_fixture import EMAIL, PASSWORD
from tests.journeys.test_tokens_are_brought_along import held_by_the_vendor
from tests.sweep import Sweep, sweep
from tests.world_fixture import SECRET, World

__all__ = ["sweep"]

OUR_CLIENT = ("httpx2", "httpcore2")
"""The test's own browser logs where it goes; the hub does not use it."""

WRONG = "CNRYwrongCNRYwrongCNRY"


async def log_in(world: World) -> None:
    """A person looks at the pages, after a wrong password."""
    browser = world.hub.browser
    for password in (WRONG, PASSWORD):
        page = await browser.get("/login")
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf
        await browser.post("/login", data={"csrf": csrf[1], "email": EMAIL, "password": password})
    assert (await browser.get("/dashboard")).status_code == 200


async def wrong_ways_back(world: World) -> None:
    """A state that is missing, unknown, spent, another browser's; a code nobody gave; a refusal; a lost answer."""
    hub, person = world.hub, world.hub.new_browser()
    state = await world.depart(person, await world.link_session())
    back = world.consent(state)
    await hub.new_browser().get(back)
    await person.get(back)
    await person.get(back)
    await person.get(world.consent(None))
    for query in (f"code={WRONG}&state={WRONG}", f"state={WRONG}", f"code={WRONG}", "error=access_denied&state=x"):
        await person.get(f"/cb/tiktok-shop/{world.app_id}?{query}")
    world.sandbox.post("/faults", {"kind": "token", "action": "status", "status": 503, "times": 1})
    again = await world.depart(person, await world.link_session())
    await person.get(world.consent(again))
    await hub.new_browser().get(f"/l/{WRONG}")


async def refusals(world: World, connection_id: str) -> None:
    """What no program should send: wrong keys and signatures, secrets in the wrong fields."""
    api, path = world.hub.api, f"/v1/connections/{connection_id}"
    secret = (await world.hub.parts.apps.by_id(world.app_id)).secret.reveal()
    await world.deliver(b'{"type":6}', WRONG)
    await world.deliver(world.deauthorization(await world.now()))
    await world.hub.new_browser().get(f"{path}/token", headers={"authorization": f"Bearer eg_{WRONG}"})
    await api.get(f"{path}/token", params={"min_ttl": secret, "shop_id": secret})
    for body in ({"secret": [secret]}, {"secret": secret, secret: 1}, {"key": secret, "secret": secret * 40}):
        assert (await api.post("/v1/apps", json=body)).status_code == 422
    await api.post("/v1/apps", content=b'{"secret": "' + secret.encode() + b'"')
    await api.post(f"{path}/refresh")
    await api.get("/v1/connections", params={"cursor": "x", "limit": 0})


async def changes_of_secrets(world: World, connection_id: str) -> None:
    """Rotation, resealing, import, another app secret, which the platform refuses."""
    hub = world.hub
    _, row = await held_by_the_vendor(world, shop=world.seller["shops"][1]["id"])
    rows = [row | {"access_token": WRONG}, row | {"refresh_token": None}, row, row]
    assert (await hub.api.post("/v1/connections/import", json={"items": rows})).status_code == 200
    await hub.parts.generations.rotate()
    await hub.parts.generations.rewrap()
    await hub.work()
    await hub.parts.generations.reseal(hub.tenant_id, connection_id)
    await provisioning.add_key(hub.parts, hub.tenant_id, name="another", scopes=["read"])
    await hub.api.patch(f"/v1/apps/{world.app_id}", json={"secret": f"{WRONG}new"})
    world.sandbox.advance("4d")
    await hub.work()
    await hub.api.patch(f"/v1/apps/{world.app_id}", json={"secret": SECRET, "retire_older": True})


async def a_slip_is_left(world: World) -> None:
    """A worker dies with an answer on disk, and another finds a row that does not open."""
    books = world.hub.ports.books
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update tokens set due_at = issued_at, lease_until = null where due_at is not null")
        await connection.execute("update tokens set access_sealed = refresh_sealed where due_at is null")
        await connection.execute("delete from app_paces")
    now = await world.now()
    (taken, *_) = await books.tokens.take_due(world.sandbox.url, now, 1)
    granted = await world.refreshed_by_the_platform(taken.refresh)
    await books.tokens.spool(taken, granted, at=now, due_at=now)


async def test_no_secret_is_found_anywhere_but_where_it_is_meant_to_be(
    world: World,
    sweep: Sweep,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Logs of ours, of every library at DEBUG, of the server; statements with parameters, tables, a backup, answers, pages,
    files, processes.
    """
    asyncio.get_running_loop().set_debug(True)
    caplog.set_level(logging.DEBUG)
    hub = world.hub
    sweep.made |= {world.hub.api_key.reveal(), SECRET, PASSWORD, WRONG}
    sweeping.listen(hub, sweep, monkeypatch)

    await log_in(world)
    mine, other = await world.linked(), await world.linked_elsewhere()
    await hub.work()
    await wrong_ways_back(world)
    await changes_of_secrets(world, mine)
    await refusals(world, mine)
    await hub.work()
    for connection_id in (mine, other):
        await hub.api.get(f"/v1/connections/{connection_id}/token")
    sweep.is_watching = False  # from here on ids are tried where secrets are expected, too
    answered = await sweeping.crawl(hub)
    sweep.is_watching = True
    await hub.api.post(f"/v1/connections/{other}/disconnect")
    await a_slip_is_left(world)
    kept = await sweeping.tables(hub, sweep)
    dumped = await asyncio.to_thread(sweeping.dump, hub, tmp_path, sweep)
    files = sweeping.disk(hub.parts.settings.data_dir / "spool", sweep)
    async with house(hub.parts.settings, hub.parts.arguments) as anew:
        await anew.ports.books.tokens.spooled()
    await hub.api.delete(f"/v1/connections/{mine}")
    await sweeping.tables(hub, sweep)
    sweeping.processes(sweep)
    server_said = sweeping.what_the_server_logged(postgres_fixture.home(tmp_path_factory), sweep)
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith(OUR_CLIENT)]
    sweep.note("logs", "\n".join((*capfd.readouterr(), *logged)))

    assert answered > 30
    assert kept > 20
    assert dumped > 500
    assert server_said > 2
    assert files == 1
    assert len(sweep.made) > 30
    assert len([text for where, text in sweep.said if where == "database log"]) > 300
    assert len([text for where, text in sweep.said if where == "log"]) > 100
    assert [] == sorted(set(sweep.found()))
    assert sweep.found([("token bodies", "".join(sweep.meant))]), "the sweep finds what is there"


def test_the_sweep_knows_a_secret_in_every_disguise() -> None:
    """As it is, its beginning alone, backwards, hex, in an address, in base64 wherever it stands."""
    watching, secret = Sweep(made={"ROW_sbx+/CNRY0123456789"}), "ROW_sbx+/CNRY0123456789"
    disguises = (
        secret,
        secret[:12],
        secret[::-1],
        secret.encode().hex(),
        "ROW_sbx%2B%2FCNRY",
        *(b64encode(b"x" * offset + secret.encode()).decode() for offset in range(4)),
    )

    assert [True] * len(disguises) == [bool(watching.found([("x", f"before {each} behind")])) for each in disguises]
    assert [] == watching.found([("x", "ROW_sbx and nothing more")])
    assert Secret(secret)
