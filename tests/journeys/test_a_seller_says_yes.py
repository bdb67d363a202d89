"""A seller says yes, and everything that rests on it begins: the first journey, hub against sandbox."""

from datetime import datetime, timedelta

import pytest

from tests.world_fixture import World


@pytest.mark.requirement("R-ECOM-2")
async def test_a_first_consent_makes_a_connection_with_its_end_and_shop(world: World) -> None:
    """One consent, one connection: the shop, the end, the scopes; and the token route gives a token at once."""
    connection_id = await world.linked(period="365d")
    found = await world.connection(connection_id)
    token = await world.hub.api.get(f"/v1/connections/{connection_id}/token")

    assert found["status"] == "active"
    assert [world.shop_id] == [shop["id"] for shop in found["shops"]]
    ends, begun = (datetime.fromisoformat(found[name]) for name in ("authorization_expires_at", "authorized_at"))
    assert abs(ends - begun - timedelta(days=365)) < timedelta(seconds=5)
    assert found["days_remaining"] == 365
    assert token.status_code == 200
    assert token.json()["access_token"].startswith("GCP_sbx")


async def test_the_first_orders_and_products_arrive(world: World) -> None:
    """Every order and product of the shop, once each, as the platform gave them."""
    connection_id = await world.linked()
    await world.hub.work()
    orders, products = await world.records(connection_id), await world.records(connection_id, "products")

    assert 25 == len(orders) == len({order["id"] for order in orders})
    assert 10 == len(products)
    assert all(order["document"]["id"] == order["id"] for order in orders)
