"""The connections: read whole, kept by compare-and-set, listed for people and programs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from evergrant.actions.reading import Filter, Listed
from evergrant.core import chosen
from evergrant.core.authorization import EXPIRING, Authorization, Reason, State
from evergrant.core.connection import Change, Connection, Event, Flow, Shop
from evergrant.core.errors import NotFoundError
from evergrant.core.flows import Kind
from evergrant.core.gate import Why
from evergrant.store import awaited, changes, events
from evergrant.store.database import Database
from evergrant.store.values import digest, from_json

SELECT = """
select c.*,
    (select json_agg(s order by s.shop_id) from shops s where s.tenant_id = c.tenant_id and s.connection_id = c.id)::text as shops,
    (select json_agg(f order by f.shop_id, f.kind) from flows f
     where f.tenant_id = c.tenant_id and f.connection_id = c.id)::text as flows
from connections c
"""

LISTED = """
select c.*, m.name as merchant_name, a.name as app_name, a.required_scopes, a.refused_at, t.access_ends, t.issued_at, t.due_at,
    (select json_agg(s order by s.shop_id) from shops s where s.tenant_id = c.tenant_id and s.connection_id = c.id)::text as shops,
    (select json_agg(f order by f.shop_id, f.kind) from flows f
     where f.tenant_id = c.tenant_id and f.connection_id = c.id)::text as flows
from connections c
join merchants m on m.tenant_id = c.tenant_id and m.id = c.merchant_id
join apps a on a.tenant_id = c.tenant_id and a.id = c.app_id
left join tokens t on t.tenant_id = c.tenant_id and t.connection_id = c.id
where c.tenant_id = $1 and c.id > $2
    and ($3::text is null or c.id = $3)
    and ($4::text is null or c.merchant_id = $4)
    and ($5::text is null or c.state = $5)
    and ($6::timestamptz is null or c.authorization_ends < $6)
    and ($7::text is null or c.seller_name ilike $7 or m.name ilike $7 or exists (select from shops s
        where s.tenant_id = c.tenant_id and s.connection_id = c.id and (s.name ilike $7 or s.shop_id ilike $7)))
order by c.id limit $8
"""

THESE = f"{SELECT} where (c.tenant_id, c.id) in (select * from unnest($1::text[], $2::text[]))"  # noqa: S608


class Connections:
    """The connections, with their shops and flows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, tenant_id: str, connection_id: str) -> Connection:
        """One connection. Raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"{SELECT} where c.tenant_id = $1 and c.id = $2", tenant_id, connection_id)
        if row is None:
            raise NotFoundError("There is no such connection.")
        return whole(row)

    async def holders(self, app_id: str, shop_ids: Sequence[str]) -> Sequence[tuple[str, str]]:
        """(tenant id, connection id) of every connection that holds one of the shops under the app."""
        keys = [digest(f"{app_id}|{shop_id}") for shop_id in shop_ids]
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select distinct tenant_id, connection_id from shop_holders where hash = any($1)", keys
            )
        return [(row["tenant_id"], row["connection_id"]) for row in rows]

    async def page(self, tenant_id: str, wanted: Filter) -> Sequence[Listed]:
        """Connections in the order of their ids, beginning behind `wanted.after`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                LISTED,
                tenant_id,
                wanted.after,
                wanted.connection_id,
                wanted.merchant_id,
                wanted.state,
                wanted.ends_before,
                f"%{_literal(wanted.q)}%" if wanted.q else None,
                wanted.limit,
            )
        return [_listed(row) for row in rows]

    async def listed(self, tenant_id: str, connection_id: str) -> Listed:
        """One connection as people and programs see it. Raises NotFoundError."""
        found = await self.page(tenant_id, Filter(connection_id=connection_id, limit=1))
        if not found:
            raise NotFoundError("There is no such connection.")
        return found[0]

    async def keep(self, change: Change, *, actor: str) -> None:
        """Keep a change whole. Raises StaleError."""
        async with self._database.transaction() as connection:
            await changes.keep(connection, change, actor=actor)

    async def past_end(self, clock: str, now: datetime) -> Sequence[tuple[str, str]]:
        """Those whose period is over and whose state does not say so yet."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                select tenant_id, id from connections
                where clock = $1 and authorization_ends <= $2
                  and state in ('active', 'suspended', 'reauthorization_required')
                order by authorization_ends limit 500
                """,
                clock,
                now,
            )
        return [(row["tenant_id"], row["id"]) for row in rows]

    async def tell_expiring(self, clock: str, now: datetime) -> int:
        """Note the 30-day warning once per end, for every connection that has come that close; gives how many."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                """
                update connections set expiring_told_for = authorization_ends
                where (tenant_id, id) in (select tenant_id, id from connections
                    where clock = $1 and state = 'active' and authorization_ends > $2 and authorization_ends <= $3
                      and expiring_told_for is distinct from authorization_ends
                    order by authorization_ends limit 500 for update skip locked)
                returning tenant_id, id, authorization_ends
                """,
                clock,
                now,
                now + EXPIRING,
            )
            for row in rows:
                ends = row["authorization_ends"]
                left = Authorization(state=State.ACTIVE, ends=ends).days_remaining(now)
                data = {"authorization_expires_at": ends.isoformat(), "days_remaining": left}
                told = Event(type="connection.expiring", data=data)
                await events.write(connection, row["tenant_id"], row["id"], [told], now)
                await awaited.owe_warnings(connection, row["tenant_id"], row["id"], ends)
        return len(rows)

    async def take_unverified(self, clock: str, limit: int) -> Sequence[tuple[str, str]]:
        """Connections the platform is to be asked about and nobody asks; each is this worker's for 20 seconds."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                update connections set verify_after = now() + interval '20 seconds'
                where (tenant_id, id) in (select tenant_id, id from connections
                    where clock = $1 and verify_after <= now()
                    order by verify_after limit $2 for update skip locked)
                returning tenant_id, id
                """,
                clock,
                limit,
            )
        return [(row["tenant_id"], row["id"]) for row in rows]

    async def is_refreshing(self, tenant_id: str, connection_id: str) -> bool:
        """Whether a refresh token was shown and nobody knows yet what came of it."""
        async with self._database.connection() as connection:
            found: bool = await connection.fetchval(
                """
                select exists (select from presentations where tenant_id = $1 and connection_id = $2
                    and (outcome is null or outcome = 'in_doubt'))
                """,
                tenant_id,
                connection_id,
            )
        return found

    async def ask_again(self, known: Connection, wait: timedelta | None) -> None:
        """The platform said nothing: ask after the wait, or, for None, not before somebody casts doubt anew."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update connections set verify_after = now() + $4::interval
                where tenant_id = $1 and id = $2 and revision = $3 and verify_after is not null
                """,
                known.tenant_id,
                known.id,
                known.revision,
                wait,
            )


async def these(database: Database, found: Sequence[tuple[str, str]]) -> Sequence[Connection]:
    """The connections found by (tenant id, connection id), whoever's they are: for deciding, not for showing."""
    if not found:
        return []
    tenants, ids = [tenant for tenant, _ in found], [connection_id for _, connection_id in found]
    async with database.connection(of=set(tenants)) as connection:
        rows = await connection.fetch(THESE, tenants, ids)
    return [whole(row) for row in rows]


def whole(row: Any) -> Connection:
    """A connection from a row of SELECT."""
    return Connection(
        tenant_id=row["tenant_id"],
        id=row["id"],
        merchant_id=row["merchant_id"],
        app_id=row["app_id"],
        provider=row["provider"],
        region=row["region"],
        open_id=row["open_id"],
        seller_name=row["seller_name"],
        clock=row["clock"],
        authorization=authorization(row),
        revision=row["revision"],
        in_doubt_since=row["in_doubt_since"],
        shops=tuple(_shop(shop) for shop in from_json(row["shops"] or "[]")),
        flows=tuple(_flow(flow) for flow in from_json(row["flows"] or "[]")),
        chosen=chosen.read(from_json(row["settings"])),
    )


def authorization(row: Any) -> Authorization:
    """The authorization in a row of connections."""
    return Authorization(
        state=State(row["state"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        granted_at=row["authorized_at"],
        ends=row["authorization_ends"],
        scopes=frozenset(row["scopes"]),
    )


def _listed(row: Any) -> Listed:
    return Listed(
        connection=whole(row),
        merchant_name=row["merchant_name"],
        app_name=row["app_name"],
        required_scopes=frozenset(row["required_scopes"]),
        app_refused=row["refused_at"] is not None,
        token_issued_at=row["issued_at"],
        token_ends=row["access_ends"],
        refresh_due_at=row["due_at"],
    )


def _shop(row: dict[str, Any]) -> Shop:
    return Shop(
        id=row["shop_id"],
        name=row["name"],
        region=row["region"],
        cipher=row["cipher"],
        seller_type=row["seller_type"],
        code=row["code"],
        authorized=row["authorized"],
    )


def _flow(row: dict[str, Any]) -> Flow:
    return Flow(
        shop_id=row["shop_id"],
        kind=Kind(row["kind"]),
        shut=Why(row["shut"]) if row["shut"] else None,
        paused_by_vendor=row["paused_by_vendor"],
        cursor=_instant(row["reached"]),
        next_run_at=_instant(row["next_run_at"]),
        last_success_at=_instant(row["last_success_at"]),
        last_error=row["last_error"],
        catching_up=row["catching_up"] is not None,
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _literal(text: str) -> str:
    """Text that `ilike` takes as itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
