"""The self-check: nothing is wrong with a hub that lived a while; and each wrong that is planted is found and named."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from evergrant.actions import erase
from evergrant.actions.custody import Subject
from evergrant.store import vault as vaults
from evergrant.store.database import Connection
from evergrant.store.invariants import INVARIANTS
from evergrant.store.selfcheck import Selfcheck
from evergrant.store.spool import Slip
from tests.world_fixture import World

ATTEMPT = "insert into presentations (tenant_id, connection_id, fence, refresh_hash, probe, begun_at, outcome) "
"""What ATTEMPT below stands for."""

PLANTED: list[tuple[str, str]] = [
    ("I1", "ATTEMPT select tenant_id, id, -1, 'x', false, now() - interval '1 day', null from connections"),
    (
        "I1",
        "ATTEMPT select tenant_id, id, -1, (select refresh_hash from tokens), false, now(), 'in_doubt' from connections",
    ),
    ("I1", "update tokens set due_at = null"),
    ("I2", "ATTEMPT select tenant_id, id, -n, 'x', false, now(), 'final' from connections, generate_series(1, 2) n"),
    ("I2", "ATTEMPT select tenant_id, id, -n, 'x', true, now(), 'final' from connections, generate_series(1, 2) n"),
    (
        "I3",
        "ATTEMPT select tenant_id, id, -n, n::text::bytea, false, now(), null from connections, generate_series(1, 2) n",
    ),
    ("I3", "ATTEMPT select tenant_id, id, 99, 'x', false, now(), 'final' from connections"),
    ("I4", "update connections set state = 'cancelled'; delete from data_keys where owner_id like 'con%'"),
    ("I4", "update connections set state = 'reauthorization_required'"),
    (
        "I5",
        """
        insert into notices (tenant_id, app_id, notification_id, body, received_at)
        select tenant_id, id, '1', '', now() - interval '1 day' from apps
        """,
    ),
    ("I5", "update connections set state = 'suspended', verify_after = now() - interval '1 day'"),
    ("I6", "update tokens set app_id = 'app_of_another'"),
    (
        "I7",
        """
        insert into authorization_requests (state_hash, tenant_id, id, session_id, app_id, browser_hash, expires_at, exchange)
        select 'another', tenant_id, 'another', session_id, app_id, browser_hash, expires_at, 'done' from authorization_requests
        """,
    ),
    ("I7", "update authorization_requests set consumed_at = expires_at + interval '1 second'"),
    ("I8", "alter table connections disable trigger connections_keep_identity"),
    (
        "I8",
        """
        insert into connections (tenant_id, id, merchant_id, app_id, provider, region, open_id, seller_name, clock, state, scopes)
        select tenant_id, 'con_z', merchant_id, app_id, provider, region, open_id, seller_name, clock, state, scopes
        from connections;
        insert into shops select tenant_id, 'con_z', shop_id, name, region, cipher, seller_type, code, authorized from shops
        """,
    ),
    (
        "I9",
        """
        insert into notices (tenant_id, app_id, notification_id, body, settled_at)
        select tenant_id, id, '1', '', now() from apps
        """,
    ),
    ("I10", "alter table events disable trigger events_in_order_of_commit"),
    (
        "I10",
        """
        alter table events alter position drop identity;
        update events set position = (select max(position) from events)
        """,
    ),
    ("I11", "update apps set secret_sealed = 'plain'"),
    ("I12", "update tokens set version = version + 1"),
    ("I12", "delete from data_keys where owner_id like 'con%'"),
    (
        "I13",
        """
        insert into pushes (tenant_id, id, connection_id, shop_id, kind, entity, document, state, ended_at)
        select tenant_id, n::text, connection_id, shop_id, 'stock', 'A', '', 'done', now() - n * interval '1 minute'
        from shops, generate_series(1, 2) n
        """,
    ),
    (
        "I13",
        """
        insert into exceptions (tenant_id, id, connection_id, shop_id, kind, entity, cause, message, state, ended_at)
        select tenant_id, 'exc', id, '7', 'stock', 'A', 'c', 'm', 'resolved', now() - interval '1 hour' from connections;
        insert into replays (tenant_id, id, created_by, total) select tenant_id, 'rep', 'me', 1 from connections;
        insert into replay_items (tenant_id, replay_id, position, exception_id) select tenant_id, 'rep', 1, 'exc' from connections
        """,
    ),
    ("I14", "update connections set state = 'erased'; delete from tokens"),
    ("I15", "alter table audit disable trigger audit_is_kept"),
    ("I15", "alter table audit_links disable trigger audit_links_are_kept"),
    (
        "I15",
        """
        alter table audit disable trigger user; update audit set actor = 'nobody' where action = 'connection.changed';
        alter table audit enable trigger user
        """,
    ),
    (
        "I15",
        """
        insert into presentations (tenant_id, connection_id, fence, refresh_hash, probe, outcome, ended_at)
        select tenant_id, id, -1, 'x', false, 'ok', now() - interval '1 minute' from connections
        """,
    ),
]


INSTALLS = """
    insert into authorization_requests (state_hash, tenant_id, id, app_id, browser_hash, expires_at, exchange)
    select n::text::bytea, tenant_id, n::text, app_id, browser_hash, expires_at, 'done'
    from authorization_requests, generate_series(1, 2) n
"""
"""Two that came from the App Store: no link asked for them."""


def selfcheck_of(world: World) -> Selfcheck:
    """The hub's own."""
    parts = world.hub.parts
    folder = parts.settings.data_dir
    vault = vaults.Vault(vaults.read_keys(folder / "keys"))
    return Selfcheck(parts.database, vault, parts.signer, folder / "spool")


async def violated(asked: Selfcheck, connection: Connection) -> dict[str, Any]:
    """What does not hold, by invariant."""
    return {each.invariant.id: each.violations for each in await asked.answers(connection) if each.violations}


async def test_each_wrong_that_is_planted_is_found(world: World) -> None:
    """Nothing before; with it, its invariant and the id; every invariant that looks at the database has its wrong here."""
    await world.linked()
    world.sandbox.advance("4d")
    await world.hub.work()
    asked = selfcheck_of(world)
    answers = await asked.run(whole_chain=True)
    assert [] == [answer for answer in answers if answer.violations]
    assert [f"I{number}" for number in range(1, 16)] == [answer.invariant.id for answer in answers]
    assert set() == {answer.invariant.id for answer in answers if answer.word == "unseen"}
    assert {each.id for each in INVARIANTS if each.seen} == {planted for planted, _ in PLANTED}
    async with world.hub.parts.database.connection() as connection:
        for invariant, statement in PLANTED:
            undo = connection.transaction()
            await undo.start()
            await connection.execute(statement.replace("ATTEMPT", ATTEMPT))
            found = await violated(asked, connection)
            await undo.rollback()
            assert invariant in found, statement
            assert set(found) <= {invariant, "I1", "I3", "I12"}, (statement, found)
            assert all("/" in each or ":" in each for each in found[invariant]), found


async def test_installs_and_a_workspace_that_was_erased_are_no_wrong(world: World) -> None:
    """Two returns without a link are not one link completed twice; an app's secret that is gone does not stand open."""
    hub = world.hub
    await world.linked()
    async with hub.parts.database.connection() as connection:
        await connection.execute(INSTALLS)
    asked = selfcheck_of(world)
    assert [] == [answer for answer in await asked.run() if answer.violations]
    begun = await erase.ask(hub.tenant_id, Subject.TENANT, hub.tenant_id, actor="command line", ports=hub.ports)
    await erase.finish(begun, hub.ports)
    assert [] == [answer for answer in await asked.run() if answer.violations]


async def test_what_waits_in_the_spool_is_listed(world: World) -> None:
    """A slip that nobody brought to the database is a violation once it is a minute old; a torn one is listed too."""
    asked = selfcheck_of(world)
    folder = world.hub.parts.settings.data_dir / "spool"
    spool = world.hub.ports.books.tokens._spool  # type: ignore[attr-defined]
    name = await spool.put(Slip(kind="refresh", tenant_id="ten", owner_id="con_1", sealed=b"", at=""))
    await asyncio.to_thread(Path(folder / "1-torn.slip").write_bytes, b"\x85torn")
    assert ["torn", "refresh"] == [each.kind for each in asked.waiting()]
    async with world.hub.parts.database.transaction() as connection:
        assert {} == await violated(asked, connection)
        os.utime(folder / name.partition("#")[0], (1, 1))
        found = await violated(asked, connection)
    assert [f"ten/con_1 in {name.partition('#')[0]}"] == found["I1"]


async def test_it_writes_nothing(world: World) -> None:
    """Not even by mistake: it asks in a transaction that cannot."""
    asked = selfcheck_of(world)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "evergrant.store.selfcheck.CHAINS",
            "insert into tenants (id, name) values ('x', 'x') returning id, 0 as number",
        )
        with pytest.raises(Exception, match="read-only"):
            await asked.run()
