"""How long a login lasts: until nobody is there, however many pages stand open."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import pytest

from evergrant.web import live
from tests.hub_fixture import EMAIL, PASSWORD, Hub

BACKGROUND = ("/dashboard/shops", "/connections/con_none/state", "/dashboard/links/lnk_none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who logged in."""

    hub: Hub
    person: httpx2.AsyncClient
    csrf: str

    async def idle(self, minutes: int) -> None:
        """Let time pass since the login was used."""
        async with self.hub.parts.database.connection() as connection:
            await connection.execute("update logins set seen_at = seen_at - $1::interval", timedelta(minutes=minutes))

    async def age(self, hours: int) -> None:
        """Let time pass since the login began."""
        async with self.hub.parts.database.connection() as connection:
            await connection.execute("update logins set created_at = created_at - $1::interval", timedelta(hours=hours))

    async def status(self, path: str) -> int:
        """What a page answers."""
        return (await self.person.get(path, headers={"hx-request": "true"})).status_code


@pytest.fixture
async def visit(hub: Hub) -> Visit:
    """Somebody who logged in just now."""
    person = hub.new_browser()
    found = re.search(r'name="csrf" value="([^"]+)"', (await person.get("/login")).text)
    assert found
    await person.post("/login", data={"csrf": found[1], "email": EMAIL, "password": PASSWORD})
    found = re.search(r'name="csrf" value="([^"]+)"', (await person.get("/connect")).text)
    assert found
    return Visit(hub=hub, person=person, csrf=found[1])


async def test_an_open_page_alone_keeps_nobody_logged_in(visit: Visit) -> None:
    """What a page fetches by itself does not count; what somebody opens does."""
    await visit.idle(29)
    assert [200, 404, 404] == [await visit.status(path) for path in BACKGROUND]
    await visit.idle(2)
    assert [401, 401, 401] == [await visit.status(path) for path in BACKGROUND]
    assert 401 == await visit.status("/dashboard")


async def test_whoever_opens_a_page_stays(visit: Visit) -> None:
    """Opening the Dashboard begins the half hour anew."""
    await visit.idle(29)
    assert 200 == await visit.status("/dashboard")
    await visit.idle(29)

    assert 200 == await visit.status("/dashboard/shops")


@pytest.mark.parametrize("ending", ["logout", "idle", "old"])
async def test_a_live_page_ends_with_the_login(visit: Visit, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Logged out, idle for half an hour, or half a day old: the stream ends, even while things keep changing."""
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.1)
    stream = asyncio.create_task(visit.person.get("/live"))
    await asyncio.sleep(0.5)
    assert not stream.done()
    match ending:
        case "logout":
            await visit.person.post("/logout", data={"csrf": visit.csrf})
        case "idle":
            await visit.idle(31)
        case _:
            await visit.age(13)
    got = await asyncio.wait_for(stream, timeout=5.0)

    assert got.text.count("event: changed") == 1
    assert got.text.count("event: beat") > 1
    again = await visit.hub.new_browser().get("/live", headers={"accept": "text/event-stream"})
    assert (401, "login_required") == (again.status_code, again.headers["x-error-code"])
