"""From the vendor's SKUs to the platform's: by the vendor's own mapping first, then by what the shop says it sells."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from evergrant.actions.pushes import CALLS_A_WAVE, LEVELS_A_CALL, Call, Came, Level, Push, Standing, Wave
from evergrant.store import locks
from evergrant.store.database import Connection

LOST = ("sku_not_mapped", "sku_ambiguous", "warehouse_missing")
"""Causes that a mapping, or a product that comes, may cure."""

NOT_MAPPED = (
    "The shop sells nothing under this SKU. Map it (PUT /v1/connections/{id}/mappings) or give it to a variant in Seller"
    " Center; then it goes out by itself."
)
AMBIGUOUS = (
    "More than one variant of the shop has this SKU. Say which one is meant (PUT /v1/connections/{id}/mappings); then it"
    " goes out by itself."
)
NO_WAREHOUSE = (
    "This variant lies in more than one warehouse, and TikTok wants to be told of each. Send a level for each"
    " `warehouse_id`."
)

FIND = """
select given.entity, c.app_id, m.sku_id as mapped, m.product_id as mapped_product, found.*
from unnest($4::text[]) as given (entity)
join connections c on c.tenant_id = $1 and c.id = $2
left join mappings m on m.tenant_id = $1 and m.connection_id = $2 and m.shop_id = $3 and m.sku = given.entity
left join lateral (
    select count(*) as many, max(w.sku_id) as sku_id, max(w.product_id) as product_id,
        string_agg(array_to_string(w.warehouse_ids, ','), ',') as warehouse_ids
    from (
        select * from wares w where w.tenant_id = $1 and w.connection_id = $2 and w.shop_id = $3 and w.sku_id = m.sku_id
        union all
        select * from wares w where m.sku is null and w.tenant_id = $1 and w.connection_id = $2 and w.shop_id = $3
          and w.seller_sku = given.entity and w.status <> 'DELETED'
    ) w) found on true
"""

STAY = "select pg_advisory_xact_lock_shared($1::int, hashtext(shop)) from unnest($2::text[]) as shop"
ALONE = "select pg_advisory_xact_lock($1::int, hashtext($2))"

# What was parked because nobody knew its SKU is due again when somebody says it.
REVIVE = """
update pushes p set state = 'waiting', due_at = case when f.shut is null then now() else 'infinity' end
from exceptions e, flows f
where e.tenant_id = $1 and e.connection_id = $2 and e.shop_id = $3 and e.kind = 'stock' and e.entity = any($4)
  and e.state = 'open' and e.cause = any($5) and p.tenant_id = $1 and p.id = e.push_id and p.state = 'parked'
  and f.tenant_id = $1 and f.connection_id = $2 and f.shop_id = $3 and f.kind = 'stock'
returning p.entity
"""

UNPARK = """
update exceptions set parked = false where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = 'stock'
  and entity = any($4) and state = 'open'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Calls for what is known, and what is not."""

    waves: Sequence[Wave]
    lost: Sequence[Came]


async def waves(connection: Connection, shop: tuple[str, str, str], rows: Sequence[Mapping[str, Any]]) -> Found:
    """Records of a shop, in their order, put into calls: variants of one product together."""
    rows_found = await connection.fetch(FIND, *shop, [row["entity"] for row in rows])
    found = {row["entity"]: row for row in rows_found}
    lost: list[Came] = []
    open_calls: dict[str, list[Push]] = defaultdict(list)
    calls: list[Call] = []
    for row in rows:
        place = found[row["entity"]]
        push, wrong = _push(row, place)
        if wrong:
            lost.append(Came(push=push, state=Standing.PARKED, cause=wrong[0], message=wrong[1]))
            continue
        product_id = place["product_id"] or place["mapped_product"]
        if row["alone"]:
            calls.append(Call(product_id=product_id, pushes=(push,)))
            continue
        together = open_calls[product_id]
        together.append(push)
        if len(together) == LEVELS_A_CALL:
            calls.append(Call(product_id=product_id, pushes=tuple(open_calls.pop(product_id))))
    calls += [Call(product_id=product_id, pushes=tuple(pushes)) for product_id, pushes in open_calls.items()]
    tenant_id, connection_id, shop_id = shop
    made = [
        Wave(
            tenant_id=tenant_id,
            connection_id=connection_id,
            app_id=rows_found[0]["app_id"],
            shop_id=shop_id,
            calls=tuple(calls[begin : begin + CALLS_A_WAVE]),
        )
        for begin in range(0, len(calls), CALLS_A_WAVE)
    ]
    return Found(waves=made, lost=lost)


async def stay(connection: Connection, shops: Sequence[tuple[str, str, str]]) -> None:
    """Until this transaction ends nobody revives anything of these shops: whatever it parks is found by who comes next."""
    await connection.execute(STAY, locks.WARES, [" ".join(shop) for shop in shops])


async def revive(connection: Connection, shop: tuple[str, str, str], skus: Sequence[str]) -> None:
    """What was parked because nobody knew these SKUs is due again."""
    if not skus:
        return
    await connection.execute(ALONE, locks.WARES, " ".join(shop))
    rows = await connection.fetch(REVIVE, *shop, list(skus), list(LOST))
    if rows:
        await connection.execute(UNPARK, *shop, [row["entity"] for row in rows])
        await connection.execute("select pg_notify('evergrant_work', 'push')")


def document(level: Level) -> bytes:
    """A level as it is kept."""
    if level.warehouses is None:
        return msgspec.json.encode({"quantity": level.quantity})
    return msgspec.json.encode({"warehouses": dict(level.warehouses)})


def read(kept: bytes) -> tuple[int | None, Mapping[str, int] | None]:
    """The quantity of a level, or those by warehouse."""
    told = msgspec.json.decode(kept)
    return told.get("quantity"), told.get("warehouses")


def _push(row: Mapping[str, Any], place: Mapping[str, Any]) -> tuple[Push, tuple[str, str] | None]:
    """The record, and what is wrong with its SKU, if anything is."""
    quantity, warehouses = read(row["document"])
    known = [each for each in (place["warehouse_ids"] or "").split(",") if each]
    wrong: tuple[str, str] | None = None
    quantities: tuple[tuple[str | None, int], ...] = tuple((warehouses or {}).items())
    sku_id = place["mapped"] or place["sku_id"]
    if sku_id is None:
        wrong = ("sku_not_mapped", NOT_MAPPED)
    elif place["many"] > 1:
        wrong = ("sku_ambiguous", AMBIGUOUS)
    elif quantity is not None and len(known) > 1:
        wrong = ("warehouse_missing", NO_WAREHOUSE)
    elif quantity is not None:
        quantities = ((known[0] if known else None, quantity),)
    push = Push(
        id=row["id"],
        fence=row["fence"],
        sku=row["entity"],
        attempts=row["attempts"],
        sku_id=sku_id or "",
        quantities=quantities,
    )
    return push, wrong
