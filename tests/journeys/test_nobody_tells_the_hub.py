"""No notice comes: the hub finds out by itself, with one cheap call, and says that notices do not arrive."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from evergrant.actions import receive, watch
from evergrant.actions.ports import NotSentError
from evergrant.actions.watching import RETRY_SPAN
from evergrant.providers.wire import Reply, Request
from tests.hub_fixture import EMAIL, PASSWORD
from tests.world_fixture import KEY, World

SHOPS = "/authorization/202309/shops"


class Saying:
    """A platform that gives this answer to every call."""

    def __init__(self, *replies: Reply | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[str] = []

    async def send(self, request: Request, *, once: bool = False) -> Reply:  # noqa: ARG002  (the protocol's)
        """The next answer."""
        self.asked.append(request.url)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def send_all(self, requests: Sequence[Request]) -> Sequence[Reply | None]:
        """The next answers."""
        return [await self.send(request) for request in requests]


def shops_are(*shops: dict[str, str]) -> Reply:
    """The platform's list of a grant's shops."""
    listed = ",".join(
        f'{{"id":"{shop["id"]}","name":"{shop["name"]}","region":"GB","seller_type":"LOCAL","cipher":"{shop["cipher"]}"}}'
        for shop in shops
    )
    return Reply(status=200, body=f'{{"code":0,"message":"Success","data":{{"shops":[{listed}]}}}}'.encode())


def asked(world: World) -> int:
    """How often the platform was asked for the shops."""
    return len([entry for entry in world.sandbox.log(kind="api", app=KEY) if entry["path"] == SHOPS])


async def sql(world: World, statement: str, *given: Any) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement, *given)


async def quiet(world: World, connection_id: str) -> None:
    """The vendor pauses every flow: nobody calls the platform for this connection any more."""
    answer = await world.hub.api.post(f"/v1/connections/{connection_id}/pause")
    assert answer.status_code == 200, answer.text
    await world.hub.work()


def grant_of(world: World) -> str:
    """The platform's grant of the app."""
    return str(world.sandbox.get("/grants", app=KEY)["items"][0]["id"])


async def looks(world: World, minutes: int = 0, limit: int = 50) -> Sequence[Any]:
    """What would be looked at so many minutes from now."""
    at = await world.now() + timedelta(minutes=minutes)
    return await world.hub.ports.books.watches.take_due(world.sandbox.url, at, limit)


async def test_a_revocation_nobody_told_of_is_found_within_fifteen_minutes_and_told_once(world: World) -> None:
    """A connection without a flow of its own: one look finds it, one call verifies it, and no third one is made."""
    connection_id = await world.linked()
    await quiet(world, connection_id)
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    before = asked(world)
    world.sandbox.advance("10m")
    await world.hub.work()
    found = await world.connection(connection_id)
    calls = asked(world) - before
    world.sandbox.advance("1d")
    await world.hub.work()
    told = await world.events(connection_id)

    assert ("reauthorization_required", "call_refused") == (found["status"], found["reason"])
    assert (2, 2) == (calls, asked(world) - before)
    assert (1, 1) == (
        told.count("connection.suspended"),
        told.count("connection.reauthorization_required"),
    )


async def test_a_living_connection_is_looked_at_once_in_a_while_and_a_polled_one_never(world: World) -> None:
    """A flow's own poll is the proof; without one a single call is, spread, and not before the time is nearly up."""
    connection_id = await world.linked()
    await world.hub.work()
    before = asked(world)
    for _ in range(4):
        world.sandbox.advance("9m")
        await world.hub.work()
    polled = asked(world) - before
    assert 0 == await sql(world, "select count(*) from watches where due_at <= $1", await world.now())
    await quiet(world, connection_id)
    world.sandbox.advance("7m")
    await world.hub.work()
    early = asked(world) - before
    world.sandbox.advance("4m")
    await world.hub.work()
    await world.hub.work()

    assert (0, 0, 1) == (polled, early, asked(world) - before)
    assert "active" == (await world.connection(connection_id))["status"]


async def test_what_is_not_active_is_not_looked_at_and_looked_at_again_once_it_is(world: World) -> None:
    """Suspended is verified, ended is over; a new consent begins anew."""
    connection_id = await world.linked()
    await quiet(world, connection_id)
    await world.deliver(world.deauthorization(await world.now()))
    for row in await world.hub.ports.books.inbox.take(10):
        await world.hub.parts.ports.books.inbox.put_back(row, timedelta(0))
    assert 1 == len(await looks(world, 60))
    await sql(world, "update watches set lease_until = null")
    await world.hub.work()
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    await world.deliver(world.deauthorization(await world.now(), "7600000000000000008"))
    await world.hub.work()
    assert "cancelled" == (await world.connection(connection_id))["status"]
    assert [] == list(await looks(world, 60))

    world.sandbox.advance("1m")
    await world.linked(purpose="renew", connection_id=connection_id)
    assert [] == list(await looks(world))
    assert [connection_id] == [look.connection_id for look in await looks(world, 60)]


async def test_two_workers_share_an_apps_budget(world: World) -> None:
    """Five hundred due, and room for fifty; the next ones when the second has filled it again."""
    connection_id = await world.linked()
    await quiet(world, connection_id)
    await sql(
        world,
        """
        with made as (
            insert into connections select (c).* from (
                select jsonb_populate_record(c, jsonb_build_object('id', 'con_' || n)) as c
                from connections c, generate_series(1, 500) n) many returning tenant_id, id, app_id, clock)
        insert into watches (tenant_id, connection_id, app_id, clock, looked_at, compare_at, due_at)
        select tenant_id, id, app_id, clock, now(), now(), now() - interval '1 day' from made
        """,
    )
    await sql(world, "update app_watches set room = 1000, counted_at = now()")
    first = await looks(world, limit=500)
    second = await looks(world, limit=500)

    assert 50 == len({look.connection_id for look in first})
    assert 5 > len(second)


ANSWERS: tuple[tuple[Reply | Exception, str], ...] = (
    (NotSentError(), "unavailable"),
    (Reply(status=503, body=b"<html>"), "unavailable"),
    (Reply(status=401, body=b'{"code":105005,"message":"no scope"}'), "scope_missing"),
    (Reply(status=429, body=b"", retry_after=7), "throttled"),
    (Reply(status=400, body=b'{"code":36009004,"message":"Invalid app_key"}'), "misconfigured"),
    (Reply(status=401, body=b'{"code":106001,"message":"sign is invalid"}'), "misconfigured"),
    (Reply(status=400, body=b'{"code":36009004,"message":"Invalid timestamp"}'), "clock_wrong"),
    (Reply(status=401, body=b'{"code":105002,"message":"expired"}'), "token_expired"),
    (shops_are(), "no_shops"),
    (Reply(status=401, body=b'{"code":105001,"message":"deauthorized"}'), "suspended"),
)


async def test_only_one_answer_casts_doubt(world: World) -> None:
    """Of all a platform may say to the call, one says that the authorization is gone; the others cost a wait."""
    connection_id = await world.linked()
    for reply, outcome in ANSWERS:
        await sql(world, "update watches set lease_until = null, failures = 0, due_at = looked_at returning 1")
        await sql(world, "update apps set refused_at = null returning 1")
        (look,) = await looks(world, 1)
        assert outcome == await watch.one(look, replace(world.hub.ports, platform=Saying(reply)))
        (app,) = (await world.hub.api.get("/v1/apps")).json()["items"]
        status = (await world.connection(connection_id))["status"]

        assert (outcome == "suspended", outcome == "misconfigured") == (
            status == "suspended",
            app["credentials_refused_at"] is not None,
        )
        waits = await sql(world, "select failures = 1 and lease_until > now() from watches")
        assert waits == (outcome not in ("suspended", "scope_missing"))


async def test_shops_are_compared_by_day_whatever_the_polls_prove(world: World) -> None:
    """One that is gone pauses alone, one that joined begins, a new cipher is used; then nothing differs any more."""
    connection_id = await world.linked()
    await world.hub.work()
    (stays,) = (await world.connection(connection_id))["shops"]
    more = {"id": "7499", "name": "New Quay", "cipher": "ROW_new"}
    renamed = {"id": stays["id"], "name": "Harbour & Sons", "cipher": "ROW_other"}
    outcomes, flows = [], []
    for reply in (shops_are(renamed, more), shops_are(renamed, more), shops_are(more), shops_are(renamed, more)):
        await sql(world, "update watches set due_at = $1, compare_at = $1", await world.now())
        (look,) = await looks(world)
        outcomes.append(await watch.one(look, replace(world.hub.ports, platform=Saying(reply))))
        flows.append((await world.connection(connection_id))["flows"])
    states = {(flow["shop_id"], flow["state"], flow["reason"]) for flow in flows[2]}
    found = await world.connection(connection_id)
    kept = {shop["id"]: (shop["name"], shop["cipher"]) for shop in found["shops"]}
    log = (await world.hub.api.get(f"/v1/connections/{connection_id}/timeline", params={"limit": 200})).json()["items"]

    assert ["shops_changed", "proven", "shops_changed", "shops_changed"] == outcomes
    assert {
        (stays["id"], "paused", "shop_not_authorized"),
        ("7499", "running", None),
        ("7499", "not_carried", None),
    } == states
    assert {stays["id"]: ("Harbour & Sons", "ROW_other"), "7499": ("New Quay", "ROW_new")} == kept
    assert [
        {"joined": ["7499"], "gone": [], "changed": [stays["id"]]},
        {"joined": [], "gone": [stays["id"]], "changed": []},
        {"joined": [stays["id"]], "gone": [], "changed": []},
    ] == [item["data"] for item in log if item["type"] == "connection.shops_changed"]
    assert 3 == await sql(world, "select count(*) from audit where actor = 'watch' and action = 'connection.changed'")


async def test_a_shop_of_another_connection_stays_where_it_is(world: World) -> None:
    """The platform lists a shop for two grants of the app: the one that holds it keeps it."""
    theirs = await world.linked_elsewhere()
    (held,) = (await world.connection(theirs))["shops"]
    connection_id = await world.linked()
    (ours,) = (await world.connection(connection_id))["shops"]
    look = next(each for each in await looks(world, 60) if each.connection_id == connection_id)
    saying = Saying(shops_are(ours, held))

    assert await watch.one(look, replace(world.hub.ports, platform=saying)) in ("proven", "shops_changed")
    assert 1 == len(saying.asked)
    assert [ours["id"]] == [shop["id"] for shop in (await world.connection(connection_id))["shops"]]
    assert [held["id"]] == [shop["id"] for shop in (await world.connection(theirs))["shops"]]


async def missed(world: World) -> tuple[int, int]:
    """How many notices the app has missed, and how often the vendor was told."""
    (app,) = (await world.hub.api.get("/v1/apps")).json()["items"]
    items = (await world.hub.api.get("/v1/events", params={"limit": 200})).json()["items"]
    assert (app["notices_missed"] > 0) == (app["notices_missed_since"] is not None)
    return app["notices_missed"], len([item for item in items if item["type"] == "notices.missed"])


async def dashboard(world: World) -> str:
    """The page of shops, as the team sees it."""
    person = world.hub.new_browser()
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await person.get("/login")).text)
    assert csrf
    await person.post("/login", data={"csrf": csrf[1], "email": EMAIL, "password": PASSWORD})
    return (await person.get("/dashboard")).text


async def test_notices_that_never_come_are_missed_and_told_of_until_one_does(world: World) -> None:
    """An ending nobody told of counts once the platform has given up delivering; any signed notice ends the alarm."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.post(f"/grants/{grant_of(world)}/cancel")
    world.sandbox.advance("10m")
    await world.hub.work()
    assert "reauthorization_required" == (await world.connection(connection_id))["status"]
    at_first = await missed(world)
    world.sandbox.advance(f"{int(RETRY_SPAN.total_seconds()) - 60}s")
    await world.hub.work()
    in_time = await missed(world)
    world.sandbox.advance("2m")
    await world.hub.work()
    await world.hub.work()
    late = await missed(world)
    assert "notices do not arrive" in await dashboard(world)
    assert 401 == await world.deliver(b"{}", "0" * 64)
    await world.hub.work()
    forged = await missed(world)
    assert 200 == await world.deliver(b'{"type":99,"timestamp":1767225600,"shop_id":"1","data":{}}')
    await world.hub.work()

    assert ((0, 0), (0, 0), (1, 1), (1, 1)) == (at_first, in_time, late, forged)
    assert (0, 1) == await missed(world)
    assert "notices do not arrive" not in await dashboard(world)


@pytest.mark.parametrize("came", ["before", "after", "never"])
async def test_a_warning_that_never_came_is_missed(world: World, came: str) -> None:
    """Thirty days before the end the platform warns; its notice may be here before our own calendar says so."""
    await world.linked(period="90d")
    ends = int(await sql(world, "select extract(epoch from authorization_ends) from connections"))
    warning = (
        f'{{"type":7,"tts_notification_id":"77","shop_id":"{world.shop_id}","timestamp":{ends - 2592000},'
        f'"data":{{"expiration_time":"{ends}"}}}}'
    ).encode()
    world.sandbox.advance("60d1m")
    if came == "before":
        assert 200 == await world.deliver(warning)
        (taken,) = await world.hub.ports.books.inbox.take(10)
        assert "end_confirmed" == await receive.digest(taken, world.hub.ports)
    await world.hub.work()
    if came == "after":
        assert 200 == await world.deliver(warning)
    world.sandbox.advance("16h")
    await world.hub.work()

    assert ((1, 1) if came == "never" else (0, 0)) == await missed(world)
