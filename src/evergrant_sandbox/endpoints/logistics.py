"""`/logistics/202309/warehouses`: where a shop's goods lie (wire sheet 6.4, warehouse list as captured 2025-12-03)."""

import msgspec

from evergrant_sandbox.book import sellers, warehouses
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.warehouse import Warehouse, kind_of, place_of


class AddressData(msgspec.Struct, frozen=True):
    """Where a warehouse stands."""

    region: str
    state: str
    city: str
    postal_code: str
    full_address: str
    region_code: str
    address_line1: str


class WarehouseData(msgspec.Struct, frozen=True):
    """One warehouse."""

    id: str
    name: str
    effect_status: str
    type: str
    sub_type: str
    is_default: bool
    address: AddressData


class WarehousesData(msgspec.Struct, frozen=True):
    """All warehouses of a shop."""

    warehouses: list[WarehouseData]


class Logistics:
    """Warehouses of one shop."""

    def __init__(self, platform: Platform) -> None:
        self._book = platform.book

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What there is."""
        return (
            Endpoint(
                method="GET",
                path="/logistics/202309/warehouses",
                scope="seller.logistics",
                cipher=Cipher.REQUIRED,
                answer=self._warehouses,
            ),
        )

    def _warehouses(self, admitted: Admitted) -> bytes:
        shop = admitted.its_shop
        kind = kind_of(sellers.find(self._book, shop.seller_id))
        found = warehouses.of_shop(self._book, shop).values()
        return msgspec.json.encode(WarehousesData(warehouses=[_data(each, shop, kind) for each in found]))


def _data(warehouse: Warehouse, shop: Shop, kind: str) -> WarehouseData:
    place = place_of(warehouse, shop)
    town = place.town
    return WarehouseData(
        id=warehouse.id,
        name=warehouse.name,
        effect_status=warehouse.effect,
        type=warehouse.purpose,
        sub_type=kind,
        is_default=warehouse.is_default,
        address=AddressData(
            region=place.region,
            state=town.area,
            city=town.name,
            postal_code=town.postcode,
            full_address=f"{place.street}, {town.name}, {town.postcode}, {place.region}",
            region_code=shop.region,
            address_line1=place.street,
        ),
    )
