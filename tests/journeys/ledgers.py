"""What stories about outages look at: the ledger, the flows of a shop, and what the platform saw of it."""

from datetime import datetime
from typing import Any

from tests.world_fixture import KEY, World

SELLS = "select sku_id, product_id, seller_sku from wares where shop_id = $1 order by sku_id"


async def outages(world: World, connection_id: str) -> list[dict[str, Any]]:
    """The outages of a connection, as the API shows them, the newest first; each with numbers that add up."""
    answer = await world.hub.api.get(f"/v1/connections/{connection_id}/outages")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    for each in (line for outage in found for line in (outage, *outage["flows"])):
        assert each["missed"] == each["caught_up"] + each["superseded"] + each["given_up"] + each["open"], each
    return found


def lines(outage: dict[str, Any], shop_id: str) -> dict[str, dict[str, Any]]:
    """The ledger of one shop, by flow."""
    return {line["name"]: line for line in outage["flows"] if line["shop_id"] == shop_id}


async def flows(world: World, connection_id: str) -> dict[str, dict[str, Any]]:
    """The flows of the first shop, by name."""
    found = (await world.connection(connection_id))["flows"]
    return {flow["name"]: flow for flow in found if flow["shop_id"] == world.shop_id}


async def states(world: World, connection_id: str) -> dict[str, tuple[str, str | None]]:
    """State and reason of each flow of the first shop."""
    return {name: (flow["state"], flow["reason"]) for name, flow in (await flows(world, connection_id)).items()}


def calls(world: World, since: datetime | None = None) -> list[str]:
    """Signed calls for a shop the platform saw, by the last part of the path, later than this platform time."""
    return [
        entry["path"].rpartition("/")[0].rpartition("/")[2] + "/" + entry["path"].rpartition("/")[2]
        for entry in world.sandbox.log(kind="api", app=KEY)
        if "shop_cipher" in entry["query"] and (since is None or datetime.fromisoformat(entry["at"]) > since)
    ]


async def wares(world: World) -> list[Any]:
    """What the first shop sells, as far as the hub knows."""
    async with world.hub.parts.database.connection() as connection:
        return list(await connection.fetch(SELLS, world.shop_id))


async def gives(world: World, connection_id: str, sku: str, quantity: int) -> str:
    """The vendor gives a level; gives how it stands."""
    item = {"sku": sku, "shop_id": world.shop_id, "quantity": quantity}
    answer = await world.hub.api.put(f"/v1/connections/{connection_id}/inventory", json={"items": [item]})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["items"][0]["status"])
