"""Duties to forget: keys first and in a commit of their own, then the rows, then a signed record; resumed wherever it broke off."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from evergrant.actions.custody import Erasure, Subject
from evergrant.actions.reading import Entry
from evergrant.core.errors import NotFoundError
from evergrant.store import audit, wiping
from evergrant.store.database import Connection, Database
from evergrant.store.proofs import Proofs
from evergrant.store.spool import Spool
from evergrant.store.values import from_json, json_text

LEASE = timedelta(seconds=60)
AT_ONCE = 100

EXISTS = {
    Subject.CONNECTION: "select true from connections where tenant_id = $1 and id = $2",
    Subject.MERCHANT: "select true from merchants where tenant_id = $1 and id = $2",
    Subject.TENANT: "select true from tenants where id = $2 and id = $1",
}
# Every statement below: $1 is the tenant, $2 the subject, $3 its kind.
LOCK = """
select from connections c where c.tenant_id = $1
    and case $3 when 'connection' then c.id = $2 when 'merchant' then c.merchant_id = $2 else c.tenant_id = $2 end
order by c.id for update
"""

# The customer gets nothing new from here on, and their links lead nowhere: whoever makes a connection holds this row.
CLOSE = """
update merchants set erased_at = now() where tenant_id = $1 and erased_at is null
    and case $3 when 'merchant' then id = $2 when 'tenant' then tenant_id = $2 else false end
"""
WITHDRAW = """
update link_sessions set revoked_at = now() where tenant_id = $1 and revoked_at is null
    and outcome is distinct from 'completed'
    and case $3 when 'merchant' then merchant_id = $2 when 'tenant' then tenant_id = $2 else false end
"""

# Of the connections, of the pairs set aside and the claims that wait for them, and of what is on its way to them or to the
# merchant; or all.
DESTROY = """
with mine as (
    select c.tenant_id, c.id, c.app_id from connections c where c.tenant_id = $1
        and case $3 when 'connection' then c.id = $2 when 'merchant' then c.merchant_id = $2 else c.tenant_id = $2 end
), requests as (
    select r.id from authorization_requests r
    join link_sessions s on s.tenant_id = r.tenant_id and s.id = r.session_id
    left join mine on mine.tenant_id = s.tenant_id and mine.id in (s.connection_id, s.result_id)
    where s.tenant_id = $1 and (s.merchant_id = $2 or mine.id is not null)
), owners as (
    select id from mine
    union all
    select p.id from stray_pairs p join mine on mine.tenant_id = p.tenant_id and mine.id = p.connection_id
    union all
    select id from requests
    union all
    select id || ':answer' from requests
    union all
    select k.id from claims k join mine on mine.tenant_id = k.tenant_id and mine.id = k.connection_id
    union all
    select k.id from claims k
    join mine on mine.tenant_id = k.tenant_id
    join shops s on s.tenant_id = mine.tenant_id and s.connection_id = mine.id
    where k.state = 'waiting' and k.reason = 'shop_already_connected' and k.app_id = mine.app_id
        and k.shops @> jsonb_build_array(jsonb_build_object('id', s.shop_id))
), tokenless as (
    delete from tokens t using mine where t.tenant_id = mine.tenant_id and t.connection_id = mine.id
)
delete from data_keys k where k.tenant_id = $1 and ($3 = 'tenant' or k.owner_id in (select id from owners))
"""

LEFT = """
select c.id from connections c where c.tenant_id = $1
    and case $3 when 'connection' then c.id = $2 when 'merchant' then c.merchant_id = $2 else c.tenant_id = $2 end
    and (c.state <> 'erased' or c.open_id <> '')
order by c.id limit $4
"""

# Asked again, an erasure that has ended goes on if there is anything left of its subject after all.
NOTE = """
insert into erasures (tenant_id, id, kind, subject_id, asked_by, keys_gone, lease_until)
values ($1, $4, $3, $2, $5, $6, now() + $7)
on conflict (tenant_id, kind, subject_id) do update
    set keys_gone = erasures.keys_gone + excluded.keys_gone, lease_until = excluded.lease_until,
        finished_at = null, statement = null, signature = null, public_key = null
    where erasures.finished_at is not null and $8
"""

LEFTOVERS = {Subject.CONNECTION: wiping.ANSWERS, Subject.MERCHANT: wiping.OF_MERCHANT, Subject.TENANT: wiping.OF_TENANT}


class Erasures:
    """Duties to forget."""

    def __init__(self, database: Database, spool: Spool, proofs: Proofs) -> None:
        self._database = database
        self._spool = spool
        self._proofs = proofs

    async def begin(self, tenant_id: str, kind: Subject, subject_id: str, *, erasure_id: str, actor: str) -> Erasure:
        """Destroy every data key of the subject, and note that the rest has to follow: in one commit, before anything else.

        Asked again, it gives the first, reopened if anything is left. Whoever holds a token already holds it; nobody gets one any more.

        Raises:
            NotFoundError: the tenant has no such subject.
        """
        where = (tenant_id, subject_id)
        async with self._database.transaction() as connection:
            if not await connection.fetchval(EXISTS[kind], *where):
                raise NotFoundError(f"There is no such {kind.value}.")
            for statement in (CLOSE, LOCK, WITHDRAW):
                await connection.execute(statement, *where, kind)
            gone = _count(await connection.execute(DESTROY, *where, kind))
            for _, statement in wiping.ANSWERS:
                await connection.execute(statement, *where)
            is_left = bool(await connection.fetch(LEFT, *where, kind, 1))
            lease = LEASE if kind is Subject.CONNECTION else timedelta(0)
            await connection.execute(NOTE, *where, kind, erasure_id, actor, gone, lease, is_left)
            row = await connection.fetchrow(
                "select * from erasures where tenant_id = $1 and subject_id = $2 and kind = $3", *where, kind
            )
            entry = Entry(tenant_id=tenant_id, actor=actor, action="erasure.asked", subject=subject_id)
            await audit.write(connection, [entry])
            await connection.execute("select pg_notify('evergrant_work', 'erase')")
        return _erasure(row)

    async def take(self, limit: int) -> Sequence[Erasure]:
        """Erasures nobody is at."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                update erasures set lease_until = now() + $2 where (tenant_id, id) in (
                    select tenant_id, id from erasures where finished_at is null and (lease_until is null or lease_until <= now())
                    order by asked_at limit $1 for update skip locked)
                returning *
                """,
                limit,
                LEASE,
            )
        return [_erasure(row) for row in rows]

    async def left(self, erasure: Erasure) -> Sequence[str]:
        """Some of its connections of which anything is left; nobody else is at it meanwhile."""
        async with self._database.connection() as connection:
            await connection.execute(
                "update erasures set lease_until = now() + $3 where tenant_id = $1 and id = $2",
                erasure.tenant_id,
                erasure.id,
                LEASE,
            )
            rows = await connection.fetch(LEFT, erasure.tenant_id, erasure.subject_id, erasure.kind, AT_ONCE)
        return [row["id"] for row in rows]

    async def wipe(self, erasure: Erasure, connection_id: str) -> None:
        """Remove what is kept of one connection, which has ended for good: what there is much of in batches, then all the rest."""
        where = (erasure.tenant_id, connection_id)
        await self._spool.forget(connection_id)
        for statement in wiping.IN_BATCHES:
            removed = True
            while removed:
                async with self._database.transaction() as connection:
                    removed = await _run(connection, erasure, (statement,), where)
        async with self._database.transaction() as connection:
            await _run(connection, erasure, wiping.OF_CONNECTION, where)

    async def finish(self, erasure: Erasure) -> Erasure:
        """Remove what is left of the subject itself, and sign the record of it all."""
        where = (erasure.tenant_id, erasure.subject_id)
        async with self._database.transaction() as connection:
            await _run(connection, erasure, LEFTOVERS[erasure.kind], where)
            row = await connection.fetchrow(
                "select *, now() as ends from erasures where tenant_id = $1 and id = $2 for update",
                erasure.tenant_id,
                erasure.id,
            )
            if row["finished_at"] is None:
                statement = _statement(row)
                signature, public_key = self._proofs.sign(statement)
                row = await connection.fetchrow(
                    """
                    update erasures set finished_at = now(), statement = $3, signature = $4, public_key = $5, lease_until = null
                    where tenant_id = $1 and id = $2 returning *
                    """,
                    erasure.tenant_id,
                    erasure.id,
                    statement,
                    signature,
                    public_key,
                )
                entry = Entry(
                    tenant_id=erasure.tenant_id,
                    actor=erasure.asked_by,
                    action="erasure.done",
                    subject=erasure.subject_id,
                )
                await audit.write(connection, [entry])
        return _erasure(row)

    async def find(self, tenant_id: str, erasure_id: str) -> Erasure:
        """One erasure. Raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "select * from erasures where tenant_id = $1 and id = $2", tenant_id, erasure_id
            )
        if row is None:
            raise NotFoundError("There is no such erasure.")
        return _erasure(row)

    async def page(self, tenant_id: str, *, after: str, limit: int) -> Sequence[Erasure]:
        """Erasures in the order of their ids, beginning behind `after`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select * from erasures where tenant_id = $1 and id > $2 order by id limit $3", tenant_id, after, limit
            )
        return [_erasure(row) for row in rows]


async def _run(connection: Connection, erasure: Erasure, statements: wiping.Statements, where: tuple[str, str]) -> bool:
    """Do the statements and add what they removed to the record's counts; says whether that was anything."""
    removed: dict[str, int] = {}
    for name, statement in statements:
        count = _count(await connection.execute(statement, *where))
        if name and count:
            removed[name] = count
    if removed:
        known = await connection.fetchval(
            "select counts from erasures where tenant_id = $1 and id = $2 for update", erasure.tenant_id, erasure.id
        )
        counts = from_json(known)
        summed = counts | {name: counts.get(name, 0) + count for name, count in removed.items()}
        await connection.execute(
            "update erasures set counts = $3 where tenant_id = $1 and id = $2",
            erasure.tenant_id,
            erasure.id,
            json_text(summed),
        )
    return bool(removed)


def _statement(row: Any) -> str:
    return json_text(
        {
            "what": "erasure",
            "id": row["id"],
            "tenant_id": row["tenant_id"],
            "subject": {"kind": row["kind"], "id": row["subject_id"]},
            "asked_by": row["asked_by"],
            "asked_at": row["asked_at"],
            "data_keys_destroyed": row["keys_gone"],
            "finished_at": row["ends"],
            "removed": from_json(row["counts"]),
        }
    )


def _count(tag: str) -> int:
    """How many rows a command touched, from what PostgreSQL says of it: `DELETE 3`."""
    return int(tag.rsplit(" ", 1)[1])


def _erasure(row: Any) -> Erasure:
    return Erasure(
        tenant_id=row["tenant_id"],
        id=row["id"],
        kind=Subject(row["kind"]),
        subject_id=row["subject_id"],
        asked_by=row["asked_by"],
        asked_at=row["asked_at"],
        keys_gone=row["keys_gone"],
        counts=from_json(row["counts"]),
        finished_at=row["finished_at"],
        statement=row["statement"],
        signature=row["signature"],
        public_key=row["public_key"],
    )
