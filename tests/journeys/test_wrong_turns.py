"""Everything that can go wrong on the way to a consent and back: each has one clear answer, and nothing is lost."""

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from evergrant.assembly import provisioning
from evergrant.core.secret import Secret
from tests.world_fixture import KEY, World


def refused(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal; a page says it in a sentence, too."""
    assert "<h1>" in answer.text
    return answer.status_code, answer.headers["x-error-code"]


def exchanges(world: World) -> list[dict[str, Any]]:
    """Calls that showed a code to the platform."""
    return [entry for entry in world.sandbox.log(kind="token") if entry["path"].endswith("/get")]


async def pace(world: World) -> tuple[int, str | None]:
    """How often in a row the platform could not be used, and why the app rests, if it does."""
    async with world.hub.parts.database.connection() as connection:
        return tuple(await connection.fetchrow("select failures, why from app_paces"))


async def outcome(person: httpx2.AsyncClient, back: str) -> tuple[int, str]:
    """Come back, follow to the result page; its status and code."""
    first = await person.get(back)
    assert first.status_code == 303, first.text
    return refused(await person.get(first.headers["location"]))


async def test_a_state_nobody_was_given_is_refused_before_anything_is_sent(world: World) -> None:
    """Unknown, missing, or made up: no code is shown to the platform."""
    person = world.hub.new_browser()
    callback = f"/cb/tiktok-shop/{world.app_id}"

    assert (400, "state_unknown") == refused(await person.get(callback, params={"code": "x", "state": "forged"}))
    assert (400, "state_missing") == refused(await person.get(callback))
    assert (422, "invalid_request") == refused(await person.get(f"{callback}?code=x&state=a&state=b"))
    assert (404, "not_found") == refused(await person.get("/cb/tiktok-shop/app_none", params={"code": "x"}))
    assert (400, "app_mismatch") == refused(await person.get(f"/cb/tiktok/{world.app_id}", params={"code": "x"}))
    assert [] == exchanges(world)


@pytest.mark.parametrize("error", ["auth_denied", "access_denied"])
async def test_who_discards_an_install_from_the_store_reads_that_nothing_was_changed(world: World, error: str) -> None:
    """It comes without a state, as it was begun at the platform; there is nothing to start again."""
    person = world.hub.new_browser()

    back = await person.get(f"/cb/tiktok-shop/{world.app_id}", params={"code": "null", "error": error})

    assert "authorization_refused" == refused(back)[1]
    assert "nothing was changed" in back.text
    assert [] == exchanges(world)


async def test_a_return_in_another_browser_is_refused_and_the_first_can_still_finish(world: World) -> None:
    """Login CSRF (TS-01): without the cookie of the browser that left, nothing is exchanged or activated."""
    starter, victim = world.hub.new_browser(), world.hub.new_browser()
    link = await world.link_session()
    back = world.consent(await world.depart(starter, link))
    other = await world.link_session()
    await world.depart(victim, other)

    assert (403, "state_browser_mismatch") == refused(await world.hub.new_browser().get(back))
    assert (403, "state_browser_mismatch") == refused(await victim.get(back))
    assert [] == exchanges(world)
    assert 303 == (await starter.get(back)).status_code
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]


async def test_a_state_works_once(world: World) -> None:
    """The second return, by reload or by replay, is told so; the code was shown once."""
    person = world.hub.new_browser()
    back = world.consent(await world.depart(person, await world.link_session()))
    await person.get(back)

    assert (409, "state_already_used") == refused(await person.get(back))
    assert 1 == len(exchanges(world))


async def test_thirty_two_returns_at_once_have_one_winner(world: World) -> None:
    """The database judges the race: one exchange, 31 refusals (TS-02)."""
    person = world.hub.new_browser()
    back = world.consent(await world.depart(person, await world.link_session()))
    answers = await asyncio.gather(*(person.get(back) for _ in range(32)))

    assert [303] + [409] * 31 == sorted(answer.status_code for answer in answers)
    assert 1 == len(exchanges(world))


async def test_a_state_older_than_ten_minutes_is_refused(world: World) -> None:
    """Wall time: the database's own clock is the judge."""
    person = world.hub.new_browser()
    back = world.consent(await world.depart(person, await world.link_session()))
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update authorization_requests set expires_at = now() - interval '1 second'")

    assert (410, "state_expired") == refused(await person.get(back))
    assert [] == exchanges(world)


async def test_a_state_of_another_app_is_refused(world: World) -> None:
    """Mix-up (TS-04): the state names its app, and only that one's callback takes it."""
    given = {"key": "6other", "secret": "other", "service_id": "7", "base_urls": {"sandbox": world.sandbox.url}}
    other = (await world.hub.api.post("/v1/apps", json=given)).json()["id"]
    person = world.hub.new_browser()
    back = world.consent(await world.depart(person, await world.link_session()))

    assert (400, "app_mismatch") == refused(await person.get(back.replace(world.app_id, other)))
    assert [] == exchanges(world)


@pytest.mark.parametrize("query", ["code=null&error=auth_denied", "error=access_denied&code=null"])
async def test_a_seller_who_discards_is_told_that_nothing_changed(world: World, query: str) -> None:
    """Both documented spellings (wire sheet 1.4); the same link works again afterwards."""
    person = world.hub.new_browser()
    link = await world.link_session()
    state = await world.depart(person, link)
    back = f"/cb/tiktok-shop/{world.app_id}?{query}&state={state}"

    assert (403, "authorization_refused") == await outcome(person, back)
    assert [] == exchanges(world)
    back = world.consent(await world.depart(person, link))
    assert 303 == (await person.get(back)).status_code
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]


@pytest.mark.parametrize("query", ["code=null", "code=", ""])
async def test_a_return_without_a_code_is_told_so(world: World, query: str) -> None:
    """`code=null` without an error, an empty code, none at all."""
    person = world.hub.new_browser()
    state = await world.depart(person, await world.link_session())
    back = f"/cb/tiktok-shop/{world.app_id}?{query}&state={state}"

    assert (400, "code_missing") == await outcome(person, back)
    assert [] == exchanges(world)


async def test_a_code_the_platform_refuses_ends_the_request_clearly(world: World) -> None:
    """A made-up code: refused for good, and not shown again. But the platform is there: what was open closes."""
    for _ in range(5):
        await world.hub.ports.books.paces.unreached(world.app_id)
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update app_paces set shut_until = now()")
    person = world.hub.new_browser()
    state = await world.depart(person, await world.link_session())
    back = f"/cb/tiktok-shop/{world.app_id}?code=TTP_made_up&state={state}"

    assert (400, "code_refused") == await outcome(person, back)
    await world.hub.work()
    assert 1 == len(exchanges(world))
    assert (0, None) == await pace(world)


async def test_a_wrong_app_secret_marks_the_app_and_no_seller(world: World) -> None:
    """One alarm at the app; the seller is told that there is nothing for them to do."""
    world.sandbox.post("/apps", {"kind": "shop", "key": KEY, "secret": "changed-at-the-platform"})
    person = world.hub.new_browser()
    back = world.consent(await world.depart(person, await world.link_session()))

    assert (409, "app_credentials_invalid") == await outcome(person, back)
    (app,) = (await world.hub.api.get("/v1/apps")).json()["items"]
    assert app["credentials_refused_at"]
    assert (0, "credentials_refused") == await pace(world)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"action": "status", "status": 500, "envelope": False}, "exchange_outcome_lost"),
        ({"action": "truncate", "after_bytes": 40}, "exchange_outcome_lost"),
        ({"action": "wrong_type"}, "exchange_outcome_lost"),
        ({"action": "lose_reply"}, "exchange_outcome_lost"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_not_guessed_at(world: World, fault: dict[str, Any], code: str) -> None:
    """The code may be used up: start again, nothing half-done is left, and the code is not shown twice."""
    world.sandbox.post("/faults", {"kind": "token", "path": "/api/v2/token/get"} | fault)
    person = world.hub.new_browser()
    link = await world.link_session()
    back = world.consent(await world.depart(person, link))

    assert (409, code) == await outcome(person, back)
    assert (1, None) == await pace(world)
    await world.hub.work()
    assert 1 == len(exchanges(world))
    assert [] == (await world.hub.api.get("/v1/connections")).json()["items"]
    world.sandbox.http.delete("/_sandbox/faults")
    assert 303 == (await person.get(world.consent(await world.depart(person, link)))).status_code
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]


async def test_shops_that_cannot_be_read_are_asked_for_again_by_a_worker(world: World) -> None:
    """The pair is kept, the page says it is being finished, and a worker finishes it without a new consent."""
    world.sandbox.post(
        "/faults", {"kind": "api", "path": "/authorization/*", "action": "status", "status": 500, "times": 1}
    )
    person = world.hub.new_browser()
    link = await world.link_session()
    first = await person.get(world.consent(await world.depart(person, link)))
    waiting = await person.get(first.headers["location"])
    assert (202, "open") == (waiting.status_code, waiting.headers["x-link-outcome"])

    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update authorization_requests set lease_until = now()")
    await world.hub.work()
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]
    assert 1 == len(exchanges(world))


async def test_a_consent_that_does_not_show_its_shop_is_set_aside(world: World) -> None:
    """The seller withheld the permission to see the shop: said so, kept sealed, and not asked for ever."""
    person = world.hub.new_browser()
    back = world.consent(await world.depart(person, await world.link_session()), scopes=["seller.order.info"])

    assert (422, "shops_not_readable") == await outcome(person, back)
    await world.hub.work()
    assert 1 == len([entry for entry in world.sandbox.log(kind="api") if entry["path"].startswith("/authorization")])
    assert [] == (await world.hub.api.get("/v1/connections")).json()["items"]


async def test_a_platform_that_is_away_is_waited_for(world: World) -> None:
    """Nothing left us, so the code is still good: a worker exchanges it when the platform is back."""
    person = world.hub.new_browser()
    link = await world.link_session()
    back = world.consent(await world.depart(person, link))
    world.sandbox.post("/faults", {"kind": "token", "action": "status", "status": 429, "retry_after": 0, "times": 1})
    first = await person.get(back)
    assert 202 == (await person.get(first.headers["location"])).status_code

    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update authorization_requests set lease_until = now()")
        await connection.execute("update app_paces set shut_until = now()")
    await world.hub.work()
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]


async def test_the_wrong_shop_at_renewal_changes_nothing_and_says_so(world: World) -> None:
    """Renewal of shop A answered for shop B: A keeps its authorization, B is not connected, the pair is kept aside."""
    connection_id = await world.linked(period="30d")
    before = await world.connection(connection_id)
    person = world.hub.new_browser()
    link = await world.link_session(purpose="renew", connection_id=connection_id)
    other = str(world.seller["shops"][1]["id"])
    back = world.consent(await world.depart(person, link), shop_id=other)

    assert (409, "wrong_shop") == await outcome(person, back)
    after = await world.connection(connection_id)
    assert before["authorization_expires_at"] == after["authorization_expires_at"]
    assert 1 == len((await world.hub.api.get("/v1/connections")).json()["items"])
    assert "link_session.wrong_shop" in await world.events(connection_id)
    assert 200 == (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).status_code


async def test_a_shop_of_another_customer_is_not_handed_over(world: World) -> None:
    """The connection that holds the shop keeps it, with the new pair; who asked gets nothing but the reason."""
    connection_id = await world.linked(period="30d")
    merchant = (await world.hub.api.post("/v1/merchants", json={"external_id": "b", "name": "Other"})).json()
    person = world.hub.new_browser()
    link = await world.link_session(merchant_id=merchant["id"])
    back = world.consent(await world.depart(person, link), period="365d")

    assert (409, "shop_already_connected") == await outcome(person, back)
    assert 1 == len((await world.hub.api.get("/v1/connections")).json()["items"])
    found = await world.connection(connection_id)
    assert (world.merchant_id, 365) == (found["merchant_id"], found["days_remaining"])
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
    await world.hub.work()
    assert 25 == len(await world.records(connection_id))


async def test_a_sandbox_token_is_refused_by_a_production_app(world: World) -> None:
    """TS-32: an app that speaks to the real platform does not take what a sandbox gave."""
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update apps set clock = 'wall'")
    person = world.hub.new_browser()
    back = world.consent(await world.depart(person, await world.link_session()))

    assert (409, "sandbox_token_in_production") == await outcome(person, back)
    assert [] == (await world.hub.api.get("/v1/connections")).json()["items"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("revoked_at = now()", (410, "link_revoked")),
        ("expires_at = now() - interval '1 second'", (410, "link_expired")),
        ("outcome = 'completed'", (409, "link_already_used")),
    ],
)
async def test_a_link_that_is_over_says_how(world: World, change: str, expected: tuple[int, str]) -> None:
    """Revoked, expired, used: the page says which, and offers no button."""
    link = await world.link_session()
    async with world.hub.parts.database.connection() as connection:
        await connection.execute(f"update link_sessions set {change}")  # noqa: S608
    answer = await world.hub.browser.get(urlsplit(link["url"]).path)

    assert expected == refused(answer)
    assert (404, "link_unknown") == refused(await world.hub.browser.get("/l/never-made"))


async def test_opening_a_link_uses_nothing_up(world: World) -> None:
    """Scanners open links in mails; only the button leaves, and only with the page's own token."""
    link = await world.link_session()
    path = urlsplit(link["url"]).path
    for _ in range(5):
        assert 200 == (await world.hub.new_browser().get(path)).status_code
    assert (403, "csrf_failed") == refused(await world.hub.new_browser().post(path))
    assert "completed" != (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]
    await world.depart(world.hub.new_browser(), link)


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
)
async def test_a_link_returns_nowhere_it_may_not(world: World, address: str) -> None:
    """TS-05: only paths of the hub's own, or registered addresses to the letter."""
    body = {"merchant_id": world.merchant_id, "app_id": world.app_id, "return_to": address}
    answer = await world.hub.api.post("/v1/link-sessions", json=body)

    assert (422, "invalid_request") == (answer.status_code, answer.json()["error"]["code"])


async def test_a_foreign_tenants_ids_answer_like_missing_ones(world: World) -> None:
    """Byte for byte, but for the request id."""
    connection_id = await world.linked()
    other = await provisioning.add_tenant(
        world.hub.parts, name="Rival", email="rival@example.test", person="", password=Secret("rival password")
    )
    headers = {"authorization": f"Bearer {other.api_key.reveal()}"}
    rival = world.hub.new_browser()

    async def answer(path: str, method: str = "GET") -> tuple[int, str]:
        got = await rival.request(method, path, headers=headers)
        return got.status_code, re.sub(r"req_\w+", "req", got.text)

    for path, method in (
        ("/v1/connections/{}", "GET"),
        ("/v1/connections/{}/token", "GET"),
        ("/v1/connections/{}/records?flow=orders", "GET"),
        ("/v1/connections/{}/timeline", "GET"),
        ("/v1/connections/{}/syncs", "POST"),
        ("/v1/connections/{}/pause", "POST"),
        ("/v1/connections/{}/disconnect", "POST"),
    ):
        assert await answer(path.format("con_none"), method) == await answer(path.format(connection_id), method)
    assert "active" == (await world.connection(connection_id))["status"]
