"""What a poll brought, kept: records, newest version wins, and from products what each of them sells."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from evergrant.actions.polls import Run
from evergrant.core import flows
from evergrant.providers.wire import Record, Ware
from evergrant.store import finding
from evergrant.store.database import Connection

# Newest version wins; the same version seen again is not counted, but the platform tells whole seconds, and a record may
# change twice within one. Stock carries no time of its own: it is news where it differs. The lease is renewed with every
# page, and a killed poll goes on where it was, as far as is known. What was redacted does not come back.
KEEP = """
with lease as (
    update flows set lease_until = now() + $10, reached = greatest(reached, $11)
    where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5
), kept as (
    insert into records (tenant_id, connection_id, shop_id, kind, record_id, updated_at, document, created_at)
    select $1, $2, $3, $4, given.id, given.updated_at, given.document, given.created_at
    from unnest($6::text[], $7::timestamptz[], $8::bytea[], $9::timestamptz[]) as given (id, updated_at, document, created_at)
    on conflict (tenant_id, connection_id, shop_id, kind, record_id) do update
        set updated_at = excluded.updated_at, document = excluded.document, kept_at = now(), redacted_at = null,
            created_at = coalesce(excluded.created_at, records.created_at)
        where (excluded.updated_at > records.updated_at and ($4 <> 'inventory' or excluded.document is distinct from records.document))
            or (excluded.updated_at = records.updated_at and excluded.document is distinct from records.document
                and records.redacted_at is null)
    returning true
)
select count(*) from kept
"""

FORGET_WARES = """
delete from wares where tenant_id = $1 and connection_id = $2 and shop_id = $3 and product_id = any($4)
  and not sku_id = any($5)
"""

KEEP_WARES = """
insert into wares (tenant_id, connection_id, shop_id, sku_id, product_id, seller_sku, warehouse_ids, status)
select $1, $2, $3, given.sku_id, given.product_id, given.seller_sku, string_to_array(given.warehouse_ids, ','), given.status
from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    as given (sku_id, product_id, seller_sku, warehouse_ids, status)
on conflict (tenant_id, connection_id, shop_id, sku_id) do update set product_id = excluded.product_id,
    seller_sku = excluded.seller_sku, warehouse_ids = excluded.warehouse_ids, status = excluded.status
"""

PRODUCTS = """
select distinct product_id from wares where tenant_id = $1 and connection_id = $2 and shop_id = $3
  and product_id > $4 and status <> 'DELETED' order by product_id limit $5
"""


async def keep(
    connection: Connection, run: Run, records: Sequence[Record], reached: datetime | None, lease: timedelta
) -> int:
    """Keep records in the caller's transaction; gives how many were new or newer."""
    latest = {record.id: record for record in sorted(records, key=lambda record: record.updated_at)}
    kept: int = await connection.fetchval(
        KEEP,
        *whose(run),
        run.kind.value,
        run.fence,
        list(latest),
        [record.updated_at for record in latest.values()],
        [record.document for record in latest.values()],
        [record.created_at for record in latest.values()],
        lease,
        reached,
    )
    if run.kind is flows.Kind.PRODUCTS:
        await _keep_wares(connection, run, [each for each in latest.values() if each.wares is not None])
    return kept


async def products(connection: Connection, run: Run, after: str, limit: int) -> Sequence[str]:
    """Ids of products behind one of them, in their order; none that was deleted."""
    rows = await connection.fetch(PRODUCTS, *whose(run), after, limit)
    return [row["product_id"] for row in rows]


def whose(run: Run) -> tuple[str, str, str]:
    """The shop a run is about."""
    return (run.tenant_id, run.connection_id, run.shop_id)


async def _keep_wares(connection: Connection, run: Run, products: Sequence[Record]) -> None:
    wares: dict[str, Ware] = {ware.sku_id: ware for product in products for ware in product.wares or ()}
    if not products:
        return
    await connection.execute(FORGET_WARES, *whose(run), [product.id for product in products], list(wares))
    given = wares.values()
    await connection.execute(
        KEEP_WARES,
        *whose(run),
        [ware.sku_id for ware in given],
        [ware.product_id for ware in given],
        [ware.seller_sku for ware in given],
        [",".join(ware.warehouse_ids) for ware in given],
        [ware.status for ware in given],
    )
    await finding.revive(connection, whose(run), [ware.seller_sku for ware in given if ware.seller_sku])
