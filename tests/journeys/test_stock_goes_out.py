"""Stock goes out: held while the consent is gone, made good when it is back, and what cannot be taken disturbs nobody."""

from typing import Any

import pytest

from tests.world_fixture import World


async def wares(world: World, connection_id: str) -> list[dict[str, Any]]:
    """What the shop sells, as the hub pulled it: sku, platform ids."""
    found = []
    for record in await world.records(connection_id, "products"):
        document = record["document"]
        found += [
            {"sku": each["seller_sku"], "sku_id": each["id"], "product_id": document["id"]} for each in document["skus"]
        ]
    return found


async def give(world: World, connection_id: str, **levels: int) -> list[dict[str, Any]]:
    """Levels by SKU, as the API takes them."""
    return await given(world, connection_id, [{"sku": sku, "quantity": count} for sku, count in levels.items()])


async def given(world: World, connection_id: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, as items."""
    answer = await world.hub.api.put(f"/v1/connections/{connection_id}/inventory", json={"items": items})
    assert answer.status_code == 202, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def sent(world: World, connection_id: str) -> dict[str, str]:
    """How each record that was given stands, by its id."""
    answer = await world.hub.api.get(f"/v1/connections/{connection_id}/inventory", params={"limit": 200})
    return {item["id"]: item["status"] for item in answer.json()["items"]}


async def exceptions(world: World, **query: str) -> list[dict[str, Any]]:
    """What failed."""
    answer = await world.hub.api.get("/v1/exceptions", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def at_the_platform(world: World, connection_id: str) -> dict[str, int]:
    """Stock by the vendor's SKU, asked of the platform anew."""
    await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
    world.sandbox.advance("1s")
    await world.hub.work()
    return {
        sku["seller_sku"]: sku["total_available_quantity"]
        for record in await world.records(connection_id, "inventory")
        for sku in record["document"]["skus"]
    }


def calls(world: World) -> list[dict[str, Any]]:
    """Updates of stock the platform saw."""
    return [line for line in world.sandbox.log() if line["path"].endswith("/inventory/update")]


async def renewed(world: World, connection_id: str) -> None:
    """The seller renews through a link."""
    person = world.hub.new_browser()
    link = await world.link_session(purpose="renew", connection_id=connection_id)
    back = await person.get(world.consent(await world.depart(person, link)))
    assert back.status_code == 303, back.text
    await world.hub.work()


async def test_what_is_given_arrives(world: World) -> None:
    """One call a product, whatever the number of its variants; zero is a level, too."""
    connection_id = await world.linked()
    await world.hub.work()
    known = await wares(world, connection_id)
    levels = {each["sku"]: number for number, each in enumerate(known)}
    gave = await give(world, connection_id, **levels)
    await world.hub.work()

    assert {"waiting"} == {each["status"] for each in gave}
    assert {each["id"]: "done" for each in gave} == await sent(world, connection_id)
    assert levels == await at_the_platform(world, connection_id)
    assert len({each["product_id"] for each in known}) == len(calls(world)) < len(known)
    assert [] == await exceptions(world, state="open")


@pytest.mark.requirement("R-PIPE-33")
async def test_an_outage_is_made_good_by_itself_and_by_a_bulk_retry(world: World) -> None:
    """Levels wait with the reason of their flow; after the renewal the newest of each SKU goes out, and the bulk retry of
    that cause ends these exceptions and no others.
    """
    connection_id = await world.linked(period="3d")
    await world.hub.work()
    first, second, third, *_ = await wares(world, connection_id)
    (unknown,) = await give(world, connection_id, **{"=HYPERLINK(1)": 5})
    await world.hub.work()
    world.sandbox.advance("4d")
    await world.hub.work()
    held = await give(world, connection_id, **{first["sku"]: 1, second["sku"]: 2})
    (newer,) = await give(world, connection_id, **{first["sku"]: 3})
    await world.hub.work()
    before = len(calls(world))
    broken = await exceptions(world)
    choice = {"cause": "authorization_expired"}
    dry = (await world.hub.api.post("/v1/replays", json=choice | {"dry_run": True})).json()
    begun = await world.hub.api.post("/v1/replays", json=choice)
    again = await world.hub.api.post("/v1/replays", json=choice)
    await world.hub.work()
    stopped = (await world.hub.api.get(f"/v1/replays/{begun.json()['id']}")).json()
    (late,) = await give(world, connection_id, **{third["sku"]: 4})
    causes = (await world.hub.api.get("/v1/exceptions/causes")).json()["items"]
    await renewed(world, connection_id)
    over = (await world.hub.api.get(f"/v1/replays/{begun.json()['id']}")).json()
    levels = await at_the_platform(world, connection_id)

    assert {("held", "authorization_expired")} == {(each["status"], each["reason"]) for each in [*held, newer, late]}
    assert 0 == before == len([line for line in calls(world) if line["code"]])
    assert [("=HYPERLINK(1)", "sku_not_mapped", True)] == [
        (each["record_id"], each["cause"], each["parked"]) for each in broken if each["cause"] not in choice.values()
    ]
    assert {first["sku"], second["sku"]} == {
        each["record_id"] for each in broken if each["cause"] == "authorization_expired"
    }
    assert (2, {"stock": 2}, {}) == (dry["total"], dry["by_flow"], dry["skipped"])
    assert (202, 2) == (begun.status_code, begun.json()["total"])
    assert (202, 0) == (again.status_code, again.json()["total"])
    assert (2, 0, None) == (stopped["waiting"], stopped["succeeded"], stopped["ended_at"])
    assert [("authorization_expired", 3), ("sku_not_mapped", 1)] == [(each["cause"], each["count"]) for each in causes]
    assert (2, 2, 0) == (over["total"], over["succeeded"], over["waiting"])
    assert sorted([first["sku"], second["sku"]]) == [item["exception"]["record_id"] for item in over["items"]]
    assert (3, 2, 4) == (levels[first["sku"]], levels[second["sku"]], levels[third["sku"]])
    how = {each["record_id"]: each["how"] for each in await exceptions(world, state="resolved")}
    assert {first["sku"]: "retried", second["sku"]: "retried", third["sku"]: "by_itself"} == how
    assert [unknown["sku"]] == [each["record_id"] for each in await exceptions(world)]
    status = await sent(world, connection_id)
    assert ["superseded", "done", "done", "done", "parked"] == [
        status[each["id"]] for each in [*held, newer, late, unknown]
    ]


async def test_one_that_is_refused_keeps_nobody_else_back(world: World) -> None:
    """Code 0 with errors, and a call refused as a whole: the poisoned record is parked with the platform's own words."""
    connection_id = await world.linked()
    await world.hub.work()
    known = await wares(world, connection_id)
    product = known[0]["product_id"]
    mine = [each for each in known if each["product_id"] == product]
    other = next(each for each in known if each["product_id"] != product)
    strange = [{"sku": "STRANGE", "sku_id": "1729000000000000077", "product_id": product}]
    warehouse = [{"sku": mine[0]["sku"], "quantity": 7, "warehouse_id": "99"}]
    async with world.hub.parts.database.connection() as connection:
        await connection.execute(
            "delete from wares where sku_id <> all($1)", [each["sku_id"] for each in [*mine, other]]
        )
        await connection.execute(
            "insert into mappings select tenant_id, connection_id, shop_id, $1, product_id, $2, now() from wares where sku_id = $3",
            strange[0]["sku"],
            strange[0]["sku_id"],
            mine[0]["sku_id"],
        )
    good = {each["sku"]: 5 for each in [*mine[1:], other]}
    gave = await give(world, connection_id, STRANGE=1, **good)
    gave += await given(world, connection_id, warehouse)
    await world.hub.work()
    broken = {each["record_id"]: each for each in await exceptions(world)}
    status = await sent(world, connection_id)
    levels = await at_the_platform(world, connection_id)
    again = await world.hub.api.post("/v1/replays", json={"cause": broken["STRANGE"]["cause"]})
    await world.hub.work()
    over = (await world.hub.api.get(f"/v1/replays/{again.json()['id']}")).json()

    assert {"STRANGE", mine[0]["sku"]} == set(broken)
    assert ("refused_12052556", "The SKU id not exist.", True) == tuple(
        broken["STRANGE"][name] for name in ("cause", "message", "parked")
    )
    assert "refused_12052097" == broken[mine[0]["sku"]]["cause"]
    assert broken[mine[0]["sku"]]["message"].endswith("(warehouse 99)")
    assert {"parked": 2, "done": len(good)} == {
        stage: sum(status[each["id"]] == stage for each in gave) for stage in ("parked", "done")
    }
    assert good.items() <= levels.items()
    assert (1, 1, "The SKU id not exist.") == (over["total"], over["failed"], over["items"][0]["message"])


async def test_a_sku_nobody_knows_waits_for_its_mapping(world: World) -> None:
    """Parked with what to do; a mapping, or a product that comes with that SKU, sends it out, whatever the renewals."""
    connection_id = await world.linked()
    await world.hub.work()
    first, *_ = await wares(world, connection_id)
    await give(world, connection_id, MINE=11, LATER=12)
    await world.hub.work()
    parked = await exceptions(world, cause="sku_not_mapped")
    path = f"/v1/connections/{connection_id}/mappings"
    mapping = {"sku": "MINE", "sku_id": first["sku_id"]}
    wrong = [
        await world.hub.api.put(path, json={"items": [each]})
        for each in (mapping | {"sku_id": "17"}, mapping | {"product_id": "17"}, mapping | {"shop_id": "17"})
    ]
    twice = await world.hub.api.put(path, json={"items": [mapping, mapping]})
    put = await world.hub.api.put(path, json={"items": [mapping]})
    await world.hub.work()
    world.sandbox.post("/products", {"shop": world.shop_id, "products": [{"seller_sku": "LATER"}]})
    levels = await at_the_platform(world, connection_id)

    assert {"MINE", "LATER"} == {each["record_id"] for each in parked if each["parked"]}
    assert [422, 422, 404, 422] == [answer.status_code for answer in [*wrong, twice]]
    assert (200, first["product_id"]) == (put.status_code, put.json()["items"][0]["product_id"])
    assert 11 == levels[first["sku"]]
    assert [] == await exceptions(world)
    assert {"MINE", "LATER"} == {each["record_id"] for each in await exceptions(world, state="resolved")}
    world.sandbox.advance("1h")
    assert 12 == (await at_the_platform(world, connection_id))["LATER"]


@pytest.mark.requirement("R-PIPE-6")
async def test_mappings_are_the_same_after_every_renewal(world: World) -> None:
    """Expired and renewed, cancelled and connected again: the same rows, page by page, and they still lead to the variant."""
    connection_id = await world.linked(period="3d")
    await world.hub.work()
    known = await wares(world, connection_id)
    path = f"/v1/connections/{connection_id}/mappings"
    items = [{"sku": f"MINE-{number}", "sku_id": each["sku_id"]} for number, each in enumerate(known)]
    await world.hub.api.put(path, json={"items": items})
    before = (await world.hub.api.get(path)).json()["items"]
    first = (await world.hub.api.get(path, params={"limit": 2})).json()
    second = (await world.hub.api.get(path, params={"limit": 200, "cursor": first["next_cursor"]})).json()
    world.sandbox.advance("4d")
    await world.hub.work()
    await give(world, connection_id, **{"MINE-0": 3})
    await renewed(world, connection_id)
    levels = await at_the_platform(world, connection_id)
    after = (await world.hub.api.get(path)).json()["items"]
    await world.hub.api.put(path, json={"items": [items[0] | {"sku_id": None}]})

    assert len(known) == len(before)
    assert before == after == first["items"] + second["items"]
    assert 3 == levels[known[0]["sku"]]
    assert before[1:] == (await world.hub.api.get(path)).json()["items"]
