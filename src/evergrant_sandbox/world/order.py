"""Orders as the order endpoints answer them (wire sheet 6.1), and how they come along as time passes."""

from decimal import Decimal
from enum import StrEnum
from random import Random

import msgspec
from msgspec import UNSET, UnsetType

from evergrant_sandbox.clock import DAY, HOUR, MINUTE
from evergrant_sandbox.world import ids, people, product
from evergrant_sandbox.world.product import Product, Sku
from evergrant_sandbox.world.regions import REGIONS, Region
from evergrant_sandbox.world.seller import Shop


class OrderStatus(StrEnum):
    """The words of the API. In notice 1 a cancelled order is `CANCEL`, everywhere else `CANCELLED`."""

    UNPAID = "UNPAID"
    ON_HOLD = "ON_HOLD"
    AWAITING_SHIPMENT = "AWAITING_SHIPMENT"
    PARTIALLY_SHIPPING = "PARTIALLY_SHIPPING"
    AWAITING_COLLECTION = "AWAITING_COLLECTION"
    IN_TRANSIT = "IN_TRANSIT"
    DELIVERED = "DELIVERED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class Payment(msgspec.Struct, frozen=True):
    """Money is a decimal string on this wire."""

    currency: str
    sub_total: str
    shipping_fee: str
    seller_discount: str
    platform_discount: str
    total_amount: str
    original_total_product_price: str
    original_shipping_fee: str
    tax: str


class LineItem(msgspec.Struct, frozen=True):
    """One unit of one variant."""

    id: str
    product_id: str
    sku_id: str
    seller_sku: str
    product_name: str
    sku_name: str
    sale_price: str
    original_price: str
    platform_discount: str
    seller_discount: str
    currency: str
    display_status: OrderStatus
    package_id: str
    is_gift: bool = False
    tracking_number: str | UnsetType = UNSET
    shipping_provider_name: str | UnsetType = UNSET


class Package(msgspec.Struct, frozen=True):
    """What is sent together."""

    id: str


class District(msgspec.Struct, frozen=True):
    """One administrative level of an address."""

    address_level: str
    address_level_name: str
    address_name: str


class Recipient(msgspec.Struct, frozen=True):
    """To whom it goes, masked as the platform masks it."""

    name: str
    first_name: str
    last_name: str
    phone_number: str
    postal_code: str
    region_code: str
    address_line1: str
    address_detail: str
    full_address: str
    district_info: tuple[District, ...]


class Order(msgspec.Struct, frozen=True):
    """One order of one shop. What is not yet known is absent, not null."""

    id: str
    status: OrderStatus
    create_time: int
    update_time: int
    user_id: str
    fulfillment_type: str
    shipping_type: str
    warehouse_id: str
    payment: Payment
    line_items: tuple[LineItem, ...]
    packages: tuple[Package, ...]
    buyer_email: str
    buyer_message: str
    delivery_type: str
    delivery_option_name: str
    payment_method_name: str
    order_type: str
    is_on_hold_order: bool
    is_buyer_request_cancel: bool
    is_cod: bool
    is_sample_order: bool
    is_replacement_order: bool
    has_updated_recipient_address: bool
    recipient_address: Recipient | UnsetType = UNSET
    paid_time: int | UnsetType = UNSET
    rts_sla_time: int | UnsetType = UNSET
    rts_time: int | UnsetType = UNSET
    collection_time: int | UnsetType = UNSET
    delivery_time: int | UnsetType = UNSET
    cancel_time: int | UnsetType = UNSET
    cancel_reason: str | UnsetType = UNSET
    cancellation_initiator: str | UnsetType = UNSET
    shipping_provider: str | UnsetType = UNSET
    tracking_number: str | UnsetType = UNSET


# How an order comes along: the next status, and between how many seconds it is reached.
_PATH = (
    (OrderStatus.AWAITING_SHIPMENT, MINUTE, 20 * MINUTE),
    (OrderStatus.AWAITING_COLLECTION, 4 * HOUR, 30 * HOUR),
    (OrderStatus.IN_TRANSIT, 3 * HOUR, 20 * HOUR),
    (OrderStatus.DELIVERED, 20 * HOUR, 90 * HOUR),
    (OrderStatus.COMPLETED, 6 * DAY, 8 * DAY),
)
# "Payment has been finished, but the buyer may cancel"; the documentation names the UK as its only market.
_HOLD = (OrderStatus.ON_HOLD, MINUTE, 20 * MINUTE)
_SHARE_UNPAID = 0.06
_SHARE_CANCELLED = 0.08
_UNPAID_LIFE = 48 * HOUR

# "recipient_address is not available under unpaid and on hold status." Order detail (202309).
_WITHOUT_ADDRESS = (OrderStatus.UNPAID, OrderStatus.ON_HOLD)
_SHIPPED = (
    OrderStatus.AWAITING_COLLECTION,
    OrderStatus.IN_TRANSIT,
    OrderStatus.DELIVERED,
    OrderStatus.COMPLETED,
)
_TIME_OF = {
    OrderStatus.AWAITING_SHIPMENT: "paid_time",
    OrderStatus.ON_HOLD: "paid_time",
    OrderStatus.AWAITING_COLLECTION: "rts_time",
    OrderStatus.IN_TRANSIT: "collection_time",
    OrderStatus.DELIVERED: "delivery_time",
    OrderStatus.CANCELLED: "cancel_time",
}
_MESSAGES = ("",) * 8 + ("Please leave with a neighbour if I am out.", "It is a gift, no price please.")


def make(chance: Random, *, shop: Shop, products: tuple[Product, ...], created: int) -> Order:
    """A new, unpaid order placed at `created`, of one to three units from the shop's products."""
    region = REGIONS[shop.region]
    picked = [_pick(chance, products) for _ in range(chance.choices((1, 2, 3), (7, 2, 1))[0])]
    package = ids.digits(chance.randbytes, prefix="1153", length=19)
    items = tuple(_line(chance, region, chosen, package) for chosen in picked)
    cod = "deliver" in (method := chance.choice(people.locals_of(shop.region).payments)) or "tempat" in method
    return Order(
        id=ids.digits(chance.randbytes, prefix="576", length=18),
        status=OrderStatus.UNPAID,
        create_time=created,
        update_time=created,
        user_id=ids.digits(chance.randbytes, prefix="7", length=19),
        fulfillment_type="FULFILLMENT_BY_SELLER",
        shipping_type="SELLER" if chance.random() < 0.25 else "TIKTOK",
        warehouse_id=shop.warehouse_id,
        payment=_payment(chance, region, items),
        line_items=items,
        packages=(Package(id=package),),
        buyer_email=f"v4b2{chance.randbytes(6).hex()}@chat.example.test",
        buyer_message=chance.choice(_MESSAGES),
        delivery_type="HOME_DELIVERY",
        delivery_option_name="Standard shipping",
        payment_method_name=method,
        order_type="NORMAL",
        is_on_hold_order=shop.region == "GB",
        is_buyer_request_cancel=False,
        is_cod=cod,
        is_sample_order=False,
        is_replacement_order=False,
        has_updated_recipient_address=False,
    )


def grown(chance: Random, order: Order, *, shop: Shop, now: int) -> Order:
    """The order as it stands at `now`, if it goes the way most orders go; a few stay unpaid, a few are cancelled."""
    if chance.random() < _SHARE_UNPAID:
        gone = order.create_time + _UNPAID_LIFE
        return moved(order, OrderStatus.CANCELLED, shop=shop, at=gone, initiator="SYSTEM") if gone <= now else order
    at = order.create_time
    cancelled = at + chance.randrange(30 * MINUTE, DAY) if chance.random() < _SHARE_CANCELLED else now + 1
    path = (_HOLD, (OrderStatus.AWAITING_SHIPMENT, HOUR, HOUR + 1), *_PATH[1:]) if order.is_on_hold_order else _PATH
    for status, soonest, latest in path:
        at += chance.randrange(soonest, latest)
        if at > min(now, cancelled):
            break
        order = moved(order, status, shop=shop, at=at)
    if cancelled <= now and order.status not in _SHIPPED:
        return moved(order, OrderStatus.CANCELLED, shop=shop, at=max(cancelled, order.update_time), initiator="BUYER")
    return order


def moved(order: Order, status: OrderStatus, *, shop: Shop, at: int, initiator: str = "SELLER") -> Order:
    """The order after a change of status at the given moment, with what becomes known by it."""
    news: dict[str, object] = {"status": status, "update_time": at}
    if status in _TIME_OF and getattr(order, _TIME_OF[status]) is UNSET:
        news[_TIME_OF[status]] = at
    if status is OrderStatus.AWAITING_SHIPMENT:
        news["rts_sla_time"] = at + 2 * DAY
    if status is OrderStatus.CANCELLED:
        news["cancellation_initiator"] = initiator
        news["cancel_reason"] = "ecom_order_unpaid" if initiator == "SYSTEM" else "ecom_order_no_longer_needed"
    never_paid = status is OrderStatus.CANCELLED and order.paid_time is UNSET
    if status not in _WITHOUT_ADDRESS and not never_paid:
        news["recipient_address"] = recipient(order, shop)
    tracking = _tracking(order, shop) if status in _SHIPPED else UNSET
    if tracking is not UNSET:
        news["tracking_number"], news["shipping_provider"] = tracking
    news["line_items"] = tuple(
        msgspec.structs.replace(
            item,
            display_status=status,
            tracking_number=UNSET if tracking is UNSET else tracking[0],
            shipping_provider_name=UNSET if tracking is UNSET else tracking[1],
        )
        for item in order.line_items
    )
    return msgspec.structs.replace(order, **news)


def recipient(order: Order, shop: Shop) -> Recipient:
    """To whom the order goes: always the same for one order id, so that it need not be kept while it is hidden.

    It is somebody else after the address was changed.
    """
    chance = Random(f"{order.id}:moved" if order.has_updated_recipient_address else order.id)  # noqa: S311  (a made-up person, no secret)
    folk = people.locals_of(shop.region)
    first, last, town = chance.choice(folk.first), chance.choice(folk.last), chance.choice(folk.towns)
    street, house = chance.choice(folk.streets), chance.randrange(1, 180)
    number = str(chance.randrange(7_000_000_000, 8_999_999_999))
    # With the platform's own logistics the address is masked; a seller who ships needs to read it.
    line = f"{house} {street}" if order.shipping_type == "SELLER" else people.masked_street(street, house)
    return Recipient(
        name=people.masked_name(first, last),
        first_name=f"{first[0]}***",
        last_name=f"{last[0]}***",
        phone_number=people.masked_phone(REGIONS[shop.region].dial, number),
        postal_code=town.postcode,
        region_code=shop.region,
        address_line1=line,
        address_detail=line,
        full_address=f"{line}, {town.name}, {town.area}, {REGIONS[shop.region].name}, {town.postcode}",
        district_info=(
            District(address_level="L0", address_level_name="country", address_name=REGIONS[shop.region].name),
            District(address_level="L1", address_level_name=folk.levels[0], address_name=town.area),
            District(address_level="L2", address_level_name=folk.levels[1], address_name=town.name),
        ),
    )


def status_in_notice(status: OrderStatus) -> str:
    """The word of notice 1 for a status."""
    return "CANCEL" if status is OrderStatus.CANCELLED else status.value


def _pick(chance: Random, products: tuple[Product, ...]) -> tuple[Product, Sku]:
    chosen = chance.choice(products)
    return chosen, chance.choice(chosen.skus)


def _line(chance: Random, region: Region, chosen: tuple[Product, Sku], package: str) -> LineItem:
    bought, sku = chosen
    asked = Decimal(sku.price.sale_price)
    discount = product.money(asked / 10, region) if chance.random() < 0.2 else "0"
    return LineItem(
        id=ids.digits(chance.randbytes, prefix="577", length=18),
        product_id=bought.id,
        sku_id=sku.id,
        seller_sku=sku.seller_sku,
        product_name=bought.title,
        sku_name=product.variant_name(sku),
        sale_price=product.money(asked - Decimal(discount), region),
        original_price=sku.price.sale_price,
        platform_discount="0",
        seller_discount=discount,
        currency=region.currency,
        display_status=OrderStatus.UNPAID,
        package_id=package,
    )


def _payment(chance: Random, region: Region, items: tuple[LineItem, ...]) -> Payment:
    original = sum((Decimal(item.original_price) for item in items), Decimal(0))
    seller_discount = sum((Decimal(item.seller_discount) for item in items), Decimal(0))
    voucher = Decimal(product.money(original / 20, region)) if chance.random() < 0.15 else Decimal(0)
    sub_total = original - seller_discount - voucher
    freight = region.freight
    paid_freight = Decimal(0) if sub_total > 25 * region.rate else freight
    # "For the US market, this is pre-tax total amount."
    tax = Decimal(product.money(sub_total * Decimal("0.07"), region)) if region.code == "US" else Decimal(0)
    return Payment(
        currency=region.currency,
        sub_total=format(sub_total, "f"),
        shipping_fee=format(paid_freight, "f"),
        seller_discount=format(seller_discount, "f"),
        platform_discount=format(voucher, "f"),
        total_amount=format(sub_total + paid_freight + tax, "f"),
        original_total_product_price=format(original, "f"),
        original_shipping_fee=format(freight, "f"),
        tax=format(tax, "f"),
    )


def _tracking(order: Order, shop: Shop) -> tuple[str, str]:
    chance = Random(f"{order.id}:parcel")  # noqa: S311  (a made-up parcel, no secret)
    carrier = chance.choice(people.locals_of(shop.region).carriers)
    stem = "".join(letter for letter in carrier.upper() if letter.isalpha())[:2]
    return f"{stem}{chance.randrange(10**11, 10**12)}", carrier
