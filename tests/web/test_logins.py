"""How long a login lasts: until nobody is there, however many pages stand open."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import pytest

from evergrant.store import people, tries
from evergrant.web import live
from tests.hub_fixture import EMAIL, ORIGIN, PASSWORD, Hub

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
    await asyncio.sleep(1.0)
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


def browser_at(hub: Hub, address: str) -> httpx2.AsyncClient:
    """A browser that comes from this address."""
    transport = httpx2.ASGITransport(app=hub.transport.app, client=(address, 4711))
    return httpx2.AsyncClient(transport=transport, base_url=ORIGIN)


async def tried(browser: httpx2.AsyncClient, email: str = EMAIL, password: str = "wrong") -> tuple[int, str]:
    """Status and code of a try to log in."""
    found = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/login")).text)
    assert found
    answer = await browser.post("/login", data={"csrf": found[1], "email": email, "password": password})
    if answer.status_code == 429:
        assert re.search(r"Wait (\d+) second", answer.text)
        assert 0 < int(answer.headers["retry-after"]) <= tries.HERE.longest
    return answer.status_code, answer.headers.get("x-error-code", "")


async def counted(hub: Hub, count: int, *keys: bytes) -> None:
    """So many wrong tries, just now; at these places only, if any are named."""
    async with hub.parts.database.connection() as connection:
        await connection.execute(
            "update password_tries set tries = $1, next_at = now() where $2 or key = any($3)", count, not keys, keys
        )


async def test_whoever_guesses_waits_and_the_owner_does_not(hub: Hub) -> None:
    """The right password is not looked at either, for accounts that are and accounts that are not; elsewhere it is let in."""
    wrong, too_many = (401, "login_failed"), (429, "too_many_tries")
    guesser, owner = browser_at(hub, "2001:db8::1"), browser_at(hub, "10.0.0.2")
    told = {}
    for email in (EMAIL, "nobody@acme.example"):
        told[email] = [await tried(guesser, email)]
        await counted(hub, tries.HERE.free + 5)
        told[email] += [await tried(guesser, email), await tried(guesser, email.upper(), PASSWORD)]
    assert [wrong, wrong, too_many] == told[EMAIL] == told["nobody@acme.example"]
    assert too_many == await tried(browser_at(hub, "2001:db8::2"), "nobody@acme.example"), "one network, one guesser"

    await counted(hub, 0)
    assert wrong == await tried(guesser)
    assert (303, "") == await tried(owner, EMAIL, PASSWORD)
    for key, limit in (
        (tries._key("account", EMAIL), tries.ACCOUNT),
        (tries._key("address", "10.0.0.3"), tries.ADDRESS),
    ):
        await counted(hub, 0)
        assert wrong == await tried(browser_at(hub, "10.0.0.3"))
        await counted(hub, limit.free + 5, key)
        stranger = browser_at(hub, "10.0.0.3")
        assert [wrong, too_many] == [await tried(stranger), await tried(stranger, EMAIL, PASSWORD)]
        owner._transport = httpx2.ASGITransport(app=hub.transport.app, client=("10.0.0.3", 4711))
        assert (303, "") == await tried(owner, EMAIL, PASSWORD), "a browser that has logged in is no stranger"

    waits = [tries.HERE.wait(count).total_seconds() for count in (4, 5, 6, 7, 10, 11, 10_000)]
    assert [0, 1, 2, 4, 32, 60, 60] == waits
    assert tries.ACCOUNT.wait(10_000).total_seconds() <= 30, "a stranger locks nobody out for long"


async def test_many_at_once_do_not_queue_for_ever(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would wait for more than a few seconds is told to come back, strangers first; a try not made is not counted."""
    known = hub.new_browser()
    assert (303, "") == await tried(known, EMAIL, PASSWORD)
    monkeypatch.setattr(hub.parts.people, "_waiting", people.WAITING)
    assert {(503, "passwords_busy")} == {await tried(hub.new_browser()) for _ in range(tries.HERE.free + 1)}
    assert (303, "") == await tried(known, EMAIL, PASSWORD)
    monkeypatch.setattr(hub.parts.people, "_waiting", people.WAITING_KNOWN)
    assert (503, "passwords_busy") == await tried(known, EMAIL, PASSWORD)


async def test_a_new_login_ends_the_earlier_one_of_the_browser(visit: Visit) -> None:
    """Whoever kept the old cookie has nothing; logins of other browsers stay."""
    other = visit.hub.new_browser()
    assert (303, "") == await tried(other, EMAIL, PASSWORD)
    earlier = visit.person.cookies["eg_login"]
    assert (303, "") == await tried(visit.person, EMAIL, PASSWORD)

    assert [200, 200] == [(await one.get("/dashboard")).status_code for one in (visit.person, other)]
    kept = httpx2.AsyncClient(transport=visit.hub.transport, base_url=ORIGIN, cookies={"eg_login": earlier})
    assert 303 == (await kept.get("/dashboard")).status_code
