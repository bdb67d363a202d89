"""What a vendor may send out: every field of an item, odd in every way, is refused with a code, and nothing is kept half."""

from typing import Any

from tests.web.test_rubbish import ODD_VALUES
from tests.world_fixture import World

FIELDS = ("sku", "quantity", "shop_id", "warehouse_id", "sku_id", "product_id", "nobody")


async def test_odd_items_are_refused_and_nothing_is_kept(world: World) -> None:
    """One odd item spoils its call; formulas and scripts are text like any other, and come back as they went in."""
    connection_id = await world.linked()
    api, bad = world.hub.api, list[str]()
    doors: tuple[tuple[str, dict[str, Any]], ...] = (
        ("inventory", {"sku": "A", "quantity": 1}),
        ("mappings", {"sku": "A", "sku_id": "17", "product_id": "18"}),
    )
    for door, usual in doors:
        for name in FIELDS:
            for odd in (*ODD_VALUES, 100_000, -0.5, "1", "../x", "17/../18"):
                body = {"items": [usual | {"sku": "FINE"}, usual | {name: odd}]}
                try:
                    answer = await api.put(f"/v1/connections/{connection_id}/{door}", json=body)
                except (UnicodeEncodeError, ValueError):  # no JSON for it
                    continue
                if answer.status_code >= 500 or (answer.status_code >= 400 and not answer.headers.get("x-error-code")):
                    bad.append(f"{answer.status_code} {door} {name} {odd!r}")
                is_taken, is_count = answer.is_success, type(odd) is int and 0 <= odd < 100_000
                if is_taken and (name == "nobody" or (name == "quantity" and door == "inventory" and not is_count)):
                    bad.append(f"{door} took {name} {odd!r}")
    path = f"/v1/connections/{connection_id}/inventory"
    for items in ([], [{"sku": str(n), "quantity": 1} for n in range(501)], [{"sku": "A", "quantity": 1}] * 2):
        assert 422 == (await api.put(path, json={"items": items})).status_code
    before = len((await api.get(path, params={"limit": 200})).json()["items"])
    mixed = [{"sku": "B", "quantity": 1}, {"sku": "B", "quantity": 1, "warehouse_id": "7"}]
    assert 422 == (await api.put(path, json={"items": mixed})).status_code
    assert before == len((await api.get(path, params={"limit": 200})).json()["items"])
    texts = ["=1+1", "+2", "-2", "@x", "<script>alert(1)</script>", "ÄÖ \u202e😀"]
    await api.put(path, json={"items": [{"sku": text, "quantity": 1} for text in texts]})
    await world.hub.work()
    found = (await api.get("/v1/exceptions", params={"limit": 200, "cause": "sku_not_mapped"})).json()["items"]

    assert [] == bad
    assert set(texts) <= {each["record_id"] for each in found}
