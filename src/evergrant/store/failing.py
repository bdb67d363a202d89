"""Exceptions opened and ended, always in the transaction of what made them so."""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex

from evergrant.actions.exceptions import Failed, How
from evergrant.core import flows
from evergrant.core.connection import Event
from evergrant.core.gate import Why
from evergrant.store import events
from evergrant.store.database import Connection

HELD = tuple(why.value for why in Why)
"""Causes of a record that waits for its flow, and was not tried."""
UNREADABLE = "unreadable_record"

# One open exception a record: whoever fails again counts up. What nobody else had opened is told.
OPEN = """
insert into exceptions as x (tenant_id, id, connection_id, shop_id, kind, entity, cause, message, outage_id, push_id, parked,
    since, attempts)
select $1, given.id, $2, $3, $4, given.entity, given.cause, given.message, given.outage_id, given.push_id, given.parked,
    given.since, case when given.cause = any($13) then 0 else 1 end
from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::boolean[], $12::timestamptz[])
    as given (id, entity, cause, message, outage_id, push_id, parked, since)
on conflict (tenant_id, connection_id, shop_id, kind, entity) where state = 'open' do update set
    attempts = x.attempts + excluded.attempts, last_at = now(), cause = excluded.cause, message = excluded.message,
    push_id = coalesce(excluded.push_id, x.push_id), parked = excluded.parked,
    outage_id = coalesce(x.outage_id, excluded.outage_id), since = least(x.since, excluded.since)
returning id, entity, cause, (xmax = 0) as is_new
"""

TRIED = """
update replay_items i set outcome = 'failed', message = given.message, ended_at = now()
from unnest($2::text[], $3::text[]) as given (id, message)
where i.tenant_id = $1 and i.exception_id = given.id and i.outcome is null
"""

SETTLE = """
with ended as (
    update exceptions x set state = 'resolved', ended_at = now(), parked = false,
        how = coalesce($6, case when exists (select from replay_items i where i.tenant_id = x.tenant_id
            and i.exception_id = x.id and i.outcome is null) then 'retried' else 'by_itself' end)
    where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and entity = any($5) and state = 'open'
    returning tenant_id, id, entity, cause, how
), told as (
    update replay_items i set outcome = case when $6 = 'superseded' then 'superseded' else 'succeeded' end, ended_at = now()
    from ended where i.tenant_id = ended.tenant_id and i.exception_id = ended.id and i.outcome is null
)
select id, entity, cause, how from ended
"""


async def open_all(connection: Connection, failed: Sequence[Failed], at: datetime) -> None:
    """Open exceptions, or count them up. All are of one flow of one shop. `at` is platform time."""
    if not failed:
        return
    first, latest = failed[0], {each.entity: each for each in failed}
    ordered = [latest[entity] for entity in sorted(latest)]
    rows = await connection.fetch(
        OPEN,
        first.tenant_id,
        first.connection_id,
        first.shop_id,
        first.kind.value,
        [f"exc_{token_hex(16)}" for _ in ordered],
        [each.entity for each in ordered],
        [each.cause for each in ordered],
        [each.message for each in ordered],
        [each.outage_id for each in ordered],
        [each.push_id for each in ordered],
        [each.parked for each in ordered],
        [each.since for each in ordered],
        HELD,
    )
    over = [row for row in rows if not row["is_new"] and _is_over(latest[row["entity"]])]
    if over:
        messages = [latest[row["entity"]].message for row in over]
        await connection.execute(TRIED, first.tenant_id, [row["id"] for row in over], messages)
    told = [
        Event(type="exception.opened", data=_facts(first.shop_id, first.kind, row["id"], row["entity"], row["cause"]))
        for row in rows
        if row["is_new"]
    ]
    await events.write(connection, first.tenant_id, first.connection_id, told, at)


async def settle(
    connection: Connection,
    whose: tuple[str, str, str, flows.Kind],
    entities: Sequence[str],
    how: How | None,
    at: datetime,
) -> int:
    """These records of a flow (tenant, connection, shop, kind) are good now; gives how many were not. `at` is platform time.

    Without a `how` it is a retry where a bulk retry asked for one, and came by itself otherwise.
    """
    if not entities:
        return 0
    tenant_id, connection_id, shop_id, kind = whose
    rows = await connection.fetch(SETTLE, tenant_id, connection_id, shop_id, kind.value, list(entities), how)
    told = [
        Event(
            type="exception.resolved",
            data={**_facts(shop_id, kind, row["id"], row["entity"], row["cause"]), "how": row["how"]},
        )
        for row in rows
    ]
    await events.write(connection, tenant_id, connection_id, told, at)
    return len(rows)


def _is_over(failed: Failed) -> bool:
    """Whether nothing tries this record again by itself."""
    return failed.parked or failed.cause == UNREADABLE


def _facts(shop_id: str, kind: flows.Kind, exception_id: str, entity: str, cause: str) -> dict[str, str]:
    return {"shop_id": shop_id, "flow": kind.value, "exception_id": exception_id, "record_id": entity, "cause": cause}
