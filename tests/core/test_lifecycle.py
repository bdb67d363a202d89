"""The life of an authorization: every cell is decided, and the laws hold whatever news comes in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evergrant.core import lifecycle
from evergrant.core.authorization import PENDING, Authorization, Reason, State
from evergrant.core.lifecycle import ImpossibleNewsError, Kind, News

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
DAY = timedelta(days=1)
SCOPES = frozenset({"seller.order.info"})


def news(kind: Kind, at: datetime = NOON, *, ends: datetime | None = None) -> News:
    """News of a kind, with an end where it carries one."""
    carries = kind in (Kind.GRANTED, Kind.REFRESHED)
    return News(kind=kind, at=at, ends=(ends or at + YEAR) if carries else None, scopes=SCOPES if carries else None)


def active(granted_at: datetime = NOON) -> Authorization:
    """A healthy authorization."""
    return lifecycle.step(PENDING, news(Kind.GRANTED, granted_at), granted_at).authorization


def in_state(state: State, reason: Reason | None = None) -> Authorization:
    """An authorization in a given state, granted at noon for a year."""
    return replace(active(), state=state, reason=reason)


def test_every_cell_of_the_table_is_decided() -> None:
    """States times news: no cell is missing, and no cell can fall through."""
    assert set(State) == set(lifecycle.TABLE)
    for state, row in lifecycle.TABLE.items():
        assert set(Kind) == set(row), state
        for kind, cell in row.items():
            assert cell[-1].when is lifecycle.always, f"{state} x {kind} may fall through"


def test_a_first_consent_makes_it_active_and_its_end_is_known_at_once() -> None:
    """R-ECOM-2: the end is known from the moment of authorization."""
    step = lifecycle.step(PENDING, news(Kind.GRANTED), NOON)

    assert State.ACTIVE is step.authorization.state
    assert NOON + YEAR == step.authorization.ends
    assert NOON == step.authorization.granted_at
    assert step.tells == "connection.authorized"


def test_it_expires_at_its_end_and_not_a_moment_before() -> None:
    """The end itself is exclusive; a sweep that comes early changes nothing."""
    early = lifecycle.step(active(), news(Kind.LAPSED), NOON + YEAR - timedelta(microseconds=1))
    late = lifecycle.step(active(), news(Kind.LAPSED), NOON + YEAR)

    assert (State.ACTIVE, False) == (early.authorization.state, early.moved)
    assert (State.EXPIRED, Reason.AUTHORIZATION_EXPIRED) == (late.authorization.state, late.authorization.reason)
    assert late.tells == "connection.expired"


def test_a_deauthorization_suspends_and_destroys_nothing_before_it_is_verified() -> None:
    """A notice's signature carries no time: it may be old, so it is only a suspicion (TS-15)."""
    suspended = lifecycle.step(active(), news(Kind.DEAUTHORIZATION_NOTICED, NOON + DAY), NOON + DAY).authorization
    confirmed = lifecycle.step(suspended, news(Kind.DEAUTHORIZATION_CONFIRMED, NOON + DAY), NOON + DAY).authorization
    refuted = lifecycle.step(suspended, news(Kind.DEAUTHORIZATION_REFUTED, NOON + DAY), NOON + DAY).authorization

    assert State.SUSPENDED is suspended.state
    assert (State.CANCELLED, Reason.SELLER_CANCELLED) == (confirmed.state, confirmed.reason)
    assert (State.ACTIVE, None) == (refuted.state, refuted.reason)


def test_a_late_cancellation_does_not_undo_a_newer_grant() -> None:
    """Cancel, then authorize again: the cancellation notice may arrive second."""
    renewed = lifecycle.step(in_state(State.CANCELLED), news(Kind.GRANTED, NOON + DAY), NOON + DAY).authorization
    late = lifecycle.step(
        renewed, news(Kind.DEAUTHORIZATION_NOTICED, NOON + DAY - timedelta(seconds=1)), NOON + 2 * DAY
    )

    assert (State.ACTIVE, False) == (late.authorization.state, late.moved)
    assert "older notice" in late.why


def test_a_notice_of_the_same_second_as_the_consent_is_verified() -> None:
    """Ties suspend and verify: the second may hold either order."""
    step = lifecycle.step(active(), news(Kind.DEAUTHORIZATION_NOTICED, NOON), NOON)

    assert State.SUSPENDED is step.authorization.state


def test_a_refusal_without_a_notice_is_not_called_a_cancellation() -> None:
    """What the platform refused before its end, with no notice to say why, is its own state."""
    refused = lifecycle.step(active(), news(Kind.REFRESH_REFUSED, NOON + DAY), NOON + DAY).authorization
    suspended = lifecycle.step(active(), news(Kind.CALL_REFUSED, NOON + DAY), NOON + DAY).authorization
    gone = lifecycle.step(suspended, news(Kind.DEAUTHORIZATION_CONFIRMED, NOON + DAY), NOON + DAY).authorization

    assert (State.REAUTHORIZATION_REQUIRED, Reason.REFRESH_REFUSED) == (refused.state, refused.reason)
    assert (State.REAUTHORIZATION_REQUIRED, Reason.CALL_REFUSED) == (gone.state, gone.reason)


@pytest.mark.parametrize("state", [State.ACTIVE, State.SUSPENDED])
def test_a_lost_outcome_is_no_word_of_the_platform(state: State) -> None:
    """The pair may lie on another machine's disk: whatever a notice said, nothing is destroyed for it."""
    step = lifecycle.step(in_state(state, Reason.DEAUTHORIZATION_NOTICED), news(Kind.REFRESH_LOST), NOON + DAY)

    assert State.REAUTHORIZATION_REQUIRED is step.authorization.state
    assert Reason.REFRESH_OUTCOME_LOST is step.authorization.reason


def test_a_refusal_after_the_end_is_an_expiry() -> None:
    """The sweep may not have come by yet; the clock decides all the same."""
    step = lifecycle.step(active(), news(Kind.REFRESH_REFUSED, NOON + YEAR), NOON + YEAR)

    assert (State.EXPIRED, Reason.AUTHORIZATION_EXPIRED) == (step.authorization.state, step.authorization.reason)


def test_a_notice_that_comes_late_explains_a_refusal() -> None:
    """The notice was lost or slow, the refresh failed first: verified, the notice names the cause."""
    later = NOON + 2 * DAY
    refused = lifecycle.step(active(), news(Kind.REFRESH_REFUSED, NOON + DAY), NOON + DAY).authorization
    noticed = lifecycle.step(refused, news(Kind.DEAUTHORIZATION_NOTICED, NOON + DAY), later)
    explained = lifecycle.step(noticed.authorization, news(Kind.DEAUTHORIZATION_CONFIRMED, later), later).authorization

    assert (refused, True) == (noticed.authorization, noticed.asks)
    assert (State.CANCELLED, Reason.SELLER_CANCELLED) == (explained.state, explained.reason)


@pytest.mark.parametrize("state", [State.ACTIVE, State.SUSPENDED, State.REAUTHORIZATION_REQUIRED])
def test_an_older_notice_changes_nothing_and_has_the_platform_asked(state: State) -> None:
    """Stored and ignored, but it triggers the same call (TS-15)."""
    known = in_state(state)
    step = lifecycle.step(known, news(Kind.DEAUTHORIZATION_NOTICED, NOON - DAY), NOON + DAY)

    assert (known, True) == (step.authorization, step.asks)


def test_an_end_that_moved_elsewhere_is_a_renewal() -> None:
    """A refresh whose answer carries a later end: the seller renewed in Seller Center, without calling us."""
    step = lifecycle.step(active(), news(Kind.REFRESHED, NOON + DAY, ends=NOON + 2 * YEAR), NOON + DAY)

    assert step.tells == "connection.renewed"
    assert NOON + 2 * YEAR == step.authorization.ends
    assert NOON == step.authorization.granted_at


def test_an_ordinary_refresh_is_silent() -> None:
    """The token clock turns without anybody being told."""
    step = lifecycle.step(active(), news(Kind.REFRESHED, NOON + DAY, ends=NOON + YEAR), NOON + DAY)

    assert (State.ACTIVE, None) == (step.authorization.state, step.tells)


@pytest.mark.parametrize("state", [state for state in State if state not in (State.PENDING, State.ERASED)])
def test_the_seller_can_come_back_from_everywhere(state: State) -> None:
    """A new consent brings any connection back, short of an erased one."""
    step = lifecycle.step(in_state(state), news(Kind.GRANTED, NOON + DAY), NOON + DAY)

    assert (State.ACTIVE, None) == (step.authorization.state, step.authorization.reason)
    assert NOON + DAY == step.authorization.granted_at


@pytest.mark.parametrize("kind", list(Kind))
def test_an_erased_connection_stays_erased(kind: Kind) -> None:
    """Erased ends it; a new consent makes a new connection."""
    if kind is Kind.GRANTED:
        with pytest.raises(ImpossibleNewsError):
            lifecycle.step(in_state(State.ERASED), news(kind), NOON)
    else:
        assert State.ERASED is lifecycle.step(in_state(State.ERASED), news(kind), NOON).authorization.state


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.GRANTED, Kind.DISCONNECTED, Kind.ERASED)])
def test_nothing_happens_to_what_was_never_granted(kind: Kind) -> None:
    """News without a grant is a mistake somewhere, and says so."""
    with pytest.raises(ImpossibleNewsError):
        lifecycle.step(PENDING, news(kind), NOON)


moments = st.integers(min_value=0, max_value=900).map(lambda hours: NOON + timedelta(hours=hours))
walks = st.lists(st.tuples(st.sampled_from([kind for kind in Kind if kind is not Kind.ERASED]), moments), max_size=40)


@given(walks)
def test_whatever_happens_the_laws_hold(walk: list[tuple[Kind, datetime]]) -> None:
    """Random news, in time order of arrival: only a consent or a proof of life leads back, and ended means ended."""
    known = active()
    for kind, now in sorted(walk, key=lambda pair: pair[1]):
        step = lifecycle.step(known, news(kind, now), now)
        after = step.authorization
        if known.state in (State.CANCELLED, State.DEACTIVATED) and after.state is State.ACTIVE:
            assert Kind.GRANTED is kind
        if known.state is State.SUSPENDED and after.state is State.ACTIVE:
            assert kind in (Kind.GRANTED, Kind.DEAUTHORIZATION_REFUTED)
        if after.state is State.SUSPENDED and after != known:
            assert step.asks
        if after.state is not known.state:
            assert step.moved
            assert step.tells is not None
        assert (after.state is State.ACTIVE) == (after.reason is None)
        assert after.granted_at is not None
        assert kind is Kind.GRANTED or after.granted_at == known.granted_at
        known = after


@given(
    st.sampled_from(list(Kind)), moments, st.sampled_from([s for s in State if s not in (State.PENDING, State.ERASED)])
)
def test_the_same_news_twice_is_told_once(kind: Kind, at: datetime, state: State) -> None:
    """Notices and jobs come at least once; the second time changes nothing that the first did not."""
    first = lifecycle.step(in_state(state), news(kind, at), at)
    second = lifecycle.step(first.authorization, news(kind, at), at)

    # A verdict answers one question, and the store keeps it once: a second one means that a notice asked again.
    asked_again = kind is Kind.DEAUTHORIZATION_CONFIRMED and first.authorization.state is State.REAUTHORIZATION_REQUIRED
    if kind is not Kind.GRANTED and not asked_again:
        assert first.authorization.state is second.authorization.state
        assert not second.moved or kind is Kind.REFRESHED
