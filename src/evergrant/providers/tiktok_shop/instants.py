"""Unix seconds as the platform gives them, and as instants."""

from datetime import UTC, datetime

LATEST_YEAR = 9000


def instant(unix: int) -> datetime:
    """Unix seconds as an aware instant. Values past 2**32 are real: ends 99 years away (2.4).

    Raises:
        ValueError: no calendar holds it (milliseconds taken for seconds, say).
    """
    try:
        when = datetime.fromtimestamp(unix, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError("not an instant") from error
    if not 2000 <= when.year <= LATEST_YEAR:
        raise ValueError("not an instant")
    return when
