"""`/product/202309/…/inventory/…`: how many there are, and how many there shall be (wire sheet 6.3, 6.4)."""

import msgspec
from msgspec import UNSET, UnsetType

from evergrant_sandbox import errors, switches
from evergrant_sandbox.acts.wares import Source
from evergrant_sandbox.book import goods, standings, warehouses
from evergrant_sandbox.endpoints import reading
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.endpoints.stock_check import Check, GivenSku, SkuError
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.product import Product, ProductStatus, Sku, Stock
from evergrant_sandbox.world.seller import Standing

# "Max IDs: 100" and "Max IDs: 600", inventory search (202309).
MOST_PRODUCT_IDS = 100
MOST_SKU_IDS = 600


class Wanted(msgspec.Struct, frozen=True):
    """The body of an inventory search; "if both are passed, sku_ids will take precedence"."""

    product_ids: tuple[str, ...] | None = None
    sku_ids: tuple[str, ...] | None = None


class GivenStock(msgspec.Struct, frozen=True):
    """The body of an update."""

    skus: tuple[GivenSku, ...] | UnsetType = UNSET


class WarehouseData(msgspec.Struct, frozen=True):
    """How many of a variant lie in one warehouse, and how many of open orders come out of it."""

    warehouse_id: str
    available_quantity: int
    committed_quantity: int


class SkuData(msgspec.Struct, frozen=True):
    """The stock of one variant."""

    id: str
    seller_sku: str
    total_available_quantity: int
    total_committed_quantity: int
    warehouse_inventory: list[WarehouseData]


class ProductData(msgspec.Struct, frozen=True):
    """The stock of one product."""

    product_id: str
    skus: list[SkuData]


class InventoryData(msgspec.Struct, frozen=True):
    """What was found."""

    inventory: list[ProductData]


class UpdateData(msgspec.Struct, frozen=True):
    """What was not done; everything else was."""

    errors: list[SkuError]


_wanted = msgspec.json.Decoder(Wanted)
_given = msgspec.json.Decoder(GivenStock)


class Inventory:
    """The stock of one shop."""

    def __init__(self, platform: Platform) -> None:
        self._book = platform.book
        self._market = platform.market
        self._switches = platform.switches
        self._wake = platform.agenda.wake

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What there is."""
        return (
            Endpoint(
                method="POST",
                path="/product/202309/inventory/search",
                scope="seller.product.basic",
                cipher=Cipher.REQUIRED,
                answer=self._search,
            ),
            Endpoint(
                method="POST",
                path="/product/202309/products/{product_id}/inventory/update",
                scope="seller.product.write",
                cipher=Cipher.REQUIRED,
                answer=self._update,
            ),
        )

    def _search(self, admitted: Admitted) -> bytes:
        wanted = reading.read(_wanted, admitted.call.body)
        shop = admitted.its_shop
        sku_ids = reading.json_list(wanted.sku_ids or None, most=MOST_SKU_IDS, else_=errors.TOO_MANY_STOCK_SKUS)
        product_ids = reading.json_list(wanted.product_ids, most=MOST_PRODUCT_IDS, else_=errors.TOO_MANY_STOCK_PRODUCTS)
        if sku_ids is None and not wanted.product_ids:
            raise RefusalError(errors.MISSING_PARAMETER, name="body.product_ids")
        if sku_ids is None and not all(each.isascii() and each.isdigit() for each in wanted.product_ids or ()):
            raise RefusalError(errors.PRODUCT_ID)
        found = goods.products_with(self._book, shop.id, product_ids=product_ids, sku_ids=sku_ids)
        reserved = goods.committed(self._book, shop.id)
        asked = set(wanted.sku_ids or ())
        inventory = [
            ProductData(
                product_id=product.id,
                skus=[_sku_data(sku, reserved) for sku in product.skus if not asked or sku.id in asked],
            )
            for product in found
        ]
        return msgspec.json.encode(InventoryData(inventory=inventory))

    def _update(self, admitted: Admitted) -> bytes:
        shop = admitted.its_shop
        if standings.of(self._book, shop.seller_id) is not Standing.ACTIVE:
            raise RefusalError(errors.SELLER_INACTIVE)
        given = reading.read(_given, admitted.call.body)
        if given.skus is UNSET:
            raise RefusalError(errors.MISSING_PARAMETER, name="body.skus")
        product = self._product(admitted)
        check = Check(
            product=product,
            warehouses=warehouses.of_shop(self._book, shop),
            known_elsewhere=lambda number: warehouses.is_known(self._book, number),
            least=0 if self._switches.of(switches.ZERO_STOCK) == "accepted" else 1,
        )
        stocks: dict[str, tuple[Stock, ...]] = {}
        failed: list[SkuError] = []
        for wanted in check.variants(given.skus):
            error = check.fault_of(wanted)
            if error:
                failed.append(error)
            else:
                stocks[wanted.id] = check.stocks_of(wanted)
        if stocks:
            self._market.restock(shop, product, stocks, source=Source.OPEN_API, now=admitted.now)
            self._wake()
        return msgspec.json.encode(UpdateData(errors=failed)) if failed else b"{}"

    def _product(self, admitted: Admitted) -> Product:
        number = admitted.ids["product_id"]
        product = goods.product(self._book, admitted.its_shop.id, number)
        if product is None:
            raise RefusalError(
                errors.NOT_THIS_SHOPS if goods.is_product(self._book, number) else errors.NO_SUCH_PRODUCT
            )
        only_active = self._switches.of(switches.STOCK_STATES) == "active_only"
        refused = (
            product.status is not ProductStatus.ACTIVATE
            if only_active
            else product.status in {ProductStatus.FREEZE, ProductStatus.DELETED}
        )
        if refused:
            raise RefusalError(errors.PRODUCT_STATUS)
        return product


def _sku_data(sku: Sku, reserved: dict[tuple[str, str], int]) -> SkuData:
    lines = [
        WarehouseData(
            warehouse_id=stock.warehouse_id,
            available_quantity=stock.quantity,
            committed_quantity=reserved.get((sku.id, stock.warehouse_id), 0),
        )
        for stock in sku.inventory
    ]
    return SkuData(
        id=sku.id,
        seller_sku=sku.seller_sku,
        total_available_quantity=sum(line.available_quantity for line in lines),
        total_committed_quantity=sum(line.committed_quantity for line in lines),
        warehouse_inventory=lines,
    )
