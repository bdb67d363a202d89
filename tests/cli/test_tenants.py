"""Whose workspace a command is about: the one named, the only one, or a sentence; and a list shows all there is."""

import re
from pathlib import Path

import pytest

from evergrant.cli import connections
from tests.cli.typed import complaint, evergrant
from tests.world_fixture import World


@pytest.mark.processes
def test_the_only_tenant_need_not_be_named(database: str, tmp_path: Path) -> None:
    """With none, one and several; a tenant nobody has is not an empty list."""
    where = {"EVERGRANT_DATABASE_URL": database, "EVERGRANT_DATA_DIR": str(tmp_path)}
    evergrant("migrate", environment=where)
    nobody = evergrant("connections", "list", environment=where)
    evergrant("tenants", "create", "Acme", "--email", "owner@acme.example", environment=where)
    one = evergrant("tenants", "list", environment=where)
    listed = evergrant("connections", "list", environment=where)
    key = evergrant("keys", "create", "--name", "n", "--scope", "read", environment=where)
    kept = re.findall(r"key_\w+", evergrant("keys", "list", environment=where).stdout)
    rotated = evergrant("keys", "rotate", kept[1], "--overlap-hours", "1", environment=where)
    revoked = evergrant("keys", "revoke", kept[1], environment=where)
    over = evergrant("keys", "rotate", kept[1], environment=where)
    unknown = evergrant("connections", "list", "--tenant", "ten_x", environment=where)
    link = evergrant("links", "create", "--connection", "con_x", environment=where)
    evergrant("tenants", "create", "Bold", "--email", "owner@bold.example", environment=where)
    several = evergrant("connections", "list", environment=where)

    assert (2, "not_found") == complaint(nobody)
    assert re.fullmatch(r"ten_\w+  Acme\n", one.stdout)
    assert 0 == listed.returncode
    assert key.stdout.startswith("eg_")
    assert 2 == len(kept)
    assert rotated.stdout.startswith("eg_")
    assert f"{kept[1]} works until" in rotated.stderr
    assert f"{kept[1]} is revoked" in revoked.stdout
    assert (2, "conflict") == complaint(over)
    assert (2, "not_found") == complaint(unknown)
    assert "evergrant tenants list" in unknown.stderr
    assert (2, "not_found") == complaint(link)
    assert (2, "invalid_request") == complaint(several)


async def test_a_list_goes_on_behind_its_first_page(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every connection is shown, however many a page holds."""
    person = world.hub.new_browser()
    link = await world.link_session()
    outlet = str(world.seller["shops"][1]["id"])
    await person.get(world.consent(await world.depart(person, link), shop_id=outlet))
    session = (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()
    made = {await world.linked(), str(session["result"]["connection_id"])}
    monkeypatch.setattr(connections, "PAGE", 1)
    monkeypatch.setenv("COLUMNS", "200")
    shown = await connections.read(world.hub.parts, None)
    connections.show(shown)

    assert 2 == len(made)
    assert made == set(re.findall(r"con_\w+", capsys.readouterr().out))
