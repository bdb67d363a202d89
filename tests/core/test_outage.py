"""Which flows of a change belong to which outage: every decision of it, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evergrant.core import connection, outage
from evergrant.core.authorization import Authorization, Reason, State
from evergrant.core.connection import Change, Connection, Flow, Shop
from evergrant.core.flows import Kind
from evergrant.core.gate import Why
from evergrant.core.outage import Course, Outage, Row, Standing

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHOP = Shop(id="7", name="Harbour Lane", region="GB", cipher="GCP_x")
ORDERS, STOCK = ("7", "orders"), ("7", "stock")
ACTIVE = Authorization(state=State.ACTIVE, granted_at=NOW, ends=NOW + timedelta(days=30))
EXPIRED = replace(ACTIVE, state=State.EXPIRED, reason=Reason.AUTHORIZATION_EXPIRED)
LET_GO = replace(ACTIVE, state=State.CANCELLED, reason=Reason.VENDOR_DISCONNECTED)
ERASED = replace(ACTIVE, state=State.ERASED, reason=Reason.ERASED)
ENDED, GONE, DOUBTED = Why.AUTHORIZATION_EXPIRED, Why.AUTHORIZATION_CANCELLED, Why.AUTHORIZATION_SUSPENDED
LACKING, BY_HAND = Why.SCOPE_MISSING, Why.PAUSED_BY_VENDOR


def known(orders: Why | None, stock: Why | None, authorization: Authorization = ACTIVE) -> Connection:
    """A connection with two flows."""
    return Connection(
        tenant_id="t",
        id="con",
        merchant_id="m",
        app_id="a",
        provider="tiktok-shop",
        region="ROW",
        open_id="o",
        seller_name="Rosa",
        clock="",
        authorization=authorization,
        revision=3,
        shops=(SHOP,),
        flows=(
            Flow(shop_id="7", kind=Kind.ORDERS, shut=orders),
            Flow(shop_id="7", kind=Kind.STOCK, shut=stock),
        ),
    )


def change(before: Connection, after: Connection) -> Change:
    """From one to the other."""
    return Change(before=before, after=after, at=NOW, events=())


def kept(*rows: tuple[tuple[str, str], Standing, Why], cause: Why = ENDED, name: str = "out_1") -> Outage:
    """An outage as it is kept."""
    return Outage(id=name, cause=cause, rows={key: Row(standing=standing, why=why) for key, standing, why in rows})


def told(course: Course) -> tuple[str | None, Why, bool, list[str], list[tuple[str, Standing, Why]]]:
    """A course, in short: which outage, its cause, whether it has ended, who joined, who stands differently."""
    return (
        course.id,
        course.cause,
        course.has_ended,
        [move.flow[1] for move in course.joined],
        [(move.flow[1], move.standing, move.why) for move in course.moves],
    )


def test_flows_that_stop_by_themselves_open_one_outage_and_what_a_person_stops_opens_none() -> None:
    """All that stop for one reason share it; a flow that was shut, is paused, or is new stops for nobody."""
    open_, over = known(None, None), known(ENDED, ENDED, EXPIRED)
    paused_before, was_shut = known(BY_HAND, None), known(LACKING, None)
    fresh = connection.regranted(replace(open_, shops=(), flows=()), [SHOP])
    assert [(None, ENDED, False, ["orders", "stock"], [])] == [told(c) for c in outage.follow(change(open_, over), [])]
    for before in (paused_before, was_shut):
        assert [(None, ENDED, False, ["stock"], [])] == [told(c) for c in outage.follow(change(before, over), [])]
    for after in (
        known(BY_HAND, BY_HAND),
        known(GONE, GONE, LET_GO),
        known(Why.CONNECTION_ERASED, Why.CONNECTION_ERASED, ERASED),
        open_,
    ):
        assert [] == outage.follow(change(open_, after), [])
    assert [] == outage.follow(change(replace(open_, flows=()), replace(fresh, flows=over.flows)), [])
    two = outage.follow(change(open_, known(ENDED, LACKING)), [])
    assert {(ENDED, ("orders",)), (LACKING, ("stock",))} == {(c.cause, tuple(told(c)[3])) for c in two}


def test_a_later_flow_joins_the_open_outage_of_its_cause_and_no_other() -> None:
    """Not one of another cause, and not one that has ended."""
    before, after = known(None, ENDED), known(ENDED, ENDED, EXPIRED)
    mine = kept((STOCK, Standing.STOPPED, ENDED))
    other = kept((STOCK, Standing.STOPPED, LACKING), cause=LACKING)
    runs = kept((STOCK, Standing.RUNS, ENDED))
    assert [("out_1", ENDED, False, ["orders"], [])] == [told(c) for c in outage.follow(change(before, after), [mine])]
    moved = [("stock", Standing.STOPPED, ENDED)]
    assert [("out_1", LACKING, False, [], moved), (None, ENDED, False, ["orders"], [])] == [
        told(c) for c in outage.follow(change(before, after), [other])
    ]
    again = change(known(None, None), known(ENDED, None))
    assert [("out_1", ENDED, True, [], []), (None, ENDED, False, ["orders"], [])] == [
        told(c) for c in outage.follow(again, [runs])
    ]


def test_letting_go_of_a_connection_ends_every_outage_of_it() -> None:
    """Every row of every one, and none begins; erasing is no letting go, and begins none either."""
    first, second = kept((ORDERS, Standing.RUNS, ENDED)), kept((STOCK, Standing.STOPPED, LACKING), cause=LACKING)
    courses = outage.follow(change(known(None, LACKING), known(GONE, GONE, LET_GO)), [first, second])
    assert [
        ("out_1", ENDED, True, [], [("orders", Standing.LET_GO, ENDED)]),
        ("out_1", LACKING, True, [], [("stock", Standing.LET_GO, LACKING)]),
    ] == [told(course) for course in courses]
    assert [] == outage.follow(change(known(None, None), known(GONE, GONE, ERASED)), [])


def test_a_row_that_is_open_is_kept_however_often_its_flow_stops() -> None:
    """It runs, it stops again for another reason, it is paused by hand: one row, and the outage ends and goes on with it."""
    held = kept((ORDERS, Standing.STOPPED, ENDED), (STOCK, Standing.STOPPED, ENDED))
    (course,) = outage.follow(change(known(ENDED, ENDED, EXPIRED), known(None, LACKING)), [held])
    moves = [("orders", Standing.RUNS, ENDED), ("stock", Standing.STOPPED, LACKING)]
    assert ("out_1", ENDED, False, [], moves) == told(course)
    held = kept((ORDERS, Standing.RUNS, ENDED), (STOCK, Standing.STOPPED, LACKING))
    (course,) = outage.follow(change(known(None, LACKING), known(BY_HAND, BY_HAND)), [held])
    moves = [("orders", Standing.PAUSED, ENDED), ("stock", Standing.PAUSED, LACKING)]
    assert ("out_1", ENDED, True, [], moves) == told(course)
    (course,) = outage.follow(change(known(None, None), known(GONE, None)), [kept((ORDERS, Standing.RUNS, ENDED))])
    assert ("out_1", GONE, False, [], [("orders", Standing.STOPPED, GONE)]) == told(course)


@pytest.mark.parametrize(
    ("cause", "why", "after"),
    [(DOUBTED, GONE, GONE), (GONE, ENDED, ENDED), (LACKING, ENDED, LACKING), (ENDED, LACKING, ENDED)],
)
def test_a_doubt_takes_the_name_of_what_it_turns_out_to_be(cause: Why, why: Why, after: Why) -> None:
    """One whole consent's reason may replace another; a single permission's neither replaces nor is replaced."""
    held = kept((ORDERS, Standing.STOPPED, cause), cause=cause)
    (course,) = outage.follow(change(known(cause, None), known(why, None)), [held])
    assert ("out_1", after, False, [], [("orders", Standing.STOPPED, why)]) == told(course)
