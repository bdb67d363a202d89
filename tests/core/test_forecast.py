"""What an end brings: arithmetic on a known history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evergrant.core import flows, forecast
from evergrant.core.authorization import Authorization, State
from evergrant.core.chosen import Chosen
from evergrant.core.connection import Connection, Flow
from evergrant.core.forecast import DAY, MONTH, WEEK, History
from evergrant.core.gate import Why

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENDS = NOON + timedelta(days=14)
KNOWN = Connection(
    tenant_id="t",
    id="c",
    merchant_id="m",
    app_id="a",
    provider="tiktok-shop",
    region="ROW",
    open_id="o",
    seller_name="s",
    clock="wall",
    authorization=Authorization(state=State.ACTIVE, ends=ENDS),
    revision=1,
    flows=tuple(Flow(shop_id="1", kind=kind, cursor=NOON) for kind in flows.Kind),
)


def days(count: float) -> timedelta:
    """So many of them."""
    return timedelta(days=count)


def ago(span: timedelta | None) -> datetime | None:
    """So long before noon, if at all."""
    return None if span is None else NOON - span


def test_a_known_pace_says_how_many_would_wait() -> None:
    """310 orders in 30 days: ten a day, seventy a week; four flows stop at the end, and what is not carried stops nothing."""
    found = forecast.forecast(KNOWN, History(orders=310, since=NOON - days(30), until=NOON), NOON)

    assert (14, ENDS, 4) == (found.days_left, found.ends, found.stopping)
    assert {ENDS} == {stop.at for stop in found.stops}
    assert flows.PULLED | flows.PUSHED == {stop.kind for stop in found.stops}
    assert (310, days(30), 310 / 30) == (found.orders, found.basis, found.a_day)
    assert (10, 72, 310) == tuple(found.waiting(after) for after in (DAY, WEEK, MONTH))


def test_what_stands_still_already_stops_no_more_and_a_short_past_says_nothing() -> None:
    """A paused flow keeps its reason; of some hours nothing is extrapolated, and none of a division by zero."""
    paused = tuple(replace(flow, shut=Why.PAUSED_BY_VENDOR) for flow in KNOWN.flows)
    found = forecast.forecast(replace(KNOWN, flows=paused), History(orders=9, since=NOON - days(0.9), until=NOON), NOON)
    empty = forecast.forecast(KNOWN, History(orders=0, since=NOON, until=NOON - days(1)), NOON)

    assert (0, None, None) == (found.stopping, found.a_day, found.waiting(WEEK))
    assert {(None, Why.PAUSED_BY_VENDOR)} == {(stop.at, stop.why) for stop in found.stops}
    assert (timedelta(0), None) == (empty.basis, empty.a_day)


@pytest.mark.parametrize(
    ("first", "connected", "chosen", "since"),
    [
        (days(400), days(300), None, days(30)),
        (days(3), days(300), None, days(3)),
        (days(400), days(2), None, days(9)),
        (days(400), days(2), 20, days(22)),
        (None, None, None, days(30)),
    ],
)
def test_only_what_is_known_whole_is_counted(
    first: timedelta | None, connected: timedelta | None, chosen: int | None, since: timedelta
) -> None:
    """A month at the most, since the first order, and since where the first fetch looked back to."""
    known = replace(KNOWN, chosen=Chosen(first_fetch_days=chosen))
    span = forecast.span(known, ago(first), ago(connected), NOON)

    assert (NOON - since, NOON) == (span.since, span.until)


def test_an_outage_does_not_look_like_a_slow_month() -> None:
    """Ten days after the end the basis still ends where polling had come to."""
    span = forecast.span(KNOWN, None, None, NOON + days(10))

    assert (NOON - days(30), NOON) == (span.since, span.until)
