"""Suspect answers and stray pairs: kept sealed, brought home from the disk, and given their one chance."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from evergrant.actions.ports import SealingKey
from evergrant.actions.reading import Entry
from evergrant.actions.suspects import Stored, Whose
from evergrant.core.connection import Event
from evergrant.core.errors import VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.providers.wire import Reply, Suspect
from evergrant.store import audit, changes, events, pairs, sealing
from evergrant.store.database import Connection, Database
from evergrant.store.spool import Slip, Spool

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

SPOOL_KIND = "suspect"
ANSWER = ":answer"
"""Behind the id of a request: whose data key the suspect answer to its code is sealed with."""

# What came for a connection that was erased meanwhile is not kept.
KEEP = """
insert into suspect_answers (tenant_id, owner_id, fence, version, app_id, fields, answer_sealed, at)
select $1, $2, $3, $4, $5, $6, $7, $8 where not exists (
    select from connections where tenant_id = $1 and id = $2 and state = 'erased')
on conflict do nothing returning true
"""

NEWEST = """
select s.*, k.key_number, k.wrapped from suspect_answers s
join data_keys k on k.tenant_id = s.tenant_id and k.owner_id = s.owner_id
where s.tenant_id = $1 and s.owner_id = $2 and s.settled_at is null order by s.fence desc limit 1
"""

# Only where the standing pair itself was refused, and nothing of it is under way. The newest by its issue comes first.
ORPHANS = """
select distinct on (s.tenant_id, s.connection_id) s.tenant_id, s.id, s.connection_id, s.issued_at from stray_pairs s
join connections c on c.tenant_id = s.tenant_id and c.id = s.connection_id
join tokens t on t.tenant_id = s.tenant_id and t.connection_id = s.connection_id
where s.why = 'outlived' and s.tried_at is null and c.clock = $1 and t.due_at is null
  and c.state = 'reauthorization_required' and c.reason in ('refresh_refused', 'refresh_outcome_lost')
order by s.tenant_id, s.connection_id, s.issued_at desc nulls last limit 50
"""

CLAIM = """
update stray_pairs s set tried_at = now() from tokens t, connections c
where s.tenant_id = $1 and s.id = $2 and s.tried_at is null
  and t.tenant_id = s.tenant_id and t.connection_id = s.connection_id and t.due_at is null
  and c.tenant_id = s.tenant_id and c.id = s.connection_id
  and c.state = 'reauthorization_required' and c.reason in ('refresh_refused', 'refresh_outcome_lost')
returning s.pair_sealed, t.version
"""

ADOPT = """
update tokens set version = $3, access_sealed = $4, access_ends = $5, refresh_sealed = $6, refresh_hash = $7,
    refresh_ends = $8, issued_at = $9, due_at = $10, fence = fence + 1, lease_until = null, failures = 0
where tenant_id = $1 and connection_id = $2
"""

log = structlog.get_logger("suspects")


class Suspects:
    """Answers nobody may believe as they are, and pairs that came too late."""

    def __init__(self, database: Database, vault: "Vault", spool: Spool) -> None:
        self._database = database
        self._vault = vault
        self._spool = spool

    async def spool(self, whose: Whose, suspect: Suspect, at: datetime) -> Stored:
        """Keep an answer on disk, sealed, without asking the database for anything."""
        slip = Slip(
            kind=SPOOL_KIND,
            tenant_id=whose.tenant_id,
            owner_id=whose.owner_id,
            app_id=whose.app_id,
            fence=whose.fence,
            version=whose.version,
            sealed=whose.key.seal("answer", whose.version + 1, suspect.answer),
            at=at.isoformat(),
            note=" ".join(suspect.fields),
        )
        return _stored(slip, whose.key, suspect.answer, await self._spool.put(slip))

    async def spooled(self) -> Sequence[Stored]:
        """Answers a killed process left on this machine's disk. One nobody can open any more is set aside."""
        found = []
        for name, slip in self._spool.left():
            if slip.kind != SPOOL_KIND:
                continue
            try:
                async with self._database.connection() as connection:
                    key = await sealing.key_of(connection, self._vault, slip.tenant_id, slip.owner_id)
                found.append(_stored(slip, key, key.open("answer", slip.version + 1, slip.sealed), name))
            except (VaultIntegrityError, ValueError):
                log.critical("answer.slip_unreadable", slip=name, tenant=slip.tenant_id, owner=slip.owner_id)
                await self._spool.set_aside(name)
        return found

    async def keep(self, stored: Stored) -> None:
        """Keep an answer in the books too, and tell of it, once. It stays on disk."""
        whose, fields = stored.whose, list(stored.fields)
        async with self._database.transaction() as connection:
            key = whose.key if whose.fence else await self._own_key(connection, whose)
            sealed = key.seal("answer", whose.version + 1, Secret(stored.reply.body.decode()))
            given = (
                whose.tenant_id,
                whose.owner_id,
                whose.fence,
                whose.version,
                whose.app_id,
                fields,
                sealed,
                stored.at,
            )
            if not await connection.fetchval(KEEP, *given):
                return
            if whose.fence:
                told = Event(type="connection.answer_suspect", data={"fields": fields})
                await events.write(connection, whose.tenant_id, whose.owner_id, [told], stored.at)
            entry = Entry(
                tenant_id=whose.tenant_id,
                actor="refresh" if whose.fence else "link",
                action="token.answer_suspect",
                subject=whose.owner_id,
                detail={"fields": fields},
            )
            await audit.write(connection, [entry])
        log.critical("answer.suspect", tenant=whose.tenant_id, owner=whose.owner_id, fields=fields)

    async def drop(self, stored: Stored) -> None:
        """Forget it on disk: what can be used of it is in the books."""
        await self._spool.drop(stored.name)

    async def _own_key(self, connection: Connection, whose: Whose) -> SealingKey:
        """The key of a code's request goes with the request, so that what came for the code has one of its own."""
        return await sealing.key_for(connection, self._vault, whose.tenant_id, f"{whose.owner_id}{ANSWER}")

    async def newest(self, tenant_id: str, connection_id: str) -> Stored | None:
        """The newest one of a connection that nobody has settled."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(NEWEST, tenant_id, connection_id)
        if row is None:
            return None
        key = sealing.opened(self._vault, tenant_id, connection_id, row["key_number"], row["wrapped"])
        whose = Whose(
            tenant_id=tenant_id,
            app_id=row["app_id"],
            owner_id=connection_id,
            key=key,
            fence=row["fence"],
            version=row["version"],
        )
        answer = key.open("answer", row["version"] + 1, row["answer_sealed"])
        return Stored(whose=whose, reply=Reply(status=200, body=answer.reveal().encode()), at=row["at"])

    async def settle(self, stored: Stored) -> None:
        """It has been dealt with, and so have those before it."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update suspect_answers set settled_at = now()
                where tenant_id = $1 and owner_id = $2 and fence <= $3 and settled_at is null
                """,
                stored.whose.tenant_id,
                stored.whose.owner_id,
                stored.whose.fence,
            )

    async def adopt_orphans(self, clock: str, now: datetime) -> int:
        """Give the newest stray pair of each connection whose standing one was refused its one chance."""
        async with self._database.connection() as connection:
            found = await connection.fetch(ORPHANS, clock)
        adopted = 0
        for row in found:
            try:
                async with self._database.transaction() as connection:
                    await changes.lock(connection, row["tenant_id"], row["connection_id"])
                    adopted += await self._adopt(connection, row, now)
            except VaultIntegrityError:
                log.critical("orphan.unreadable", tenant=row["tenant_id"], stray=row["id"])
                async with self._database.connection() as connection:
                    await connection.execute(
                        "update stray_pairs set tried_at = now() where tenant_id = $1 and id = $2",
                        row["tenant_id"],
                        row["id"],
                    )
        return adopted

    async def _adopt(self, connection: Connection, row: Any, now: datetime) -> bool:
        where = (row["tenant_id"], row["connection_id"])
        claimed = await connection.fetchrow(CLAIM, row["tenant_id"], row["id"])
        if claimed is None:
            return False
        own = await sealing.key_of(connection, self._vault, row["tenant_id"], row["id"])
        granted = pairs.unpacked(own.open("grant", 1, claimed["pair_sealed"]))
        key = await sealing.key_of(connection, self._vault, *where)
        pair = pairs.sealed(key, granted.pair, claimed["version"] + 1)
        await connection.execute(
            ADOPT,
            *where,
            pair.version,
            pair.access,
            pair.access_ends,
            pair.refresh,
            pair.refresh_hash,
            pair.refresh_ends,
            row["issued_at"] or now,
            now,
        )
        entry = Entry(tenant_id=row["tenant_id"], actor="refresh", action="token.orphan_tried", subject=where[1])
        await audit.write(connection, [entry])
        log.warning("orphan.tried", tenant=row["tenant_id"], connection=where[1], stray=row["id"])
        return True


def _stored(slip: Slip, key: SealingKey, answer: Secret, name: str) -> Stored:
    whose = Whose(
        tenant_id=slip.tenant_id,
        app_id=slip.app_id,
        owner_id=slip.owner_id,
        key=key,
        fence=slip.fence,
        version=slip.version,
    )
    reply = Reply(status=200, body=answer.reveal().encode())
    at = datetime.fromisoformat(slip.at)
    return Stored(whose=whose, reply=reply, at=at, fields=tuple(slip.note.split()), name=name)
