"""API keys, and the one read behind the token route: keys, connections, shops and sealed tokens in a single statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from evergrant.actions.lend import Lendable
from evergrant.actions.reading import ApiKey, Entry
from evergrant.core.errors import EvergrantError, NotFoundError, VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.store import audit, connections, sealing
from evergrant.store.database import GROUP_SECONDS, ONE_ROWS_FAULT, Database
from evergrant.store.together import Together
from evergrant.store.values import digest, from_json

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

# Many reads in one statement, each with its place among those that asked. A statement begins after everybody in it has
# asked, so nobody is given what stood before.
LENDABLE = """
select asked.place, k.tenant_id, k.id as key_id, k.scopes as key_scopes, k.revoked_at is not null as revoked,
    coalesce(k.expires_at <= now(), false) as expired, c.id as connection_id, c.open_id, c.clock, c.state, c.reason,
    c.authorized_at, c.authorization_ends, c.scopes, a.required_scopes, t.version, t.access_sealed, t.access_ends,
    d.key_number, d.wrapped,
    (select json_agg(json_build_array(s.shop_id, s.cipher, s.authorized) order by s.shop_id) from shops s
     where s.tenant_id = c.tenant_id and s.connection_id = c.id)::text as ciphers
from unnest($1::bytea[], $2::text[]) with ordinality as asked (hash, connection_id, place)
join api_keys k on k.hash = asked.hash
left join connections c on c.tenant_id = k.tenant_id and c.id = asked.connection_id
left join apps a on a.tenant_id = c.tenant_id and a.id = c.app_id
left join tokens t on t.tenant_id = c.tenant_id and t.connection_id = c.id
left join data_keys d on d.tenant_id = c.tenant_id and d.owner_id = c.id
"""
log = structlog.get_logger("keys")

READERS = 2
"""Statements of token reads under way at the same time; the next readers gather meanwhile."""

Asked = tuple[bytes, str]
"""A key's hash, and the connection whose token is wanted."""


class Keys:
    """API keys: only their SHA-256 is here."""

    def __init__(self, database: Database, vault: "Vault") -> None:
        self._database = database
        self._vault = vault
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

    async def find(self, key: Secret) -> ApiKey | None:
        """The key somebody showed, whatever its state; None if nobody was ever given it."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """
                select tenant_id, id as key_id, scopes as key_scopes, revoked_at is not null as revoked,
                    coalesce(expires_at <= now(), false) as expired
                from api_keys where hash = $1
                """,
                digest(key.reveal()),
            )
        return _key(row) if row else None

    async def for_token(self, key: Secret, connection_id: str) -> tuple[ApiKey | None, Lendable | None]:
        """The key somebody showed, and the connection whose token they want, if it is their tenant's."""
        row = await self._together.put((digest(key.reveal()), connection_id))
        if row is None:
            return None, None
        return _key(row), self._lendable(row) if row["connection_id"] else None

    async def for_tokens(
        self, key: Secret, connection_ids: Sequence[str]
    ) -> tuple[ApiKey | None, Sequence[Lendable | EvergrantError | None]]:
        """The same for many connections, in their order. One that does not open is an error of its own."""
        hashed = digest(key.reveal())
        rows = await self._read([(hashed, connection_id) for connection_id in connection_ids])
        if rows[0] is None:
            return None, [None] * len(rows)
        return _key(rows[0]), [self._opened(row) for row in rows]

    def _opened(self, row: Any) -> Lendable | EvergrantError | None:
        try:
            return self._lendable(row) if row["connection_id"] else None
        except VaultIntegrityError as error:
            log.critical("tokens.unreadable", tenant=row["tenant_id"], connection=row["connection_id"])
            return error

    async def _read(self, group: Sequence[Asked]) -> Sequence[Any]:
        """A row for each who asked, None where the key is nobody's."""
        async with self._database.connection(within=GROUP_SECONDS) as connection:
            rows = await connection.fetch(LENDABLE, [key for key, _ in group], [wanted for _, wanted in group])
        found = {row["place"]: row for row in rows}
        return [found.get(place) for place in range(1, len(group) + 1)]

    def _lendable(self, row: Any) -> Lendable:
        access = None
        if row["access_sealed"] is not None and row["wrapped"] is not None:
            key = sealing.opened(self._vault, row["tenant_id"], row["connection_id"], row["key_number"], row["wrapped"])
            access = key.open("access_token", row["version"], row["access_sealed"])
        return Lendable(
            connection_id=row["connection_id"],
            open_id=row["open_id"],
            clock=row["clock"],
            authorization=connections.authorization(row),
            required_scopes=frozenset(row["required_scopes"]),
            access=access,
            access_ends=row["access_ends"],
            ciphers=[
                (shop_id, cipher, authorized) for shop_id, cipher, authorized in from_json(row["ciphers"] or "[]")
            ],
        )


def _key(row: Any) -> ApiKey:
    return ApiKey(
        tenant_id=row["tenant_id"],
        id=row["key_id"],
        scopes=frozenset(row["key_scopes"]),
        revoked=row["revoked"],
        expired=row["expired"],
    )
