"""Small values: secrets that do not print, days that are counted up, due times that are spread."""

import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evergrant.core import flows, tokens
from evergrant.core.authorization import Authorization, State
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation, TokenPair

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
fractions = st.floats(min_value=0, max_value=1, exclude_max=True)


def test_a_secret_does_not_show_compare_hash_or_travel() -> None:
    """The ways a secret gets out by accident are shut."""
    secret = Secret("CNRY-1234")

    assert "CNRY" not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        secret == Secret("CNRY-1234")  # noqa: B015
    with pytest.raises(TypeError):
        hash(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.same_as(Secret("CNRY-1234"))
    assert not secret.same_as(Secret("CNRY-1235"))


@pytest.mark.parametrize(
    ("left", "days"),
    [(timedelta(0), 0), (timedelta(seconds=1), 1), (timedelta(days=1), 1), (timedelta(days=29, hours=1), 30)],
)
def test_days_remaining_are_counted_up(left: timedelta, days: int) -> None:
    """23 hours left are one day; none is left at the end, and never less than none."""
    known = Authorization(state=State.ACTIVE, ends=NOON + left)

    assert days == known.days_remaining(NOON)
    assert known.days_remaining(NOON + 2 * left) == 0


def test_ends_99_years_away_are_legal() -> None:
    """GB, FR and VN samples are effectively permanent, and pass 2**32 seconds (wire sheet 2.4)."""
    ends = NOON + timedelta(days=99 * 365)
    pair = TokenPair(access=Secret("a"), access_ends=NOON + WEEK, refresh=Secret("r"), refresh_ends=ends)

    assert tokens.is_sane(pair, NOON)
    assert 99 * 365 == Authorization(state=State.ACTIVE, ends=ends).days_remaining(NOON)


@pytest.mark.parametrize("access", [timedelta(0), timedelta(seconds=-1), timedelta(days=365 * 57)])
def test_ends_that_cannot_be_are_not_believed(access: timedelta) -> None:
    """In the past, or read as a duration on top of now (the year 2083, the commonest client bug of 2.4)."""
    pair = TokenPair(access=Secret("a"), access_ends=NOON + access, refresh=Secret("r"), refresh_ends=NOON + WEEK)

    assert not tokens.is_sane(pair, NOON)


@given(fractions)
def test_a_refresh_is_due_around_half_of_life(jitter: float) -> None:
    """Never later than 55 %, never earlier than 45 %, so that tokens issued together do not fall due together."""
    due = tokens.due_at(issued=NOON, access_ends=NOON + WEEK, jitter=jitter)

    assert NOON + 0.45 * WEEK <= due <= NOON + 0.55 * WEEK


def test_in_doubt_the_platforms_kindness_decides_when_to_ask_again() -> None:
    """At once where a second use is forgiven; otherwise late, while the access token still lives."""

    def probe(rotation: Rotation, now: datetime = NOON) -> datetime:
        return tokens.probe_at(issued=NOON, access_ends=NOON + WEEK, rotation=rotation, now=now)

    assert NOON == probe(Rotation.STABLE) == probe(Rotation.RETRY_SAFE)
    for rotation in (Rotation.STRICT, Rotation.FAMILY, Rotation.UNKNOWN):
        assert NOON + 0.9 * WEEK == probe(rotation)
        assert NOON + 2 * WEEK == probe(rotation, now=NOON + 2 * WEEK)


def test_a_first_poll_reaches_back_and_later_ones_overlap() -> None:
    """Seven days of orders at first; then everything since the cursor, and ten minutes more."""
    first = flows.window(flows.PLANS[flows.Kind.ORDERS], None, NOON)
    later = flows.window(flows.PLANS[flows.Kind.ORDERS], NOON, NOON + timedelta(hours=1))

    assert NOON - WEEK == first.since
    assert NOON - timedelta(minutes=10) == later.since
    assert later.until > NOON + timedelta(hours=1)
