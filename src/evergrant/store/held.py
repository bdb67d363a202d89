"""What waits for a flow: held with an exception while it is shut, due when it opens, given up where the vendor lets go."""

from evergrant.actions.exceptions import How
from evergrant.core import flows, outage
from evergrant.core.connection import Change, Flow
from evergrant.core.gate import REMEDIES, Why
from evergrant.store import exceptions, failing, pushes
from evergrant.store.database import Connection

HOLD = """
update pushes p set due_at = 'infinity', outage_id = coalesce(p.outage_id, (select o.outage_id from outage_flows o
    where o.tenant_id = $1 and o.connection_id = $2 and o.shop_id = $3 and o.kind = $4 and o.balanced_at is null))
where p.tenant_id = $1 and p.connection_id = $2 and p.shop_id = $3 and p.kind = $4 and p.state = 'waiting'
returning p.id, p.entity, p.outage_id
"""

ANOTHER_REASON = """
update exceptions set cause = $6, message = $7 where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4
  and state = 'open' and cause = $5
"""

# Where the platform has only said that the consent stands, what was refused as if it did not goes on backing off.
RELEASE = """
update pushes set due_at = now() + case when $5 and attempts > 0
    then least(interval '15 minutes', interval '2 seconds' * 2 ^ least(attempts - 1, 10)) else interval '0' end
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4
  and state = 'waiting' and due_at = 'infinity' returning true
"""

# Whoever has one in hand settles nothing any more.
GIVE_UP = """
update pushes set state = 'dismissed', ended_at = now(), lease_until = null, fence = fence + 1
where tenant_id = $1 and connection_id = $2 and state in ('waiting', 'parked')
"""

FAILED = "select id from exceptions where tenant_id = $1 and connection_id = $2 and state = 'open' order by id"


async def follow(connection: Connection, change: Change) -> None:
    """Hold or release what waits for each flow the change shuts or opens, in the transaction that keeps the change."""
    if outage.is_let_go(change):
        await _give_up(connection, change)
        return
    before = {(flow.shop_id, flow.kind): flow.shut for flow in change.before.flows}
    for flow in change.after.flows:
        was = before.get((flow.shop_id, flow.kind))
        if flow.shut is not was:
            await _follow(connection, change, flow, was)


async def _give_up(connection: Connection, change: Change) -> None:
    """Pushes first, as whoever sends one locks them."""
    whose = (change.after.tenant_id, change.after.id)
    await connection.execute(GIVE_UP, *whose)
    ids = [row["id"] for row in await connection.fetch(FAILED, *whose)]
    if ids:
        await exceptions.end(connection, *whose, ids, How.BY_HAND, change.at, dismiss=True)


async def _follow(connection: Connection, change: Change, flow: Flow, was: Why | None) -> None:
    shop = (change.after.tenant_id, change.after.id, flow.shop_id)
    if flow.shut is not None and was is not None:
        await connection.execute(ANOTHER_REASON, *shop, flow.kind, was.value, flow.shut.value, REMEDIES[flow.shut])
    elif flow.kind not in flows.PUSHED:
        return
    elif flow.shut is not None:
        rows = await connection.fetch(HOLD, *shop, flow.kind)
        held = [pushes.held_up(shop, row["entity"], row["id"], flow.shut, row["outage_id"]) for row in rows]
        await failing.open_all(connection, held, change.at)
    elif await connection.fetch(RELEASE, *shop, flow.kind, change.answers):
        await connection.execute("select pg_notify('evergrant_work', 'push')")
