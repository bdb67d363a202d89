"""Outages: which flows of a change stopped by themselves, which run again, and to which outage that belongs. Decisions only.

A flow that stopped keeps one open row in the ledger until everything missed is accounted for, however often it stops and
runs again meanwhile. What a person stops is no outage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from evergrant.core.authorization import Reason, State
from evergrant.core.connection import Change, Flow
from evergrant.core.gate import SHUT_BY_STATE, Why

Key = tuple[str, str]
"""A flow of a connection: (shop id, kind)."""

OF_THE_CONSENT = frozenset(SHUT_BY_STATE.values())
"""Reasons that stop everything at once. One may turn out to be another: what was doubted was cancelled."""


class Standing(StrEnum):
    """How a flow of the ledger stands."""

    STOPPED = "stopped"
    RUNS = "runs"
    PAUSED = "paused"
    """By hand, while the outage lasted."""
    LET_GO = "let_go"
    """With the whole connection, by the vendor: nobody waits for it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One flow in the ledger of one outage, not balanced yet."""

    standing: Standing
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """An outage that is not closed. `rows` are those of its flows that do not balance yet."""

    id: str
    cause: Why
    rows: Mapping[Key, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A flow of the ledger stands differently now. `why` is what stops it, or stopped it last."""

    flow: Key
    standing: Standing
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a change does to one outage. `is_new`: it begins with it. `has_ended`: none of its flows is stopped any more."""

    id: str | None
    cause: Why
    is_new: bool
    has_ended: bool
    moves: tuple[Move, ...] = ()
    joined: tuple[Move, ...] = field(default=())


def follow(change: Change, known: Sequence[Outage]) -> Sequence[Course]:
    """What a change does to the outages of its connection that are not closed, the newest first."""
    if is_let_go(change):
        return [_over(each) for each in known]
    courses = [_gone_on(change, outage) for outage in known]
    for cause, fresh in _stopped(change, {key for outage in known for key in outage.rows}).items():
        place = next((n for n, each in enumerate(courses) if each.cause is cause and not each.has_ended), None)
        begun = courses.pop(place) if place is not None else None
        courses.append(
            Course(
                id=begun.id if begun else None,
                cause=cause,
                is_new=begun is None,
                has_ended=False,
                moves=begun.moves if begun else (),
                joined=tuple(fresh),
            )
        )
    return courses


def is_let_go(change: Change) -> bool:
    """Whether the vendor has let go of the connection: what was missed is owed to nobody."""
    return change.after.authorization.reason is Reason.VENDOR_DISCONNECTED


def _over(outage: Outage) -> Course:
    moves = tuple(Move(flow=key, standing=Standing.LET_GO, why=row.why) for key, row in outage.rows.items())
    return Course(id=outage.id, cause=outage.cause, is_new=False, has_ended=True, moves=moves)


def _gone_on(change: Change, outage: Outage) -> Course:
    flows = {(flow.shop_id, flow.kind.value): flow for flow in change.after.flows}
    rows = {key: _moved(flows[key], row) for key, row in outage.rows.items() if key in flows}
    stopped = [row for row in rows.values() if row.standing is Standing.STOPPED]
    cause = outage.cause
    if cause in OF_THE_CONSENT:
        cause = next((row.why for row in stopped if row.why in OF_THE_CONSENT), cause)
    moves = [Move(flow=key, standing=row.standing, why=row.why) for key, row in rows.items() if row != outage.rows[key]]
    return Course(id=outage.id, cause=cause, is_new=False, has_ended=not stopped, moves=tuple(moves))


def _moved(flow: Flow, row: Row) -> Row:
    match flow.shut:
        case None:
            return Row(standing=Standing.RUNS, why=row.why)
        case Why.PAUSED_BY_VENDOR:
            return Row(standing=Standing.PAUSED, why=row.why)
        case why:
            return Row(standing=Standing.STOPPED, why=why)


def _stopped(change: Change, held: set[Key]) -> Mapping[Why, list[Move]]:
    """Flows that were open, were stopped by no person, and have no row in the ledger yet, by what stopped them.

    What is erased opens none: nobody waits for what would have flowed.
    """
    fresh: dict[Why, list[Move]] = {}
    if change.after.authorization.state is State.ERASED:
        return fresh
    were_open = {(flow.shop_id, flow.kind.value) for flow in change.before.flows if flow.shut is None}
    for flow in change.after.flows:
        key = (flow.shop_id, flow.kind.value)
        if flow.shut in (None, Why.PAUSED_BY_VENDOR) or key in held or key not in were_open:
            continue
        fresh.setdefault(flow.shut, []).append(Move(flow=key, standing=Standing.STOPPED, why=flow.shut))
    return fresh
