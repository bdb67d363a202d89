"""Checks a tenant's audit chain against the rows it binds, and names every row that is not as it was."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from evergrant.store.chain import bound, is_signed
from evergrant.store.database import Connection
from evergrant.store.signing import Signer

AT_ONCE = 5000
LATE = timedelta(seconds=10)
"""A row is bound within a second; one older than this that is not, is named."""

UNBOUND_SECONDS = 50.0

PIECE = """
select l.number, l.hash, l.subject as said_subject, coalesce(a.position, l.position) as position, a.at, a.actor, a.action,
    a.subject, a.request_id, a.detail
from audit_links l left join audit a on a.tenant_id = l.tenant_id and a.position = l.position
where l.tenant_id = $1 and l.number > $2 and l.number <= $3 order by l.number
"""

UNBOUND = """
select position from audit a where tenant_id = $1 and at < now() - $2::interval
  and not exists (select from audit_links l where l.tenant_id = a.tenant_id and l.position = a.position)
order by position limit 100
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that is not as it was: `what` is changed, deleted, unbound, missing, beyond or head."""

    tenant_id: str
    what: str
    where: str

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.tenant_id}: {self.where} {SAID[self.what]}"


SAID = {
    "changed": "was changed, or put in the place of another",
    "deleted": "was deleted",
    "unbound": "is not in the chain: it was put in past the hub, or no worker runs",
    "missing": "is missing from the chain",
    "beyond": "was added to the chain past the hub",
    "head": "is not signed with the key of this hub: it was changed, or the key is not here",
}


async def flaws(connection: Connection, signer: Signer, tenant_id: str, *, since: int = 0) -> AsyncIterator[Flaw]:
    """Everything wrong with a tenant's chain behind number `since`, in the order of the chain."""
    state = await connection.fetchrow("select * from audit_chains where tenant_id = $1", tenant_id)
    number = state["number"] if state else 0
    if state and number and not is_signed(signer, state):
        yield Flaw(tenant_id=tenant_id, what="head", where=f"the end of the chain (number {number})")
    last = await _hash_at(connection, tenant_id, since)
    for begin in range(since, number, AT_ONCE):
        known = {row["number"]: row for row in await connection.fetch(PIECE, tenant_id, begin, begin + AT_ONCE)}
        for place in range(begin + 1, min(begin + AT_ONCE, number) + 1):
            flaw = _flaw(tenant_id, place, known.get(place), last)
            if flaw:
                yield flaw
            last = known[place]["hash"] if place in known else None
    if number and last is not None and last != state["hash"]:
        yield Flaw(tenant_id=tenant_id, what="head", where=f"the end of the chain (number {number})")
    for row in await connection.fetch(PIECE, tenant_id, number, number + 100):
        yield Flaw(tenant_id=tenant_id, what="beyond", where=_named(row["number"], row))
    for row in await connection.fetch(UNBOUND, tenant_id, LATE, timeout=UNBOUND_SECONDS):
        yield Flaw(tenant_id=tenant_id, what="unbound", where=f"audit row {row['position']}")


def _flaw(tenant_id: str, place: int, row: Any, last: bytes | None) -> Flaw | None:
    """What is wrong at this place; behind a missing one only the row's being there can be told."""
    if row is None:
        return Flaw(tenant_id=tenant_id, what="missing", where=f"number {place}")
    if row["at"] is None:
        return Flaw(tenant_id=tenant_id, what="deleted", where=_named(place, row))
    if row["subject"] != row["said_subject"] or (
        last is not None and bound(last, tenant_id, place, row) != row["hash"]
    ):
        return Flaw(tenant_id=tenant_id, what="changed", where=_named(place, row))
    return None


def _named(place: int, row: Any) -> str:
    return f"audit row {row['position']} (number {place})"


async def _hash_at(connection: Connection, tenant_id: str, number: int) -> bytes | None:
    if not number:
        return b""
    found: bytes | None = await connection.fetchval(
        "select hash from audit_links where tenant_id = $1 and number = $2", tenant_id, number
    )
    return found
