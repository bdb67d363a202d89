"""Grants: one seller's consent to one app, with an end only the seller can move, and what it does to its tokens."""

from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.clock import DAY

# "The auth code is valid for 30 minutes and can be used once." Authorization guide (202309), captured 2025-12-03.
CODE_LIFE = 30 * 60


class State(StrEnum):
    """What was done to a grant. That it expired is not done but read off the clock."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    DEACTIVATED = "deactivated"


class Status(StrEnum):
    """The platform's four words."""

    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DEACTIVATED = "deactivated"


class EndedBy(StrEnum):
    """Who ended a grant before its time."""

    NOBODY = ""
    SELLER = "seller"
    PLATFORM = "platform"
    DEVELOPER = "developer"
    REFRESH_REUSE = "refresh_reuse"


class Route(StrEnum):
    """Where the seller consented."""

    LINK = "link"
    SELLER_CENTER = "seller_center"
    DEVELOPMENT_SHOP = "development_shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One consent. A local seller's covers one shop; a cross-border seller's covers all shops (`shop_id` is None)."""

    id: int
    app_key: str
    seller_id: str
    shop_id: str | None
    open_id: str
    prefix: str
    scopes: tuple[str, ...]
    granted_at: int
    period: int
    ends_at: int
    state: State
    ended_at: int | None
    ended_by: EndedBy
    # How often the seller has consented; every pair remembers which consent it comes from.
    consents: int
    contact_email: str
    contact_phone: str

    def status(self, now: int) -> Status:
        """The grant as the platform's own lists would show it."""
        if self.state is State.ACTIVE:
            return Status.ACTIVE if now < self.ends_at else Status.EXPIRED
        return Status(self.state)

    def is_alive(self, now: int) -> bool:
        """Whether the app may still act on it."""
        return self.status(now) is Status.ACTIVE

    def ends_soon(self, now: int) -> bool:
        """Whether it is in its last 30 days or over."""
        return self.ends_at - now <= 30 * DAY or not self.is_alive(now)


class NewEnd(StrEnum):
    """Where a renewal puts the end. "Does early renewal add to or replace the remaining time?" is unknown."""

    FROM_CONSENT = "from_consent"
    ADDED = "added"
    UNCHANGED = "unchanged"


def end_after(standing: Grant | None, *, period: int, rule: NewEnd, now: int) -> int:
    """The end of the authorization after a consent given now. Only a living grant has remaining time to reckon with."""
    if standing is None or not standing.is_alive(now):
        return now + period
    return {
        NewEnd.FROM_CONSENT: now + period,
        NewEnd.ADDED: standing.ends_at + period,
        NewEnd.UNCHANGED: standing.ends_at,
    }[rule]
