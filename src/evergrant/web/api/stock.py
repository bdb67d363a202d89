"""What the vendor sends out: levels of stock, and the vendor's own words for SKUs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from evergrant.actions.pushes import Gave, Level, Mapped, Sent, Standing
from evergrant.actions.reading import ApiKey
from evergrant.core import gate
from evergrant.core.authorization import Reason
from evergrant.core.connection import Connection
from evergrant.core.errors import InvalidRequestError, NotFoundError
from evergrant.web.access import WithScope, desk_of
from evergrant.web.api import shapes
from evergrant.web.given import Text

router = APIRouter(prefix="/v1", tags=["stock"])

MOST = 500
LARGEST = 99_999
"""What the platform takes (wire sheet 6.4). Whether it takes 0 it does not say; sellers must be able to sell out."""

Reads = Annotated[ApiKey, Depends(WithScope("read"))]
Manages = Annotated[ApiKey, Depends(WithScope("manage"))]
Limit = Annotated[int, Query(ge=1, le=shapes.MOST)]
Sku = Annotated[Text, Field(min_length=1, max_length=128)]
ShopId = Annotated[Text, Field(min_length=1, max_length=64)]
Number = Annotated[str, Field(pattern="^[0-9]{1,32}$")]
"""An id of the platform's."""


class StockItem(BaseModel):
    """How many of a SKU there are, an absolute number. `warehouse_id` where the variant lies in more than one."""

    model_config = ConfigDict(extra="forbid")

    sku: Sku
    quantity: int = Field(ge=0, le=LARGEST, strict=True)
    shop_id: ShopId | None = None
    warehouse_id: Number | None = None


class StockItems(BaseModel):
    """Up to 500 of them, each SKU of a shop and warehouse once."""

    model_config = ConfigDict(extra="forbid")

    items: list[StockItem] = Field(min_length=1, max_length=MOST)


class MappingItem(BaseModel):
    """The platform's variant that is meant by a SKU of yours; null removes the mapping."""

    model_config = ConfigDict(extra="forbid")

    sku: Sku
    shop_id: ShopId | None = None
    sku_id: Number | None
    product_id: Number | None = None


class MappingItems(BaseModel):
    """Up to 500 of them, each SKU of a shop once."""

    model_config = ConfigDict(extra="forbid")

    items: list[MappingItem] = Field(min_length=1, max_length=MOST)


@router.put("/connections/{connection_id}/inventory", status_code=202)
async def give_stock(connection_id: str, given: StockItems, key: Manages, request: Request) -> dict[str, Any]:
    """Send levels of stock out. Each is `waiting`, or `held` while its flow is paused, and then goes out by itself.

    A newer level of a SKU takes the place of one that waits. Levels are absolute: sending the same again does no harm.
    A connection that was disconnected takes none: 409 `authorization_cancelled`.
    """
    desk = desk_of(request)
    known = await _living(connection_id, key, request)
    if known.authorization.reason is Reason.VENDOR_DISCONNECTED:  # nothing of it would go out by itself
        raise gate.ShutError(gate.Why.AUTHORIZATION_CANCELLED)
    levels = _levels(given.items, known)
    gave = await desk.ports.books.outward.pushes.give(
        key.tenant_id, connection_id, levels, await desk.ports.clock.now(known.clock)
    )
    return {"items": [_gave(each) for each in gave]}


@router.get("/connections/{connection_id}/inventory")
async def read_stock(
    connection_id: str, key: Reads, request: Request, state: Standing | None = None, cursor: str = "", limit: Limit = 50
) -> dict[str, Any]:
    """The levels that were given, in that order, and how far each has come."""
    desk = desk_of(request)
    await desk.connections.listed(key.tenant_id, connection_id)
    found = await desk.ports.books.outward.pushes.page(
        key.tenant_id, connection_id, after=shapes.position(cursor), limit=limit + 1, state=state
    )
    shown = found[:limit]
    following = str(shown[-1].position) if len(found) > limit else None
    return {"items": [_sent(each) for each in shown], "next_cursor": following}


@router.get("/connections/{connection_id}/mappings")
async def read_mappings(
    connection_id: str, key: Reads, request: Request, cursor: str = "", limit: Limit = 50
) -> dict[str, Any]:
    """Your words for what the shops sell, in the order of shops and SKUs."""
    desk = desk_of(request)
    await desk.connections.listed(key.tenant_id, connection_id)
    shop_id, _, sku = cursor.partition("|")
    found = await desk.ports.books.outward.mappings.page(
        key.tenant_id, connection_id, after=(shop_id, sku), limit=limit + 1
    )
    shown = found[:limit]
    following = f"{shown[-1].shop_id}|{shown[-1].sku}" if len(found) > limit else None
    return {"items": [_mapped(each) for each in shown], "next_cursor": following}


@router.put("/connections/{connection_id}/mappings")
async def put_mappings(connection_id: str, given: MappingItems, key: Manages, request: Request) -> dict[str, Any]:
    """Replace the mappings that are named, and leave all others. What waited for one goes out by itself."""
    desk = desk_of(request)
    known = await _living(connection_id, key, request)
    mapped = [
        Mapped(sku=item.sku, shop_id=_shop(item.shop_id, known), sku_id=item.sku_id, product_id=item.product_id)
        for item in given.items
    ]
    _each_once([(each.shop_id, each.sku) for each in mapped])
    stand = await desk.ports.books.outward.mappings.put(key.tenant_id, connection_id, mapped, actor=key.id)
    return {"items": [_mapped(each) for each in stand]}


async def _living(connection_id: str, key: ApiKey, request: Request) -> Connection:
    """The connection, unless nothing will ever go out for it again."""
    desk = desk_of(request)
    known = (await desk.connections.listed(key.tenant_id, connection_id)).connection
    decided = gate.for_token(known.authorization, await desk.ports.clock.now(known.clock))
    if decided.why is gate.Why.CONNECTION_ERASED:
        raise gate.ShutError(decided.why)
    return known


def _levels(items: list[StockItem], known: Connection) -> list[Level]:
    """One level a SKU of a shop: what was given by warehouse, together."""
    shops = [_shop(item.shop_id, known) for item in items]
    _each_once([(shop, item.sku, item.warehouse_id or "") for shop, item in zip(shops, items, strict=True)])
    whole: dict[tuple[str, str], int] = {}
    parts: dict[tuple[str, str], dict[str, int]] = {}
    for shop, item in zip(shops, items, strict=True):
        if item.warehouse_id is None:
            whole[shop, item.sku] = item.quantity
        else:
            parts.setdefault((shop, item.sku), {})[item.warehouse_id] = item.quantity
    if whole.keys() & parts.keys():
        raise InvalidRequestError("A SKU is given both with and without a warehouse_id.")
    plain = [Level(sku=sku, shop_id=shop, quantity=quantity) for (shop, sku), quantity in whole.items()]
    return plain + [Level(sku=sku, shop_id=shop, warehouses=each) for (shop, sku), each in parts.items()]


def _shop(given: str | None, known: Connection) -> str:
    """The shop that is meant: the only one, where there is only one."""
    ids = [shop.id for shop in known.shops]
    if given is None and len(ids) == 1:
        return ids[0]
    if given is None:
        raise InvalidRequestError("shop_id: this connection has more than one shop; say which one is meant.")
    if given not in ids:
        raise NotFoundError("This connection has no such shop.")
    return given


def _each_once(names: list[tuple[str, ...]]) -> None:
    if len(set(names)) < len(names):
        raise InvalidRequestError("A SKU is given twice. Which one counts nobody can tell.")


def _gave(gave: Gave) -> dict[str, Any]:
    return {
        "sku": gave.sku,
        "shop_id": gave.shop_id,
        "id": gave.id,
        "status": "held" if gave.held else "waiting",
        "reason": gave.held,
    }


def _sent(sent: Sent) -> dict[str, Any]:
    warehouses = sent.level.warehouses
    return {
        "id": sent.id,
        "sku": sent.level.sku,
        "shop_id": sent.level.shop_id,
        "quantity": sent.level.quantity,
        "warehouses": None if warehouses is None else dict(warehouses),
        "status": "held" if sent.held else sent.state,
        "reason": sent.held,
        "attempts": sent.attempts,
        "outage_id": sent.outage_id,
        "given_at": shapes.instant(sent.given_at),
        "ended_at": shapes.instant(sent.ended_at),
    }


def _mapped(mapped: Mapped) -> dict[str, Any]:
    return {
        "sku": mapped.sku,
        "shop_id": mapped.shop_id,
        "sku_id": mapped.sku_id,
        "product_id": mapped.product_id,
    }
