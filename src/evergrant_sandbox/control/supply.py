"""`/_sandbox/warehouses` and `/sellers/{id}/standing`: where goods lie, and how a seller stands with the platform."""

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.book import sellers, standings, warehouses
from evergrant_sandbox.control.steering import SteeringError, read, steer
from evergrant_sandbox.fields import Digits, Text
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import ids
from evergrant_sandbox.world.seller import Shop, Standing
from evergrant_sandbox.world.warehouse import Effect, Purpose, Warehouse


class GivenWarehouse(msgspec.Struct, forbid_unknown_fields=True):
    """A new warehouse, or a change to one that is known by its id."""

    shop: str
    id: Digits | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    type: Purpose | UnsetType = UNSET
    status: Effect | UnsetType = UNSET
    # Whether every variant of the shop lies there as well, with a stock of 0 to begin with.
    stock: bool = False


class GivenStanding(msgspec.Struct, forbid_unknown_fields=True):
    """How a seller stands from now on."""

    standing: Standing


class WarehouseSaid(msgspec.Struct, frozen=True):
    """A warehouse, and how many variants were put there."""

    id: str
    shop: str
    name: str
    type: str
    status: str
    default: bool
    variants: int


class StandingSaid(msgspec.Struct, frozen=True):
    """How a seller stands."""

    seller: str
    standing: str


class Supply:
    """Warehouses and standings."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/warehouses", "POST", self.open, status=201),
            steer(self._platform, "/sellers/{id}/standing", "POST", self.stand),
        ]

    async def open(self, request: Request) -> WarehouseSaid:
        """A warehouse is opened, or changes."""
        given = await read(request, GivenWarehouse)
        book, market, now = self._platform.book, self._platform.market, self._platform.clock.now()
        shop = sellers.shop(book, given.shop)
        if shop is None:
            raise SteeringError(
                "unknown_shop", f"No shop has the id {given.shop!r}; GET /_sandbox/world lists them.", status=404
            )
        known = self._known(given, shop)
        made = Warehouse(
            id=known.id,
            shop_id=shop.id,
            name=known.name if given.name is UNSET else given.name,
            purpose=known.purpose if given.type is UNSET else given.type,
            effect=known.effect if given.status is UNSET else given.status,
            is_default=known.is_default,
        )
        with book.transaction():
            warehouses.keep(book, made)
            variants = market.spread(shop, made.id, now=now) if given.stock else 0
        return WarehouseSaid(
            id=made.id,
            shop=shop.id,
            name=made.name,
            type=made.purpose,
            status=made.effect,
            default=made.is_default,
            variants=variants,
        )

    async def stand(self, request: Request) -> StandingSaid:
        """A seller is active, deactivated, pending or rejected from now on."""
        given = await read(request, GivenStanding)
        number = request.path_params["id"]
        if sellers.find(self._platform.book, number) is None:
            raise SteeringError(
                "unknown_seller", f"No seller has the id {number!r}; GET /_sandbox/world lists them.", status=404
            )
        with self._platform.book.transaction():
            standings.keep(self._platform.book, number, given.standing)
        return StandingSaid(seller=number, standing=given.standing)

    def _known(self, given: GivenWarehouse, shop: Shop) -> Warehouse:
        """The warehouse with the id given, or a blank one with a new id."""
        if given.id is UNSET:
            number = ids.digits(self._platform.dice, prefix="7068", length=19)
            return Warehouse(id=number, shop_id=shop.id, name=f"{shop.name} second site", purpose=Purpose.SALES)
        known = warehouses.of_shop(self._platform.book, shop).get(given.id)
        if known is None:
            raise SteeringError(
                "unknown_warehouse",
                f"{shop.name} has no warehouse {given.id!r}; leave the id out to open a new one.",
                status=404,
            )
        return known
