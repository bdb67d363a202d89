"""One seller's consent to one app: its state, its reason, its scopes, and the end only the seller can move."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

EXPIRING = timedelta(days=30)
"""An authorization this close to its end is *expiring*: arithmetic on now, never stored.

"30 days before the authorization expires, an [Upcoming authorization expiration] webhook will be triggered."
(source S2, read 2026-11)
"""


class State(StrEnum):
    """Where an authorization stands. Active, Expired, Cancelled and Deactivated are the platform's own words (S4)."""

    PENDING = "pending"
    """Asked for, not yet given."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    """Somebody says it is over and we are asking the platform; no token leaves meanwhile."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DEACTIVATED = "deactivated"
    REAUTHORIZATION_REQUIRED = "reauthorization_required"
    """The platform refused the grant before its end, and no notice said why."""
    ERASED = "erased"


OVER = frozenset({State.EXPIRED, State.CANCELLED, State.DEACTIVATED, State.REAUTHORIZATION_REQUIRED, State.ERASED})
"""States that only a new consent ends, if anything does."""


class Reason(StrEnum):
    """Why an authorization is not simply active. Stable codes: they stand in the API and on pages."""

    AUTHORIZATION_EXPIRED = "authorization_expired"
    SELLER_CANCELLED = "seller_cancelled"
    VENDOR_DISCONNECTED = "vendor_disconnected"
    PLATFORM_DEACTIVATED = "platform_deactivated"
    DEAUTHORIZATION_NOTICED = "deauthorization_noticed"
    CALL_REFUSED = "call_refused"
    REFRESH_REFUSED = "refresh_refused"
    REFRESH_OUTCOME_LOST = "refresh_outcome_lost"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What is known of one consent. Instants are aware and in UTC; `ends` may be 99 years away (wire sheet 2.4)."""

    state: State
    reason: Reason | None = None
    granted_at: datetime | None = None
    ends: datetime | None = None
    scopes: frozenset[str] = frozenset()

    def is_past_end(self, now: datetime) -> bool:
        """Whether the period the seller chose is over. The last instant is `ends` itself, exclusive."""
        return self.ends is not None and now >= self.ends

    def is_expiring(self, now: datetime) -> bool:
        """Whether it is active and within 30 days of its end."""
        return self.state is State.ACTIVE and self.ends is not None and timedelta(0) < self.ends - now <= EXPIRING

    def days_remaining(self, now: datetime) -> int | None:
        """Whole days until the end, counted up (23 hours left are one day); 0 once it is over, None while unknown."""
        if self.state in OVER:
            return 0
        if self.ends is None:
            return None
        left = self.ends - now
        return max(0, -(-left // timedelta(days=1)))

    @property
    def period_days(self) -> int | None:
        """How long the authorization was given for, in whole days; None while unknown."""
        if self.granted_at is None or self.ends is None:
            return None
        return round((self.ends - self.granted_at) / timedelta(days=1))

    def missing(self, required: frozenset[str]) -> frozenset[str]:
        """The scopes the app requires and the seller has not given."""
        return required - self.scopes


PENDING = Authorization(state=State.PENDING)
"""Where every authorization begins."""
