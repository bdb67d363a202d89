"""The audit chain: every row bound to the one before it, and every hand laid on it named."""

import asyncio
import json
from collections.abc import Sequence
from itertools import accumulate, product
from typing import Any

import asyncpg
import pytest
import structlog
import structlog.testing

from evergrant.actions.reading import Entry
from evergrant.core.errors import VaultIntegrityError
from evergrant.store import chain, chain_proof
from evergrant.store import vault as vaults
from evergrant.store.audit import Trail
from evergrant.store.chain import Chain, bound
from evergrant.store.database import Connection
from evergrant.store.signing import Pen, Signer
from tests.hub_fixture import Hub

TENANT = "ten_b"


def signer_of(hub: Hub) -> Signer:
    """The hub's own."""
    return Signer(lambda: vaults.read_keys(hub.parts.settings.data_dir / "keys"))


async def prepared(hub: Hub, rows: int = 6, *, tenants: Sequence[str] = (TENANT,)) -> None:
    """More tenants with some rows each, all bound."""
    async with hub.parts.database.connection() as connection:
        await connection.execute("insert into tenants (id, name) select id, 'B' from unnest($1::text[]) as id", tenants)
    for tenant, number in product(tenants, range(rows)):
        await record(hub, tenant, number)
    await bind(hub)


async def record(hub: Hub, tenant: str, number: int = 0) -> None:
    """A row of a tenant's trail."""
    detail = {"b": number, "a": [1.5]}
    entry = Entry(tenant_id=tenant, actor="key_1", action="token.read", subject="con_1", detail=detail)
    await hub.parts.trail.record(entry)


async def bind(hub: Hub) -> None:
    """What a worker does until nothing is left."""
    while await hub.ports.books.upkeep.chain.extend():
        pass


async def flaws(hub: Hub, tenant: str = TENANT) -> list[str]:
    """What is found, as `what: where`."""
    async with hub.parts.database.connection() as connection:
        found = chain_proof.flaws(connection, signer_of(hub), tenant)
        return [f"{flaw.what}: {flaw.where}" async for flaw in found]


async def ends(hub: Hub) -> dict[str, tuple[int, int, bytes]]:
    """Where each tenant's chain ends, which generation signed that, and its signature."""
    async with hub.parts.database.connection() as connection:
        rows = await connection.fetch("select * from audit_chains")
    return {row["tenant_id"]: (row["number"], row["key_number"], row["signature"]) for row in rows}


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
    "changed with its link at the end": (
        """
        update audit set actor = 'key_2' where position = {5};
        update audit_links set hash = '\\x{forged}' where tenant_id = 'ten_b' and number = 6
        """,
        ["head: the end of the chain (number 6)"],
    ),
    "beyond": (
        "insert into audit_links values ('ten_b', 7, 77777, 'con_1', '')",
        ["beyond: audit row 77777 (number 7)"],
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
        forged = (await recomputed(connection, TENANT, 6))[-1].hex()
        for name, (statement, expected) in TAMPERED.items():
            undo = connection.transaction()
            await undo.start()
            await connection.execute(
                "alter table audit disable trigger user; alter table audit_links disable trigger user"
            )
            await connection.execute(statement.format(*positions, forged=forged))
            new = await connection.fetchval("select max(position) from audit")
            found = [
                f"{flaw.what}: {flaw.where}" async for flaw in chain_proof.flaws(connection, signer_of(hub), TENANT)
            ]
            await undo.rollback()
            assert found == [each.format(*positions, new=new) for each in expected], name


async def recomputed(connection: Connection, tenant: str, since: int) -> list[bytes]:
    """What somebody writes into the links who made every row from that number on be another's."""
    query = """
        select l.number, lag(l.hash, 1, '') over (order by l.number) as before, a.position, a.at, 'key_2' as actor, a.action,
            a.subject, a.request_id, a.detail
        from audit_links l join audit a using (tenant_id, position) where tenant_id = $1 order by l.number
    """
    rows = [row for row in await connection.fetch(query, tenant) if row["number"] >= since]
    return list(accumulate(rows, lambda last, row: bound(last, tenant, row["number"], row), initial=rows[0]["before"]))[
        1:
    ]


FORGED = {
    "all": """
        update audit_chains set hash = (select hash from audit_links where tenant_id = '{0}' and number = 6)
        where tenant_id = '{0}'
    """,
    "links": "select",
    "beyond": "insert into audit_links values ('{0}', 7, 77777, 'con_1', '')",
    "anew": "delete from audit_links where tenant_id = '{0}'; delete from audit_chains where tenant_id = '{0}'",
}
"""What somebody does, by tenant, who forged the last three rows and their links; or only adds a link."""


async def test_nothing_is_signed_behind_what_was_forged(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows changed, every hash recomputed, the head put right or the chain begun anew: what follows is not bound, and said."""
    lines = structlog.testing.CapturingLogger()
    monkeypatch.setattr(chain, "log", structlog.wrap_logger(lines, processors=[structlog.processors.JSONRenderer()]))
    await prepared(hub, tenants=[*FORGED, TENANT])
    async with hub.parts.database.transaction() as connection:
        await connection.execute("alter table audit disable trigger user; alter table audit_links disable trigger user")
        for tenant, statement in FORGED.items():
            links = [] if tenant == "beyond" else await recomputed(connection, tenant, 4)
            for number, link in enumerate(links, start=4):
                await connection.execute(
                    """
                    with one as (update audit_links set hash = $3 where tenant_id = $1 and number = $2 returning position)
                    update audit a set actor = 'key_2' from one where a.tenant_id = $1 and a.position = one.position
                    """,
                    tenant,
                    number,
                    link,
                )
            await connection.execute(statement.format(tenant))
        await connection.execute("alter table audit enable trigger user; alter table audit_links enable trigger user")
    before = await ends(hub)
    found = {tenant: await flaws(hub, tenant) for tenant in ("all", "links")}
    for _ in range(2):
        for tenant in (*FORGED, TENANT):
            await record(hub, tenant)
        await bind(hub)

    after = await ends(hub)
    signed = {tenant for tenant, end in after.items() if end[2] and end != before.get(tenant)}
    assert {TENANT} == signed - {hub.tenant_id}
    assert [] == await flaws(hub)
    head = "head: the end of the chain (number 6)"
    assert {"all": [head], "links": [head]} == found == {tenant: await flaws(hub, tenant) for tenant in found}
    said = [json.loads(call.args[0]) for call in lines.calls]
    assert sorted(FORGED) == sorted(line["tenant"] for line in said)  # once each
    assert {("critical", "chain.end_not_ours")} == {
        (call.method_name, line["event"]) for call, line in zip(lines.calls, said, strict=True)
    }


async def test_what_a_destroyed_generation_signed_is_signed_again_before(hub: Hub) -> None:
    """A quiet tenant's chain verifies after the rotation too, and goes on. What only lies in the folder signs nothing."""
    await prepared(hub, tenants=[TENANT, "forged"])
    await hub.parts.generations.prepare()
    for tenant in (TENANT, "forged"):
        await record(hub, tenant)
    await bind(hub)
    assert {1} == {key for _, key, _ in (await ends(hub)).values()}
    made = await Pen(hub.parts.database, signer_of(hub)).sign(b"a life")
    assert 1 == made.key
    await hub.parts.generations.rotate()
    async with hub.parts.database.connection() as connection:
        await connection.execute("update audit_chains set number = 6 where tenant_id = 'forged'")
    assert await hub.parts.generations.retire(1)

    after = await ends(hub)
    assert {hub.tenant_id: 2, TENANT: 2, "forged": 1} == {tenant: key for tenant, (_, key, _) in after.items()}
    assert [] == await flaws(hub)
    await record(hub, TENANT)
    await bind(hub)
    assert (8, 2) == (await ends(hub))[TENANT][:2]
    assert [] == await flaws(hub)


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
    worker = hub.ports.books.upkeep.chain
    slow = await asyncpg.connect(**hub.parts.arguments, server_settings={"search_path": "evergrant"})
    late = slow.transaction()
    await late.start()
    await slow.execute("insert into audit values ($1, default, now(), 'late', 'x', 'con_1', '', '{}')", TENANT)
    for _ in range(5):
        await hub.parts.trail.record(Entry(tenant_id=TENANT, actor="k", action="x", subject="con_2"))
        await worker.extend()
    await late.commit()
    await slow.close()
    while await worker.extend():
        pass

    async with hub.parts.database.connection() as connection:
        bound = await connection.fetch(
            "select a.actor from audit_links join audit a using (tenant_id, position) order by 1"
        )
        state: Any = None
        for _ in range(5):
            await worker.extend()
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
    made = signer.sign(b"text", [1, 2, 3])
    assert made.key == 2
    assert signer.sign(b"text", [1]).key == 1
    with pytest.raises(VaultIntegrityError):
        signer.sign(b"text", [3])
    assert signer.is_ours(2, b"text", made.value)
    assert not signer.is_ours(2, b"other", made.value)
    assert not signer.is_ours(1, b"text", made.value)
    assert not signer.is_ours(3, b"text", made.value)
    assert not other.is_ours(2, b"text", made.value)
