"""Apps and merchants: a tenant's platform credentials, and the customers it connects with them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from evergrant.actions.reading import Entry, Merchant
from evergrant.actions.watching import Missed
from evergrant.core.app import App, Hosts
from evergrant.core.errors import ConflictError, NotFoundError
from evergrant.core.tokens import Rotation
from evergrant.store import audit, sealing, values, walls
from evergrant.store.database import Connection, Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from evergrant.store.vault import Vault

KNOWN_FOR = timedelta(seconds=2)
"""How long a process believes what it read of an app: a changed secret is used everywhere within this time."""

KEPT_ALREADY = "An app with this key is among your apps already, and kept twice the two would end each other's tokens: use that one."

SELECT = """
select a.*, k.key_number, k.wrapped from apps a
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
                "select (found.app).*, found.key_number, found.wrapped from app_of_id($1) found", app_id
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
            secret=key.open("app_secret", 1, row["secret_sealed"]),
            service_id=row["service_id"],
            hosts=Hosts(authorize=hosts["authorize"], auth=hosts["auth"], api=hosts["api"]),
            required_scopes=frozenset(row["required_scopes"]),
            rotation=Rotation(row["rotation"]),
            clock=row["clock"],
            claim_url=row["claim_url"],
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
                "select * from merchants where tenant_id = $1 and id = $2", tenant_id, merchant_id
            )
        if row is None:
            raise NotFoundError("There is no such merchant.")
        return _merchant(row)

    async def page(self, tenant_id: str, *, after: str, limit: int) -> Sequence[Merchant]:
        """Merchants in the order of their ids, beginning behind `after`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select * from merchants where tenant_id = $1 and id > $2 order by id limit $3", tenant_id, after, limit
            )
        return [_merchant(row) for row in rows]


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
