"""A period passes: the token is refreshed, the warning comes, everything stops at the end, and a renewal makes it whole."""

from datetime import datetime, timedelta

import pytest

from tests.world_fixture import KEY, World


async def status_of_token(world: World, connection_id: str) -> tuple[int, str]:
    """What the token route answers."""
    answer = await world.hub.api.get(f"/v1/connections/{connection_id}/token")
    return answer.status_code, answer.json()["error"]["code"] if not answer.is_success else ""


def calls_after(world: World, moment: datetime) -> list[str]:
    """Paths of signed calls the platform received later than this platform time."""
    return [
        entry["path"]
        for entry in world.sandbox.log(kind="api", app=KEY)
        if datetime.fromisoformat(entry["at"]) > moment
    ]


async def test_the_token_is_refreshed_once_at_half_of_its_life(world: World) -> None:
    """Seven days of life: not before 3.15 days, surely by 3.85, and one presentation only."""
    connection_id = await world.linked()
    await world.hub.work()
    before = await world.hub.api.get(f"/v1/connections/{connection_id}/token")

    world.sandbox.advance("3d")
    await world.hub.work()
    assert [] == [entry for entry in world.sandbox.log(kind="token") if entry["path"].endswith("/refresh")]

    world.sandbox.advance("1d")
    await world.hub.work()
    after = await world.hub.api.get(f"/v1/connections/{connection_id}/token")
    refreshes = [entry for entry in world.sandbox.log(kind="token") if entry["path"].endswith("/refresh")]

    assert 1 == len(refreshes)
    assert before.json()["access_token"] != after.json()["access_token"]
    assert datetime.fromisoformat(after.json()["expires_at"]) > datetime.fromisoformat(before.json()["expires_at"])


async def test_the_vendor_is_told_thirty_days_before_and_once(world: World) -> None:
    """By our own clock, since notices may get lost; again only for another end."""
    connection_id = await world.linked(period="90d")
    world.sandbox.advance("59d")
    await world.hub.work()
    assert "connection.expiring" not in await world.events(connection_id)

    world.sandbox.advance("2d")
    await world.hub.work()
    world.sandbox.advance("1d")
    await world.hub.work()

    assert 1 == (await world.events(connection_id)).count("connection.expiring")
    assert (await world.connection(connection_id))["expiring"]


@pytest.mark.requirement("R-ECOM-3", "R-ECOM-4")
async def test_everything_stops_at_the_end_and_nothing_is_sent_after_it(world: World) -> None:
    """Expired: each flow paused with its reason, no token, and not one call reaches the platform."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    ends = datetime.fromisoformat((await world.connection(connection_id))["authorization_expires_at"])

    world.sandbox.advance("31d")
    early = await status_of_token(world, connection_id)
    await world.hub.work()
    world.sandbox.advance("10d")
    await world.hub.work()
    found = await world.connection(connection_id)

    assert (409, "authorization_expired") == early == await status_of_token(world, connection_id)
    assert ("expired", "authorization_expired", 0) == (found["status"], found["reason"], found["days_remaining"])
    assert {("paused", "authorization_expired", None)} == {
        (flow["state"], flow["reason"], flow["next_run_at"]) for flow in found["flows"]
    }
    assert [] == calls_after(world, ends)
    assert [] == [entry for entry in world.sandbox.log(kind="token") if datetime.fromisoformat(entry["at"]) > ends]


async def test_a_manual_sync_of_an_expired_connection_says_why_not(world: World) -> None:
    """409 with the reason, and still no call; the same for a refresh, and nothing claims days that are not there."""
    connection_id = await world.linked(period="30d")
    world.sandbox.advance("31d")
    await world.hub.work()
    sync = await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
    refresh = await world.hub.api.post(f"/v1/connections/{connection_id}/refresh")
    found = await world.connection(connection_id)

    assert (409, "flow_paused") == (sync.status_code, sync.json()["error"]["code"])
    assert "Ask the seller to renew" in sync.json()["error"]["message"]
    assert (409, "authorization_expired") == (refresh.status_code, refresh.json()["error"]["code"])
    assert (0, None) == (found["days_remaining"], found["renew_by"])


async def test_what_was_cancelled_has_no_days_left_though_its_end_is_far(world: World) -> None:
    """The API says what the page says."""
    connection_id = await world.linked(period="365d")
    await world.hub.api.post(f"/v1/connections/{connection_id}/disconnect")
    found = await world.connection(connection_id)

    assert (0, None, "cancelled") == (found["days_remaining"], found["renew_by"], found["status"])
    assert (
        404 == (await world.hub.api.post(f"/v1/connections/{connection_id}/syncs", json={"shop_id": "42"})).status_code
    )


@pytest.mark.requirement("R-ECOM-21")
async def test_a_renewal_brings_the_same_connection_back_and_catches_up(world: World) -> None:
    """Same id, new end, flows running again, and every order of the gap exactly once."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    world.sandbox.advance("32d")
    await world.hub.work()
    made = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 7})

    again = await world.linked(period="365d", purpose="renew", connection_id=connection_id)
    await world.hub.work()
    found = await world.connection(connection_id)
    orders = [order["id"] for order in await world.records(connection_id)]

    assert connection_id == again
    assert ("active", 365) == (found["status"], found["days_remaining"])
    assert {"running", "not_carried"} == {flow["state"] for flow in found["flows"]}
    assert {order["id"] for order in made["orders"]} <= set(orders)
    assert 32 == len(orders) == len(set(orders))
    assert ["connection.expired", "connection.renewed"] == [
        kind for kind in await world.events(connection_id) if kind in ("connection.expired", "connection.renewed")
    ]


async def test_another_link_for_a_connected_shop_renews_it_in_place(world: World) -> None:
    """A second link of purpose `link`: one grant there, one connection here; of the same link see test_in_seller_center."""
    first = await world.linked(period="30d")
    second = await world.linked(period="365d")
    listed = (await world.hub.api.get("/v1/connections")).json()["items"]

    assert first == second
    assert 1 == len(listed)
    assert listed[0]["days_remaining"] == 365
    (grant,) = world.sandbox.get("/grants", app=KEY)["items"]
    ends = datetime.fromisoformat(listed[0]["authorization_expires_at"])
    assert (2, int(ends.timestamp())) == (grant["consents"], grant["ends_at_unix"])


async def test_a_pause_made_by_hand_survives_a_renewal(world: World) -> None:
    """Automatic resume undoes only automatic pauses."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    await world.hub.api.post(f"/v1/connections/{connection_id}/pause", json={"flow": "orders"})
    world.sandbox.advance("31d")
    await world.hub.work()
    await world.linked(purpose="renew", connection_id=connection_id)
    world.sandbox.post("/orders", {"shop": world.shop_id, "count": 4})
    await world.hub.work()
    flows = {flow["name"]: (flow["state"], flow["reason"]) for flow in (await world.connection(connection_id))["flows"]}

    running = dict.fromkeys(("products", "inventory", "stock"), ("running", None))
    not_carried = dict.fromkeys(("prices", "shipments"), ("not_carried", None))
    assert {"orders": ("paused", "paused_by_vendor"), **running, **not_carried} == flows
    await world.hub.api.post(f"/v1/connections/{connection_id}/resume", json={"flow": "orders"})
    await world.hub.work()
    assert 29 == len(await world.records(connection_id))


@pytest.mark.parametrize("period", ["30d", "365d"])
async def test_days_remaining_count_down(world: World, period: str) -> None:
    """From the period the seller chose, one a day."""
    connection_id = await world.linked(period=period)
    whole = int(period.removesuffix("d"))
    world.sandbox.advance("5d")

    assert whole - 5 <= (await world.connection(connection_id))["days_remaining"] <= whole - 4


async def test_the_end_can_be_99_years_away(world: World) -> None:
    """Such authorizations exist (wire sheet 2.4), and nothing is told 30 days ahead of them."""
    connection_id = await world.linked(period=f"{99 * 365}d")
    await world.hub.work()
    found = await world.connection(connection_id)

    assert found["days_remaining"] == 99 * 365
    assert datetime.fromisoformat(found["authorization_expires_at"]) > await world.now() + timedelta(days=98 * 365)


async def test_what_the_platform_refused_just_before_its_end_has_expired_when_the_end_is_there(world: World) -> None:
    """Clocks differ by seconds: the platform's was ahead, so its refusal came first; the reason told is the true one."""
    connection_id = await world.linked(period="30d")
    world.sandbox.advance("29d")
    await world.hub.work()
    world.sandbox.post("/faults", {"kind": "api", "action": "status", "status": 401, "code": 105001})
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
    await world.hub.work()
    before = await world.connection(connection_id)
    world.sandbox.advance("1d")
    await world.hub.work()
    after = await world.connection(connection_id)

    assert "reauthorization_required" == before["status"]
    assert ("expired", "authorization_expired") == (after["status"], after["reason"])
