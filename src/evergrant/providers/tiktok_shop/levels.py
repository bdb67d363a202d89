"""Stock as the platform counts it, variant by variant (wire sheet 6.3): what is free to sell, and what open orders hold."""

from collections.abc import Mapping

import msgspec

from evergrant.providers.tiktok_shop import envelope
from evergrant.providers.wire import CallRefused, Level, Reply, Stocked, Trouble, Unreadable


class _Place(msgspec.Struct):
    warehouse_id: str
    available_quantity: int
    committed_quantity: int = 0


class _Sku(msgspec.Struct):
    id: str
    warehouse_inventory: list[_Place] = msgspec.field(default_factory=list)


class _Product(msgspec.Struct):
    skus: list[_Sku] = msgspec.field(default_factory=list)


class _Found(msgspec.Struct):
    inventory: list[_Product] = msgspec.field(default_factory=list)


def read_levels(reply: Reply) -> Mapping[str, Stocked] | CallRefused:
    """The answer to an inventory request: the stock of each variant, by its id."""
    opened = envelope.opened(reply)
    if isinstance(opened, Unreadable) or opened.code != 0:
        return envelope.call_refused(reply, opened)
    try:
        found = msgspec.json.decode(opened.data, type=_Found)
    except (msgspec.MsgspecError, ValueError):
        return CallRefused(trouble=Trouble.UNAVAILABLE)
    return {sku.id: _stocked(sku) for product in found.inventory for sku in product.skus}


def _stocked(sku: _Sku) -> Stocked:
    places = sorted(sku.warehouse_inventory, key=lambda place: place.warehouse_id)
    return Stocked(
        level=Level(sku_id=sku.id, quantities=tuple((each.warehouse_id, each.available_quantity) for each in places)),
        committed=tuple((each.warehouse_id, each.committed_quantity) for each in places),
    )
