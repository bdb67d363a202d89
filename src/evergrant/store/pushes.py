"""What waits to go out: given, taken by waves, and settled with the exceptions that opens and ends."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from secrets import token_hex
from typing import Any

from evergrant.actions.exceptions import Failed, How
from evergrant.actions.pushes import CALLS_A_WAVE, Came, Gave, Level, Sent, Standing, Wave
from evergrant.core import flows
from evergrant.core.errors import NotFoundError
from evergrant.core.gate import REMEDIES, Why
from evergrant.store import failing, finding
from evergrant.store.database import Connection, Database

LEASE = timedelta(seconds=25)
NEARLY = timedelta(seconds=23)
"""Longer than the hard limit of a call and the look at the gate before it."""
KEPT = timedelta(days=30)
"""How long a record that is over can be looked at."""
FORGOTTEN_AT_ONCE = 5000
LONG = timedelta(seconds=5)
STAND_ASIDE_AT_ONCE = 5000

# Why each flow is shut, as it stays until this transaction ends: who opens or shuts it meanwhile finds what is given now.
SHUT = """
select shop_id, shut from flows where tenant_id = $1 and connection_id = $2 and kind = 'stock' and shop_id = any($3)
order by shop_id for share
"""

# Asked once the flows are held, and not with them: who waited for a change would else see the rows from before it.
OUTAGES = """
select shop_id, outage_id from outage_flows
where tenant_id = $1 and connection_id = $2 and kind = 'stock' and shop_id = any($3) and balanced_at is null
"""

SUPERSEDE = """
update pushes set state = 'superseded', ended_at = now(), fence = fence + 1
where ctid = any(array(
    select ctid from pushes where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = 'stock' and entity = any($4)
      and state in ('waiting', 'parked') and (lease_until is null or lease_until < now())
    order by entity, position for update))
returning entity
"""

GIVE = """
insert into pushes (tenant_id, id, connection_id, shop_id, kind, entity, document, due_at, outage_id)
select $1, given.id, $2, $3, 'stock', given.entity, given.document, case when $7 then 'infinity' else now() end, $8
from unnest($4::text[], $5::text[], $6::bytea[]) as given (id, entity, document)
"""

# Some shops, those that waited longest, with some of what they have; of each SKU the oldest only. What is held is due at
# no time, and a shop that has to wait is passed over. (Places, not ids: whatever the planner believes of a table that has
# just grown, it finds them at once.)
TAKE = """
with ready as materialized (
    select p.ctid as place, p.tenant_id, p.connection_id, p.shop_id, p.due_at, p.position from pushes p
    join flows f on f.tenant_id = p.tenant_id and f.connection_id = p.connection_id and f.shop_id = p.shop_id and f.kind = p.kind
    where p.state = 'waiting' and p.due_at <= now() and (p.lease_until is null or p.lease_until < now())
      and f.clock = $1 and f.shut is null
      and not exists (select from pushes e where e.tenant_id = p.tenant_id and e.connection_id = p.connection_id
        and e.shop_id = p.shop_id and e.kind = p.kind and e.entity = p.entity and e.state = 'waiting' and e.position < p.position)
      and not exists (select from shop_paces w where w.tenant_id = p.tenant_id and w.connection_id = p.connection_id
        and w.shop_id = p.shop_id and greatest(w.waits_until, w.free_at - interval '2 seconds') > now())
    order by p.due_at, p.position limit $2 for update of p skip locked
), chosen as (
    select tenant_id, connection_id, shop_id from ready group by 1, 2, 3 order by min(due_at), min(position) limit $3
)
update pushes p set fence = fence + 1, lease_until = now() + $4
where p.ctid = any(array(select place from ready join chosen using (tenant_id, connection_id, shop_id)))
returning p.*
"""

# Whose lease has most of its time left keeps it; an older one is renewed, if nobody has taken the record since.
HOLD = """
with renewed as (
    update pushes p set lease_until = now() + $4 from unnest($2::text[], $3::bigint[]) as given (id, fence)
    where p.tenant_id = $1 and p.id = given.id and p.fence = given.fence and p.state = 'waiting' and p.lease_until < now() + $5
    returning p.id
)
select id from renewed union all
select p.id from pushes p join unnest($2::text[], $3::bigint[]) as given (id, fence) on p.id = given.id and p.fence = given.fence
where p.tenant_id = $1 and p.state = 'waiting' and p.lease_until >= now() + $5
"""

# What stands at the front and is of a shop that has to wait long would be looked at again and again by everybody.
STAND_ASIDE = """
with waits as materialized (
    select w.tenant_id, w.connection_id, w.shop_id, greatest(w.waits_until, w.free_at - interval '2 seconds') as until
    from shop_paces w where greatest(w.waits_until, w.free_at - interval '2 seconds') > now() + $1
)
update pushes p set due_at = w.until from waits w
where w.tenant_id = p.tenant_id and w.connection_id = p.connection_id and w.shop_id = p.shop_id and p.ctid = any(array(
    select f.ctid from pushes f where exists (select from waits) and f.state = 'waiting' and f.due_at <= now()
      and (f.lease_until is null or f.lease_until < now())
    order by f.due_at, f.position limit $2 for update of f skip locked))
"""

PUT_BACK = """
update pushes p set lease_until = null, due_at = greatest(p.due_at, now() + $4)
from unnest($2::text[], $3::bigint[]) as given (id, fence)
where p.tenant_id = $1 and p.id = given.id and p.fence = given.fence and p.state = 'waiting'
"""

# Who lost the lease settles nothing. What failed and has a newer one behind it makes way; what is held stays so. (The
# whole key of an entity, so that one index serves however fast the table grew.)
SETTLE = """
update pushes p set lease_until = null, alone = p.alone or given.alone, attempts = p.attempts + given.counts::int,
    due_at = greatest(p.due_at, now() + given.wait), state = chosen.state,
    ended_at = case when chosen.state in ('done', 'superseded') then now() end
from unnest($4::text[], $5::text[], $6::bigint[], $7::text[], $8::interval[], $9::boolean[], $10::boolean[])
    as given (entity, id, fence, state, wait, counts, alone),
  lateral (select case when given.state <> 'done' and exists (select from pushes n where n.tenant_id = $1
        and n.connection_id = $2 and n.shop_id = $3 and n.kind = 'stock' and n.entity = given.entity
        and n.state = 'waiting' and n.position > (select o.position from pushes o where o.tenant_id = $1 and o.id = given.id))
      then 'superseded' else given.state end as state) chosen
where p.tenant_id = $1 and p.connection_id = $2 and p.shop_id = $3 and p.kind = 'stock' and p.entity = given.entity
  and p.id = given.id and p.fence = given.fence and p.state = 'waiting'
returning p.id, p.state, p.outage_id
"""

# Of what went out, an older one that was parked while the newer one was being given: it must not come back.
OUTDATED = """
update pushes p set state = 'superseded', ended_at = now(), fence = p.fence + 1
from unnest($4::text[], $5::text[]) as given (entity, id)
where p.tenant_id = $1 and p.connection_id = $2 and p.shop_id = $3 and p.kind = 'stock' and p.entity = given.entity
  and p.state = 'parked' and p.position < (select o.position from pushes o where o.tenant_id = $1 and o.id = given.id)
"""

TELL_FLOW = """
update flows set last_success_at = case when $5 then $6::timestamptz else last_success_at end, last_error = $7
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4
  and (last_error is distinct from $7 or ($5 and coalesce(last_success_at < $6::timestamptz - interval '5 seconds', true)))
"""

PAGE = """
select p.*, f.shut from pushes p left join flows f on f.tenant_id = p.tenant_id and f.connection_id = p.connection_id
  and f.shop_id = p.shop_id and f.kind = p.kind
where p.tenant_id = $1 and p.connection_id = $2 and p.position > $3 and ($4::text is null or p.state = $4)
order by p.position limit $5
"""

# A ledger that is open counts them.
FORGET = """
delete from pushes where ctid = any(array(
    select ctid from pushes p where state in ('done', 'superseded', 'dismissed') and ended_at is not null and ended_at < now() - $1::interval
      and not exists (select from outages o where o.tenant_id = p.tenant_id and o.id = p.outage_id and o.closed_at is null)
    limit $2))
"""


class Pushes:
    """The records on their way out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give(self, tenant_id: str, connection_id: str, levels: Sequence[Level], at: datetime) -> Sequence[Gave]:
        """Take levels in, each for a SKU of its own; an older one of the same SKU that nobody has in hand is superseded.

        `at` is platform time. Raises NotFoundError: the connection has no such shop.
        """
        shops = sorted({level.shop_id for level in levels})
        gave: dict[tuple[str, str], Gave] = {}
        async with self._database.transaction() as connection:
            place = (tenant_id, connection_id, shops)
            shut = {row["shop_id"]: row["shut"] for row in await connection.fetch(SHUT, *place)}
            outages = {row["shop_id"]: row["outage_id"] for row in await connection.fetch(OUTAGES, *place)}
            for shop_id in shops:
                if shop_id not in shut:
                    raise NotFoundError("This connection has no such shop.")
                own = [level for level in levels if level.shop_id == shop_id]
                why = Why(shut[shop_id]) if shut[shop_id] else None
                stand = (why, outages.get(shop_id) if why else None)
                for each in await _give(connection, (tenant_id, connection_id, shop_id), own, stand, at):
                    gave[each.shop_id, each.sku] = each
            await connection.execute("select pg_notify('evergrant_work', 'push')")
        return [gave[level.shop_id, level.sku] for level in levels]

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Wave]:
        """Take records of open flows, the oldest of each SKU only. What has no known SKU is parked."""
        waves: list[Wave] = []
        async with self._database.transaction() as connection:
            await connection.execute(STAND_ASIDE, LONG, STAND_ASIDE_AT_ONCE)
            rows = await connection.fetch(TAKE, clock, limit * CALLS_A_WAVE, limit, LEASE)
            shops = sorted({_shop(row) for row in rows})
            await finding.stay(connection, shops)
            for shop, own in groupby(sorted(rows, key=lambda row: (*_shop(row), row["position"])), key=_shop):
                found = await finding.waves(connection, shop, list(own))
                waves += found.waves
                await _settle(connection, shop, found.lost, now)
        return waves

    async def hold(self, wave: Wave) -> bool:
        """Whether all of it is still this worker's, for as long as its calls last."""
        fences = [push.fence for push in wave.pushes]
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                HOLD, wave.tenant_id, [push.id for push in wave.pushes], fences, LEASE, NEARLY
            )
        return len(rows) == len(fences)

    async def put_back(self, wave: Wave, wait: timedelta) -> None:
        """Nothing was tried: again after a while."""
        if not wave.calls:
            return
        pushes = wave.pushes
        async with self._database.connection() as connection:
            await connection.execute(
                PUT_BACK, wave.tenant_id, [push.id for push in pushes], [push.fence for push in pushes], wait
            )

    async def settle(self, wave: Wave, came: Sequence[Came], at: datetime) -> None:
        """Note what came of each, with the exceptions that opens and ends. `at` is platform time."""
        async with self._database.transaction() as connection:
            await _settle(connection, (wave.tenant_id, wave.connection_id, wave.shop_id), came, at)

    async def page(
        self, tenant_id: str, connection_id: str, *, after: int, limit: int, state: Standing | None = None
    ) -> Sequence[Sent]:
        """Records behind a position, in the order in which they were given."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(PAGE, tenant_id, connection_id, after, state, limit)
        return [_sent(row) for row in rows]

    async def forget(self) -> int:
        """Remove what has been over for long; gives how many."""
        async with self._database.connection() as connection:
            done = await connection.execute(FORGET, KEPT, FORGOTTEN_AT_ONCE)
        return int(done.rsplit(" ", 1)[1])


async def _give(
    connection: Connection,
    shop: tuple[str, str, str],
    levels: Sequence[Level],
    stand: tuple[Why | None, str | None],
    at: datetime,
) -> Sequence[Gave]:
    """`stand`: why the flow is shut, if it is, and the outage it is counted in. What does not wait was not missed."""
    held, outage_id = stand
    skus = [level.sku for level in levels]
    before = [row["entity"] for row in await connection.fetch(SUPERSEDE, *shop, skus)]
    ids = [f"psh_{token_hex(16)}" for _ in levels]
    documents = [finding.document(level) for level in levels]
    await connection.execute(GIVE, *shop, ids, skus, documents, held is not None, outage_id)
    if held is None:
        await failing.settle(connection, (*shop, flows.Kind.STOCK), before, How.SUPERSEDED, at)
    else:
        waiting = [held_up(shop, *each, held, outage_id) for each in zip(skus, ids, strict=True)]
        await failing.open_all(connection, waiting, at)
    return [
        Gave(id=push_id, sku=level.sku, shop_id=level.shop_id, held=held)
        for push_id, level in zip(ids, levels, strict=True)
    ]


def held_up(shop: tuple[str, str, str], sku: str, push_id: str, why: Why, outage_id: str | None) -> Failed:
    """The exception of a record that waits because its flow is shut."""
    tenant_id, connection_id, shop_id = shop
    return Failed(
        tenant_id=tenant_id,
        connection_id=connection_id,
        shop_id=shop_id,
        kind=flows.Kind.STOCK,
        entity=sku,
        cause=why.value,
        message=REMEDIES[why],
        outage_id=outage_id,
        push_id=push_id,
    )


async def _settle(connection: Connection, shop: tuple[str, str, str], came: Sequence[Came], at: datetime) -> None:
    """In this order: a change of the connection locks its flow before what waits for it, too."""
    if not came:
        return
    is_done = any(each.state is Standing.DONE for each in came)
    error = None if is_done else next((each.cause for each in came if each.cause and each.wait), None)
    if is_done or error:
        await connection.execute(TELL_FLOW, *shop, flows.Kind.STOCK, is_done, at, error)
    rows = await connection.fetch(
        SETTLE,
        *shop,
        [each.push.sku for each in came],
        [each.push.id for each in came],
        [each.push.fence for each in came],
        [each.state for each in came],
        [each.wait for each in came],
        [bool(each.cause) or each.counts for each in came],
        [each.alone for each in came],
    )
    settled = {row["id"]: row for row in rows}
    went = [each.push for each in came if each.push.id in settled and each.state is Standing.DONE]
    done = [push.sku for push in went]
    await connection.execute(OUTDATED, *shop, done, [push.id for push in went])
    failed = [
        _failed(shop, each, settled[each.push.id]["outage_id"])
        for each in came
        if each.cause and each.push.id in settled and settled[each.push.id]["state"] == each.state
    ]
    await failing.settle(connection, (*shop, flows.Kind.STOCK), done, None, at)
    await failing.open_all(connection, failed, at)


def _failed(shop: tuple[str, str, str], came: Came, outage_id: str | None) -> Failed:
    tenant_id, connection_id, shop_id = shop
    return Failed(
        tenant_id=tenant_id,
        connection_id=connection_id,
        shop_id=shop_id,
        kind=flows.Kind.STOCK,
        entity=came.push.sku,
        cause=came.cause,
        message=came.message,
        outage_id=outage_id,
        push_id=came.push.id,
        parked=came.state is Standing.PARKED,
    )


def _shop(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return (row["tenant_id"], row["connection_id"], row["shop_id"])


def _sent(row: Mapping[str, Any]) -> Sent:
    state = Standing(row["state"])
    quantity, warehouses = finding.read(row["document"])
    return Sent(
        position=row["position"],
        id=row["id"],
        level=Level(sku=row["entity"], shop_id=row["shop_id"], quantity=quantity, warehouses=warehouses),
        state=state,
        held=Why(row["shut"]) if row["shut"] and state is Standing.WAITING else None,
        attempts=row["attempts"],
        outage_id=row["outage_id"],
        given_at=row["given_at"],
        ended_at=row["ended_at"],
    )
