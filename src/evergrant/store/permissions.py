"""What an app requires of every consent: changed, and told to each connection that does not have it."""

from collections.abc import Collection
from datetime import datetime

from evergrant.actions.reading import Entry
from evergrant.core.app import App
from evergrant.store import audit, events
from evergrant.store.database import Connection

CHANGE = "update apps set required_scopes = $3 where tenant_id = $1 and id = $2"

# Each living connection is told once of each scope it comes to lack, in the commit that makes the app require it. The lock
# is that of every change, so that a consent under way is either seen here or sees what is required.
TELL = """
with lacking as (
    select id, (select array_agg(wanted order by wanted) from unnest($3::text[]) wanted where wanted <> all (c.scopes)) as missing
    from connections c
    where tenant_id = $1 and app_id = $2 and state in ('active', 'suspended') and not ($3::text[] <@ scopes)
      and exists (select from unnest($4::text[]) raised where raised <> all (c.scopes))
    order by id for update
)
insert into events (tenant_id, id, type, connection_id, happened_at, data)
select $1, 'evt_' || replace(gen_random_uuid()::text, '-', ''), 'connection.scopes_missing', id, $5,
    jsonb_build_object('missing', to_jsonb(missing), 'reason', 'new_permissions_needed')
from lacking returning connection_id
"""


async def require(connection: Connection, app: App, scopes: Collection[str], now: datetime, *, actor: str) -> None:
    """Require these scopes from now on, in the caller's transaction, and tell whoever comes to lack one."""
    raised = sorted(set(scopes) - app.required_scopes)
    await connection.execute(CHANGE, app.tenant_id, app.id, sorted(scopes))
    told = await connection.fetch(TELL, app.tenant_id, app.id, sorted(scopes), raised, now)
    if told:
        await connection.execute("select pg_notify($1, $2)", events.CHANNEL, f"{app.tenant_id} -")
    entry = Entry(
        tenant_id=app.tenant_id,
        actor=actor,
        action="app.scopes_required",
        subject=app.id,
        detail={"required": sorted(scopes), "told": len(told)},
    )
    await audit.write(connection, [entry])
