"""Platform time: wall time plus an offset that can be turned, so that a year can pass in a second.

Instants are whole Unix seconds, as on the platform's wire; only what a person reads is RFC 3339.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MINUTE = 60
HOUR = 3_600
DAY = 86_400

_UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")
# Beyond this year the clock is not turned, so that the end of whatever begins before it can still be written as a date.
_LATEST = int(datetime(3000, 1, 1, tzinfo=UTC).timestamp())
_LAST_DATE = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
# Turning to an instant must never read one second less because a float was rounded.
_ROUNDING = 0.001


class Clock:
    """Wall time plus an offset. Whoever turns it keeps the offset on disk."""

    def __init__(self, *, wall: Callable[[], float], offset: float) -> None:
        self.wall = wall
        self.offset = offset

    def now(self) -> int:
        """The platform's present second."""
        return int(self.wall() + self.offset)

    def turn_to(self, instant: int) -> None:
        """Make `instant` the present; it runs on from there."""
        self.offset = instant - self.wall() + _ROUNDING


def rfc3339(instant: int) -> str:
    """The instant as a person and a JSON reader expect it, in UTC."""
    return moment(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(instant: int) -> datetime:
    """The instant as an aware datetime in UTC; far ends (99 years) are legal."""
    return datetime.fromtimestamp(0, tz=UTC) + timedelta(seconds=min(instant, _LAST_DATE))


def read_instant(given: str | float) -> int:
    """An instant given as RFC 3339 or as Unix seconds.

    Raises:
        ValueError: it is neither, has no zone, or cannot be turned to.
    """
    if isinstance(given, str) and not re.fullmatch(r"[0-9]{1,12}", given):
        at = datetime.fromisoformat(given)
        if at.tzinfo is None:
            raise ValueError("the instant has no time zone")
        seconds = at.timestamp()
    else:
        seconds = float(given)
    return checked(seconds)


def checked(seconds: float) -> int:
    """An instant to which the clock may be turned.

    Raises:
        ValueError: it lies before 1970 or beyond the year 2999.
    """
    if not 0 <= seconds < _LATEST:
        raise ValueError("the instant lies outside the years 1970 to 2999")
    return int(seconds)


def read_duration(given: str) -> int:
    """Seconds of a duration such as `30d`, `12h`, `1d12h`, `90s`.

    Raises:
        ValueError: it is not made of numbers with the units s, m, h, d, or is longer than 200 years.
    """
    parts = _PART.findall(given)
    if not parts or "".join(number + unit for number, unit in parts) != given:
        raise ValueError("a duration is a number with s, m, h or d, such as 30d or 1d12h")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > 200 * 366 * DAY:
        raise ValueError("a duration is at most 200 years")
    return int(seconds)


def in_words(seconds: int) -> str:
    """A duration as a person says it: `365 days`, `36 hours`."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= unit and seconds % unit == 0:
            count = seconds // unit
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
