"""Partner Center's door: developers log in, register and log out, and nobody sees what is another's."""

import sqlite3
from pathlib import Path

import pytest

from evergrant_sandbox.book.database import FILE
from evergrant_sandbox.book.tables import first
from tests.sandbox.kit import Client, Sandbox, running
from tests.sandbox.visiting import Visitor

SEEDED = "dana@evergrant.example"


async def at_partner_center(sandbox: Sandbox, email: str = SEEDED, password: str = "sandbox") -> Visitor:
    """A developer who has logged in."""
    visitor = Visitor(sandbox)
    await visitor.open("/partner")
    assert visitor.heading == "Log in to Partner Center"
    visitor.fill("Email", email)
    visitor.fill("Password", password)
    await visitor.press("Log in")
    return visitor


async def test_the_seeded_developer_logs_in_and_out(sandbox: Sandbox) -> None:
    """With what the world and the front page tell, and back to the page that was asked for."""
    (seeded, *_) = (await sandbox.world())["developers"]
    front = Visitor(sandbox)
    await front.open("/")
    assert seeded["email"] in front.text

    visitor = await at_partner_center(sandbox, seeded["email"], seeded["password"])

    assert visitor.path == "/partner"
    assert visitor.heading == "Welcome, Evergrant"
    await visitor.press("Log out")
    assert visitor.heading == "Log in to Partner Center"
    await visitor.open("/partner")
    assert visitor.path == "/partner/login"


async def test_a_wrong_password_is_only_said_to_be_wrong(sandbox: Sandbox) -> None:
    """The same words for an address that is unknown."""
    known = await at_partner_center(sandbox, password="something else")
    stranger = await at_partner_center(sandbox, email="nobody@nowhere.example")

    assert (known.reply.status, stranger.reply.status) == (401, 401)
    sentence = "The e-mail address or password is wrong."
    assert sentence in known.text
    assert sentence in stranger.text


async def test_a_new_developer_registers_and_begins_with_nothing(sandbox: Sandbox) -> None:
    """Bad entries are named one by one; then the new developer is signed in, with no app."""
    visitor = Visitor(sandbox)
    await visitor.open("/partner/register")
    visitor.fill("Company name", "Acme Sync")
    visitor.fill("Email", SEEDED.upper())
    visitor.fill("Password", "short")
    await visitor.press("Register")
    assert visitor.reply.status == 422
    assert "registered already" in visitor.text
    assert "at least 6 characters" in visitor.text

    visitor.fill("Email", "ann@acme.example")
    visitor.fill("Password", "long enough")
    await visitor.press("Register")

    assert visitor.heading == "Welcome, Acme Sync"
    assert "0 apps" in visitor.text
    assert (await sandbox.world())["developers"][-1]["email"] == "ann@acme.example"


@pytest.mark.parametrize("following", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
async def test_logging_in_leads_to_pages_of_this_site_only(sandbox: Sandbox, following: str) -> None:
    """Whatever the address says."""
    visitor = Visitor(sandbox)
    await visitor.open(f"/partner/login?next={following}")
    visitor.fill("Email", SEEDED)
    visitor.fill("Password", "sandbox")
    await visitor.press("Log in")

    assert visitor.path == "/partner"
    assert not visitor.is_away


async def test_a_form_of_another_browser_signs_nobody_in(sandbox: Sandbox) -> None:
    """The form token belongs to the browser that got the page."""
    client = Client(sandbox.application)
    reply = await client.call("POST", "/partner/login", body=b"email=dana%40evergrant.example&password=sandbox")

    assert reply.status == 403
    assert reply.header("x-error-code") == "form_expired"
    assert "sandbox_developer" not in client.cookies


async def test_apps_made_by_steering_belong_to_somebody(sandbox: Sandbox) -> None:
    """To the seeded developer unless another is named, who is made if need be; a change leaves it so."""
    mine = await sandbox.app(key="6mine")
    theirs = await sandbox.app(key="6theirs", developer="bo@other.example")
    changed = await sandbox.app(key="6theirs", name="Renamed")

    assert (mine["developer"], theirs["developer"]) == (SEEDED, "bo@other.example")
    assert changed["developer"] == "bo@other.example"
    assert [each["email"] for each in (await sandbox.world())["developers"]] == [SEEDED, "bo@other.example"]
    visitor = await at_partner_center(sandbox, "bo@other.example")
    assert "1 app" in visitor.text


async def test_a_book_without_developers_gets_the_seeded_one(tmp_path: Path) -> None:
    """A world founded by the version before: its apps then belong to that developer."""
    folder = tmp_path / "old"
    folder.mkdir()
    with sqlite3.connect(folder / FILE) as connection:
        connection.executescript(first.STATEMENTS)
        connection.execute("INSERT INTO settings VALUES ('world.seed', '1'), ('world.secret', '00ff')")
        connection.execute(
            "INSERT INTO apps VALUES ('6k', 's', '7', 'Old', 'http://localhost/', '', 'public', 'published', '', 'strict', 'lives', 60, 1)"
        )
        connection.execute("PRAGMA user_version = 1")

    for _ in range(2):
        async with running(folder) as sandbox:
            world = await sandbox.world()
            assert [each["email"] for each in world["developers"]] == [SEEDED]
            assert [each["developer"] for each in world["apps"]] == [SEEDED]
