"""A token pair and the token clock: when to refresh it, and what to do while the outcome of a refresh is in doubt."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from evergrant.core.secret import Secret

LONGEST_ACCESS = timedelta(days=400)
LONGEST_REFRESH = timedelta(days=200 * 365)
"""Ends beyond these are not believed: a client that reads a duration as an instant, or milliseconds as seconds, is off
by far more (wire sheet 2.4). Ends 99 years away are believed: sellers have them."""

FRESH = timedelta(minutes=10)
"""An access token this young that the platform calls expired is not cured by another one: "refresh once, retry once"
(wire sheet 3.7)."""

PROBE_MARGIN = 0.10
LEAST_PROBE_MARGIN = timedelta(minutes=10)


class Rotation(StrEnum):
    """What a second use of a refresh token does at a platform (reliability reference, section 0)."""

    STABLE = "stable"
    RETRY_SAFE = "retry_safe"
    STRICT = "strict"
    FAMILY = "family"
    UNKNOWN = "unknown"
    """TikTok Shop does not say which it is; treated like `family`."""

    @property
    def forgives_a_second_use(self) -> bool:
        """Whether a refresh token whose answer was lost may be shown again at once."""
        return self in (Rotation.STABLE, Rotation.RETRY_SAFE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What the platform gave: two secrets and their ends (aware, UTC)."""

    access: Secret
    access_ends: datetime
    refresh: Secret
    refresh_ends: datetime


def is_sane(pair: TokenPair, now: datetime) -> bool:
    """Whether both ends lie ahead and within what any platform gives."""
    return is_believable(pair.access_ends, now, LONGEST_ACCESS) and is_believable(
        pair.refresh_ends, now, LONGEST_REFRESH
    )


def is_believable(ends: datetime, now: datetime, longest: timedelta) -> bool:
    """Whether an end lies ahead, and not further than any platform gives (TS-17)."""
    return now < ends < now + longest


def due_at(*, issued: datetime, access_ends: datetime, jitter: float) -> datetime:
    """When to refresh: half of the token's life, times a number in [0.9, 1.1) drawn as `jitter` in [0, 1).

    Half of life leaves room to wait when the outcome of a refresh is in doubt; the spread keeps tokens that were issued
    together from falling due together (TS-18).
    """
    return issued + (access_ends - issued) * 0.5 * (0.9 + 0.2 * jitter)


def probe_at(*, issued: datetime, access_ends: datetime, rotation: Rotation, now: datetime) -> datetime:
    """When a refresh token whose last answer was lost may be shown once more.

    At once where the platform forgives it. Otherwise as late as the access token allows: showing it again may revoke
    the whole grant, and until then the access token works (reliability reference, 3.3).
    """
    if rotation.forgives_a_second_use:
        return now
    margin = max((access_ends - issued) * PROBE_MARGIN, LEAST_PROBE_MARGIN)
    return max(now, access_ends - margin)
