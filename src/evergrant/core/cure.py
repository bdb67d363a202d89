"""Why a connection needs somebody, and whether the seller's consent is the cure: one pure decision.

"Re-authorization is called for" when the credentials have expired, and when the platform's app needs permissions that were
not given. Everything else that ends or hinders a connection has a cure of its own, which another consent is not.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from evergrant.core.authorization import Authorization, Reason, State
from evergrant.core.link import Purpose


class Cause(StrEnum):
    """What is wrong. Stable codes: they stand in the API."""

    EXPIRED_CREDENTIALS = "expired_credentials"
    """The period is over, or the platform refuses the tokens before its end."""
    NEW_PERMISSIONS = "new_permissions_needed"
    """The app requires scopes the last consent did not give."""
    APP_REFUSED = "app_credentials_refused"
    SELLER_CANCELLED = "seller_cancelled"
    VENDOR_DISCONNECTED = "vendor_disconnected"
    PLATFORM_DEACTIVATED = "platform_deactivated"
    ERASED = "erased"


REAUTHORIZES: Mapping[Cause, Purpose] = {
    Cause.EXPIRED_CREDENTIALS: Purpose.RENEW,
    Cause.NEW_PERMISSIONS: Purpose.RESCOPE,
}
"""What re-authorization cures, and by a link of which purpose."""


def cause(authorization: Authorization, *, required: frozenset[str], app_refused: bool, now: datetime) -> Cause | None:
    """What is wrong with a connection at `now`; None while nobody is needed.

    `app_refused` says that the platform refuses the app's own credentials. What has expired is told first all the same: a
    consent shows the app's credentials anew, and nothing else does once nobody calls.
    """
    match authorization.state:
        case State.ERASED:
            return Cause.ERASED
        case State.DEACTIVATED:
            return Cause.PLATFORM_DEACTIVATED
        case State.CANCELLED:
            let_go = authorization.reason is Reason.VENDOR_DISCONNECTED
            return Cause.VENDOR_DISCONNECTED if let_go else Cause.SELLER_CANCELLED
        case State.EXPIRED | State.REAUTHORIZATION_REQUIRED:
            return Cause.EXPIRED_CREDENTIALS
        case State.PENDING | State.SUSPENDED:
            return None
        case State.ACTIVE if authorization.is_past_end(now):
            return Cause.EXPIRED_CREDENTIALS
        case State.ACTIVE if app_refused:
            return Cause.APP_REFUSED
        case State.ACTIVE:
            return Cause.NEW_PERMISSIONS if authorization.missing(required) else None


def reauthorization(authorization: Authorization, *, required: frozenset[str], now: datetime) -> Cause | None:
    """What the seller is asked to authorize again for; None where that is not the cure."""
    found = cause(authorization, required=required, app_refused=False, now=now)
    return found if found in REAUTHORIZES else None
