"""When the upcoming-expiration notice falls due: 30 days before the end, then daily at 0:00 until re-authorized."""

from evergrant_sandbox.clock import DAY, HOUR

AHEAD = 30 * DAY

# "Daily at 0:00" says no zone (wire sheet 4.4); the switch `daily_warning_zone` names one of these.
ZONES = {"UTC": 0, "UTC+8": 8 * HOUR, "UTC-8": -8 * HOUR}


def next_midnight(after: int, zone: str) -> int:
    """The first 0:00 of the zone strictly later than the instant."""
    ahead = ZONES[zone]
    return ((after + ahead) // DAY + 1) * DAY - ahead


def first(*, granted_at: int, ends_at: int, zone: str) -> int | None:
    """The first warning: 30 days ahead, or the next 0:00 for a grant that was born inside its last 30 days."""
    due = ends_at - AHEAD
    if due <= granted_at:
        due = next_midnight(granted_at, zone)
    return due if due < ends_at else None


def after(last: int, *, ends_at: int, zone: str) -> int | None:
    """The warning that follows the one of `last`, or None when the end comes first."""
    due = next_midnight(last, zone)
    return due if due < ends_at else None


def days_left(at: int, ends_at: int) -> int:
    """The number in "is expiring in {x} days": begun days, so it says 30 at thirty days and never 0."""
    return -(-(ends_at - at) // DAY)
