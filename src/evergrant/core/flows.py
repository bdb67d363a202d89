"""The flows that rest on an authorization, and when each is to run: a table, and arithmetic on instants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What flows between the platform and the vendor."""

    ORDERS = "orders"
    PRODUCTS = "products"
    INVENTORY = "inventory"
    """How many the platform holds: in."""
    STOCK = "stock"
    """How many the vendor holds: out."""
    PRICES = "prices"
    SHIPMENTS = "shipments"


PULLED = frozenset({Kind.ORDERS, Kind.PRODUCTS, Kind.INVENTORY})
PUSHED = frozenset({Kind.STOCK})
NOT_CARRIED = frozenset({Kind.PRICES, Kind.SHIPMENTS})
"""They are there and can be paused, but the wire sheet has no call for them, so nothing goes out yet."""

STAGES: Mapping[Kind, int] = {Kind.STOCK: 1, Kind.ORDERS: 2, Kind.INVENTORY: 3, Kind.PRODUCTS: 4}
"""In which order flows of a shop catch up: stock first, so that nothing is sold that is gone. Within the orders,
cancellations come first and then the ship-by deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a flow is pulled, where a connection's settings say nothing else."""

    every: timedelta
    """Between two polls."""
    first_reach: timedelta
    """How far back the first poll looks. "New users get the past 7 days of orders" (requirements, P-3)."""
    overlap: timedelta
    """How far each later poll looks behind its cursor: rows change while they are paged (wire sheet 6.1)."""


PLANS: Mapping[Kind, Plan] = {
    Kind.ORDERS: Plan(every=timedelta(minutes=5), first_reach=timedelta(days=7), overlap=timedelta(minutes=10)),
    Kind.PRODUCTS: Plan(every=timedelta(minutes=30), first_reach=timedelta(days=3650), overlap=timedelta(minutes=10)),
    Kind.INVENTORY: Plan(every=timedelta(minutes=15), first_reach=timedelta(0), overlap=timedelta(0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What one poll asks for: rows updated at or after `since`, up to `until` (exclusive)."""

    since: datetime
    until: datetime


def window(plan: Plan, cursor: datetime | None, now: datetime) -> Window:
    """What to ask for at `now`, given the instant up to which everything is known (None: nothing yet)."""
    since = now - plan.first_reach if cursor is None else cursor - plan.overlap
    return Window(since=since, until=now + timedelta(seconds=1))


def next_run(plan: Plan, now: datetime, jitter: float) -> datetime:
    """When to poll again: the plan's interval, spread by `jitter` in [0, 1) over a tenth of it to either side."""
    return now + plan.every * (0.9 + 0.2 * jitter)
