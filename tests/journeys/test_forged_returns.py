"""Whoever forges a return, an address or a visit gets nothing: login CSRF, open redirects, scanners, frames, messages."""

import random
import re
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlsplit

import evergrant
import evergrant_sandbox
from tests.hub_fixture import EMAIL, ORIGIN, PASSWORD
from tests.world_fixture import World

PAIRINGS = 200
SOURCES = [Path(package.__file__ or "").parent for package in (evergrant, evergrant_sandbox)]
EVIL = "evil.example"


async def test_no_pairing_of_browser_and_state_connects_another_ones_shop(world: World) -> None:
    """TS-01: two hundred returns in wrong browsers, with every header that pretends; then each state's own one finishes."""
    rolls = random.Random(4)
    browsers = [world.hub.new_browser() for _ in range(8)]
    links = [await world.link_session() for _ in browsers]
    states = [await world.depart(browser, link) for browser, link in zip(browsers, links, strict=True)]
    stranger = world.hub.new_browser()
    await signed_in(world, browsers[0])
    pretends = [{}, {"origin": ORIGIN}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "cross-site"}]
    told = set()
    for number in range(PAIRINGS):
        mine = number % len(states)
        other = rolls.choice([stranger, *(each for each in browsers if each is not browsers[mine])])
        path = f"/cb/tiktok-shop/{world.app_id}?code=TTP_x&state={states[mine]}"
        answer = await other.get(path, headers=pretends[number % len(pretends)])
        told.add((answer.status_code, answer.headers["x-error-code"]))

    assert {(403, "state_browser_mismatch")} == told
    assert [] == world.sandbox.log(kind="token")
    assert 303 == (await browsers[0].get(world.consent(states[0]))).status_code
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{links[0]['id']}")).json()["outcome"]


async def signed_in(world: World, browser: object) -> None:
    """A person of the tenant signs in with this browser."""
    assert browser is not None
    page = await world.hub.browser.get("/login")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    given = {"csrf": csrf[1], "email": EMAIL, "password": PASSWORD}
    assert 303 == (await world.hub.browser.post("/login", data=given)).status_code
    browser.cookies.update(world.hub.browser.cookies)  # type: ignore[attr-defined]


async def test_the_state_is_never_the_callers(world: World) -> None:
    """TS-02: a state in the request for a link is refused, and states share no beginning."""
    body = {"merchant_id": world.merchant_id, "app_id": world.app_id, "state": "mine"}
    assert 422 == (await world.hub.api.post("/v1/link-sessions", json=body)).status_code
    person, link = world.hub.new_browser(), await world.link_session()
    states = [await world.depart(person, link) for _ in range(10)]

    assert 10 == len({state[:6] for state in states})
    assert {43} == {len(state) for state in states}


async def signs_in_towards(world: World, payload: str) -> str:
    """Where a person is sent who signs in on the way to this address, and comes from elsewhere."""
    person = world.hub.new_browser()
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await person.get("/login")).text)
    assert csrf
    given = {"csrf": csrf[1], "email": EMAIL, "password": PASSWORD, "next": payload}
    went = await person.post("/login", data=given, headers={"referer": f"https://{EVIL}/"})
    assert 303 == went.status_code
    return str(went.headers["location"])


def payloads() -> list[str]:
    """Sixty ways to say "elsewhere"."""
    hosts = (
        EVIL,
        f"localhost:8080@{EVIL}",
        f"localhost:8080.{EVIL}",
        "\uff45vil\u3002example",
        f"{EVIL}%2f",
        f"{EVIL}:443",
    )
    shapes = ("//{}", "/\\{}", "\\\\{}", "https:{}", "https://{}", "http:/\\{}", "/\t/{}", "\t//{}", "/%2f{}", "///{}")
    return [shape.format(host) for shape in shapes for host in hosts]


async def test_no_address_leads_elsewhere(world: World) -> None:
    """TS-05: sixty payloads at every place that redirects, and in the headers some would trust."""
    hub = world.hub
    tried = [*payloads(), "javascript:alert(1)", "data:text/html,x", "%2f%2fevil.example", "/..;//evil.example"]
    body = {"merchant_id": world.merchant_id, "app_id": world.app_id}
    refused, places = set(), set()
    for payload in tried:
        made = await hub.api.post("/v1/link-sessions", json=body | {"return_to": payload})
        if made.status_code == 201:  # kept as a path of the hub's own: a browser must take it for one
            places.add(payload)
        refused.add(made.status_code)
    for number, payload in enumerate(tried):
        shown = await hub.new_browser().get(f"/login?next={quote(payload)}", headers={"host": EVIL})
        following = re.search(r'name="next" value="([^"]*)"', shown.text)
        assert following
        places.add(unescape(following[1]))
        if number % 16 == 0:
            places.add(await signs_in_towards(world, payload))
    back = await hub.new_browser().get(
        f"/cb/tiktok-shop/{world.app_id}?code=x", headers={"referer": f"https://{EVIL}/"}
    )

    assert refused <= {201, 422}
    assert 60 <= len(tried)
    places.add(back.headers.get("location", "/"))
    for place in places:
        assert re.match(r"/(?![/\\])", place), place
        assert not re.search(r"[\s\\]", place), place
        assert urlsplit(place).netloc == "", place


async def test_scanners_use_nothing_up_and_every_page_refuses_frames(world: World) -> None:
    """TS-10 and TS-12: five looks and three HEADs, then a person; and no page, error or not, may be framed."""
    link, scanner = await world.link_session(), world.hub.new_browser()
    path = urlsplit(link["url"]).path
    answers = [await scanner.get(path, headers={"user-agent": "LinkScanner"}) for _ in range(5)]
    answers += [await scanner.head(path) for _ in range(3)]
    person = world.hub.new_browser()
    gone = await person.get(world.consent(await world.depart(person, link)))
    answers += [gone, await person.get(gone.headers["location"])]
    await signed_in(world, person)
    pages = ["/dashboard", "/connect", "/dashboard/shops", "/login", "/help", "/nowhere", "/l/never-made"]
    pages += [f"/cb/tiktok-shop/{world.app_id}", "/done/lnk_none", "/v1/apps", "/claims", "/healthz"]
    answers += [await person.get(page) for page in pages]
    answers += [await person.post(path), await person.request("TRACE", path)]

    assert 200 == answers[9].status_code
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]
    for answer in answers:
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], answer.url
        assert "DENY" == answer.headers["x-frame-options"], answer.url


def test_no_script_speaks_to_every_origin() -> None:
    """TS-11: no message is posted to "*" by anything we serve."""
    ours = [
        path
        for source in SOURCES
        for pattern in ("*.js", "*.html")
        for path in source.rglob(pattern)
        if "assets" not in path.parts
    ]

    assert 10 < len(ours)
    assert [] == [path for path in ours if re.search(r"postMessage\([^)]*['\"`]\*", path.read_text(encoding="utf-8"))]
