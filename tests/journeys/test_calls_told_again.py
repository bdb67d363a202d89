"""What a repeated call of the platform is told, whatever became of the first answer: it is never made twice under one key."""

from tests.journeys.test_calls_through_the_hub import called, code, rows, search
from tests.world_fixture import World


async def test_an_erasure_of_another_shop_makes_no_call_new(world: World) -> None:
    """The answers are gone, sealed as they are, and that there was one is not. Of the erased shop nothing stays, not even that."""
    mine, other = await world.linked(), await world.linked_elsewhere()
    key = {"idempotency-key": "k"}
    first = [await search(world, each, headers=key) for each in (mine, other)]
    await rows(
        world,
        "insert into kept_answers select tenant_id, route, 'dead', fingerprint, scope, null, null, null, kept_at, '-infinity'"
        " from kept_answers",
    )
    merchant = await world.hub.api.post("/v1/merchants", json={"external_id": "m", "name": "M"}, headers=key)
    before = called(world)
    erased = await world.hub.api.delete(f"/v1/connections/{mine}")
    kept = await rows(world, "select route, key, status, sealed, media_type from kept_answers order by key")
    again = [await search(world, each, headers=key) for each in (mine, other)]
    reused = await search(world, other, params={"page_size": "6"}, headers=key)
    anew = await world.hub.api.post("/v1/merchants", json={"external_id": "m", "name": "M"}, headers=key)
    await rows(world, "update kept_answers set kept_at = now() - interval '7 days 1 second'")
    later = await search(world, other, headers=key)

    assert [200, 200, 201, 202] == [each.status_code for each in (*first, merchant, erased)]
    route = f"POST /v1/connections/{other}/proxy/order/202309/orders/search"
    assert [(route, "dead", None, None, None), (route, "k", None, None, None)] == [tuple(row) for row in kept]
    assert [(409, "connection_erased"), (504, "call_outcome_unknown")] == [code(each) for each in again]
    assert (422, "idempotency_key_reused") == code(reused)
    assert (409, "conflict") == code(anew), "a call that is none of the platform's is done anew"
    assert (200, before + 1) == (later.status_code, called(world)), "after seven days the key is new"
