"""May data flow now, per flow, and if not, why not. One pure decision, asked before every call to the platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evergrant.core.authorization import Authorization, State
from evergrant.core.errors import EvergrantError


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

REMEDIES: Mapping[Why, str] = {
    Why.AUTHORIZATION_PENDING: "The seller has not authorized yet. Send the link again.",
    Why.AUTHORIZATION_EXPIRED: "The period the seller chose is over. Ask the seller to renew: POST /v1/link-sessions with purpose `renew`.",
    Why.AUTHORIZATION_CANCELLED: "The authorization was cancelled. Only the seller can give it again: POST /v1/link-sessions with purpose `renew`.",
    Why.AUTHORIZATION_DEACTIVATED: "The platform deactivated the authorization. Ask the seller to look into Seller Center.",
    Why.AUTHORIZATION_SUSPENDED: "The platform says the seller withdrew the authorization; it is being verified. Try again in a minute.",
    Why.REAUTHORIZATION_REQUIRED: "The platform refuses the authorization before its end. Ask the seller to renew: POST /v1/link-sessions with purpose `renew`.",
    Why.CONNECTION_ERASED: "This connection was erased.",
    Why.SHOP_NOT_AUTHORIZED: "The seller's last consent does not cover this shop. Ask the seller to renew it for this shop.",
    Why.SCOPE_MISSING: "The seller's last consent lacks a permission this flow needs. Ask the seller to renew with every permission on.",
    Why.PAUSED_BY_VENDOR: "Your team paused this flow. Resume it first.",
}


class ShutError(EvergrantError):
    """The gate is shut. `code` says why, the sentence what cures it, `remedy` who has to act."""

    def __init__(self, why: Why) -> None:
        super().__init__(REMEDIES[why])
        self.code = why.value  # type: ignore[misc]

    @property
    def remedy(self) -> str:
        """`seller_renews`, `you_resume`, `wait`, or `none` where nothing brings it back."""
        match Why(self.code):
            case Why.CONNECTION_ERASED:
                return "none"
            case Why.PAUSED_BY_VENDOR:
                return "you_resume"
            case why:
                return "seller_renews" if why in ASKS_THE_SELLER else "wait"


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
