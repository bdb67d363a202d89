"""However much has failed: what one bulk retry takes, what rules do, and what is forgotten."""

from collections.abc import Sequence
from typing import Any

import pytest

from evergrant.actions import mend
from evergrant.actions.mending import Choice, Rule
from evergrant.store import replays, rules
from tests.world_fixture import World

FAILED = """
insert into exceptions (tenant_id, id, connection_id, shop_id, kind, entity, cause, message)
select $1, 'exc_' || $5 || lpad(n::text, 3, '0'), $2, $3, 'orders', $5 || n, $5, '' from generate_series(1, $4) n
"""


async def sql(world: World, statement: str, *given: Any) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement, *given)


async def failed(world: World, connection_id: str, many: int, cause: str = "x") -> None:
    """So many open exceptions of a cause."""
    await sql(world, FAILED, world.hub.tenant_id, connection_id, world.shop_id, many, cause)


async def test_one_bulk_retry_takes_so_many_and_leaves_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest, in their order, and it says how many are left; the next one takes those."""
    monkeypatch.setattr(replays, "MOST", 4)
    monkeypatch.setattr(replays, "SHOWN", 2)
    connection_id = await world.linked()
    await failed(world, connection_id, 7)
    book, tenant_id, choice = world.hub.ports.books.outward.replays, world.hub.tenant_id, Choice(cause="x")
    looks, takes = [], []
    for _ in range(3):
        looks.append(await book.preview(tenant_id, choice))
        takes.append(await book.begin(tenant_id, choice, actor="somebody"))
    ids = ["exc_x001", "exc_x007", "exc_gone"]
    named = await book.preview(tenant_id, Choice(ids=ids))
    items = [item for each in takes for item in await book.items(tenant_id, each.id, after=0, limit=50)]

    assert [(4, 3, {"orders": 4}), (3, 0, {"orders": 3}), (0, 0, {})] == [
        (look.total, look.remaining, look.by_flow) for look in looks
    ]
    assert [["exc_x001", "exc_x002"], ["exc_x005", "exc_x006"], []] == [
        [each.id for each in look.first] for look in looks
    ]
    assert [{}, {"already_tried": 4}, {"already_tried": 7}] == [look.skipped for look in looks]
    assert [(4, 3), (3, 0), (0, 0)] == [(each.total, each.remaining) for each in takes]
    assert [f"exc_x00{number}" for number in range(1, 8)] == [item.exception.id for item in items]
    assert (0, {"already_tried": 2, "not_open": 1}) == (named.total, named.skipped)


async def test_rules_take_turns_and_one_that_cannot_be_done_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one nobody looked at for longest is next, whoever's it is; what fails is told after all have had their turn."""
    connection_id = await world.linked()
    for cause in ("a", "b", "c"):
        await failed(world, connection_id, 1, cause)
        given = {"cause": cause, "action": "dismiss", "after_minutes": 1}
        assert 201 == (await world.hub.api.post("/v1/exception-rules", json=given)).status_code
    await sql(world, "update exceptions set opened_at = now() - interval '1 hour'")
    book = world.hub.ports.books.outward.rules
    ripe, order = book.ripe, list[str]()

    async def fails(rule: Rule) -> Sequence[str]:
        order.append(rule.cause)
        if len(order) == 1:
            raise ValueError(rule.cause)
        return await ripe(rule)

    monkeypatch.setattr(book, "ripe", fails)
    with pytest.raises(ValueError, match=r"^.$"):
        await mend.by_rule(world.hub.ports)
    still = await sql(world, "select array_agg(cause) from exceptions where state = 'open'")
    monkeypatch.setattr(mend, "RULES_AT_ONCE", 2)
    done = [await mend.by_rule(world.hub.ports) for _ in range(2)]

    assert [order[0]] == still
    assert (3, [1, 0]) == (len(set(order[:3])), done)
    assert order[:3] == order[3:6]
    assert order[6:] == order[:1]


async def test_there_is_one_rule_for_each_thing_and_not_too_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same cause, connection and action again, or one too many: 409, and nothing is kept."""
    monkeypatch.setattr(rules, "MOST", 3)
    connection_id = await world.linked()
    one = {"cause": "a", "action": "dismiss", "after_minutes": 1}
    asked = [one, one | {"after_minutes": 2}, one | {"connection_id": connection_id}, one | {"cause": "b"}]
    answers = [await world.hub.api.post("/v1/exception-rules", json=each) for each in (*asked, one | {"cause": "c"})]

    assert [201, 409, 201, 201, 409] == [answer.status_code for answer in answers]
    assert {"conflict"} == {answers[number].json()["error"]["code"] for number in (1, 4)}
    assert 3 == len((await world.hub.api.get("/v1/exception-rules")).json()["items"])


async def test_what_is_over_is_forgotten_after_thirty_days(world: World) -> None:
    """Bulk retries with what came of their records, then the exceptions; not what is open, nor what an open ledger counts."""
    connection_id = await world.linked()
    await failed(world, connection_id, 5)
    book = world.hub.ports.books.outward.replays
    over, lasts = [
        (await book.begin(world.hub.tenant_id, Choice(ids=[f"exc_x00{number}"]), actor="x")).id for number in (1, 2)
    ]
    await sql(
        world,
        "insert into outages (tenant_id, id, connection_id, clock, cause, started_at) values ($1, 'out_x', $2, $3, 'x', now())",
        world.hub.tenant_id,
        connection_id,
        world.sandbox.url,
    )
    await sql(
        world,
        "update replay_items set outcome = 'failed', ended_at = now() - interval '31 days' where replay_id = $1",
        over,
    )
    await sql(world, "update replays set created_at = now() - interval '31 days'")
    await sql(
        world,
        "update exceptions set state = 'resolved', ended_at = now() - interval '31 days' where entity = any('{x1,x2,x3,x4}')",
    )
    await sql(world, "update exceptions set outage_id = 'out_x' where entity = 'x3'")
    await mend.forget(world.hub.ports)

    assert ["x2", "x3", "x5"] == await sql(world, "select array_agg(entity order by entity) from exceptions")
    assert [lasts] == await sql(world, "select array_agg(id) from replays")
