"""The forecast, from orders that really came: through sandbox and hub, before the end and after it."""

from typing import Any

from tests.journeys.claiming import log_in
from tests.world_fixture import World


async def forecast(world: World, connection_id: str) -> dict[str, Any]:
    """What the API foresees."""
    answer = await world.hub.api.get(f"/v1/connections/{connection_id}/forecast")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_pace_of_kept_orders_says_how_many_would_wait(world: World) -> None:
    """Forty orders a day for ten days: said with its basis before the end; the same afterwards, when nothing came any more."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    new = await forecast(world, connection_id)
    for _ in range(10):
        world.sandbox.advance("1d")
        world.sandbox.post("/orders", {"shop": world.shop_id, "count": 40})
    await world.hub.work()
    before = await forecast(world, connection_id)
    person = world.hub.new_browser()
    await log_in(person)
    page = (await person.get(f"/connections/{connection_id}")).text
    world.sandbox.advance("25d")
    await world.hub.work()
    after = await forecast(world, connection_id)
    gone = (await person.get(f"/connections/{connection_id}")).text

    assert (None, None) == (new["orders"]["a_day"], new["orders"]["waiting_after_a_week"])
    assert "not known yet" in new["sentence"]
    orders = before["orders"]
    assert (425, 20, 4) == (orders["counted"], before["days_remaining"], len(before["flows"]))
    assert 10 <= orders["basis_days"] < 10.1
    assert 42 <= orders["a_day"] <= 42.5
    assert 294 <= orders["waiting_after_a_week"] <= 298
    assert {before["authorization_expires_at"]} == {flow["stops_at"] for flow in before["flows"]}
    assert before["sentence"].startswith("If nobody renews by ")
    assert "4 flows stop; at the pace of the last 10 days about 12" in before["sentence"]
    assert before["sentence"] in page
    assert (0, orders["counted"]) == (after["days_remaining"], after["orders"]["counted"])
    assert abs(orders["a_day"] - after["orders"]["a_day"]) < 0.1
    assert {"authorization_expired"} == {flow["stopped_by"] for flow in after["flows"]}
    assert "" == after["sentence"]
    assert "have stopped. They resume, and catch up" in gone
