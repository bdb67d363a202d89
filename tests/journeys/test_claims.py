"""An install without a state waits for its owner: nobody gets it without a login, a customer and two deliberate steps."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import httpx2
import pytest

from evergrant import postgres
from evergrant.store import sealing
from tests.hub_fixture import PASSWORD, a_hub
from tests.journeys.claiming import (
    OTHER_EMAIL,
    OTHER_PASSWORD,
    another_workspace,
    claimed,
    confirmation,
    connections,
    field,
    installed,
    log_in,
    sql,
    told,
    types,
)
from tests.sandbox_fixture import Sandbox
from tests.world_fixture import KEY, World, settle

CLAIM_PAGE = "https://app.acme.example/tiktok"


def exchanges(world: World) -> int:
    """How often a code was shown to the platform."""
    return len([entry for entry in world.sandbox.log(kind="token") if entry["path"].endswith("/get")])


@pytest.mark.requirement("R-TTS-8", "R-TTS-9", "R-TTS-10")
async def test_an_install_from_the_store_is_connected_after_a_login_and_two_steps(world: World) -> None:
    """Without a state it is neither refused nor believed: it waits, sealed, until somebody of the team says whose it is."""
    seller = world.hub.new_browser()
    claim_id = await installed(world, seller)
    sent_on = await seller.get(f"/claims/{claim_id}")
    assert (303, f"/login?next=/claims/{claim_id}") == (sent_on.status_code, sent_on.headers["location"])
    assert [] == await connections(world)
    assert ["claim.waiting"] == await types(world)
    await log_in(seller)
    assert "1 authorization waits" in (await seller.get("/dashboard")).text
    page = await seller.get(f"/claims/{claim_id}")
    assert [] == [name for name in ("Harbour Lane", "Acme Sync", "Step 1 of 2") if name not in page.text]
    nobody = await seller.get(f"/claims/{claim_id}/confirm")
    assert (422, "invalid_request") == told(nobody)
    connection_id = await claimed(world, seller, claim_id)

    found = await world.connection(connection_id)
    assert ("active", world.merchant_id) == (found["status"], found["merchant_id"])
    assert await is_the_platforms(world, connection_id)
    assert {"connection.authorized", "claim.claimed"} <= set(await world.events(connection_id))
    assert 0 == await sql(world, "select count(*) from data_keys where owner_id = $1", claim_id)
    assert (409, "claim_taken") == told(await seller.get(f"/claims/{claim_id}"))
    actions = await sql(world, "select array_agg(action order by position) from audit where subject = $1", claim_id)
    assert ["claim.arrived", "claim.waiting", "claim.claimed"] == actions


async def test_a_session_alone_attaches_nothing(world: World) -> None:
    """An attacker's code in a victim's browser, however it is loaded: the victim's workspace is as it was (TS-06)."""
    victim = world.hub.new_browser()
    await log_in(victim)
    before = await connections(world)
    for dest in ("image", "iframe", "script", "empty"):
        loaded = await victim.get(world.consent(None), headers={"sec-fetch-dest": dest})
        assert (400, "state_missing") == told(loaded)
    assert 0 == exchanges(world)
    claim_id = await installed(world, victim)
    page = await victim.get(f"/claims/{claim_id}")
    assert "Harbour Lane" in page.text
    form = await confirmation(victim, claim_id, world.merchant_id)

    assert (403, "csrf_failed") == told(await victim.post(f"/claims/{claim_id}", data=form | {"csrf": "none"}))
    assert (403, "csrf_failed") == told(await victim.post(f"/claims/{claim_id}", data={"workspace": form["workspace"]}))
    assert before == await connections(world) == []
    assert ["claim.waiting"] == await types(world)


async def test_only_the_browser_that_brought_it_can_claim_it(world: World) -> None:
    """From every other browser it is as if it were not there, for the owner too; the list says what to do."""
    seller, owner = world.hub.new_browser(), world.hub.new_browser()
    claim_id = await installed(world, seller)
    await log_in(owner)
    missing = await owner.get("/claims/clm_none")
    form = {"csrf": field(await owner.get("/claims"), "csrf"), "workspace": world.hub.tenant_id}

    for path in (f"/claims/{claim_id}", f"/claims/{claim_id}/confirm"):
        assert told(missing) == told(await owner.get(path)) == (404, "not_found")
    assert (404, "not_found") == told(
        await owner.post(f"/claims/{claim_id}", data=form | {"merchant_id": world.merchant_id})
    )
    listed = (await owner.get("/claims")).text
    assert ("send the seller a link" in listed, ">Claim</a>" in listed) == (True, False)
    assert 303 == (await owner.post(f"/claims/{claim_id}/dismiss", data=form)).status_code
    await log_in(seller)
    assert (410, "claim_dismissed") == told(await seller.get(f"/claims/{claim_id}"))
    assert 0 == await sql(world, "select count(*) from data_keys where owner_id = $1", claim_id)


async def test_the_workspace_the_page_named_is_the_one_that_gets_it(world: World) -> None:
    """The login changed between page and button, or is another workspace's from the start: 409, and nothing moves."""
    browser = world.hub.new_browser()
    claim_id = await installed(world, browser)
    await log_in(browser)
    form = await confirmation(browser, claim_id, world.merchant_id)
    other, tenant = await another_workspace(world)
    await log_in(browser, OTHER_EMAIL, OTHER_PASSWORD)

    assert (409, "claim_other_workspace") == told(await browser.get(f"/claims/{claim_id}"))
    assert (409, "claim_other_workspace") == told(await browser.post(f"/claims/{claim_id}", data=form))
    assert (404, "not_found") == told(await other.hub.api.get(f"/v1/claims/{claim_id}"))
    assert [] == await types(world, tenant)
    await log_in(browser)
    page = await confirmation(browser, claim_id, world.merchant_id)
    wrong = await browser.post(f"/claims/{claim_id}", data=page | {"workspace": tenant})
    assert (409, "claim_other_workspace") == told(wrong)
    assert "active" == (await world.connection(await claimed(world, browser, claim_id)))["status"]


async def test_who_claims_is_there_just_now_and_may(world: World) -> None:
    """A password entered eleven minutes ago is asked for again; a viewer claims nothing."""
    browser = world.hub.new_browser()
    claim_id = await installed(world, browser)
    await log_in(browser)
    await sql(world, "update logins set confirmed_at = now() - interval '11 minutes' returning 1")
    form = await confirmation(browser, claim_id, world.merchant_id)
    asked = await browser.post(f"/claims/{claim_id}", data=form)
    assert ("Your password, once more" in asked.text, "x-error-code" in asked.headers) == (True, False)
    assert (401, "login_failed") == told(await browser.post(f"/claims/{claim_id}", data=form | {"password": "no"}))
    await sql(world, "update password_tries set tries = 10 where succeeded_at is not null returning 1")
    assert (401, "login_failed") == told(await browser.post(f"/claims/{claim_id}", data=form | {"password": "no"}))
    guessed = await browser.post(f"/claims/{claim_id}", data=form | {"password": PASSWORD})
    assert (429, "too_many_tries") == told(guessed)
    await sql(world, "update password_tries set next_at = now() returning 1")
    await sql(world, "update people set role = 'viewer' returning 1")
    assert "may look at this but not claim it" in (await browser.get(f"/claims/{claim_id}")).text
    given = form | {"password": PASSWORD}
    assert (403, "not_permitted") == told(await browser.post(f"/claims/{claim_id}", data=given))
    assert [] == await connections(world)
    await sql(world, "update people set role = 'operator' returning 1")

    assert 303 == (await browser.post(f"/claims/{claim_id}", data=given)).status_code
    assert ["active"] == [known["status"] for known in await connections(world)]


async def test_what_nobody_claims_is_destroyed_with_its_key(world: World) -> None:
    """After a day: 410 at once, and the sweep takes the data key; nothing is left to open (TS-06)."""
    browser = world.hub.new_browser()
    claim_id = await installed(world, browser)
    await log_in(browser)
    form = await confirmation(browser, claim_id, world.merchant_id)
    await sql(world, "update claims set expires_at = now() - interval '1 second' returning 1")

    assert (410, "claim_expired") == told(await browser.post(f"/claims/{claim_id}", data=form))
    assert 1 == await sql(world, "select count(*) from data_keys where owner_id = $1", claim_id)
    await world.hub.work()
    assert 0 == await sql(world, "select count(*) from data_keys where owner_id = $1", claim_id)
    assert await sql(world, "select pair_sealed is null and state = 'expired' from claims")
    assert (410, "claim_expired") == told(await browser.get(f"/claims/{claim_id}"))
    assert ["claim.waiting", "claim.expired"] == await types(world)


async def test_two_claim_at_once_and_one_wins(world: World) -> None:
    """Sixteen presses of one button: one connection, fifteen are told that it is done."""
    browser = world.hub.new_browser()
    claim_id = await installed(world, browser)
    await log_in(browser)
    form = await confirmation(browser, claim_id, world.merchant_id)
    answers = await asyncio.gather(*(browser.post(f"/claims/{claim_id}", data=form) for _ in range(16)))

    assert [303] + [409] * 15 == sorted(answer.status_code for answer in answers)
    assert {"claim_taken"} == {answer.headers["x-error-code"] for answer in answers if answer.status_code == 409}
    assert 1 == len(await connections(world))
    assert 1 == (await types(world)).count("connection.authorized")


async def test_a_claim_that_ends_while_its_key_is_read_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever read the grant just before somebody else took it finds no key, and no error of ours."""
    browser = world.hub.new_browser()
    claim_id = await installed(world, browser)
    await log_in(browser)
    form = await confirmation(browser, claim_id, world.merchant_id)
    key_of = sealing.key_of

    async def gone(*given: Any) -> Any:
        if given[3] == claim_id:
            monkeypatch.undo()
            assert 303 == (await browser.post(f"/claims/{claim_id}", data=form)).status_code
        return await key_of(*given)

    monkeypatch.setattr(sealing, "key_of", gone)
    late = await browser.post(f"/claims/{claim_id}", data=form)

    assert (409, "claim_taken") == (late.status_code, late.headers["x-error-code"])


async def test_one_code_is_one_claim_however_often_it_is_loaded(world: World) -> None:
    """Sixteen loads at once: one row, one token call; a reload in that browser leads there, another browser is refused."""
    back = world.consent(None)
    browsers = [world.hub.new_browser() for _ in range(16)]
    answers = await asyncio.gather(*(browser.get(back) for browser in browsers))

    assert [303] + [409] * 15 == sorted(answer.status_code for answer in answers)
    first = next(browser for browser, answer in zip(browsers, answers, strict=True) if answer.status_code == 303)
    again = await first.get(back)
    assert (303, 1, 1) == (again.status_code, exchanges(world), await sql(world, "select count(*) from claims"))
    assert (409, "state_already_used") == told(await world.hub.new_browser().get(back))
    assert 1 == exchanges(world)
    assert 303 == (await first.get(again.headers["location"])).status_code


async def test_a_code_that_brings_nothing_says_so_to_who_brought_it(world: World) -> None:
    """Refused, lost, unreadable: the page says which, nothing waits, and the code is not shown twice."""
    browser, callback = world.hub.new_browser(), f"/cb/tiktok-shop/{world.app_id}"
    made_up = await browser.get(callback, params={"code": "TTP_made_up"})
    assert (400, "code_refused") == told(await browser.get(made_up.headers["location"]))
    as_state = {"code": "x", "state": f"code|{world.app_id}|TTP_made_up"}  # what the code is known by is no state
    assert (400, "state_unknown") == told(await browser.get(callback, params=as_state))
    world.sandbox.post("/faults", {"kind": "token", "path": "/api/v2/token/get", "action": "lose_reply", "times": 1})
    lost = await browser.get(f"/claims/{await installed(world, browser)}")
    assert (409, "exchange_outcome_lost") == told(lost)
    unread = await installed(world, browser, scopes=["seller.order.info"])
    assert (422, "shops_not_readable") == told(await browser.get(f"/claims/{unread}"))
    await world.hub.work()

    assert 3 == exchanges(world)
    assert [] == (await world.hub.api.get("/v1/claims")).json()["items"] == await connections(world)
    await sql(world, "update claims set ended_at = now() - interval '2 days' returning 1")
    await world.hub.work()
    assert 0 == await sql(world, "select (select count(*) from claims) + (select count(*) from authorization_requests)")


async def test_codes_somebody_makes_up_are_let_in_so_many_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those beyond are not shown and not kept; the page looks again by itself, and then a seller's code is as good as ever."""
    monkeypatch.setattr(world.hub.ports.books.quarantine, "_a_minute", 10)
    callback, browser, seller = f"/cb/tiktok-shop/{world.app_id}", world.hub.new_browser(), world.hub.new_browser()
    claim_id = await installed(world, seller)  # what proved to be something does not count
    made_up = [await browser.get(callback, params={"code": f"TTP_made_up_{number}"}) for number in range(10)]
    assert [303] * 10 == [answer.status_code for answer in made_up]
    cookies = [name for name in browser.cookies if name.startswith("eg_claim_")]
    assert 8 == len(cookies)
    assert f"eg_claim_{made_up[-1].headers['location'].removeprefix('/claims/clm_')}" in cookies
    back = world.consent(None)
    shown = exchanges(world)
    held_up = await seller.get(back)
    assert (429, "too_many_arrivals") == told(held_up)
    assert ("60", "60") == (held_up.headers["retry-after"], held_up.headers["refresh"])
    assert "in a minute" in held_up.text
    assert 303 == (await seller.get(f"/claims/{claim_id}")).status_code
    assert shown == exchanges(world)
    assert 0 == await sql(world, "select count(*) from claims where state = 'arriving'")

    assert await sql(world, "update claims set arrived_at = arrived_at - interval '1 minute' returning 1")
    assert 303 == (await seller.get(back)).status_code
    assert shown + 1 == exchanges(world)
    assert 2 == await sql(world, "select count(*) from claims where state = 'waiting'")


async def test_a_platform_that_is_away_is_asked_again_by_a_worker(world: World) -> None:
    """The page says that it goes on; the shops are read later, and then it waits for its owner."""
    world.sandbox.post(
        "/faults", {"kind": "api", "path": "/authorization/*", "action": "status", "status": 500, "times": 1}
    )
    browser = world.hub.new_browser()
    claim_id = await installed(world, browser)
    waiting = await browser.get(f"/claims/{claim_id}")
    assert (202, "2") == (waiting.status_code, waiting.headers["refresh"])
    await sql(world, "update authorization_requests set lease_until = now() - interval '1 second' returning 1")
    await world.hub.work()

    assert "waiting" == (await world.hub.api.get(f"/v1/claims/{claim_id}")).json()["status"]
    assert 1 == exchanges(world)


@pytest.mark.requirement("R-TTS-9", "R-TTS-10")
async def test_the_vendors_own_login_finishes_it_through_the_api(
    database_server: postgres.Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    """With a claim_url the seller is led to the vendor's login, whose backend claims with the token the seller brings."""
    async with a_hub(database_server, tmp_path, sandbox_url=sandbox.url, return_urls=CLAIM_PAGE) as hub:
        world = await settle(hub, sandbox, claim_url=CLAIM_PAGE)
        stranger = {"key": "6x", "secret": "x", "service_id": "1", "claim_url": "https://evil.example"}
        assert (422, "invalid_request") == told(await hub.api.post("/v1/apps", json=stranger))
        browser = hub.new_browser()
        claim_id = await installed(world, browser)
        led = await browser.get(f"/claims/{claim_id}")
        address = httpx2.URL(led.headers["location"])
        token = address.params["claim_token"]
        assert (CLAIM_PAGE, claim_id) == (f"{address.scheme}://{address.host}{address.path}", address.params["claim"])
        assert token not in (await sql(world, "select string_agg(c::text, ' ') from claims c"))
        (waiting,) = (await hub.api.get("/v1/claims")).json()["items"]
        assert ("waiting", "unknown_shop", "Harbour Lane") == (
            waiting["status"],
            waiting["reason"],
            waiting["shops"][0]["name"],
        )
        path, given = f"/v1/claims/{claim_id}", {"merchant_id": world.merchant_id}
        assert [] == await connections(world)

        assert (403, "claim_token_missing") == told(await hub.api.post(path, json=given))
        assert (403, "claim_token_wrong") == told(await hub.api.post(path, json=given | {"claim_token": token[:-1]}))
        other, _tenant = await another_workspace(world)
        for body in ({"merchant_id": other.merchant_id, "claim_token": token}, {"merchant_id": "mer_none"}):
            theirs, missing = [await other.hub.api.post(where, json=body) for where in (path, "/v1/claims/clm_none")]
            assert (404, theirs.json()["error"]["message"]) == (missing.status_code, missing.json()["error"]["message"])
        strange = {"merchant_id": other.merchant_id, "claim_token": token}
        assert (404, "not_found") == told(await hub.api.post(path, json=strange))
        assert [] == await connections(world)
        assert 0 == await sql(world, "select count(*) from tokens")
        answers = await asyncio.gather(*(hub.api.post(path, json=given | {"claim_token": token}) for _ in range(4)))
        assert [200, 409, 409, 409] == sorted(answer.status_code for answer in answers)
        done = (await hub.api.get(path)).json()
        assert ("claimed", "active") == (done["status"], (await world.connection(done["connection_id"]))["status"])
        assert await is_the_platforms(world, done["connection_id"])


async def is_the_platforms(world: World, connection_id: str) -> bool:
    """Whether both halves of the pair that is bound are those the platform gave for its one grant."""
    (grant,) = world.sandbox.get("/grants", app=KEY)["items"]
    access = (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).json()["access_token"]
    refresh = await sql(world, "select encode(refresh_hash, 'hex') from tokens where connection_id = $1", connection_id)
    given = (grant["access_token_sha256"], grant["refresh_token_sha256"])
    return given == (hashlib.sha256(access.encode()).hexdigest(), refresh)


async def test_the_api_dismisses(world: World) -> None:
    """Dismissed, the pair is gone for good, and it cannot be claimed any more; another workspace's id is no id."""
    claim_id = await installed(world, world.hub.new_browser())
    other, _tenant = await another_workspace(world)
    assert (404, "not_found") == told(await other.hub.api.post(f"/v1/claims/{claim_id}/dismiss"))
    gone = await world.hub.api.post(f"/v1/claims/{claim_id}/dismiss")

    assert (200, "dismissed") == (gone.status_code, gone.json()["status"])
    assert (410, "claim_dismissed") == told(await world.hub.api.post(f"/v1/claims/{claim_id}/dismiss"))
    assert 0 == await sql(world, "select count(*) from data_keys where owner_id = $1", claim_id)


async def test_a_link_answered_with_a_shop_nobody_holds_can_be_claimed(world: World) -> None:
    """`wrong_shop` keeps the other shop's grant for the browser that brought it: add it as new, or try again (TS-08)."""
    renewing = await world.linked()
    browser = world.hub.new_browser()
    link = await world.link_session(purpose="renew", connection_id=renewing)
    outlet = str(world.seller["shops"][1]["id"])
    await browser.get(world.consent(await world.depart(browser, link), shop_id=outlet))
    (waiting,) = (await world.hub.api.get("/v1/claims")).json()["items"]
    assert ("wrong_shop", outlet) == (waiting["reason"], waiting["shops"][0]["id"])
    await log_in(browser)
    added = await claimed(world, browser, waiting["id"])

    assert added != renewing
    assert outlet == (await world.connection(added))["shops"][0]["id"]
    assert world.shop_id == (await world.connection(renewing))["shops"][0]["id"]
