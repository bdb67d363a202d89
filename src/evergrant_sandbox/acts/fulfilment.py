"""Orders come along: step by step to a status, or by something that happens to them; apps that listen are told."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.book import goods
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world import order as orders
from evergrant_sandbox.world import payloads, progress
from evergrant_sandbox.world.order import Order, OrderStatus
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import Topic


class Happening(StrEnum):
    """What may happen to an order beside a change of its status."""

    CANCELLATION_REQUESTED = "cancellation_requested"
    CANCELLATION_WITHDRAWN = "cancellation_withdrawn"
    ADDRESS_CHANGED = "address_changed"
    SPLIT = "split"
    RETURN_REQUESTED = "return_requested"


class Party(StrEnum):
    """Who cancels an order."""

    BUYER = "BUYER"
    SELLER = "SELLER"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The order as it stands, the statuses it has passed, and how many notices went on their way."""

    order: Order
    passed: tuple[OrderStatus, ...] = ()
    notices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """Moves orders."""

    book: Book
    herald: Herald

    def step(self, shop: Shop, order: Order, *, to: OrderStatus | None, by: Party, now: int) -> Moved:
        """To a status, through every one on the way, or to the next one; each is told of.

        Raises:
            NoWayError: it does not go there.
        """
        passed = progress.way(order, to)
        told = 0
        with self.book.transaction():
            for status in passed:
                before = order
                order = orders.moved(before, status, shop=shop, at=now, initiator=by)
                goods.keep_order(self.book, shop.id, order)
                told += tell(self.herald, shop, before, order, at=now)
        return Moved(order=order, passed=passed, notices=told)

    def happen(self, shop: Shop, order: Order, what: Happening, *, now: int) -> Moved:
        """Something happens to an order that leaves its status as it is.

        Raises:
            NoWayError: it cannot happen to this one.
        """
        order, topic, payload = _happened(shop, order, what, at=now)
        with self.book.transaction():
            goods.keep_order(self.book, shop.id, order)
            told = self.herald.tell(shop, topic, payload, at=now)
        return Moved(order=order, notices=told)


def tell(herald: Herald, shop: Shop, before: Order | None, after: Order, *, at: int) -> int:
    """What a new order, or a change of its status, is told by: notice 1, and notice 11 for one that is cancelled."""
    if before is not None and before.status is after.status:
        return 0
    told = herald.order_change(shop, after, at=at)
    if before is not None and after.status is OrderStatus.CANCELLED:
        role = str(after.cancellation_initiator)
        payload = payloads.cancellation_changed(after, role=role, status="CANCELLATION_REQUEST_SUCCESS", at=at)
        told += herald.tell(shop, Topic.CANCELLATION_STATUS_CHANGE, payload, at=at)
    return told


def _happened(shop: Shop, order: Order, what: Happening, *, at: int) -> tuple[Order, Topic, msgspec.Raw]:
    """The order afterwards, and what is told of it."""
    match what:
        case Happening.CANCELLATION_REQUESTED:
            after = progress.cancellation_asked(order, at=at)
            return after, Topic.CANCELLATION_STATUS_CHANGE, _by_buyer(after, "CANCELLATION_REQUEST_PENDING", at=at)
        case Happening.CANCELLATION_WITHDRAWN:
            after = progress.cancellation_withdrawn(order, at=at)
            return after, Topic.CANCELLATION_STATUS_CHANGE, _by_buyer(after, "CANCELLATION_REQUEST_CANCELLED", at=at)
        case Happening.ADDRESS_CHANGED:
            after = progress.readdressed(order, shop=shop, at=at)
            return after, Topic.RECIPIENT_ADDRESS_UPDATE, payloads.address_changed(after)
        case Happening.SPLIT:
            after = progress.split(order, at=at)
            return after, Topic.PACKAGE_UPDATE, payloads.packages_split(after)
        case Happening.RETURN_REQUESTED:
            progress.check_returnable(order)
            return order, Topic.RETURN_STATUS_CHANGE, payloads.return_requested(order, at=at)


def _by_buyer(order: Order, status: str, *, at: int) -> msgspec.Raw:
    return payloads.cancellation_changed(order, role=Party.BUYER, status=status, at=at)
