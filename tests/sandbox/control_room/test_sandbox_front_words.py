"""The control room's words on time: days are counted as the hub counts them, and an offset is rounded."""

import pytest

from evergrant_sandbox.clock import DAY, HOUR
from evergrant_sandbox.pages.rendering import relative, roughly


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (12 * DAY, "in 12 days"),
        (12 * DAY - 1, "in 12 days"),
        (11 * DAY + 1, "in 12 days"),
        (DAY, "in 1 day"),
        (DAY - 1, "in 24 hours"),
        (90, "in 2 minutes"),
        (-DAY, "1 day ago"),
        (-2 * DAY + 1, "1 day ago"),
    ],
)
def test_what_is_to_come_is_counted_up(seconds: int, words: str) -> None:
    """The hub says `12 days left` until eleven are left; what is past is counted down."""
    assert words == relative(1_800_000_000 + seconds, 1_800_000_000)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(DAY - 1, "1 day"), (DAY, "1 day"), (30 * DAY - 2, "30 days"), (HOUR - 1, "1 hour"), (20, "20 seconds")],
)
def test_an_offset_is_rounded(seconds: int, words: str) -> None:
    """A clock turned on by a day is a day ahead, not 23 hours."""
    assert words == roughly(seconds)
