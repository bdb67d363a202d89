"""What may be wrong with a stock an app wants to set; what is wrong with one variant does not keep the others from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from evergrant_sandbox import errors
from evergrant_sandbox.errors import Code, RefusalError
from evergrant_sandbox.world.product import Product, Stock
from evergrant_sandbox.world.warehouse import Effect, Purpose, Warehouse

# "Valid range: [1, 99,999]", inventory update (202309).
MOST_UNITS = 99_999


class GivenQuantity(msgspec.Struct, frozen=True):
    """What shall lie in one warehouse. An absolute value, not a difference."""

    quantity: int
    warehouse_id: str | UnsetType = UNSET
    backorder_quantity: int | UnsetType = UNSET
    handling_time: int | UnsetType = UNSET


class GivenSku(msgspec.Struct, frozen=True):
    """One variant."""

    inventory: tuple[GivenQuantity, ...]
    id: str = ""


class WarehouseError(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong with one warehouse of a variant."""

    code: int
    message: str
    warehouse_id: str = ""


class ErrorDetail(msgspec.Struct, frozen=True):
    """Which variant it is, and all that is wrong with it."""

    sku_id: str
    extra_errors: list[WarehouseError]


class SkuError(msgspec.Struct, frozen=True):
    """A variant whose stock stays as it was."""

    code: int
    message: str
    detail: ErrorDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The rules for one product."""

    product: Product
    warehouses: Mapping[str, Warehouse]
    # Whether a warehouse that is none of the shop's belongs to somebody else.
    known_elsewhere: Callable[[str], bool]
    # The smallest stock there may be.
    least: int

    def variants(self, given: tuple[GivenSku, ...]) -> tuple[GivenSku, ...]:
        """The variants of the product that are meant.

        Raises:
            RefusalError: there are none, one is named twice, or one is not the product's.
        """
        if not given:
            raise RefusalError(errors.SKUS_EMPTY)
        named = [each.id for each in given]
        if not all(named):
            raise RefusalError(errors.SKU_ID_MISSING)
        if len(set(named)) < len(named):
            raise RefusalError(errors.SKU_TWICE)
        if not set(named) <= {sku.id for sku in self.product.skus}:
            raise RefusalError(errors.NO_SUCH_SKU)
        return given

    def fault_of(self, given: GivenSku) -> SkuError | None:
        """What is wrong with one variant, or None."""
        standing = self._standing(given.id)
        found: list[WarehouseError] = []
        for line in given.inventory:
            number = self._warehouse_of(line, given.id)
            wrong = self._fault_in(number, line, standing)
            if wrong:
                message = wrong.message.format(id=number)
                found.append(WarehouseError(code=wrong.number, message=message, warehouse_id=number))
        named = [self._warehouse_of(line, given.id) for line in given.inventory]
        if not found and (set(named) != set(standing) or len(named) > len(set(named))):
            missing = errors.WAREHOUSES_MISSING
            found.append(WarehouseError(code=missing.number, message=missing.message))
        if not found:
            return None
        detail = ErrorDetail(sku_id=given.id, extra_errors=found)
        return SkuError(code=errors.CHECK_FAILED.number, message=errors.CHECK_FAILED.message, detail=detail)

    def stocks_of(self, given: GivenSku) -> tuple[Stock, ...]:
        """The stock as it is from now on; "any existing backorder_quantity will persist if no update is provided"."""
        before = self._standing(given.id)
        return tuple(
            msgspec.structs.replace(before[self._warehouse_of(line, given.id)], **_changes(line))
            for line in given.inventory
        )

    def _standing(self, sku_id: str) -> dict[str, Stock]:
        sku = next(each for each in self.product.skus if each.id == sku_id)
        return {stock.warehouse_id: stock for stock in sku.inventory}

    def _warehouse_of(self, line: GivenQuantity, sku_id: str) -> str:
        """The warehouse a line is about; "optional if there is only 1 warehouse"."""
        if line.warehouse_id is not UNSET:
            return line.warehouse_id
        standing = self._standing(sku_id)
        return next(iter(standing)) if len(standing) == 1 else ""

    def _fault_in(self, number: str, line: GivenQuantity, standing: Mapping[str, Stock]) -> Code | None:
        if not number:
            return errors.WAREHOUSES_MISSING
        warehouse = self.warehouses.get(number)
        if warehouse is None:
            return errors.FOREIGN_WAREHOUSE if self.known_elsewhere(number) else errors.NO_SUCH_WAREHOUSE
        if warehouse.purpose is not Purpose.SALES:
            return errors.NO_SALES_WAREHOUSE
        if number not in standing:
            return errors.WAREHOUSE_ADDED
        if warehouse.effect is Effect.DISABLED:
            return errors.WAREHOUSE_DISABLED
        counts = [each for each in (line.backorder_quantity, line.handling_time) if each is not UNSET]
        if not self.least <= line.quantity <= MOST_UNITS or not all(0 <= each <= MOST_UNITS for each in counts):
            return errors.QUANTITY
        return None


def _changes(line: GivenQuantity) -> dict[str, int]:
    given = {
        "quantity": line.quantity,
        "backorder_quantity": line.backorder_quantity,
        "handling_time": line.handling_time,
    }
    return {name: value for name, value in given.items() if value is not UNSET}
