"""Old and new pairs of one connection: whatever comes late, the newest living pair stands, and no refresh stops for good."""

import os
import time
from typing import Any

from evergrant.actions import connect, refresh
from evergrant.actions.ports import Taken
from evergrant.core.connection import Change
from evergrant.core.link import Claimed
from evergrant.store.values import digest
from tests.world_fixture import KEY, World


async def sql(world: World, statement: str) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement)


async def due(world: World) -> Taken:
    """A refresh that is due, taken."""
    world.sandbox.advance("4d")
    (taken,) = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
    return taken


async def is_the_platforms(world: World) -> bool:
    """Whether the refresh token that stands is the newest the platform gave."""
    ours = await sql(world, "select encode(refresh_hash, 'hex') from tokens")
    return bool(world.sandbox.get("/grants", app=KEY)["items"][-1]["refresh_token_sha256"] == ours)


def age_slips(world: World) -> None:
    """Slips on disk are old enough to belong to nobody."""
    for slip in (world.hub.parts.settings.data_dir / "spool").iterdir():
        os.utime(slip, (time.time() - 60, time.time() - 60))  # noqa: TID251  (a file's age)


async def silence(world: World) -> None:
    """The worker is gone: its lease is over."""
    await sql(world, "update tokens set lease_until = now() - interval '1 second' returning 1")


async def test_a_connection_that_was_refreshed_left_and_returned_is_refreshed_again(world: World) -> None:
    """Its attempts never begin to count anew, so that it harms neither itself nor the others of its clock."""
    connection_id, other = await world.linked(), await world.linked_elsewhere()
    world.sandbox.advance("4d")
    await world.hub.work()
    await world.hub.api.post(f"/v1/connections/{connection_id}/disconnect")
    assert connection_id == await world.linked()
    for _ in range(3):
        world.sandbox.advance("4d")
        await world.hub.work()

    for each in (connection_id, other):
        assert 200 == (await world.hub.api.get(f"/v1/connections/{each}/token")).status_code
    assert 0 == await sql(world, "select count(*) from presentations where outcome is null")


async def test_an_answer_for_destroyed_tokens_does_not_replace_the_new_consents_pair(world: World) -> None:
    """Held at the platform while the vendor let go and the seller came back: the newer pair stands, and can be read."""
    connection_id = await world.linked()
    taken = await due(world)
    answer = await world.refreshed_by_the_platform(taken.refresh)
    await world.hub.api.post(f"/v1/connections/{connection_id}/disconnect")
    assert connection_id == await world.linked()
    stands = await sql(world, "select encode(refresh_hash, 'hex') from tokens")
    books, now = world.hub.ports.books, await world.now()
    found = await books.connections.find(world.hub.tenant_id, connection_id)
    spooled = await books.tokens.spool(taken, answer, at=now, due_at=now)
    change = Change(before=found, after=found, at=now, events=())

    assert "outlived" == await books.tokens.keep(spooled, change)
    assert stands == await sql(world, "select encode(refresh_hash, 'hex') from tokens")
    assert 200 == (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).status_code


async def test_a_second_finisher_of_one_code_changes_nothing(world: World) -> None:
    """The door slept past its lease; a worker finished, and the pair was refreshed since: the old one stays away."""
    person, link = world.hub.new_browser(), await world.link_session()
    world.sandbox.post("/faults", {"kind": "api", "action": "status", "status": 503, "times": 1})
    await person.get(world.consent(await world.depart(person, link)))
    await sql(world, "update authorization_requests set lease_until = now() - interval '1 second' returning 1")
    ((claimed, _),) = await world.hub.ports.books.exchanges.take_unfinished(10)
    assert isinstance(claimed, Claimed)
    kept = await world.hub.ports.books.exchanges.answer(claimed)
    await connect.finish(claimed, world.hub.ports)
    world.sandbox.advance("4d")
    await world.hub.work()
    known = (await world.hub.api.get("/v1/connections")).json()["items"][0]
    found = await world.hub.ports.books.connections.find(world.hub.tenant_id, known["id"])
    assert kept
    change = Change(before=found, after=found, at=await world.now(), events=())

    assert not await world.hub.ports.books.exchanges.complete(claimed, change, kept[0], due_at=kept[1])
    assert await is_the_platforms(world)


async def test_a_doubt_decided_before_the_answer_was_found_changes_nothing(world: World) -> None:
    """The sweep read its list, then the answer came from the disk: no doubt, no end, the next refresh as planned."""
    await world.linked()
    taken = await due(world)
    answer = await world.refreshed_by_the_platform(taken.refresh)
    books, now = world.hub.ports.books.tokens, await world.now()
    await books.spool(taken, answer, at=now, due_at=answer.pair.access_ends)
    await silence(world)
    (doubt,) = await books.doubts(world.sandbox.url)
    age_slips(world)
    assert 1 == await refresh.heal(world.hub.ports)
    await books.doubt(doubt, probe_at=now, now=now)

    assert await sql(world, "select in_doubt_since is null from connections")
    assert answer.pair.access_ends == await sql(world, "select due_at from tokens")
    assert "ok" == await sql(world, "select outcome from presentations")


async def test_an_attempt_whose_fence_has_moved_is_ended_and_blocks_nothing(world: World) -> None:
    """Its worker was killed after somebody else's answer had moved the fence on."""
    await world.linked()
    await due(world)
    await sql(world, "update tokens set fence = fence + 1, lease_until = null returning 1")
    await sql(world, "update presentations set begun_at = now() - interval '2 minutes' returning 1")
    assert 1 == await refresh.doubts(world.sandbox.url, world.hub.ports)

    assert "outlived" == await sql(world, "select outcome from presentations")
    assert 1 == len(await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10))


async def test_a_probe_that_was_never_shown_ends_nothing(world: World) -> None:
    """In doubt once; the probe's worker is killed before it sends: the probe comes again, and it heals."""
    connection_id = await world.linked()
    await due(world)
    await silence(world)
    assert 1 == await refresh.doubts(world.sandbox.url, world.hub.ports)
    world.sandbox.advance("60h")
    (probe,) = await world.hub.ports.books.tokens.take_due(world.sandbox.url, await world.now(), 10)
    assert probe.probe
    await silence(world)
    await world.hub.work()

    found = await world.connection(connection_id)
    assert ("active", None) == (found["status"], found["reason"])
    assert await is_the_platforms(world)


async def test_one_slip_nobody_can_read_keeps_no_other_on_disk(world: World) -> None:
    """It is set aside, and the one behind it reaches the books."""
    await world.linked()
    taken = await due(world)
    answer = await world.refreshed_by_the_platform(taken.refresh)
    books, now = world.hub.ports.books.tokens, await world.now()
    await books.spool(taken, answer, at=now, due_at=now)
    folder = world.hub.parts.settings.data_dir / "spool"
    (slip,) = folder.iterdir()
    torn = slip.read_bytes().replace(now.isoformat().encode(), b"x" * len(now.isoformat()))
    (folder / "0-first.slip").write_bytes(torn)
    age_slips(world)
    await refresh.heal(world.hub.ports)

    assert await is_the_platforms(world)
    assert ["0-first.stray"] == [path.name for path in folder.iterdir()]


async def test_a_renewal_takes_in_a_shop_that_an_ended_connection_still_held(world: World) -> None:
    """One grant for two shops, one of which another customer's ended connection has not let go of yet."""
    shops = [{"name": f"Shore {name}", "region": "GB", "orders": 0, "products": 1} for name in ("East", "West")]
    given = {"name": "Shore Ltd", "email": "shore@shore.example", "password": "sandbox", "region": "GB"}
    seller = world.sandbox.post("/sellers", given | {"kind": "cross_border", "shops": shops})
    ended = await world.linked_by(seller, "first")
    await world.hub.api.post(f"/v1/connections/{ended}/disconnect")
    living = await world.linked_by(seller, "second")
    held = digest(f"{world.app_id}|{seller['shops'][1]['id']}")
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("update shop_holders set connection_id = $1 where hash = $2", ended, held)

    assert living == await world.linked_by(seller, "second")
    assert 2 == len([shop for shop in (await world.connection(living))["shops"] if shop["status"] == "authorized"])
