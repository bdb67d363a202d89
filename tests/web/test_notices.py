"""The door for notices: what one sender sends harms nobody else, and what is urgent does not wait."""

import asyncio
import os

from evergrant.actions import receive
from evergrant.actions.ports import Received
from tests.world_fixture import World

ODD = b'{"type":1,"tts_notification_id":"%s","shop_id":"1","timestamp":1767225600,"data":{}}'


async def kept(world: World) -> list[str]:
    """The names under which notices are kept."""
    async with world.hub.parts.database.connection() as connection:
        return [row["notification_id"] for row in await connection.fetch("select notification_id from notices")]


async def test_a_notice_with_an_impossible_id_is_kept_under_its_hash(world: World) -> None:
    """NUL, a lone surrogate, an id longer than an index entry, none at all: 200, kept once however often it comes."""
    odd = [
        ODD % given for given in (b"a\\u0000b", b"\\ud800", os.urandom(6000).hex().encode(), b"x" * 129, b"", b" \\n")
    ]
    for body in (*odd, *odd):
        assert 200 == await world.deliver(body)

    assert 6 == len(await kept(world))
    assert all(name.startswith("sha256:") for name in await kept(world))
    await world.hub.work()


async def test_a_bad_notice_takes_no_good_one_with_it(world: World) -> None:
    """Committed together: the one that cannot be kept fails alone."""
    good = [
        Received(tenant_id=world.hub.tenant_id, app_id=world.app_id, notification_id=f"n{i}", body=b"{}", attempts=0)
        for i in range(20)
    ]
    bad = [
        Received(tenant_id=world.hub.tenant_id, app_id=app_id, notification_id=name, body=b"{}", attempts=0)
        for app_id, name in (
            (world.app_id, "a\0b"),
            (world.app_id, "\ud800"),
            (world.app_id, os.urandom(6000).hex()),
            ("app_none", "n"),
        )
    ]
    inbox = world.hub.parts.inbox
    given = [*good[:10], *bad, *good[10:]]
    said = await asyncio.gather(*[inbox.put(one) for one in given], return_exceptions=True)

    assert [one in bad for one in given] == [isinstance(answer, Exception) for answer in said]
    assert {one.notification_id for one in good} == set(await kept(world))


async def test_a_deauthorization_overtakes_the_queue(world: World) -> None:
    """Hundreds of orders wait; what ends an authorization is looked at first."""
    connection_id = await world.linked()
    for number in range(30):
        assert 200 == await world.deliver(ODD % str(number).encode())
    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    (first,) = await world.hub.ports.books.inbox.take(1)
    await receive.digest(first, world.hub.ports)

    assert "suspended" == (await world.connection(connection_id))["status"]
    assert ["0", "1"] == [one.notification_id for one in await world.hub.ports.books.inbox.take(2)]


async def test_groups_with_the_same_notices_never_wait_for_each_other(world: World) -> None:
    """A platform that repeats itself at several doors, in another order: each notice is kept, and once."""
    one = """
        insert into notices (tenant_id, app_id, notification_id, body) values ($1, $2, $3, '') on conflict do nothing
        """
    group = [
        Received(tenant_id=world.hub.tenant_id, app_id=world.app_id, notification_id=name, body=b"{}", attempts=0)
        for name in ("c", "b", "a")
    ]
    async with world.hub.parts.database.transaction() as elsewhere:
        await elsewhere.execute(one, world.hub.tenant_id, world.app_id, "b")
        putting = asyncio.gather(*[world.hub.parts.inbox.put(received) for received in group])
        await asyncio.sleep(0.3)
        await elsewhere.execute(one, world.hub.tenant_id, world.app_id, "c")
    await putting

    assert ["a", "b", "c"] == sorted(await kept(world))
