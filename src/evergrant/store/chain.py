"""Binds each audit row to the one before it, tenant by tenant, behind the backs of those who write: nobody waits for it.

One process at a time binds for a tenant. Whoever is killed leaves either a whole piece of chain or none of it. Nothing is
bound to an end that this hub did not sign: its signature would cover what somebody forged in the database.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from evergrant.store import locks, signing, values
from evergrant.store.database import Connection, Database
from evergrant.store.signing import Signer

AT_ONCE = 2000
"""Rows bound in one transaction."""

MOST_TENANTS = 200
"""Tenants looked after in one round."""

BEHIND = """
select t.id from tenants t left join audit_chains c on c.tenant_id = t.id
where c.horizon > c.settled or exists (
    select from audit a where a.tenant_id = t.id and a.position > coalesce(c.settled, 0)
      and not exists (select from audit_links l where l.tenant_id = a.tenant_id and l.position = a.position))
order by t.id = any($2) limit $1
"""
"""Those that cannot go on stand last, so that they keep nobody else from it."""

# What is still under way, and how far it can reach back: read before the rows are.
STATE = """
select *, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next, now() as at,
    (select l.hash from audit_links l where l.tenant_id = c.tenant_id and l.number = c.number) as last_link,
    exists (select from audit_links l where l.tenant_id = c.tenant_id and l.number > c.number) as is_beyond
from audit_chains c where tenant_id = $1
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

SIGNED_WITH = "select * from audit_chains where key_number = $1 for update"
SIGN = """
update audit_chains c set signed_at = now(), key_number = given.key, signature = given.value
from unnest($1::text[], $2::int[], $3::bytea[]) as given (tenant_id, key, value) where c.tenant_id = given.tenant_id
"""

log = structlog.get_logger("chain")


class Chain:
    """The chains of all tenants."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database = database
        self._signer = signer
        self._reached: dict[str, int] = {}
        self._stuck: set[str] = set()

    async def extend(self) -> int:
        """Bind what is not bound yet; gives how many rows that were, 0 if another process is at it."""
        async with self._database.connection() as connection:
            behind = await connection.fetch(BEHIND, MOST_TENANTS, list(self._stuck))
        return sum([await self._extend(row["id"]) for row in behind])

    async def _extend(self, tenant_id: str) -> int:
        async with self._database.transaction() as connection:
            if not await connection.fetchval(
                "select pg_try_advisory_xact_lock($1, hashtext($2))", locks.CHAIN, tenant_id
            ):
                return 0
            await connection.execute(
                "insert into audit_chains (tenant_id) values ($1) on conflict do nothing", tenant_id
            )
            announced = await signing.held(connection)
            state = await connection.fetchrow(STATE, tenant_id)
            if not self._may_go_on(tenant_id, state):
                return 0
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
            number += len(rows)
            signed = self._signer.sign(head(tenant_id, number, last, state["at"]), announced)
            how_far = _reach(state, rows)
            await connection.execute(KEEP, tenant_id, number, last, *how_far, state["at"], signed.key, signed.value)
        self._reached[tenant_id] = number
        return len(rows)

    def _may_go_on(self, tenant_id: str, state: Any) -> bool:
        """Whether the chain ends as it was left; if not, that is said once, and nothing is signed for as long as it is so."""
        is_ours = _is_as_left(self._signer, state) and state["number"] >= self._reached.get(tenant_id, 0)
        if is_ours:
            self._stuck.discard(tenant_id)
        elif tenant_id not in self._stuck:
            self._stuck.add(tenant_id)
            log.critical("chain.end_not_ours", tenant=tenant_id, number=state["number"], generation=state["key_number"])
        return is_ours


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


async def sign_again(connection: Connection, signer: Signer, old: int, announced: Sequence[int]) -> None:
    """Sign every end anew that the generation `old` signed, before that goes. One that it did not sign stays, and is named.

    Nobody binds meanwhile: the caller holds the generation's row.
    """
    signer, rows = signer.at_once(), await connection.fetch(SIGNED_WITH, old)
    at = await connection.fetchval("select now()")
    whose, signed = [], []
    for row in rows:
        tenant_id = row["tenant_id"]
        if not is_signed(signer, row):
            log.critical("chain.end_not_ours", tenant=tenant_id, number=row["number"], generation=old)
            continue
        whose.append(tenant_id)
        signed.append(signer.sign(head(tenant_id, row["number"], row["hash"], at), announced))
    await connection.execute(SIGN, whose, [each.key for each in signed], [each.value for each in signed])


def _is_as_left(signer: Signer, state: Any) -> bool:
    """Whether the end is one that this hub signed, and the links end there."""
    if state["is_beyond"]:
        return False
    return not state["number"] or (state["last_link"] == state["hash"] and is_signed(signer, state))


def is_signed(signer: Signer, state: Any) -> bool:
    """Whether this hub signed the end that a tenant's row names."""
    if state["signed_at"] is None:
        return False
    text = head(state["tenant_id"], state["number"], state["hash"], state["signed_at"])
    return signer.is_ours(state["key_number"], text, state["signature"])


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
