"""Balancing the ledgers of many outages: each has its turn, and none keeps another open."""

from typing import Any

import pytest

from evergrant.store import ledger
from evergrant.store.database import Connection
from tests.world_fixture import World

BEGIN = """
with made as (
    insert into outages (tenant_id, id, connection_id, clock, cause, started_at, ended_at)
    select $1, 'out_' || n, $2, $3, 'authorization_expired', $4, $4 from generate_series(1, 5) n returning *
)
insert into outage_flows (tenant_id, outage_id, connection_id, shop_id, kind, why, stopped_at, reopened_at)
select tenant_id, id, connection_id, 'shop_of_' || id, 'prices', cause, $4, $4 from made
"""
OWES = """
insert into exceptions (tenant_id, id, connection_id, shop_id, kind, entity, cause, message, outage_id)
select tenant_id, 'exc_' || outage_id, connection_id, shop_id, kind, 'x', 'x', '', outage_id from outage_flows
where outage_id = any('{out_1,out_2}')
"""
CLOSED = "select array_agg(id order by id) from outages where closed_at is not null"


async def test_one_outage_keeps_no_other_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that owe something are passed by; one whose closing fails is told, and closed when it can be."""
    connection_id, now = await world.linked(), await world.now()

    async def sql(statement: str, *given: Any) -> Any:
        async with world.hub.parts.database.connection() as connection:
            return await connection.fetchval(statement, *given)

    await sql(BEGIN, world.hub.tenant_id, connection_id, world.sandbox.url, now)
    await sql(OWES)
    close, tried = ledger._close, list[str]()

    async def fails(connection: Connection, row: Any, at: Any) -> None:
        tried.append(row["id"])
        if row["id"] == "out_3":
            raise ValueError(row["id"])
        await close(connection, row, at)

    monkeypatch.setattr(ledger, "AT_ONCE", 2)
    book, clock = world.hub.ports.books.outages, world.sandbox.url
    assert 0 == await book.balance(clock, now)
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "_close", fails)
        with pytest.raises(ValueError, match="out_3"):
            await book.balance(clock, now)
    assert (["out_3", "out_4"], ["out_4"]) == (tried, await sql(CLOSED))
    for _ in range(3):
        await book.balance(clock, now)
    assert ["out_3", "out_4", "out_5"] == await sql(CLOSED)
    await sql("update exceptions set state = 'dismissed'")
    await world.hub.work()

    assert [f"out_{number}" for number in range(1, 6)] == await sql(CLOSED)
    assert 2 == await sql("select sum(given_up)::int from outage_flows")
