"""The audit chain: every row bound to the one before it, and every hand laid on it named."""

import asyncio
from typing import Any

import asyncpg
import pytest

from evergrant.actions.reading import Entry
from evergrant.store import chain_proof
from evergrant.store import vault as vaults
from evergrant.store.audit import Trail
from evergrant.store.chain import Chain
from evergrant.store.signing import Signer
from tests.hub_fixture import Hub

TENANT = "ten_b"


def signer_of(hub: Hub) -> Signer:
    """The hub's own."""
    return Signer(lambda: vaults.read_keys(hub.parts.settings.data_dir / "keys"))


async def prepared(hub: Hub, rows: int = 6) -> None:
    """A second tenant with some rows, all bound."""
    async with hub.parts.database.connection() as connection:
        await connection.execute("insert into tenants (id, name) values ($1, 'B')", TENANT)
    for number in range(rows):
        detail = {"b": number, "a": [1.5]}
        entry = Entry(tenant_id=TENANT, actor="key_1", action="token.read", subject="con_1", detail=detail)
        await hub.parts.trail.record(entry)
    while await hub.ports.books.upkeep.chain.extend():
        pass


async def flaws(hub: Hub) -> list[str]:
    """What is found, as `what: where`."""
    async with hub.parts.database.connection() as connection:
        found = chain_proof.flaws(connection, signer_of(hub), TENANT)
        return [f"{flaw.what}: {flaw.where}" async for flaw in found]


TAMPERED = {
    "changed": ("update audit set actor = 'key_2' where position = {2}", ["changed: audit row {2} (number 3)"]),
    "detail": ("update audit set detail = '{{}}' where position = {2}", ["changed: audit row {2} (number 3)"]),
    "deleted": ("delete from audit where position = {1}", ["deleted: audit row {1} (number 2)"]),
    "deleted with its link": (
        "delete from audit where position = {1}; delete from audit_links where tenant_id = 'ten_b' and number = 2",
        ["missing: number 2"],
    ),
    "deleted at the end": (
        "delete from audit where position = {5}; delete from audit_links where tenant_id = 'ten_b' and number = 6",
        ["missing: number 6"],
    ),
    "end denied": (
        """
        delete from audit where position = {5}; delete from audit_links where tenant_id = 'ten_b' and number = 6;
        update audit_chains set number = 5, hash = (select hash from audit_links where tenant_id = 'ten_b' and number = 5)
        """,
        ["head: the end of the chain (number 5)"],
    ),
    "swapped": (
        """
        update audit set position = -1 where position = {1}; update audit set position = {1} where position = {3};
        update audit set position = {3} where position = -1
        """,
        ["changed: audit row {1} (number 2)", "changed: audit row {3} (number 4)"],
    ),
    "inserted": (
        """
        insert into audit (tenant_id, at, actor, action, subject, request_id, detail)
        select tenant_id, at - interval '1 minute', actor, action, subject, request_id, detail
        from audit where position = {0}
        """,
        ["unbound: audit row {new}"],
    ),
}


async def test_every_hand_laid_on_a_row_is_named(hub: Hub) -> None:
    """Changed, deleted, cut off, swapped, inserted: each is found, and nothing else is."""
    await prepared(hub)
    assert await flaws(hub) == []
    async with hub.parts.database.connection() as connection:
        await connection.execute("alter table audit alter position drop identity")
        await connection.execute("create sequence positions start 1000")
        await connection.execute("alter table audit alter position set default nextval('positions')")
        positions = [
            row[0] for row in await connection.fetch("select position from audit where tenant_id = $1", TENANT)
        ]
        for name, (statement, expected) in TAMPERED.items():
            undo = connection.transaction()
            await undo.start()
            await connection.execute(
                "alter table audit disable trigger user; alter table audit_links disable trigger user"
            )
            await connection.execute(statement.format(*positions))
            new = await connection.fetchval("select max(position) from audit")
            found = [
                f"{flaw.what}: {flaw.where}" async for flaw in chain_proof.flaws(connection, signer_of(hub), TENANT)
            ]
            await undo.rollback()
            assert found == [each.format(*positions, new=new) for each in expected], name


async def test_rows_are_only_ever_added(hub: Hub) -> None:
    """Not even the hub's own database user changes or deletes one by mistake."""
    await prepared(hub, rows=1)
    async with hub.parts.database.connection() as connection:
        for statement in (
            "update audit set actor = ''",
            "delete from audit",
            "delete from audit_links",
            "truncate audit",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_a_row_that_becomes_visible_late_is_bound_too(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positions are drawn before commits: one that was drawn early and committed late is not left out, nor is a piece too big."""
    monkeypatch.setattr("evergrant.store.chain.AT_ONCE", 3)
    await prepared(hub)
    chain = hub.ports.books.upkeep.chain
    slow = await asyncpg.connect(**hub.parts.arguments, server_settings={"search_path": "evergrant"})
    late = slow.transaction()
    await late.start()
    await slow.execute("insert into audit values ($1, default, now(), 'late', 'x', 'con_1', '', '{}')", TENANT)
    for _ in range(5):
        await hub.parts.trail.record(Entry(tenant_id=TENANT, actor="k", action="x", subject="con_2"))
        await chain.extend()
    await late.commit()
    await slow.close()
    while await chain.extend():
        pass

    async with hub.parts.database.connection() as connection:
        bound = await connection.fetch(
            "select a.actor from audit_links join audit a using (tenant_id, position) order by 1"
        )
        state: Any = None
        for _ in range(5):
            await chain.extend()
            state = await connection.fetchrow("select * from audit_chains where tenant_id = $1", TENANT)
    assert "late" in [row["actor"] for row in bound]
    assert await flaws(hub) == []
    assert state["settled"] == state["horizon"]  # nothing is looked at again


async def test_two_workers_bind_one_chain(hub: Hub) -> None:
    """Side by side they neither bind a row twice nor wait for each other."""
    await prepared(hub, rows=1)
    second = Chain(hub.parts.database, signer_of(hub))
    entries = [Entry(tenant_id=TENANT, actor=f"k{n}", action="x", subject="con_2") for n in range(40)]
    trail = Trail(hub.parts.database)
    for entry in entries:
        await trail.record(entry)
        await asyncio.gather(second.extend(), hub.ports.books.upkeep.chain.extend())
    while await second.extend():
        pass
    async with hub.parts.database.connection() as connection:
        assert await connection.fetchval("select count(*) from audit_links where tenant_id = $1", TENANT) == 41
    assert await flaws(hub) == []


def test_a_signature_is_only_ours_with_our_key() -> None:
    """Another key, another text, another number: not ours."""
    signer, other = Signer(lambda: {1: bytes(32), 2: b"k" * 32}), Signer(lambda: {2: b"x" * 32})
    made = signer.sign(b"text")
    assert made.key == 2
    assert signer.is_ours(2, b"text", made.value)
    assert not signer.is_ours(2, b"other", made.value)
    assert not signer.is_ours(1, b"text", made.value)
    assert not signer.is_ours(3, b"text", made.value)
    assert not other.is_ours(2, b"text", made.value)
