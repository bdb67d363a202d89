"""Warehouses: where a shop's goods lie and where they are sent back to (wire sheet 6.4, warehouse list 202309)."""

from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.world.people import Town, locals_of
from evergrant_sandbox.world.regions import REGIONS
from evergrant_sandbox.world.seller import Kind, Seller, Shop


class Purpose(StrEnum):
    """What a warehouse is for. "The same warehouse for both ... will have different warehouse IDs"."""

    SALES = "SALES_WAREHOUSE"
    RETURN = "RETURN_WAREHOUSE"


class Effect(StrEnum):
    """Whether goods are sold from it; RESTRICTED is holiday mode or a limit on orders."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    RESTRICTED = "RESTRICTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """One warehouse of one shop."""

    id: str
    shop_id: str
    name: str
    purpose: Purpose
    effect: Effect = Effect.ENABLED
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a warehouse stands."""

    region: str
    town: Town
    street: str


def first_of(shop: Shop) -> tuple[Warehouse, Warehouse]:
    """The two every shop has: one to sell from, and one for what comes back at the same address."""
    number = str(int(shop.warehouse_id) + 1)
    return (
        Warehouse(id=shop.warehouse_id, shop_id=shop.id, name=shop.name, purpose=Purpose.SALES, is_default=True),
        Warehouse(id=number, shop_id=shop.id, name=f"{shop.name} returns", purpose=Purpose.RETURN, is_default=True),
    )


def kind_of(seller: Seller | None) -> str:
    """Where a warehouse stands, as seen from its seller. What a cross-border seller has here is in the market itself."""
    cross_border = seller is not None and seller.kind is Kind.CROSS_BORDER
    return "CB_OVERSEA_WAREHOUSE" if cross_border else "DOMESTIC_WAREHOUSE"


def place_of(warehouse: Warehouse, shop: Shop) -> Place:
    """Its address: always the same, and another for every warehouse but the one for returns."""
    locals_ = locals_of(shop.region)
    number = int(shop.warehouse_id if warehouse.is_default else warehouse.id)
    return Place(
        region=REGIONS[shop.region].name,
        town=locals_.towns[number % len(locals_.towns)],
        street=f"{number % 90 + 1} {locals_.streets[number % len(locals_.streets)]}",
    )
