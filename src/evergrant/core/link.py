"""Hosted links and the browser's way to the platform and back: what is expected, what came, and how that is told.

A *link session* is one hosted link with one purpose and one use. Each time a person leaves for the platform through it,
that is an *authorization request*: it has a `state` of 256 random bits, of which only the hash is kept, and belongs to
the browser that left.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from evergrant.core.secret import Secret

STATE_LIFE = timedelta(minutes=10)
"""From leaving for the platform to coming back (wall time). "Connect `state` life at a connector: 10 minutes" (P-19)."""

LONGEST_LINK = timedelta(days=90)
DEFAULT_LINK = timedelta(days=7)
DASHBOARD_LINK = timedelta(hours=1)


class Purpose(StrEnum):
    """What a link is for."""

    LINK = "link"
    """Connect a shop for the first time."""
    RENEW = "renew"
    """Bring one connection back, or keep it, under the same identity."""
    RESCOPE = "rescope"
    """The same, because the app needs scopes the seller has not given."""


class Mode(StrEnum):
    """How the person comes back: to the page the link names, or to a small window that closes."""

    REDIRECT = "redirect"
    POPUP = "popup"


class Outcome(StrEnum):
    """How a link session ended."""

    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What the browser brought back, each parameter once. The platform sends the word `null` for no code (1.4)."""

    code: Secret | None
    state: Secret | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """What a link for one shop was answered with instead: a grant of these shops, and either the claim it waits as or the
    connection that held them already and has it now.
    """

    shop_ids: tuple[str, ...]
    claim_id: str | None = None
    connection_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A return from the platform whose code is kept, at the right app: only the store makes one."""

    tenant_id: str
    request_id: str
    app_id: str
    claimed_at: datetime

    @property
    def claim_id(self) -> str:
        """The claim it becomes if nobody proves to be its owner: one of the same number."""
        return f"clm_{self.request_id.removeprefix('req_')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(Returned):
    """One with a state, spent now by the browser that left with it."""

    session_id: str
    merchant_id: str
    purpose: Purpose
    mode: Mode
    connection_id: str | None
    return_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked(Returned):
    """One without a state: begun at the platform, in its store or at the end of a renewal in Seller Center."""
