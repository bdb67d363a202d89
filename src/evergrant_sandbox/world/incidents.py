"""Incidents: what can go wrong between an app and a shop, as a closed list of reasons in our words.

The platform keeps such a list and makes connectors use it; its codes and texts are not public (requirements 2.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.clock import DAY
from evergrant_sandbox.world.grant import EndedBy, Grant, Status

_NOTICE = 30 * DAY


class Reason(StrEnum):
    """Why there is an incident."""

    ENDING_SOON = "authorization_ends_soon"
    EXPIRED = "authorization_expired"
    CANCELLED = "seller_cancelled"
    GIVEN_BACK = "app_disconnected"
    STOPPED = "platform_stopped"
    MISSED_NOTICE = "app_missed_notice"
    CALLED_AFTER_END = "app_called_after_the_end"
    NOT_PERMITTED = "seller_did_not_permit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a reason reads, and what helps."""

    title: str
    cure: str


REASONS: Mapping[Reason, Words] = {
    Reason.ENDING_SOON: Words(
        title="The authorization ends soon", cure="Authorize the app again before that, and nothing stops."
    ),
    Reason.EXPIRED: Words(
        title="The authorization has expired", cure="Authorize the app again. Orders and products stay as they are."
    ),
    Reason.CANCELLED: Words(
        title="You cancelled the authorization", cure="Nothing, if you meant to. Otherwise authorize the app again."
    ),
    Reason.GIVEN_BACK: Words(
        title="The app gave the authorization back", cure="Ask the app's maker why, then authorize it again."
    ),
    Reason.STOPPED: Words(
        title="The platform stopped the authorization", cure="Ask the app's maker why, then authorize it again."
    ),
    Reason.MISSED_NOTICE: Words(
        title="The app missed a notice",
        cure="The platform has stopped trying. Tell the app's maker; the app can still ask for orders itself.",
    ),
    Reason.CALLED_AFTER_END: Words(
        title="The app called with an expired token",
        cure="If it happens now and then, nothing. If the app no longer works, authorize it again.",
    ),
    Reason.NOT_PERMITTED: Words(
        title="The app asked for data it was not given",
        cure="Authorize the app again to share it, if you want to.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that went wrong with one authorization."""

    reason: Reason
    grant_id: int
    # When it happened, or happened last.
    at: int
    count: int = 1


def of_grant(grant: Grant, *, now: int) -> Incident | None:
    """What a grant's own state tells."""
    status = grant.status(now)
    if status is Status.ACTIVE:
        if not grant.ends_soon(now):
            return None
        # Of a grant shorter than the notice it is known from the start.
        since = max(grant.granted_at, grant.ends_at - _NOTICE)
        return Incident(reason=Reason.ENDING_SOON, grant_id=grant.id, at=since)
    if status is Status.EXPIRED:
        return Incident(reason=Reason.EXPIRED, grant_id=grant.id, at=grant.ends_at)
    if status is Status.CANCELLED:
        reason = Reason.CANCELLED
    else:
        reason = Reason.GIVEN_BACK if grant.ended_by is EndedBy.DEVELOPER else Reason.STOPPED
    return Incident(reason=reason, grant_id=grant.id, at=grant.ended_at or grant.ends_at)
