"""Keeps a change of a connection whole: its row, shops and flows, what is told of it, and what must be destroyed."""

from evergrant.actions.ports import StaleError
from evergrant.actions.reading import Entry
from evergrant.core.connection import WIPES, Change, Connection, Event
from evergrant.core.errors import NotFoundError
from evergrant.store import audit, events, held, outages, sealing, watches
from evergrant.store.database import Connection as Database
from evergrant.store.values import digest


async def keep(connection: Database, change: Change, *, actor: str) -> None:
    """Write a change in the caller's transaction.

    One that changes nothing says it of what was read, too: what has moved since may need what follows, or must not have it.

    Raises:
        StaleError: the connection has moved since it was read.
    """
    if change.before.revision == 0:
        await _create(connection, change)
    elif not change.is_empty:
        await _update(connection, change)
    else:
        await _still_stands(connection, change.before)
    await _keep_shops(connection, change)
    await _keep_flows(connection, change)
    await events.write(connection, change.after.tenant_id, change.after.id, change.events, change.at)
    await _settle_tokens(connection, change)
    await watches.follow(connection, change)
    await outages.follow(connection, change)
    await held.follow(connection, change)
    if change.events:
        entry = Entry(
            tenant_id=change.after.tenant_id,
            actor=actor,
            action="connection.changed",
            subject=change.after.id,
            detail={"to": change.after.authorization.state, "told": [event.type for event in change.events]},
        )
        await audit.write(connection, [entry])


async def lock(connection: Database, tenant_id: str, connection_id: str) -> None:
    """Lock a connection's row before any other row of it, so that two transactions never wait for each other.

    Rows that name it may be added meanwhile: whoever adds one may hold a flow of it.
    """
    await connection.execute(
        "select from connections where tenant_id = $1 and id = $2 for no key update", tenant_id, connection_id
    )


async def is_here(connection: Database, tenant_id: str, merchant_id: str) -> bool:
    """Whether a customer is there and nobody asked to erase them; if so, they stay until this transaction ends."""
    found = await connection.fetchval(
        "select true from merchants where tenant_id = $1 and id = $2 and erased_at is null for share",
        tenant_id,
        merchant_id,
    )
    return bool(found)


async def admit(connection: Database, tenant_id: str, merchant_id: str) -> None:
    """Who is being erased gets nothing new. Raises NotFoundError."""
    if not await is_here(connection, tenant_id, merchant_id):
        raise NotFoundError("There is no such merchant.")


async def _create(connection: Database, change: Change) -> None:
    made = change.after
    authorization = made.authorization
    await admit(connection, made.tenant_id, made.merchant_id)
    await connection.execute(
        """
        insert into connections (tenant_id, id, merchant_id, app_id, provider, region, open_id, seller_name, clock, state,
            reason, authorized_at, authorization_ends, scopes)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        made.tenant_id,
        made.id,
        made.merchant_id,
        made.app_id,
        made.provider,
        made.region,
        made.open_id,
        made.seller_name,
        made.clock,
        authorization.state,
        authorization.reason,
        authorization.granted_at,
        authorization.ends,
        sorted(authorization.scopes),
    )


# Whether a refresh is in doubt is the token clock's own to write: a change may rest on an older reading of it.
# Who is to be asked about stays so until the platform has answered or the authorization has ended; where a refusal has
# ended it, only a notice asks.
UPDATE = """
update connections set state = $4, reason = $5, authorized_at = $6, authorization_ends = $7, scopes = $8,
    seller_name = $9, revision = revision + 1,
    verify_after = case
        when $10 then now()
        when $11 then null
        when $4 = 'suspended' then coalesce(verify_after, now())
        when $4 = 'active' or ($4 = 'reauthorization_required' and $4 = state) then verify_after
    end
where tenant_id = $1 and id = $2 and revision = $3
returning true
"""


async def _update(connection: Database, change: Change) -> None:
    after, authorization = change.after, change.after.authorization
    moved = await connection.fetchval(
        UPDATE,
        after.tenant_id,
        after.id,
        change.before.revision,
        authorization.state,
        authorization.reason,
        authorization.granted_at,
        authorization.ends,
        sorted(authorization.scopes),
        after.seller_name,
        change.asks,
        change.answers,
    )
    if not moved:
        raise StaleError
    if change.asks:
        await connection.execute("select pg_notify('evergrant_work', 'verify')")


async def _still_stands(connection: Database, known: Connection) -> None:
    still = await connection.fetchval(
        "select true from connections where tenant_id = $1 and id = $2 and revision = $3 for no key update",
        known.tenant_id,
        known.id,
        known.revision,
    )
    if not still:
        raise StaleError


async def _keep_shops(connection: Database, change: Change) -> None:
    returns = change.before.authorization.state in WIPES and change.after.authorization.state not in WIPES
    if change.after.shops == change.before.shops and change.before.revision and not returns:
        return
    for shop in change.after.shops:
        await connection.execute(
            """
            insert into shops (tenant_id, connection_id, shop_id, name, region, cipher, seller_type, code, authorized)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (tenant_id, connection_id, shop_id) do update set name = excluded.name, region = excluded.region,
                cipher = excluded.cipher, seller_type = excluded.seller_type, code = excluded.code,
                authorized = excluded.authorized
            """,
            change.after.tenant_id,
            change.after.id,
            shop.id,
            shop.name,
            shop.region,
            shop.cipher,
            shop.seller_type,
            shop.code,
            shop.authorized,
        )
        await _hold(connection, change.after, shop.id)


async def _hold(connection: Database, holder: Connection, shop_id: str) -> None:
    """Note that this connection holds the shop under its app; what has ended for good lets go of it.

    Raises:
        StaleError: another living connection holds it meanwhile.
    """
    key = digest(f"{holder.app_id}|{shop_id}")
    await connection.execute(
        """
        select from connections c join shop_holders h on h.tenant_id = c.tenant_id and h.connection_id = c.id
        where h.hash = $1 and c.id <> $2 for no key update of c
        """,
        key,
        holder.id,
    )
    await connection.execute(
        """
        insert into shop_holders as h (hash, tenant_id, connection_id) values ($1, $2, $3)
        on conflict (hash) do update set tenant_id = excluded.tenant_id, connection_id = excluded.connection_id
        where exists (select from connections c where c.tenant_id = h.tenant_id and c.id = h.connection_id
                      and c.id <> excluded.connection_id and c.state in ('cancelled', 'deactivated', 'erased'))
        """,
        key,
        holder.tenant_id,
        holder.id,
    )
    held = await connection.fetchrow("select tenant_id, connection_id from shop_holders where hash = $1", key)
    if (held["tenant_id"], held["connection_id"]) != (holder.tenant_id, holder.id):
        raise StaleError


async def _keep_flows(connection: Database, change: Change) -> None:
    """Write what the change decides of each flow. How far a flow has come is the flow's own to write.

    A flow that opens begins at once, but where the platform has only said that the consent stands, a refused poll goes on
    backing off: what it was refused for may be refused again.
    """
    before = {(flow.shop_id, flow.kind): flow for flow in change.before.flows}
    for flow in change.after.flows:
        if before.get((flow.shop_id, flow.kind)) == flow and change.before.revision:
            continue
        await connection.execute(
            """
            insert into flows (tenant_id, connection_id, shop_id, kind, clock, shut, paused_by_vendor, next_run_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (tenant_id, connection_id, shop_id, kind) do update set shut = excluded.shut,
                paused_by_vendor = excluded.paused_by_vendor, next_run_at = excluded.next_run_at,
                failures = case when excluded.shut is null and not $9 then 0 else flows.failures end,
                last_error = case when excluded.shut is null and not $9 then null else flows.last_error end,
                lease_until = case when excluded.shut is null and not $9 then null else flows.lease_until end
            """,
            change.after.tenant_id,
            change.after.id,
            flow.shop_id,
            flow.kind,
            change.after.clock,
            flow.shut,
            flow.paused_by_vendor,
            flow.next_run_at,
            change.answers,
        )


async def _settle_tokens(connection: Database, change: Change) -> None:
    """Stop the token clock of what has ended, and destroy the tokens where they must not be kept."""
    after = change.after
    if change.wipes_tokens:
        await connection.execute(
            "delete from tokens where tenant_id = $1 and connection_id = $2", after.tenant_id, after.id
        )
        await sealing.destroy(connection, after.tenant_id, after.id)
        await connection.execute(  # the next pair's versions begin anew: none of them is the one that was held
            "delete from recovery_held where tenant_id = $1 and connection_id = $2", after.tenant_id, after.id
        )
        await connection.execute(
            """
            update presentations set outcome = 'outlived', ended_at = now()
            where tenant_id = $1 and connection_id = $2 and (outcome is null or outcome = 'in_doubt')
            """,
            after.tenant_id,
            after.id,
        )
        wiped = Event(type="tokens.destroyed", data={"reason": after.authorization.reason})
        await events.write(connection, after.tenant_id, after.id, [wiped], change.at)
    elif change.stops_refreshing:
        await connection.execute(
            "update tokens set due_at = null where tenant_id = $1 and connection_id = $2", after.tenant_id, after.id
        )
