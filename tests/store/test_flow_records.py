"""What a flow keeps, and when it may run again."""

from datetime import timedelta

from evergrant.actions.polls import Run
from evergrant.core import flows
from evergrant.providers.wire import Record
from tests.world_fixture import World


async def a_run(world: World) -> Run:
    """The poll of the first shop's orders, taken by a worker."""
    runs = await world.hub.ports.books.flows.take_due(world.sandbox.url, await world.now(), 10)
    return next(run for run in runs if (run.shop_id, run.kind) == (world.shop_id, flows.Kind.ORDERS))


async def sql(world: World, statement: str) -> None:
    """Straight to the database."""
    async with world.hub.parts.database.connection() as connection:
        await connection.execute(statement)


async def test_two_changes_within_one_second_are_both_kept(world: World) -> None:
    """The platform tells whole seconds: the last version read wins, and the same bytes again count for nothing."""
    connection_id = await world.linked()
    run, at = await a_run(world), (await world.now()).replace(microsecond=0)
    book = world.hub.ports.books.flows
    versions = [Record(id="1", updated_at=at, document=document) for document in (b'{"v":1}', b'{"v":2}', b'{"v":2}')]
    older = Record(id="1", updated_at=at - timedelta(seconds=1), document=b'{"v":0}')
    counted = [await book.keep_records(run, [record]) for record in (*versions, older)]

    assert [1, 1, 0, 0] == counted
    assert [{"v": 2}] == [record["document"] for record in await world.records(connection_id)]


async def test_nobody_cuts_the_wait_short_that_the_platform_told_us(world: World) -> None:
    """Notice after notice while throttled: not one call before the time; a back-off of our own gives way."""
    connection_id = await world.linked()
    book, wait = world.hub.ports.books.flows, timedelta(seconds=600)
    for error, taken_again in (("throttled", 0), ("unavailable", 1)):
        run = await a_run(world)
        await book.failed(run, error, wait)
        for _ in range(3):
            assert 1 == await book.want(world.hub.tenant_id, connection_id, await world.now(), run.shop_id, run.kind)
        again = await book.take_due(world.sandbox.url, await world.now(), 10)

        assert taken_again == len(again), error
        await sql(world, "update flows set lease_until = null")


async def test_a_page_without_records_renews_the_lease(world: World) -> None:
    """Empty pages are answers, too: nobody takes the poll over while they come."""
    await world.linked()
    run = await a_run(world)
    await sql(world, "update flows set lease_until = now()")

    assert 0 == await world.hub.ports.books.flows.keep_records(run, [])
    assert [] == [
        again
        for again in await world.hub.ports.books.flows.take_due(world.sandbox.url, await world.now(), 10)
        if (again.shop_id, again.kind) == (run.shop_id, run.kind)
    ]
