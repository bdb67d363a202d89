"""May data flow now, per flow, and why not: the table of reasons."""

from datetime import UTC, datetime, timedelta

import pytest

from evergrant.core import gate
from evergrant.core.authorization import Authorization, State
from evergrant.core.gate import Why

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENDS = NOON + timedelta(days=10)
ORDERS = frozenset({"seller.order.info"})


def authorization(state: State = State.ACTIVE, scopes: frozenset[str] = ORDERS) -> Authorization:
    """An authorization that ends in ten days."""
    return Authorization(state=state, granted_at=NOON, ends=ENDS, scopes=scopes)


def why(known: Authorization, *, now: datetime = NOON, shop: bool = True, paused: bool = False) -> Why | None:
    """What the gate says of an orders flow."""
    return gate.for_flow(known, required=ORDERS, shop_authorized=shop, paused_by_vendor=paused, now=now).why


def test_an_active_authorization_opens_the_gate() -> None:
    """Nothing stands in the way."""
    assert gate.OPEN == gate.for_flow(
        authorization(), required=ORDERS, shop_authorized=True, paused_by_vendor=False, now=NOON
    )


@pytest.mark.parametrize("state", [state for state in State if state is not State.ACTIVE])
def test_every_other_state_shuts_it_for_its_own_reason(state: State) -> None:
    """Seven states, seven reasons."""
    assert gate.SHUT_BY_STATE[state] is why(authorization(state))
    assert not gate.for_token(authorization(state), NOON).open


def test_the_end_shuts_it_by_itself() -> None:
    """The sweep may be late; the gate is not (R-ECOM-4)."""
    assert why(authorization(), now=ENDS - timedelta(microseconds=1)) is None
    assert Why.AUTHORIZATION_EXPIRED is why(authorization(), now=ENDS)
    assert not gate.for_token(authorization(), ENDS).open


def test_the_most_fundamental_reason_is_named() -> None:
    """A flow that is paused by hand, without its scope, of a lost shop, under an expired authorization: expired."""
    bare = authorization(scopes=frozenset())

    assert Why.AUTHORIZATION_EXPIRED is why(bare, now=ENDS, shop=False, paused=True)
    assert Why.SHOP_NOT_AUTHORIZED is why(bare, shop=False, paused=True)
    assert Why.SCOPE_MISSING is why(bare, paused=True)
    assert Why.PAUSED_BY_VENDOR is why(authorization(), paused=True)


def test_a_missing_scope_stops_only_the_flows_that_need_it() -> None:
    """Another flow, with other needs, goes on."""
    known = authorization(scopes=frozenset({"seller.product.basic"}))
    products = gate.for_flow(
        known, required=frozenset({"seller.product.basic"}), shop_authorized=True, paused_by_vendor=False, now=NOON
    )

    assert Why.SCOPE_MISSING is why(known)
    assert products.open
