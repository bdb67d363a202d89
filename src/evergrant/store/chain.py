"""Binds each audit row to the one before it, tenant by tenant, behind the backs of those who write: nobody waits for it.

One process at a time binds for a tenant. Whoever is killed leaves either a whole piece of chain or none of it.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from evergrant.store import values
from evergrant.store.database import Connection, Database
from evergrant.store.signing import Signer

LOCK = 7_316_004
AT_ONCE = 2000
"""Rows bound in one transaction."""

MOST_TENANTS = 200
"""Tenants looked after in one round."""

BEHIND = """
select t.id from tenants t left join audit_chains c on c.tenant_id = t.id
where c.horizon > c.settled or exists (
    select from audit a where a.tenant_id = t.id and a.position > coalesce(c.settled, 0)
      and not exists (select from audit_links l where l.tenant_id = a.tenant_id and l.position = a.position))
limit $1
"""

# What is still under way, and how far it can reach back: read before the rows are.
STATE = """
select *, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next, now() as at
from audit_chains where tenant_id = $1
"""

UNBOUND = """
select position, at, actor, action, subject, request_id, detail from audit a
where tenant_id = $1 and position > $2
  and not exists (select from audit_links l where l.tenant_id = a.tenant_id and l.position = a.position)
order by position limit $3
"""

BIND = """
insert into audit_links (tenant_id, number, position, subject, hash)
select $1, * from unnest($2::bigint[], $3::bigint[], $4::text[], $5::bytea[])
"""

KEEP = """
update audit_chains set number = $2, hash = $3, settled = $4, horizon = $5, horizon_xid = $6,
    signed_at = $7, key_number = $8, signature = $9
where tenant_id = $1
"""


class Chain:
    """The chains of all tenants."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database = database
        self._signer = signer

    async def extend(self) -> int:
        """Bind what is not bound yet; gives how many rows that were, 0 if another process is at it."""
        async with self._database.connection() as connection:
            behind = await connection.fetch(BEHIND, MOST_TENANTS)
        return sum([await self._extend(row["id"]) for row in behind])

    async def _extend(self, tenant_id: str) -> int:
        async with self._database.transaction() as connection:
            if not await connection.fetchval("select pg_try_advisory_xact_lock($1, hashtext($2))", LOCK, tenant_id):
                return 0
            await connection.execute(
                "insert into audit_chains (tenant_id) values ($1) on conflict do nothing", tenant_id
            )
            state = await connection.fetchrow(STATE, tenant_id)
            rows = await connection.fetch(UNBOUND, tenant_id, state["settled"], AT_ONCE)
            number, last = state["number"], state["hash"]
            hashes = []
            for place, row in enumerate(rows, start=number + 1):
                last = bound(last, tenant_id, place, row)
                hashes.append(last)
            if rows:
                numbers = list(range(number + 1, number + len(rows) + 1))
                positions, subjects = [row["position"] for row in rows], [row["subject"] for row in rows]
                await connection.execute(BIND, tenant_id, numbers, positions, subjects, hashes)
            await self._keep(connection, tenant_id, state, rows, number + len(rows), last)
        return len(rows)

    async def _keep(
        self, connection: Connection, tenant_id: str, state: Any, rows: Sequence[Any], number: int, last: bytes
    ) -> None:
        at = state["at"]
        signed = self._signer.sign(head(tenant_id, number, last, at))
        await connection.execute(KEEP, tenant_id, number, last, *_reach(state, rows), at, signed.key, signed.value)


def _reach(state: Any, rows: Sequence[Any]) -> tuple[int, int, int | None]:
    """`settled`, `horizon` and `horizon_xid` after these rows were bound.

    A position is drawn a moment before its transaction gets a number, so the number that bounds those under way is only
    taken in the round after. Numbers of another server (a dump was restored) bound nothing.
    """
    settled, horizon, xid = state["settled"], state["horizon"], state["horizon_xid"]
    newest = max([horizon, *(row["position"] for row in rows)])
    if xid is not None and xid > state["next"]:
        xid = None
    if horizon > settled and xid is None:
        return settled, horizon, state["next"]
    is_whole = len(rows) < AT_ONCE or rows[-1]["position"] >= horizon
    if horizon == settled or (state["oldest"] >= xid and is_whole):
        return horizon, newest, None
    return settled, horizon, xid


def bound(last: bytes, tenant_id: str, number: int, row: Any) -> bytes:
    """The hash of a row at its place behind the hash before: over one form, whatever the database makes of its values."""
    form = msgspec.json.encode(
        [
            tenant_id,
            number,
            row["position"],
            instant(row["at"]),
            row["actor"],
            row["action"],
            row["subject"],
            row["request_id"],
            values.from_json(row["detail"]),
        ],
        order="sorted",
    )
    return hashlib.sha256(last + form).digest()


def head(tenant_id: str, number: int, last: bytes, at: datetime) -> bytes:
    """What is signed of a chain: whose it is, how long, its last hash, and when that was."""
    return f"evergrant audit head|{tenant_id}|{number}|{last.hex()}|{instant(at)}".encode()


def instant(moment: datetime) -> str:
    """An instant in the one form that is hashed: UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
