"""A link brings one result, once; and whose shop it is, is told by the platform and by what has ended, never by order."""

from typing import Any

import httpx2
import pytest

from evergrant.jobs import timetable
from tests.world_fixture import KEY, World


async def sql(world: World, statement: str) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement)


async def outcome(browser: httpx2.AsyncClient, back: str) -> tuple[int, str | None]:
    """Status and code of the page a return ends on."""
    answer = await browser.get(back)
    if answer.status_code == 303:
        answer = await browser.get(answer.headers["location"])
    return answer.status_code, answer.headers.get("x-error-code")


async def sealed_hash(world: World) -> str:
    """The hash of the refresh token that stands."""
    return str(await sql(world, "select encode(refresh_hash, 'hex') from tokens"))


async def test_two_browsers_with_one_link_bring_one_result(world: World) -> None:
    """Both left before either came back: the second is told that the link was used, and connects nothing."""
    link = await world.link_session()
    first, second = world.hub.new_browser(), world.hub.new_browser()
    one = world.consent(await world.depart(first, link))
    other = world.consent(await world.depart(second, link), shop_id=str(world.seller["shops"][1]["id"]))

    assert 303 == (await first.get(one)).status_code
    assert (409, "link_already_used") == await outcome(second, other)
    assert 1 == len((await world.hub.api.get("/v1/connections")).json()["items"])


async def test_a_link_withdrawn_on_the_way_connects_nothing(world: World) -> None:
    """Whoever pressed its button before has a state still; it is not spent."""
    person, link = world.hub.new_browser(), await world.link_session()
    back = world.consent(await world.depart(person, link))
    assert 200 == (await world.hub.api.post(f"/v1/link-sessions/{link['id']}/revoke")).status_code

    assert (410, "link_revoked") == await outcome(person, back)
    assert [] == (await world.hub.api.get("/v1/connections")).json()["items"]
    assert [] == world.sandbox.log(kind="token")


async def test_an_older_consent_finished_late_does_not_replace_the_newer(world: World) -> None:
    """Its shops could not be read at first; by the time they can, a newer consent stands."""
    world.sandbox.post("/switches", {"old_pair_after_reconsent": "kept"})
    first, second = world.hub.new_browser(), world.hub.new_browser()
    older, newer = await world.link_session(), await world.link_session()
    world.sandbox.post("/faults", {"kind": "api", "action": "status", "status": 503, "times": 1})
    assert (202, None) == await outcome(first, world.consent(await world.depart(first, older)))
    world.sandbox.advance("1m")
    assert 303 == (await second.get(world.consent(await world.depart(second, newer)))).status_code
    stands = await sealed_hash(world)
    await sql(world, "update authorization_requests set lease_until = now() - interval '1 second' returning 1")
    await world.hub.work()
    session = (await world.hub.api.get(f"/v1/link-sessions/{older['id']}")).json()

    assert stands == await sealed_hash(world)
    assert 1 == await sql(world, "select count(*) from stray_pairs where why = 'consent_overtaken'")
    assert ("failed", "consent_overtaken") == (session["outcome"], session["code"])


async def test_a_grant_that_is_dead_on_arrival_is_not_asked_about_for_ever(world: World) -> None:
    """The seller consents and cancels at once: one question, one clear answer."""
    person, link = world.hub.new_browser(), await world.link_session()
    back = world.consent(await world.depart(person, link))
    gone = {"kind": "api", "action": "status", "status": 401, "code": 105002}
    world.sandbox.post("/faults", gone)

    assert (422, "shops_not_readable") == await outcome(person, back)
    await world.hub.work()
    assert 1 == len(world.sandbox.log(kind="api", app=KEY))


async def test_a_lost_exchange_is_not_given_up_while_its_answer_may_come(world: World) -> None:
    """`lost` is said of a request that still waits for its answer, and of no other."""
    person, link = world.hub.new_browser(), await world.link_session()
    world.sandbox.post("/faults", {"kind": "api", "action": "status", "status": 503, "times": 1})
    await person.get(world.consent(await world.depart(person, link)))
    await sql(world, "update authorization_requests set lease_until = now() - interval '1 second' returning 1")
    ((claimed, stage),) = await world.hub.ports.books.exchanges.take_unfinished(10)
    assert "answered" == stage
    await timetable.resume((claimed, "sent"), world.hub.ports)

    assert "finished" == await timetable.resume((claimed, "answered"), world.hub.ports)
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]


async def test_a_refusal_is_told_though_the_process_dies_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is spent and the reason known in one commit. What an older version left without a code is told, too."""
    person, refused = world.hub.new_browser(), await world.link_session()
    state = await world.depart(person, refused)
    with monkeypatch.context() as patch:
        patch.setattr(world.hub.ports.books.exchanges, "fail", None)  # the process does nothing more
        back = f"/cb/tiktok-shop/{world.app_id}?code=null&error=auth_denied&state={state}"
        assert (403, "authorization_refused") == await outcome(person, back)
    left = await world.link_session()
    await world.depart(person, left)
    await sql(
        world,
        """
        update authorization_requests set consumed_at = now(), exchange = 'waiting', lease_until = now() - interval '1 second'
        where consumed_at is null returning 1
        """,
    )
    await world.hub.work()
    codes = [(await world.hub.api.get(f"/v1/link-sessions/{each['id']}")).json()["code"] for each in (refused, left)]

    assert ["authorization_refused", "code_missing"] == codes
    assert [] == world.sandbox.log(kind="token")


async def test_a_shops_connection_that_was_let_go_is_not_brought_back_by_another_customer(world: World) -> None:
    """Disconnected, the shop is free: the other customer gets a connection of its own, the first one gets nothing."""
    let_go = await world.linked()
    assert 200 == (await world.hub.api.post(f"/v1/connections/{let_go}/disconnect")).status_code
    merchant = (await world.hub.api.post("/v1/merchants", json={"external_id": "b", "name": "Other"})).json()
    theirs = await world.linked(merchant_id=merchant["id"])

    assert theirs != let_go
    assert "cancelled" == (await world.connection(let_go))["status"]
    assert 409 == (await world.hub.api.get(f"/v1/connections/{let_go}/token")).status_code
    found = await world.connection(theirs)
    assert (merchant["id"], "active") == (found["merchant_id"], found["status"])
    assert 200 == (await world.hub.api.get(f"/v1/connections/{theirs}/token")).status_code


async def test_an_expired_connection_is_not_renewed_by_another_customers_link(world: World) -> None:
    """It has not let go of its shop, so the other customer is told; but nobody's consent brings somebody else's data back."""
    expired = await world.linked(period="30d")
    world.sandbox.advance("31d")
    await world.hub.work()
    merchant = (await world.hub.api.post("/v1/merchants", json={"external_id": "b", "name": "Other"})).json()
    person, link = world.hub.new_browser(), await world.link_session(merchant_id=merchant["id"])

    assert (409, "shop_already_connected") == await outcome(person, world.consent(await world.depart(person, link)))
    assert "expired" == (await world.connection(expired))["status"]
    assert 1 == await sql(world, "select count(*) from stray_pairs where why = 'shop_already_connected'")


@pytest.mark.parametrize("shop", [0, 1])
async def test_a_renewal_answered_with_another_shop_is_told_once_and_truly(world: World, shop: int) -> None:
    """Whether that shop is connected already (then it is renewed) or not: `wrong_shop`, once, and no other event."""
    renewing = await world.linked_elsewhere()
    if shop == 0:
        await world.linked(period="30d")
    merchant_id = (await world.connection(renewing))["merchant_id"]
    given = {"purpose": "renew", "connection_id": renewing, "merchant_id": merchant_id}
    person, link = world.hub.new_browser(), await world.link_session(**given)
    back = world.consent(await world.depart(person, link), shop_id=str(world.seller["shops"][shop]["id"]))

    assert (409, "wrong_shop") == await outcome(person, back)
    told = [kind for kind in await world.events(renewing) if kind.startswith("link_session.")]
    assert ["link_session.wrong_shop"] == [kind for kind in told if kind != "link_session.completed"]
