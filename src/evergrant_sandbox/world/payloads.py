"""What notices say: the envelope, and the payload of each topic the world has something to say about (wire sheet 4).

The fields are those of the topics' own pages, captured 2025-12-03; numbers and strings are mixed there, and so are they here.
"""

from random import Random

import msgspec
from msgspec import UNSET, UnsetType

from evergrant_sandbox.world import ids, warnings
from evergrant_sandbox.world.order import Order, status_in_notice
from evergrant_sandbox.world.product import Audit, Product, Sku
from evergrant_sandbox.world.topics import Owner


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What every notice looks like. One of three says whom it is about; `shop_id` is the shop's id, not its cipher."""

    type: int
    tts_notification_id: str
    shop_id: str | UnsetType = UNSET
    creator_open_id: str | UnsetType = UNSET
    seller_open_id: str | UnsetType = UNSET
    timestamp: int
    data: msgspec.Raw


class OrderChange(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 1, in the order of the official sample."""

    is_on_hold_order: bool
    order_id: str
    order_status: str
    update_time: int


class AddressUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 3: that it changed, not to what."""

    order_id: str
    update_time: int


class PackageOrders(msgspec.Struct, frozen=True, kw_only=True):
    """One package and the orders in it."""

    package_id: str
    order_id_list: tuple[str, ...]


class PackageUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 4."""

    sc_type: str
    role_type: str
    package_list: tuple[PackageOrders, ...]
    update_time: int


class ProductStatusChange(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 5. In the official sample `product_id` is a number."""

    product_id: int | str
    status: str
    suspended_reason: str
    update_time: int


class Deauthorization(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 6: no reason, no other time than the envelope's."""

    message: str


class UpcomingExpiration(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 7; the time is a string of Unix seconds."""

    message: str
    expiration_time: str


class CancellationChange(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 11."""

    order_id: str
    cancellations_role: str
    cancel_status: str
    cancel_id: str
    create_time: int


class ReturnChange(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 12."""

    order_id: str
    return_role: str
    return_type: str
    return_status: str
    return_id: str
    create_time: int
    update_time: int


class ProductInformation(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 15; here `product_id` is a string."""

    product_id: str
    change_source: str
    changed_fields: tuple[str, ...]
    update_time: int


class ProductCreation(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 16. `product_types` names two special kinds only; an ordinary product is of neither."""

    product_id: int | str
    product_types: tuple[str, ...]
    update_time: int


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """Why notice 27 is sent: REALTIME, with the threshold that was met. Nothing is predicted here."""

    alert_type: str
    low_stock_threshold: int


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """Where the pieces are; the first is the sum of the others."""

    total_quantity: int
    available_quantity: int
    creator_reserved_quantity: int
    campaign_reserved_quantity: int
    committed_quantity: int


class ProductAudit(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 37; `integrated_platform_statuses` is Tokopedia's and so is left out."""

    product_id: int | str
    audit: Audit
    update_time: int


class InventoryChange(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 27."""

    product_id: str
    sku_id: str
    trigger_reason: Trigger
    current_inventory_status: str
    inventory_distribution: Distribution
    update_time: int


def body_of(kind: int, *, notice_id: str, whom: str, at: int, payload: msgspec.Raw, owner: Owner = Owner.SHOP) -> bytes:
    """The exact bytes of a notice about `whom`, a shop, a creator or a seller."""
    envelope = Envelope(
        type=kind,
        tts_notification_id=notice_id,
        shop_id=whom if owner is Owner.SHOP else UNSET,
        creator_open_id=whom if owner is Owner.CREATOR else UNSET,
        seller_open_id=whom if owner is Owner.SELLER else UNSET,
        timestamp=at,
        data=payload,
    )
    return msgspec.json.encode(envelope)


def order_changed(order: Order) -> msgspec.Raw:
    """Type 1, for an order as it stands."""
    return _raw(
        OrderChange(
            is_on_hold_order=order.is_on_hold_order,
            order_id=order.id,
            order_status=status_in_notice(order.status),
            update_time=order.update_time,
        )
    )


def address_changed(order: Order) -> msgspec.Raw:
    """Type 3."""
    return _raw(AddressUpdate(order_id=order.id, update_time=order.update_time))


def packages_split(order: Order) -> msgspec.Raw:
    """Type 4, after the seller has split an order into the packages it has now."""
    packages = tuple(PackageOrders(package_id=each.id, order_id_list=(order.id,)) for each in order.packages)
    return _raw(
        PackageUpdate(sc_type="SPLIT", role_type="ROLE_SELLER", package_list=packages, update_time=order.update_time)
    )


def product_status_changed(product: Product, *, word: str, reason: str, as_number: bool) -> msgspec.Raw:
    """Type 5, with the notice's own word for what happened."""
    return _raw(
        ProductStatusChange(
            product_id=_product_id(product, as_number=as_number),
            status=word,
            suspended_reason=reason,
            update_time=product.update_time,
        )
    )


def deauthorized(shop_id: str) -> msgspec.Raw:
    """What notice 6 says ("Shop_id {xxx} is deauthorized from your APP by merchant."), copied 2025-12."""
    return _raw(Deauthorization(message=f"Shop_id {shop_id} is deauthorized from your APP by merchant."))


def expiring(shop_id: str, *, at: int, ends_at: int) -> msgspec.Raw:
    """What notice 7 says ("Authorization of shop_id {xxx} is expiring in {x} days."), copied 2025-12."""
    days = warnings.days_left(at, ends_at)
    message = (
        f"Authorization of shop_id {shop_id} is expiring in {days} days. Please direct the merchant to re-authorize."
    )
    return _raw(UpcomingExpiration(message=message, expiration_time=str(ends_at)))


def cancellation_changed(order: Order, *, role: str, status: str, at: int) -> msgspec.Raw:
    """Type 11. An order has one cancellation here, so its id is always the same."""
    return _raw(
        CancellationChange(
            order_id=order.id,
            cancellations_role=role,
            cancel_status=status,
            cancel_id=_case_id(order, "cancellation"),
            create_time=at,
        )
    )


def return_requested(order: Order, *, at: int) -> msgspec.Raw:
    """Type 12, when the buyer wants the money back and to return the goods."""
    return _raw(
        ReturnChange(
            order_id=order.id,
            return_role="BUYER",
            return_type="RETURN_AND_REFUND",
            return_status="RETURN_OR_REFUND_REQUEST_PENDING",
            return_id=_case_id(order, "return"),
            create_time=at,
            update_time=at,
        )
    )


def product_changed(product: Product, *, source: str, fields: tuple[str, ...]) -> msgspec.Raw:
    """Type 15."""
    return _raw(
        ProductInformation(
            product_id=product.id, change_source=source, changed_fields=fields, update_time=product.update_time
        )
    )


def product_created(product: Product, *, at: int, as_number: bool) -> msgspec.Raw:
    """Type 16."""
    return _raw(ProductCreation(product_id=_product_id(product, as_number=as_number), product_types=(), update_time=at))


def product_audited(product: Product, *, as_number: bool) -> msgspec.Raw:
    """Type 37, for a product as its review stands."""
    product_id = _product_id(product, as_number=as_number)
    return _raw(ProductAudit(product_id=product_id, audit=product.audit, update_time=product.update_time))


def stock_low(product: Product, sku: Sku, *, threshold: int, committed: int) -> msgspec.Raw:
    """Type 27, with what open orders have reserved. Nothing is reserved here for creators or campaigns."""
    available = sum(stock.quantity for stock in sku.inventory)
    return _raw(
        InventoryChange(
            product_id=product.id,
            sku_id=sku.id,
            trigger_reason=Trigger(alert_type="REALTIME", low_stock_threshold=threshold),
            current_inventory_status="LOW_STOCK" if available else "OUT_OF_STOCK",
            inventory_distribution=Distribution(
                total_quantity=available + committed,
                available_quantity=available,
                creator_reserved_quantity=0,
                campaign_reserved_quantity=0,
                committed_quantity=committed,
            ),
            update_time=product.update_time,
        )
    )


def _product_id(product: Product, *, as_number: bool) -> int | str:
    return int(product.id) if as_number else product.id


def _case_id(order: Order, what: str) -> str:
    """The id of an order's cancellation or return, always the same for one order."""
    return ids.digits(Random(f"{order.id}:{what}").randbytes, prefix="4035", length=19)  # noqa: S311  (made up, no secret)


def _raw(payload: msgspec.Struct) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(payload))
