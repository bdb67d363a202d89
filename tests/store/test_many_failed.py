"""However much has failed: what one bulk retry takes, what rules do, and what is forgotten."""

from typing import Any

import pytest

from evergrant.actions.mending import Choice
from evergrant.store import replays
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
