"""What stops when the authorization ends, and how many orders would then wait, at the pace that is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evergrant.core import flows, gate
from evergrant.core.connection import Connection

LONGEST_BASIS = timedelta(days=30)
SHORTEST_BASIS = timedelta(days=1)
DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How many orders began between two instants, all that did."""

    orders: int
    since: datetime
    until: datetime

    @property
    def basis(self) -> timedelta:
        """How long that was."""
        return max(self.until - self.since, timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One flow of one shop: from when on it stands still, and what stopped it already, if anything did."""

    shop_id: str
    kind: flows.Kind
    at: datetime | None
    why: gate.Why | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What an end brings. Numbers of orders are None where no history says how many there are."""

    ends: datetime | None
    days_left: int | None
    stops: Sequence[Stop]
    orders: int
    basis: timedelta
    a_day: float | None

    def waiting(self, after: timedelta) -> int | None:
        """How many orders would wait so long after the flows have stopped."""
        return None if self.a_day is None else round(self.a_day * (after / DAY))

    @property
    def stopping(self) -> int:
        """How many flows run, and will stop."""
        return sum(stop.why is None for stop in self.stops)


def span(known: Connection, first_order: datetime | None, connected: datetime | None, now: datetime) -> History:
    """The span of time in which every order that began is known, a month of it at the most; its orders are to be counted.

    It ends where polling has come to, and begins with the first order, or where the first fetch looked back to.
    """
    reached = [flow.cursor for flow in known.flows if flow.kind is flows.Kind.ORDERS and flow.cursor is not None]
    until = min(now, max(reached, default=now))
    starts = [until - LONGEST_BASIS]
    if first_order is not None:
        starts.append(first_order)
    if connected is not None:
        starts.append(connected - timedelta(days=known.chosen.first_fetch_days or 0) - _planned(known))
    return History(orders=0, since=max(starts), until=until)


def _planned(known: Connection) -> timedelta:
    return timedelta(0) if known.chosen.first_fetch_days else flows.PLANS[flows.Kind.ORDERS].first_reach


def forecast(known: Connection, history: History, now: datetime) -> Forecast:
    """What the end of a connection's authorization brings, as seen at `now`."""
    ends = known.authorization.ends
    stops = tuple(
        Stop(shop_id=flow.shop_id, kind=flow.kind, at=None if flow.shut else ends, why=flow.shut)
        for flow in known.flows
        if flow.kind not in flows.NOT_CARRIED
    )
    a_day = history.orders / (history.basis / DAY) if history.basis >= SHORTEST_BASIS else None
    return Forecast(
        ends=ends,
        days_left=known.authorization.days_remaining(now),
        stops=stops,
        orders=history.orders,
        basis=history.basis,
        a_day=a_day,
    )
