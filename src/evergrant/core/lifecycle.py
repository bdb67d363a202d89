"""The life of an authorization as one table: the only place a state changes.

Rows are states, columns are kinds of news, and every cell is decided. A cell is a list of branches read from the top;
the first whose condition holds says where the authorization goes, with which reason, and what the vendor is told.
A branch that goes nowhere says why, so that "nothing happened" is a decision too. First the table agrees, then anything
else changes: `step` returns a new value and touches nothing.

The diagram in docs/reference/lifecycle.md is drawn from TABLE, and a test proves that no cell is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from evergrant.core.authorization import Authorization, Reason, State


class Kind(StrEnum):
    """What can happen to an authorization."""

    GRANTED = "granted"
    """The seller consented (first time or again) and the code was exchanged."""
    REFRESHED = "refreshed"
    """The platform gave a new token pair for the same consent."""
    REFRESH_REFUSED = "refresh_refused"
    """The platform refused the refresh token in a well-formed, final answer."""
    REFRESH_LOST = "refresh_lost"
    """A refresh whose answer was lost was probed once, and the platform refused it."""
    CALL_REFUSED = "call_refused"
    """A business call was answered: this token is no longer authorized."""
    LAPSED = "lapsed"
    """The clock may have passed the end."""
    DEAUTHORIZATION_NOTICED = "deauthorization_noticed"
    """The platform's notice 6 arrived; its signature carries no time, so it is verified before anything is destroyed."""
    DEAUTHORIZATION_CONFIRMED = "deauthorization_confirmed"
    DEAUTHORIZATION_REFUTED = "deauthorization_refuted"
    DEACTIVATED = "deactivated"
    DISCONNECTED = "disconnected"
    """The vendor let go of it."""
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing that happened. `at` is platform time; `ends` and `scopes` come with a grant or a refresh."""

    kind: Kind
    at: datetime
    ends: datetime | None = None
    scopes: frozenset[str] | None = None


Condition = Callable[[Authorization, News, datetime], bool]


def always(_known: Authorization, _news: News, _now: datetime) -> bool:
    """No condition."""
    return True


def not_older(known: Authorization, news: News, _now: datetime) -> bool:
    """The news is at least as young as the consent. Ties count: notices tell whole seconds, and the same second may
    hold both (TS-15).
    """
    return known.granted_at is None or news.at >= known.granted_at.replace(microsecond=0)


def past_end(known: Authorization, _news: News, now: datetime) -> bool:
    """The period the seller chose is over."""
    return known.is_past_end(now)


def end_moved(known: Authorization, news: News, now: datetime) -> bool:
    """The answer carries a later end than the one known, and it lies ahead: the seller renewed elsewhere."""
    return news.ends is not None and news.ends > now and (known.ends is None or news.ends > known.ends)


def noticed(known: Authorization, _news: News, _now: datetime) -> bool:
    """It is suspended because the platform said so, not because a call failed."""
    return known.reason is Reason.DEAUTHORIZATION_NOTICED


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One way out of a cell: `to` None means it stays as it is, and `why` says for which reason.

    `asks`: the platform has to be asked anew, and an answer to a question that was put before does not count.
    """

    to: State | None
    when: Condition = always
    because: Reason | None = None
    tells: str | None = None
    why: str = ""
    asks: bool = False


Cell = tuple[Branch, ...]


class ImpossibleNewsError(Exception):
    """News that cannot happen to an authorization in this state; the authorization is untouched."""


def to(state: State, *, because: Reason | None = None, tells: str | None = None, when: Condition = always) -> Branch:
    """The authorization moves."""
    return Branch(to=state, because=because, tells=tells, when=when)


def stays(why: str, *, when: Condition = always) -> Branch:
    """The authorization stays as it is, for the reason given."""
    return Branch(to=None, why=why, when=when)


def asking(branch: Branch) -> Branch:
    """The same way out, and the platform is asked at once."""
    return replace(branch, asks=True)


def impossible(why: str) -> Cell:
    """A cell that must not be reached; `step` raises there."""
    return (Branch(to=None, why=f"impossible: {why}"),)


ACTIVE, SUSPENDED, EXPIRED = State.ACTIVE, State.SUSPENDED, State.EXPIRED
CANCELLED, DEACTIVATED, REAUTHORIZE, ERASED = (
    State.CANCELLED,
    State.DEACTIVATED,
    State.REAUTHORIZATION_REQUIRED,
    State.ERASED,
)

AUTHORIZED = to(ACTIVE, tells="connection.authorized")
RENEWED = to(ACTIVE, tells="connection.renewed")
EXPIRES = to(EXPIRED, because=Reason.AUTHORIZATION_EXPIRED, tells="connection.expired", when=past_end)
SELLER_CANCELS = to(CANCELLED, because=Reason.SELLER_CANCELLED, tells="connection.cancelled")
VENDOR_LETS_GO = to(CANCELLED, because=Reason.VENDOR_DISCONNECTED, tells="connection.cancelled")
PLATFORM_DEACTIVATES = to(DEACTIVATED, because=Reason.PLATFORM_DEACTIVATED, tells="connection.deactivated")
IS_ERASED = to(ERASED, because=Reason.ERASED, tells="connection.erased")
SUSPENDS = asking(to(SUSPENDED, because=Reason.DEAUTHORIZATION_NOTICED, tells="connection.suspended", when=not_older))
RESUMES = to(ACTIVE, tells="connection.resumed")
REFUSED = to(REAUTHORIZE, because=Reason.REFRESH_REFUSED, tells="connection.reauthorization_required")
LOST = to(REAUTHORIZE, because=Reason.REFRESH_OUTCOME_LOST, tells="connection.reauthorization_required")
UNEXPLAINED = to(REAUTHORIZE, because=Reason.CALL_REFUSED, tells="connection.reauthorization_required")
NOT_YET = stays("the end has moved, or the clock was ahead")
# Ignored, but verified: where the platform's clock is behind ours, a real cancellation looks like this (TS-15).
OLD_NOTICE = asking(stays("an older notice: a newer consent stands"))
OLD_CONSENT = stays("an older consent: a newer one stands")
OVER = stays("it is over already")
REFUTED = stays("the platform says that the consent stands")
VERIFIED_FIRST = asking(stays("nothing is destroyed before the notice is verified", when=not_older))

ENDED: Mapping[Kind, Cell] = {
    Kind.GRANTED: (RENEWED,),
    Kind.REFRESHED: (OVER,),
    Kind.REFRESH_REFUSED: (OVER,),
    Kind.REFRESH_LOST: (OVER,),
    Kind.CALL_REFUSED: (OVER,),
    Kind.LAPSED: (OVER,),
    Kind.DEAUTHORIZATION_NOTICED: (OVER,),
    Kind.DEAUTHORIZATION_CONFIRMED: (OVER,),
    Kind.DEAUTHORIZATION_REFUTED: (OVER,),
    Kind.DEACTIVATED: (OVER,),
    Kind.DISCONNECTED: (OVER,),
    Kind.ERASED: (IS_ERASED,),
}
"""What every ended authorization has in common: only a new consent brings it back, only erasing takes it further."""

TABLE: Mapping[State, Mapping[Kind, Cell]] = {
    State.PENDING: {
        **dict.fromkeys(Kind, impossible("nothing was granted yet")),
        Kind.GRANTED: (AUTHORIZED,),
        Kind.DISCONNECTED: (VENDOR_LETS_GO,),
        Kind.ERASED: (IS_ERASED,),
    },
    State.ACTIVE: {
        Kind.GRANTED: (replace(RENEWED, when=not_older), OLD_CONSENT),
        Kind.REFRESHED: (replace(RENEWED, when=end_moved), to(ACTIVE)),
        Kind.REFRESH_REFUSED: (EXPIRES, REFUSED),
        Kind.REFRESH_LOST: (EXPIRES, LOST),
        Kind.CALL_REFUSED: (EXPIRES, asking(to(SUSPENDED, because=Reason.CALL_REFUSED, tells="connection.suspended"))),
        Kind.LAPSED: (EXPIRES, NOT_YET),
        Kind.DEAUTHORIZATION_NOTICED: (SUSPENDS, OLD_NOTICE),
        Kind.DEAUTHORIZATION_CONFIRMED: (EXPIRES, SELLER_CANCELS),
        Kind.DEAUTHORIZATION_REFUTED: (REFUTED,),
        Kind.DEACTIVATED: (PLATFORM_DEACTIVATES,),
        Kind.DISCONNECTED: (VENDOR_LETS_GO,),
        Kind.ERASED: (IS_ERASED,),
    },
    State.SUSPENDED: {
        Kind.GRANTED: (replace(RENEWED, when=not_older), OLD_CONSENT),
        # The refresh may have been under way before the seller cancelled: what it brings is taken, and proves nothing.
        Kind.REFRESHED: (
            asking(to(SUSPENDED, tells="connection.renewed", when=end_moved)),
            asking(to(SUSPENDED)),
        ),
        Kind.REFRESH_REFUSED: (EXPIRES, replace(SELLER_CANCELS, when=noticed), REFUSED),
        Kind.REFRESH_LOST: (EXPIRES, LOST),
        Kind.CALL_REFUSED: (stays("it is being verified already"),),
        Kind.LAPSED: (EXPIRES, NOT_YET),
        Kind.DEAUTHORIZATION_NOTICED: (
            asking(to(SUSPENDED, because=Reason.DEAUTHORIZATION_NOTICED, when=not_older)),
            OLD_NOTICE,
        ),
        Kind.DEAUTHORIZATION_CONFIRMED: (replace(SELLER_CANCELS, when=noticed), UNEXPLAINED),
        Kind.DEAUTHORIZATION_REFUTED: (RESUMES,),
        Kind.DEACTIVATED: (PLATFORM_DEACTIVATES,),
        Kind.DISCONNECTED: (VENDOR_LETS_GO,),
        Kind.ERASED: (IS_ERASED,),
    },
    State.EXPIRED: {
        **ENDED,
        Kind.REFRESHED: (replace(RENEWED, when=end_moved), OVER),
        Kind.DISCONNECTED: (VENDOR_LETS_GO,),
    },
    State.CANCELLED: {**ENDED, Kind.GRANTED: (replace(RENEWED, when=not_older), OLD_CONSENT)},
    State.DEACTIVATED: {**ENDED, Kind.DISCONNECTED: (VENDOR_LETS_GO,)},
    State.REAUTHORIZATION_REQUIRED: {
        **ENDED,
        Kind.LAPSED: (EXPIRES, NOT_YET),
        Kind.REFRESHED: (replace(RENEWED, when=end_moved), RESUMES),
        Kind.DEAUTHORIZATION_NOTICED: (VERIFIED_FIRST, OLD_NOTICE),
        Kind.DEAUTHORIZATION_CONFIRMED: (SELLER_CANCELS,),
        Kind.DISCONNECTED: (VENDOR_LETS_GO,),
    },
    State.ERASED: {
        **dict.fromkeys(Kind, (stays("it is erased"),)),
        Kind.GRANTED: impossible("a new consent makes a new connection"),
    },
}


VERIFIABLE = frozenset({ACTIVE, SUSPENDED, REAUTHORIZE})
"""States in which the platform may be asked whether the consent stands."""

VERDICTS = frozenset({Kind.DEAUTHORIZATION_CONFIRMED, Kind.DEAUTHORIZATION_REFUTED})
"""The platform's answers to that question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the table decided: the authorization as it now is, what the vendor is told, why nothing moved if so, and
    whether the platform has to be asked.
    """

    authorization: Authorization
    moved: bool
    tells: str | None
    why: str
    asks: bool


def step(known: Authorization, news: News, now: datetime) -> Step:
    """What the news makes of the authorization at `now` (platform time).

    Raises:
        ImpossibleNewsError: the table says this cannot happen in that state.
    """
    for branch in TABLE[known.state][news.kind]:
        if branch.when(known, news, now):
            return _taken(branch, known, news)
    raise ImpossibleNewsError(f"no branch for {news.kind} while {known.state}")


def _taken(branch: Branch, known: Authorization, news: News) -> Step:
    if branch.why.startswith("impossible"):
        raise ImpossibleNewsError(f"{news.kind} while {known.state}: {branch.why}")
    if branch.to is None:
        return Step(authorization=known, moved=False, tells=None, why=branch.why, asks=branch.asks)
    # Whoever stays in a state without a new reason stays there for the old one.
    reason = known.reason if branch.to is known.state and branch.because is None else branch.because
    moved = replace(known, state=branch.to, reason=reason)
    if news.kind in (Kind.GRANTED, Kind.REFRESHED):
        moved = replace(
            moved, ends=news.ends or known.ends, scopes=known.scopes if news.scopes is None else news.scopes
        )
    if news.kind is Kind.GRANTED:
        moved = replace(moved, granted_at=news.at)
    return Step(authorization=moved, moved=moved != known, tells=branch.tells, why="", asks=branch.asks)
