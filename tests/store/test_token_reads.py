"""Token reads go many in one statement: each caller gets its own answer, and never what stood before it asked."""

import asyncio

from evergrant.core.secret import Secret
from evergrant.store import keys
from tests.world_fixture import World

STRANGER = Secret("eg_nobody_was_ever_given_this_key")


async def test_many_readers_at_once_each_get_their_own_answer(world: World) -> None:
    """Right keys, unknown keys and unknown connections in one group do not see each other's rows."""
    first, second = await world.linked(), await world.linked()
    book, key = world.hub.parts.keys, world.hub.api_key
    asked = [(key, first), (STRANGER, first), (key, "con_unknown"), (key, second), (STRANGER, "con_unknown")] * 20
    answers = await asyncio.gather(*(book.for_token(*each) for each in asked))

    for (shown, wanted), (known, found) in zip(asked, answers, strict=True):
        assert (known is not None) == (shown is key)
        assert (found.connection_id if found else None) == (
            wanted if shown is key and wanted in (first, second) else None
        )


async def test_who_asks_after_a_revocation_is_told_of_it(world: World) -> None:
    """A reader who comes while other statements are under way waits for one that begins after it asked."""
    linked = await world.linked()
    book, key = world.hub.parts.keys, world.hub.api_key
    earlier = [asyncio.create_task(book.for_token(key, linked)) for _ in range(keys.READERS * 3)]
    await asyncio.sleep(0)
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update api_keys set revoked_at = now()")
    known, _ = await book.for_token(key, linked)

    assert known
    assert known.revoked
    await asyncio.gather(*earlier)
