"""May data flow now, per flow, and if not, why not. One pure decision, asked before every call to the platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evergrant.core.authorization import Authorization, State


class Why(StrEnum):
    """Why a gate is shut, from the most to the least fundamental. Stable codes: they stand in the API and on pages."""

    AUTHORIZATION_PENDING = "authorization_pending"
    AUTHORIZATION_EXPIRED = "authorization_expired"
    AUTHORIZATION_CANCELLED = "authorization_cancelled"
    AUTHORIZATION_DEACTIVATED = "authorization_deactivated"
    AUTHORIZATION_SUSPENDED = "authorization_suspended"
    REAUTHORIZATION_REQUIRED = "reauthorization_required"
    CONNECTION_ERASED = "connection_erased"
    SHOP_NOT_AUTHORIZED = "shop_not_authorized"
    SCOPE_MISSING = "scope_missing"
    PAUSED_BY_VENDOR = "paused_by_vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Open, or shut with a reason."""

    open: bool
    why: Why | None = None


OPEN = Gate(open=True)

SHUT_BY_STATE: Mapping[State, Why] = {
    State.PENDING: Why.AUTHORIZATION_PENDING,
    State.SUSPENDED: Why.AUTHORIZATION_SUSPENDED,
    State.EXPIRED: Why.AUTHORIZATION_EXPIRED,
    State.CANCELLED: Why.AUTHORIZATION_CANCELLED,
    State.DEACTIVATED: Why.AUTHORIZATION_DEACTIVATED,
    State.REAUTHORIZATION_REQUIRED: Why.REAUTHORIZATION_REQUIRED,
    State.ERASED: Why.CONNECTION_ERASED,
}

ASKS_THE_SELLER = frozenset(
    {
        Why.AUTHORIZATION_PENDING,
        Why.AUTHORIZATION_EXPIRED,
        Why.AUTHORIZATION_CANCELLED,
        Why.AUTHORIZATION_DEACTIVATED,
        Why.REAUTHORIZATION_REQUIRED,
        Why.SHOP_NOT_AUTHORIZED,
        Why.SCOPE_MISSING,
    }
)
"""Reasons only the seller's consent can cure."""


def for_token(authorization: Authorization, now: datetime) -> Gate:
    """Whether an access token may leave at `now`. The end shuts it by itself, whether or not the sweep has come by."""
    if authorization.state is not State.ACTIVE:
        return Gate(open=False, why=SHUT_BY_STATE[authorization.state])
    if authorization.is_past_end(now):
        return Gate(open=False, why=Why.AUTHORIZATION_EXPIRED)
    return OPEN


def for_flow(
    authorization: Authorization,
    *,
    required: frozenset[str],
    shop_authorized: bool,
    paused_by_vendor: bool,
    now: datetime,
) -> Gate:
    """Whether one flow of one shop may run at `now`.

    `required` are the scopes the flow needs; `paused_by_vendor` is a person's own pause, which no renewal undoes.
    """
    consent = for_token(authorization, now)
    if not consent.open:
        return consent
    if not shop_authorized:
        return Gate(open=False, why=Why.SHOP_NOT_AUTHORIZED)
    if authorization.missing(required):
        return Gate(open=False, why=Why.SCOPE_MISSING)
    if paused_by_vendor:
        return Gate(open=False, why=Why.PAUSED_BY_VENDOR)
    return OPEN
