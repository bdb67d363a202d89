"""Apps and merchants: a tenant's platform credentials, and the customers it connects with them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from evergrant.actions.reading import Entry, Merchant
from evergrant.actions.watching import Missed
from evergrant.core.app import App, Hosts
from evergrant.core.errors import ConflictError, NotFoundError
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation
from evergrant.store import audit, permissions, sealing, values, walls
from evergrant.store.database import Connection, Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from evergrant.store.vault import Vault

KNOWN_FOR = timedelta(seconds=2)
"""How long a process believes what it read of an app: a changed secret is used everywhere within this time."""

MOST_OLDER = 3
"""How many replaced secrets are accepted at once: each is one more that forges notices if it leaks."""

KEPT_ALREADY = "An app with this key is among your apps already, and kept twice the two would end each other's tokens: use that one."

SELECT = """
select a.*, k.key_number, k.wrapped,
    (select array_agg(s.secret_sealed order by s.number desc) from app_secrets s
     where s.tenant_id = a.tenant_id and s.app_id = a.id) as older_sealed,
    (select array_agg(s.number order by s.number desc) from app_secrets s
     where s.tenant_id = a.tenant_id and s.app_id = a.id) as older_numbers
from apps a
join data_keys k on k.tenant_id = a.tenant_id and k.owner_id = a.id
"""


class Apps:
    """Platform credentials; secrets go in, and come out only to sign and to exchange."""

    def __init__(self, database: Database, vault: "Vault", monotonic: "Callable[[], float]") -> None:
        self._database = database
        self._vault = vault
        self._monotonic = monotonic
        self._read: dict[tuple[walls.Seen, str], tuple[float, App]] = {}

    async def add(self, app: App, *, actor: str) -> None:
        """Keep a new app, its secret sealed.

        Raises:
            ConflictError: the tenant keeps it already.
        """
        async with self._database.transaction() as connection:
            key = await sealing.key_for(connection, self._vault, app.tenant_id, app.id)
            made = await connection.fetchval(
                """
                insert into apps (tenant_id, id, provider, region, name, key, secret_sealed, service_id, hosts,
                    required_scopes, rotation, clock, claim_url)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                on conflict (tenant_id, provider, region, key, (hosts ->> 'auth')) where not is_twin do nothing returning true
                """,
                app.tenant_id,
                app.id,
                app.provider,
                app.region,
                app.name,
                app.key,
                key.seal("app_secret", 1, app.secret),
                app.service_id,
                values.json_text({"authorize": app.hosts.authorize, "auth": app.hosts.auth, "api": app.hosts.api}),
                sorted(app.required_scopes),
                app.rotation,
                app.clock,
                app.claim_url,
            )
            if not made:
                raise ConflictError(KEPT_ALREADY)
            await connection.execute(
                "insert into app_identities (hash, tenant_id, app_id) values ($1, $2, $3)",
                identity(app),
                app.tenant_id,
                app.id,
            )
            entry = Entry(tenant_id=app.tenant_id, actor=actor, action="app.added", subject=app.id)
            await audit.write(connection, [entry])

    async def by_id(self, app_id: str) -> App:
        """One app by its id alone, as the platform's calls name it. Raises NotFoundError."""
        whose = walls.here(), app_id  # what one request may read is not found by another
        known = self._read.get(whose)
        if known is not None and self._monotonic() - known[0] < KNOWN_FOR.total_seconds():
            return known[1]
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """
                select (found.app).*, found.key_number, found.wrapped, found.older_sealed, found.older_numbers
                from app_of_id($1) found
                """,
                app_id,
            )
        if row is None:
            raise NotFoundError("There is no such app.")
        app = self._app(row)
        self._read[whose] = (self._monotonic(), app)
        return app

    async def of(self, tenant_id: str) -> Sequence[App]:
        """A tenant's apps, oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(f"{SELECT} where a.tenant_id = $1 order by a.created_at, a.id", tenant_id)
        return [self._app(row) for row in rows]

    async def renew(self, tenant_id: str, app_id: str, secret: Secret | None, *, retire_older: bool, actor: str) -> App:
        """Use another secret from now on, the one before it still accepted; or, or also, accept no older one any more.

        Raises:
            NotFoundError: the tenant has no such app.
            ConflictError: as many older ones as are accepted at once are accepted already.
        """
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "select secret_number, secret_sealed from apps where tenant_id = $1 and id = $2 for update",
                tenant_id,
                app_id,
            )
            if row is None:
                raise NotFoundError("There is no such app.")
            key = await sealing.key_of(connection, self._vault, tenant_id, app_id)
            standing = key.open("app_secret", row["secret_number"], row["secret_sealed"])
            if secret is not None and not secret.same_as(standing):
                await _replace(
                    connection, (tenant_id, app_id), row, key.seal("app_secret", row["secret_number"] + 1, secret)
                )
            if retire_older:
                await connection.execute(
                    "delete from app_secrets where tenant_id = $1 and app_id = $2", tenant_id, app_id
                )
            detail = {"secret": secret is not None, "retire_older": retire_older}
            entry = Entry(tenant_id=tenant_id, actor=actor, action="app.secret_changed", subject=app_id, detail=detail)
            await audit.write(connection, [entry])
            changed = self._app(
                await connection.fetchrow(f"{SELECT} where a.tenant_id = $1 and a.id = $2", tenant_id, app_id)
            )
        self._forget(app_id)
        return changed

    async def require(self, tenant_id: str, app_id: str, scopes: Collection[str], now: datetime, *, actor: str) -> App:
        """Require these scopes of every consent from now on, and tell each connection that comes to lack one.

        Raises:
            NotFoundError: the tenant has no such app.
        """
        select = f"{SELECT} where a.tenant_id = $1 and a.id = $2"
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(f"{select} for update of a", tenant_id, app_id)
            if row is None:
                raise NotFoundError("There is no such app.")
            await permissions.require(connection, self._app(row), scopes, now, actor=actor)
            changed = self._app(await connection.fetchrow(select, tenant_id, app_id))
        self._forget(app_id)
        return changed

    def _forget(self, app_id: str) -> None:
        for whose in [whose for whose in self._read if whose[1] == app_id]:
            del self._read[whose]

    async def refused_since(self, tenant_id: str) -> dict[str, datetime]:
        """Apps whose own credentials the platform refuses, and since when."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select id, refused_at from apps where tenant_id = $1 and refused_at is not null", tenant_id
            )
        return {row["id"]: row["refused_at"] for row in rows}

    async def notices_missed(self, tenant_id: str) -> dict[str, Missed]:
        """Apps whose notices do not arrive."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select app_id, missed, missed_since from app_watches where tenant_id = $1 and missed > 0", tenant_id
            )
        return {row["app_id"]: Missed(count=row["missed"], since=row["missed_since"]) for row in rows}

    async def refused(self, app_id: str, refused: bool) -> None:  # noqa: FBT001
        """Note whether the platform refuses the app's own credentials."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update apps set refused_at = case when $2 then coalesce(refused_at, now()) end
                where id = $1 and (refused_at is not null) <> $2
                """,
                app_id,
                refused,
            )

    async def clocks(self) -> Sequence[str]:
        """Every clock an app lives by."""
        async with self._database.connection() as connection:
            return [row["clock"] for row in await connection.fetch("select distinct clock from apps order by clock")]

    def _app(self, row: Any) -> App:
        key = sealing.opened(self._vault, row["tenant_id"], row["id"], row["key_number"], row["wrapped"])
        hosts = values.from_json(row["hosts"])
        return App(
            tenant_id=row["tenant_id"],
            id=row["id"],
            provider=row["provider"],
            region=row["region"],
            name=row["name"],
            key=row["key"],
            secret=key.open("app_secret", row["secret_number"], row["secret_sealed"]),
            service_id=row["service_id"],
            hosts=Hosts(authorize=hosts["authorize"], auth=hosts["auth"], api=hosts["api"]),
            required_scopes=frozenset(row["required_scopes"]),
            rotation=Rotation(row["rotation"]),
            clock=row["clock"],
            claim_url=row["claim_url"],
            older_secrets=tuple(
                key.open("app_secret", number, sealed)
                for number, sealed in zip(row["older_numbers"] or (), row["older_sealed"] or (), strict=True)
            ),
        )


def identity(app: App) -> bytes:
    """What an app is at the platform, whoever keeps it: nobody may have a seller's grant twice under it."""
    return values.digest(f"{app.provider}|{app.region}|{app.key}|{app.hosts.auth}")


class Merchants:
    """The vendor's customers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, merchant: Merchant) -> Merchant:
        """Keep a new merchant.

        Raises:
            ConflictError: there is one with this external id.
        """
        async with self._database.connection() as connection:
            try:
                row = await connection.fetchrow(
                    """
                    insert into merchants (tenant_id, id, external_id, name, email, locale) values ($1, $2, $3, $4, $5, $6)
                    returning *
                    """,
                    merchant.tenant_id,
                    merchant.id,
                    merchant.external_id,
                    merchant.name,
                    merchant.email,
                    merchant.locale,
                )
            except asyncpg.UniqueViolationError as error:
                raise ConflictError("There is a merchant with this external_id already.") from error
        return _merchant(row)

    async def find(self, tenant_id: str, merchant_id: str) -> Merchant:
        """One merchant. Raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "select * from merchants where tenant_id = $1 and id = $2 and erased_at is null", tenant_id, merchant_id
            )
        if row is None:
            raise NotFoundError("There is no such merchant.")
        return _merchant(row)

    async def page(self, tenant_id: str, *, after: str, limit: int) -> Sequence[Merchant]:
        """Merchants in the order of their ids, beginning behind `after`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select * from merchants where tenant_id = $1 and id > $2 and erased_at is null order by id limit $3",
                tenant_id,
                after,
                limit,
            )
        return [_merchant(row) for row in rows]


async def _replace(connection: Connection, where: tuple[str, str], row: Any, sealed: bytes) -> None:
    """Put a newer secret in the place of the one in use, which joins the older ones."""
    older = await connection.fetchval("select count(*) from app_secrets where tenant_id = $1 and app_id = $2", *where)
    if older >= MOST_OLDER:
        raise ConflictError(f"{older} older secrets of this app are still accepted. Retire them first: retire_older.")
    await connection.execute(
        "insert into app_secrets (tenant_id, app_id, number, secret_sealed) values ($1, $2, $3, $4)",
        *where,
        row["secret_number"],
        row["secret_sealed"],
    )
    await connection.execute(
        "update apps set secret_sealed = $3, secret_number = $4 where tenant_id = $1 and id = $2",
        *where,
        sealed,
        row["secret_number"] + 1,
    )


def _merchant(row: Connection) -> Merchant:
    return Merchant(
        tenant_id=row["tenant_id"],
        id=row["id"],
        external_id=row["external_id"],
        name=row["name"],
        email=row["email"],
        locale=row["locale"],
        created_at=row["created_at"],
    )
