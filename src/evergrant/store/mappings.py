"""The vendor's words for what shops sell, where they differ from the platform's."""

from collections.abc import Mapping, Sequence
from typing import Any

from evergrant.actions.pushes import Mapped
from evergrant.actions.reading import Entry
from evergrant.core.errors import InvalidRequestError, NotFoundError
from evergrant.store import audit, finding
from evergrant.store.database import Connection, Database

PAGE = """
select * from mappings where tenant_id = $1 and connection_id = $2 and (shop_id, sku) > ($3, $4)
order by shop_id, sku limit $5
"""

PUT = """
insert into mappings (tenant_id, connection_id, shop_id, sku, sku_id, product_id)
select $1, $2, $3, given.sku, given.sku_id, given.product_id
from unnest($4::text[], $5::text[], $6::text[]) as given (sku, sku_id, product_id) order by given.sku
on conflict (tenant_id, connection_id, shop_id, sku) do update
    set sku_id = excluded.sku_id, product_id = excluded.product_id, kept_at = now()
"""

REMOVE = "delete from mappings where tenant_id = $1 and connection_id = $2 and shop_id = $3 and sku = any($4)"

SOLD = """
select sku_id, product_id from wares where tenant_id = $1 and connection_id = $2 and shop_id = $3 and sku_id = any($4)
"""


class Mappings:
    """The mappings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, tenant_id: str, connection_id: str, *, after: tuple[str, str], limit: int) -> Sequence[Mapped]:
        """Mappings in the order of shop and SKU, behind one of them."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(PAGE, tenant_id, connection_id, *after, limit)
        return [_mapped(row) for row in rows]

    async def put(self, tenant_id: str, connection_id: str, given: Sequence[Mapped], *, actor: str) -> Sequence[Mapped]:
        """Replace those that are named; gives them as they stand.

        Raises:
            NotFoundError: the connection has no such shop.
            InvalidRequestError: the shop sells no such variant, or the product has to be named.
        """
        stand: list[Mapped] = []
        async with self._database.transaction() as connection:
            for shop_id in sorted({each.shop_id for each in given}):
                own = [each for each in given if each.shop_id == shop_id]
                stand += await _put(connection, (tenant_id, connection_id, shop_id), own)
            entry = Entry(
                tenant_id=tenant_id,
                actor=actor,
                action="mappings.changed",
                subject=connection_id,
                detail={"skus": len(given)},
            )
            await audit.write(connection, [entry])
        return stand


async def _put(connection: Connection, shop: tuple[str, str, str], given: Sequence[Mapped]) -> Sequence[Mapped]:
    if not await connection.fetchval(
        "select true from shops where tenant_id = $1 and connection_id = $2 and shop_id = $3 for key share", *shop
    ):
        raise NotFoundError("This connection has no such shop.")
    await connection.execute(REMOVE, *shop, [each.sku for each in given if each.sku_id is None])
    named = [each for each in given if each.sku_id is not None]
    rows = await connection.fetch(SOLD, *shop, [each.sku_id for each in named])
    sold = {row["sku_id"]: row["product_id"] for row in rows}
    knows = await connection.fetchval(
        "select exists (select from wares where tenant_id = $1 and connection_id = $2 and shop_id = $3)", *shop
    )
    products = [_product(each, sold, knows=knows) for each in named]
    skus = [each.sku for each in named]
    await connection.execute(PUT, *shop, skus, [each.sku_id for each in named], products)
    await finding.revive(connection, shop, skus)
    return [
        Mapped(sku=each.sku, shop_id=each.shop_id, sku_id=each.sku_id, product_id=product)
        for each, product in zip(named, products, strict=True)
    ]


def _product(given: Mapped, sold: Mapping[str, str], *, knows: bool) -> str:
    """The product a variant is of: what the shop says, where it was asked already."""
    assert given.sku_id is not None
    known = sold.get(given.sku_id)
    if known is None and knows:
        raise InvalidRequestError(
            "sku_id: this shop sells no such variant. A new one is known after the next sync of products."
        )
    if known is not None and given.product_id not in (None, known):
        raise InvalidRequestError("product_id: this variant belongs to another product.")
    found = known or given.product_id
    if found is None:
        raise InvalidRequestError("product_id: name it; the shop's products are not known here yet.")
    return found


def _mapped(row: Mapping[str, Any]) -> Mapped:
    return Mapped(sku=row["sku"], shop_id=row["shop_id"], sku_id=row["sku_id"], product_id=row["product_id"])
