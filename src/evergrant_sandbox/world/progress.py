"""How an order may come along: the line most orders go, and what branches off from it (wire sheet 6.1)."""

from random import Random

import msgspec

from evergrant_sandbox.world import ids
from evergrant_sandbox.world.order import Order, OrderStatus, Package, recipient
from evergrant_sandbox.world.seller import Shop

_LINE = (
    OrderStatus.UNPAID,
    OrderStatus.ON_HOLD,
    OrderStatus.AWAITING_SHIPMENT,
    OrderStatus.AWAITING_COLLECTION,
    OrderStatus.IN_TRANSIT,
    OrderStatus.DELIVERED,
    OrderStatus.COMPLETED,
)
# As long as the parcel has not left; what becomes of one that is lost on its way is not acted out.
_CANCELLABLE = frozenset(
    {
        OrderStatus.UNPAID,
        OrderStatus.ON_HOLD,
        OrderStatus.AWAITING_SHIPMENT,
        OrderStatus.PARTIALLY_SHIPPING,
        OrderStatus.AWAITING_COLLECTION,
    }
)
_UNSENT = frozenset({OrderStatus.UNPAID, OrderStatus.ON_HOLD, OrderStatus.AWAITING_SHIPMENT})
_ARRIVED = frozenset({OrderStatus.DELIVERED, OrderStatus.COMPLETED})


class NoWayError(Exception):
    """An order does not go there from where it stands."""


def way(order: Order, to: OrderStatus | None) -> tuple[OrderStatus, ...]:
    """The statuses an order passes until it stands at `to`, that one included; None is the next on the line.

    Raises:
        NoWayError: naming where it can go.
    """
    ways = _ways(order)
    if to is None and ways:
        to = next(iter(ways))
    if to is None or to not in ways:
        raise NoWayError(
            f"order {order.id} is {order.status} and " + (f"can become {', '.join(ways)}" if ways else "stays so")
        )
    return ways[to]


def cancellation_asked(order: Order, *, at: int) -> Order:
    """The buyer wants to cancel; the seller has not answered yet.

    Raises:
        NoWayError: it is too late, or was asked already.
    """
    if order.status not in _CANCELLABLE:
        raise NoWayError(f"order {order.id} is {order.status}; it cannot be cancelled any more")
    if order.is_buyer_request_cancel:
        raise NoWayError(f"the buyer of order {order.id} has asked already")
    return msgspec.structs.replace(order, is_buyer_request_cancel=True, update_time=at)


def cancellation_withdrawn(order: Order, *, at: int) -> Order:
    """The buyer does not want to cancel after all.

    Raises:
        NoWayError: nothing was asked, or it has happened.
    """
    if not order.is_buyer_request_cancel or order.status not in _CANCELLABLE:
        raise NoWayError(f"no request to cancel order {order.id} is open")
    return msgspec.structs.replace(order, is_buyer_request_cancel=False, update_time=at)


def readdressed(order: Order, *, shop: Shop, at: int) -> Order:
    """The order goes to somebody else.

    Raises:
        NoWayError: it has been sent.
    """
    if order.status not in _UNSENT:
        raise NoWayError(f"order {order.id} is {order.status}; its address cannot change any more")
    after = msgspec.structs.replace(order, has_updated_recipient_address=True, update_time=at)
    hidden = isinstance(order.recipient_address, msgspec.UnsetType)
    return after if hidden else msgspec.structs.replace(after, recipient_address=recipient(after, shop))


def split(order: Order, *, at: int) -> Order:
    """Every unit of the order in a package of its own.

    Raises:
        NoWayError: there is nothing to split, or it has been sent.
    """
    if order.status not in _UNSENT or len(order.line_items) < 2 or len(order.packages) > 1:
        raise NoWayError(f"order {order.id} cannot be split: that needs two units in one package that was not sent")
    chance = Random(f"{order.id}:split")  # noqa: S311  (made up, no secret)
    packages = tuple(Package(id=ids.digits(chance.randbytes, prefix="1153", length=19)) for _ in order.line_items)
    items = tuple(
        msgspec.structs.replace(item, package_id=package.id)
        for item, package in zip(order.line_items, packages, strict=True)
    )
    return msgspec.structs.replace(order, packages=packages, line_items=items, update_time=at)


def check_returnable(order: Order) -> None:
    """Whether the buyer may want to return the order.

    Raises:
        NoWayError: it has not arrived.
    """
    if order.status not in _ARRIVED:
        raise NoWayError(f"order {order.id} is {order.status}; what has not arrived cannot be returned")


def _ways(order: Order) -> dict[OrderStatus, tuple[OrderStatus, ...]]:
    """Every status an order can come to, the nearest on the line first, with what lies on the way."""
    if order.status is OrderStatus.CANCELLED:
        return {}
    held = order.is_on_hold_order or order.status is OrderStatus.ON_HOLD
    line = tuple(status for status in _LINE if held or status is not OrderStatus.ON_HOLD)
    partly = order.status is OrderStatus.PARTIALLY_SHIPPING
    rest = line[line.index(OrderStatus.AWAITING_SHIPMENT if partly else order.status) + 1 :]
    ways = {status: rest[: number + 1] for number, status in enumerate(rest)}
    if order.status in _UNSENT:
        before = rest[: rest.index(OrderStatus.AWAITING_COLLECTION)]
        ways[OrderStatus.PARTIALLY_SHIPPING] = (*before, OrderStatus.PARTIALLY_SHIPPING)
        if order.status is OrderStatus.UNPAID and not held:
            ways[OrderStatus.ON_HOLD] = (OrderStatus.ON_HOLD,)
    if order.status in _CANCELLABLE:
        ways[OrderStatus.CANCELLED] = (OrderStatus.CANCELLED,)
    return ways
