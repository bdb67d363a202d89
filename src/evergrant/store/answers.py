"""Answers to calls that carried an idempotency key: sealed, and kept in the transaction of what the call did.

A call that only writes here runs inside one transaction, and its answer is part of it: no crash comes between the two.
While it runs an advisory lock keeps its twin away; that lock ends with its connection, so a killed process leaves nothing
behind. A call that speaks to the platform cannot hold a transaction open: its row says until when it is under way.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from evergrant.actions.repeating import Answer, Keeping, Place
from evergrant.core.errors import (
    CallOutcomeUnknownError,
    EvergrantError,
    IdempotencyInProgressError,
    IdempotencyKeyReusedError,
)
from evergrant.core.secret import Secret
from evergrant.store import sealing
from evergrant.store.database import Connection, Database
from evergrant.store.values import from_json, json_text

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

KEPT_FOR = timedelta(days=7)
LEASE = timedelta(minutes=5)
OWNER = "answers"
"""Whose data key seals them: one per tenant."""
SWEPT = 1000

FIND = """
select fingerprint, scope, status, media_type, headers, sealed from kept_answers
where tenant_id = $1 and route = $2 and key = $3 and status is not null and kept_at > now() - $4::interval
"""
KEEP = """
insert into kept_answers (tenant_id, route, key, fingerprint, scope, status, media_type, sealed, headers)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant_id, route, key) do update set fingerprint = excluded.fingerprint, scope = excluded.scope,
    status = excluded.status, media_type = excluded.media_type, sealed = excluded.sealed, headers = excluded.headers,
    kept_at = now(), lease_until = null
"""
TAKE = """
insert into kept_answers as kept (tenant_id, route, key, fingerprint, scope, lease_until)
values ($1, $2, $3, $4, '', now() + $5::interval)
on conflict (tenant_id, route, key) do update
    set lease_until = excluded.lease_until, kept_at = now(), status = null, sealed = null, fingerprint = excluded.fingerprint
    where kept.kept_at <= now() - $6::interval
       or (kept.status is null and kept.lease_until < now() and kept.fingerprint = excluded.fingerprint and not $7)
returning true
"""


class Answers:
    """The kept answers."""

    def __init__(self, database: Database, vault: "Vault") -> None:
        self._database = database
        self._vault = vault

    async def find(self, place: Place) -> Answer | None:
        """What is kept there, if it is not too old."""
        async with self._database.connection() as connection:
            return await self._found(connection, place)

    @asynccontextmanager
    async def alone(self, place: Place) -> AsyncIterator[Keeping]:
        """One transaction around all that the call does, alone at its place. Raises IdempotencyInProgressError."""
        async with self._database.held() as connection:
            lock = int.from_bytes(_digest(place)[:8], signed=True)
            if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", lock):
                raise IdempotencyInProgressError
            yield _Kept(self, place, await self._found(connection, place))

    @asynccontextmanager
    async def leased(self, place: Place, fingerprint: bytes, *, once: bool = False) -> AsyncIterator[Keeping]:
        """Alone at its place for a while, without a transaction: for what speaks to the platform meanwhile.

        Raises:
            IdempotencyInProgressError: somebody else has the place.
            CallOutcomeUnknownError: somebody had it and did not come back, and it may be done `once` only.
            IdempotencyKeyReusedError: somebody had it with another request, and did not come back.
        """
        where = (place.tenant_id, place.route, place.key)
        async with self._database.connection() as connection:
            taken = await connection.fetchval(TAKE, *where, fingerprint, LEASE, KEPT_FOR, once)
            earlier = None if taken else await self._found(connection, place)
            if not taken and earlier is None:
                raise await _why_not(connection, where, fingerprint)
        keeping = _Kept(self, place, earlier)
        yield keeping
        if earlier is None and not keeping.is_kept:
            async with self._database.connection() as connection:
                await connection.execute(
                    "delete from kept_answers where tenant_id = $1 and route = $2 and key = $3 and status is null",
                    *where,
                )

    async def keep(self, place: Place, answer: Answer) -> None:
        """Keep an answer, in the transaction under way if there is one."""
        async with self._database.transaction() as connection:
            key = await sealing.key_for(connection, self._vault, place.tenant_id, OWNER)
            await connection.execute(
                KEEP,
                place.tenant_id,
                place.route,
                place.key,
                answer.fingerprint,
                answer.scope,
                answer.status,
                answer.media_type,
                key.seal(_field(place), 1, Secret(answer.body.decode("latin-1"))),
                json_text(answer.headers),
            )

    async def sweep(self) -> int:
        """Forget what is too old; gives how many."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                delete from kept_answers where (tenant_id, route, key) in (
                    select tenant_id, route, key from kept_answers where kept_at <= now() - $1::interval
                    order by kept_at limit $2 for update skip locked)
                returning true
                """,
                KEPT_FOR,
                SWEPT,
            )
        return len(rows)

    async def _found(self, connection: Connection, place: Place) -> Answer | None:
        row: Any = await connection.fetchrow(FIND, place.tenant_id, place.route, place.key, KEPT_FOR)
        if row is None:
            return None
        key = await sealing.key_of(connection, self._vault, place.tenant_id, OWNER)
        return Answer(
            fingerprint=row["fingerprint"],
            scope=row["scope"],
            status=row["status"],
            media_type=row["media_type"],
            headers=from_json(row["headers"]),
            body=key.open(_field(place), 1, row["sealed"]).reveal().encode("latin-1"),
        )


async def _why_not(connection: Connection, where: tuple[str, str, str], fingerprint: bytes) -> EvergrantError:
    """Why a place without an answer is not free: it is another request's, somebody is at it, or nobody came back."""
    row = await connection.fetchrow(
        """
        select fingerprint, lease_until < now() as is_over from kept_answers
        where tenant_id = $1 and route = $2 and key = $3
        """,
        *where,
    )
    if row is None:
        return IdempotencyInProgressError()
    if row["fingerprint"] != fingerprint:
        return IdempotencyKeyReusedError()
    return CallOutcomeUnknownError() if row["is_over"] else IdempotencyInProgressError()


class _Kept:
    """One call under way."""

    def __init__(self, answers: Answers, place: Place, earlier: Answer | None) -> None:
        self.earlier = earlier
        self.is_kept = False
        self._answers = answers
        self._place = place

    async def keep(self, answer: Answer) -> None:
        """Keep the answer, together with what the call did."""
        await self._answers.keep(self._place, answer)
        self.is_kept = True


def _digest(place: Place) -> bytes:
    return hashlib.sha256(f"{place.tenant_id}\0{place.route}\0{place.key}".encode()).digest()


def _field(place: Place) -> str:
    """Part of the seal: an answer opens at its own place only."""
    return f"answer {_digest(place).hex()}"
