"""API keys, and the one read behind the token route: keys, connections, shops and sealed tokens in a single statement."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from evergrant.actions.lend import Lendable
from evergrant.actions.reading import ApiKey, Entry
from evergrant.core.errors import ConflictError, DatabaseUnavailableError, NotFoundError, VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.store import audit, connections, sealing
from evergrant.store.database import GROUP_SECONDS, ONE_ROWS_FAULT, Connection, Database
from evergrant.store.together import Together
from evergrant.store.values import digest, from_json

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

NOTE = """
update api_keys set used_at = now() where tenant_id = $1 and id = $2
    and coalesce(used_at < now() - make_interval(secs => $3), true)
"""
LIST = """
select *, case when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'active' end as state
from api_keys where tenant_id = $1 order by created_at, id
"""
# A key that was replaced already lives for its overlap only: then its successor's life is the one to hand on.
SUCCEED = """
insert into api_keys (hash, tenant_id, id, name, scopes, replaces, expires_at)
values ($1, $2, $3, $4, $5, $6, now() + coalesce($7::interval, (
    select expires_at - created_at from api_keys where tenant_id = $2 and (id = $6 or replaces = $6)
    order by created_at desc, id desc limit 1)))
returning expires_at
"""
READERS = 2
"""Statements of token reads under way at the same time; the next readers gather meanwhile."""

NOTED_FOR = 60.0
"""Seconds in which a process notes a key's use once: enough to see which key is still in use."""

Asked = tuple[bytes, str]
"""A key's hash, and the connection whose token is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKey:
    """An API key as its owner sees it; the key itself is not here. Instants are wall time."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
    replaces: str | None
    state: str
    """`active`, `expired` or `revoked`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """When a key ends that was replaced, and when the one in its place; None: never."""

    old_ends: datetime
    new_ends: datetime | None


class Keys:
    """API keys: only their SHA-256 is here."""

    def __init__(self, database: Database, vault: "Vault") -> None:
        self._database = database
        self._vault = vault
        self._noted: dict[str, float] = {}
        self._noting: set[asyncio.Task[None]] = set()
        self._together: Together[Asked, Any] = Together(self._read, alone=ONE_ROWS_FAULT, most=64, writers=READERS)

    async def add(
        self,
        tenant_id: str,
        key_id: str,
        key: Secret,
        *,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
    ) -> None:
        """Keep a new key.

        Raises:
            NotFoundError: there is no such tenant.
        """
        async with self._database.transaction() as connection:
            made = await connection.fetchval(
                """
                insert into api_keys (hash, tenant_id, id, name, scopes, expires_at)
                select $1, t.id, $3, $4, $5, $6 from tenants t where t.id = $2 returning true
                """,
                digest(key.reveal()),
                tenant_id,
                key_id,
                name,
                list(scopes),
                expires_at,
            )
            if not made:
                raise NotFoundError("There is no such tenant.")
            entry = Entry(tenant_id=tenant_id, actor="command line", action="api_key.created", subject=key_id)
            await audit.write(connection, [entry])

    async def of(self, tenant_id: str) -> Sequence[KeptKey]:
        """A tenant's keys, oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(LIST, tenant_id)
        return [_kept(row) for row in rows]

    async def rotate(
        self,
        tenant_id: str,
        key_id: str,
        new_id: str,
        new: Secret,
        *,
        overlap: timedelta,
        life: timedelta | None = None,
    ) -> Rotated:
        """Keep a key in the place of another, with its name and scopes; and with its life from now on, unless one is given.

        Raises:
            NotFoundError: there is no such key.
            ConflictError: it works no more, so nothing waits for its successor.
        """
        async with self._database.transaction() as connection:
            old = await _living(connection, tenant_id, key_id)
            new_ends = await connection.fetchval(
                SUCCEED, digest(new.reveal()), tenant_id, new_id, old["name"], old["scopes"], key_id, life
            )
            old_ends = await connection.fetchval(
                """
                update api_keys set expires_at = least(expires_at, now() + $3) where tenant_id = $1 and id = $2
                returning expires_at
                """,
                tenant_id,
                key_id,
                overlap,
            )
            entry = Entry(
                tenant_id=tenant_id,
                actor="command line",
                action="api_key.rotated",
                subject=new_id,
                detail={"replaces": key_id, "until": old_ends.isoformat()},
            )
            await audit.write(connection, [entry])
        return Rotated(old_ends=old_ends, new_ends=new_ends)

    async def revoke(self, tenant_id: str, key_id: str) -> None:
        """End a key with the next call that shows it. Raises NotFoundError, ConflictError: it works no more."""
        async with self._database.transaction() as connection:
            await _living(connection, tenant_id, key_id)
            await connection.execute(
                "update api_keys set revoked_at = now() where tenant_id = $1 and id = $2", tenant_id, key_id
            )
            entry = Entry(tenant_id=tenant_id, actor="command line", action="api_key.revoked", subject=key_id)
            await audit.write(connection, [entry])

    async def find(self, key: Secret) -> ApiKey | None:
        """The key somebody showed, whatever its state; None if nobody was ever given it."""
        rows = await self._database.look_up("api_key", digest(key.reveal()))
        return self._shown(rows[0]) if rows else None

    async def for_token(self, key: Secret, connection_id: str) -> tuple[ApiKey | None, Lendable | None]:
        """The key somebody showed, and the connection whose token they want, if it is their tenant's."""
        row = await self._together.put((digest(key.reveal()), connection_id))
        if row is None:
            return None, None
        return self._shown(row), self._lendable(row) if row["connection_id"] else None

    def _shown(self, row: Any) -> ApiKey:
        """The key of a row; that it was used is noted once in a while, and nobody waits for that."""
        now, key = asyncio.get_running_loop().time(), _key(row)
        if now - self._noted.get(key.id, -NOTED_FOR) >= NOTED_FOR and not (key.revoked or key.expired):
            self._noted[key.id] = now
            task = asyncio.create_task(self._note(key), context=Context())
            self._noting.add(task)
            task.add_done_callback(self._noting.discard)
        return key

    async def _note(self, key: ApiKey) -> None:
        with suppress(DatabaseUnavailableError):  # the next use is noted as well
            async with self._database.connection(within=GROUP_SECONDS, of={key.tenant_id}) as connection:
                await connection.execute(NOTE, key.tenant_id, key.id, NOTED_FOR)

    async def for_tokens(
        self, key: Secret, connection_ids: Sequence[str]
    ) -> tuple[ApiKey | None, Sequence[Lendable | None]]:
        """The same for many connections, in their order."""
        hashed = digest(key.reveal())
        rows = await self._read([(hashed, connection_id) for connection_id in connection_ids])
        if rows[0] is None:
            return None, [None] * len(rows)
        return self._shown(rows[0]), [self._lendable(row) if row["connection_id"] else None for row in rows]

    async def _read(self, group: Sequence[Asked]) -> Sequence[Any]:
        """A row for each who asked, None where the key is nobody's.

        Many reads in one statement, each with its place among those that asked. It begins after everybody in it has asked,
        so nobody is given what stood before.
        """
        hashes, wanted = [key for key, _ in group], [connection_id for _, connection_id in group]
        rows = await self._database.look_up("lendable", hashes, wanted, within=GROUP_SECONDS)
        found = {row["place"]: row for row in rows}
        return [found.get(place) for place in range(1, len(group) + 1)]

    def _lendable(self, row: Any) -> Lendable:
        access, is_damaged = self._access(row)
        return Lendable(
            connection_id=row["connection_id"],
            open_id=row["open_id"],
            clock=row["clock"],
            authorization=connections.authorization(row),
            required_scopes=frozenset(row["required_scopes"]),
            access=access,
            is_damaged=is_damaged,
            access_ends=row["access_ends"],
            ciphers=[
                (shop_id, cipher, authorized) for shop_id, cipher, authorized in from_json(row["ciphers"] or "[]")
            ],
        )

    def _access(self, row: Any) -> tuple[Secret | None, bool]:
        """The access token, if there is one, and whether there is one that does not open. Said only to whoever may read it."""
        if row["access_sealed"] is None:
            return None, False
        try:
            key = sealing.opened(self._vault, row["tenant_id"], row["connection_id"], row["key_number"], row["wrapped"])
            return key.open("access_token", row["version"], row["access_sealed"]), False
        except VaultIntegrityError:
            return None, True


async def _living(connection: Connection, tenant_id: str, key_id: str) -> Any:
    """The row of a key that works, held until the transaction ends."""
    row = await connection.fetchrow(
        """
        select name, scopes, revoked_at is not null or coalesce(expires_at <= now(), false) as is_over
        from api_keys where tenant_id = $1 and id = $2 for update
        """,
        tenant_id,
        key_id,
    )
    if row is None:
        raise NotFoundError("There is no such API key; evergrant keys list shows them.")
    if row["is_over"]:
        raise ConflictError("This API key works no more; evergrant keys create makes another.")
    return row


def _kept(row: Any) -> KeptKey:
    return KeptKey(
        id=row["id"],
        name=row["name"],
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        used_at=row["used_at"],
        replaces=row["replaces"],
        state=row["state"],
    )


def _key(row: Any) -> ApiKey:
    return ApiKey(
        tenant_id=row["tenant_id"],
        id=row["key_id"],
        scopes=frozenset(row["key_scopes"]),
        revoked=row["revoked"],
        expired=row["expired"],
    )
