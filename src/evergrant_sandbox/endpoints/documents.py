"""What the signed endpoints read and answer: filters in the body, documents in pages."""

from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec

from evergrant_sandbox import errors
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.world.order import OrderStatus

LARGEST_PAGE = 100

Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Filters = TypeVar("Filters")


class ShippingType(StrEnum):
    """Who arranges the shipping."""

    TIKTOK = "TIKTOK"
    SELLER = "SELLER"


class ProductFilter(StrEnum):
    """The statuses a product search may ask for."""

    ALL = "ALL"
    DRAFT = "DRAFT"
    PENDING = "PENDING"
    FAILED = "FAILED"
    ACTIVATE = "ACTIVATE"
    SELLER_DEACTIVATED = "SELLER_DEACTIVATED"
    PLATFORM_DEACTIVATED = "PLATFORM_DEACTIVATED"
    FREEZE = "FREEZE"
    DELETED = "DELETED"


class OrderFilters(msgspec.Struct, frozen=True):
    """The body of an order search; what it does not know it does not mind."""

    order_status: OrderStatus | None = None
    create_time_ge: Seconds | None = None
    create_time_lt: Seconds | None = None
    update_time_ge: Seconds | None = None
    update_time_lt: Seconds | None = None
    shipping_type: ShippingType | None = None
    buyer_user_id: str | None = None
    is_buyer_request_cancel: bool | None = None
    warehouse_ids: tuple[str, ...] | None = None


class ProductFilters(msgspec.Struct, frozen=True):
    """The body of a product search. Note `_le` here where orders have `_lt`."""

    status: ProductFilter = ProductFilter.ALL
    seller_skus: tuple[str, ...] | None = None
    sku_ids: tuple[str, ...] | None = None
    create_time_ge: Seconds | None = None
    create_time_le: Seconds | None = None
    update_time_ge: Seconds | None = None
    update_time_le: Seconds | None = None


class ShopData(msgspec.Struct, frozen=True):
    """One authorized shop."""

    id: str
    name: str
    region: str
    seller_type: str
    cipher: str
    code: str


class ShopsData(msgspec.Struct, frozen=True):
    """All shops a token is good for."""

    shops: list[ShopData]


_order_filters = msgspec.json.Decoder(OrderFilters)
_product_filters = msgspec.json.Decoder(ProductFilters)


def order_filters(body: bytes) -> OrderFilters:
    """The filters of an order search; no body means none."""
    return _read(_order_filters, body) if body else OrderFilters()


def product_filters(body: bytes) -> ProductFilters:
    """The filters of a product search; no body means none."""
    return _read(_product_filters, body) if body else ProductFilters()


def _read(decoder: msgspec.json.Decoder[Filters], body: bytes) -> Filters:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        # "... - at `$.create_time_ge`": the platform names the field the same way, as body.create_time_ge.
        _, _, field = str(error).partition("`$.")
        raise RefusalError(errors.INVALID_PARAMETER, name=f"body.{field.rstrip('`')}".rstrip(".")) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusalError(errors.INVALID_BODY) from error
