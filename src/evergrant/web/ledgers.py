"""An outage as people see it: what stopped and when, what is made good, the checks, and a picture of the gap and the catch-up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evergrant.actions.ledger import Line, Outage, Trouble
from evergrant.core import flows
from evergrant.web import words
from evergrant.web.words import Status, Tone

STOPPED = Status(word="Stopped", icon="plug-connected-x", tone=Tone.OVER)
CATCHING_UP = Status(word="Catching up", icon="refresh", tone=Tone.WAITING)
NORMAL = Status(word="Back to normal", icon="circle-check", tone=Tone.WELL)

STATES: Mapping[str, Status] = {
    "stopped": STOPPED,
    "paused": Status(word="Paused by your team", icon="player-pause", tone=Tone.OVER),
    "catching_up": CATCHING_UP,
    "owing": Status(word="Not all accounted for", icon="clock", tone=Tone.WAITING),
    "balanced": Status(word="Balanced", icon="circle-check", tone=Tone.WELL),
}
"""How a flow stands in the ledger."""

WIDTH = 1000
"""Of a picture, in its own units."""
LEAST = 6
"""What is shorter than this would not be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A check: passed at an instant, not to be made, or still to pass."""

    name: str
    at: datetime | None
    instead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stretch of time in a picture, or a share of a whole."""

    kind: str
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One flow of the ledger. `bars` are its gap and its catch-up in the time of the outage."""

    line: Line
    name: str
    shop: str
    reason: str
    status: Status
    ticks: Sequence[Tick]
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One outage. `until` is when it was closed, or now; `shares` are what was missed, by what became of it."""

    id: str
    connection_id: str
    title: str
    cause: str
    status: Status
    now: datetime
    started_at: datetime
    ended_at: datetime | None
    closed_at: datetime | None
    until: datetime
    lasted: str
    missed: int
    caught_up: int
    superseded: int
    given_up: int
    open: int
    is_known: bool
    rows: Sequence[Row]
    shares: Sequence[Bar]
    ends_at: Bar
    """Where in the picture the last flow ran again."""


def shown(found: Outage, title: str, shops: Mapping[str, str], now: datetime) -> Shown:
    """An outage at `now` (platform time of its connection); `shops` are names by id."""
    until = found.closed_at or max(now, found.started_at)
    span = (found.started_at, until)
    counted = {name: sum(getattr(line, name) for line in found.lines) for name in SHARES}
    ends = found.ended_at or until
    return Shown(
        id=found.id,
        connection_id=found.connection_id,
        title=title,
        cause=words.REASONS[found.cause],
        status=status(found),
        now=now,
        started_at=found.started_at,
        ended_at=found.ended_at,
        closed_at=found.closed_at,
        until=until,
        lasted=words.span(ends - found.started_at),
        missed=sum(line.missed for line in found.lines),
        **counted,
        is_known=all(line.is_known for line in found.lines),
        rows=[_row(line, shops, span) for line in _in_order(found.lines)],
        shares=_shares(counted),
        ends_at=_bar("end", span, ends, ends),
    )


SHARES = ("caught_up", "superseded", "given_up", "open")


def status(found: Outage) -> Status:
    """Stopped, catching up, or back to normal: not before the ledger balances."""
    if found.closed_at:
        return NORMAL
    return CATCHING_UP if found.ended_at else STOPPED


def ticks(line: Line) -> Sequence[Tick]:
    """The checks of a flow: one real read, and where it goes out one harmless write."""
    if line.kind in flows.NOT_CARRIED:
        return ()
    trouble = words.TROUBLES.get(line.trouble or "", line.trouble or "")
    reads = Tick(name="Real read", at=line.read_at, instead=trouble if line.read_at is None else "")
    if line.kind in flows.PULLED:
        return (reads,)
    is_off = line.trouble == Trouble.WRITING_IS_OFF
    return (
        reads if not is_off else Tick(name="Real read", at=line.read_at),
        Tick(name="Harmless write", at=line.written_at, instead=trouble if line.read_at or is_off else ""),
    )


def _in_order(lines: Sequence[Line]) -> Sequence[Line]:
    return sorted(lines, key=lambda line: (line.shop_id, flows.STAGES.get(line.kind, 9), line.kind))


def _row(line: Line, shops: Mapping[str, str], span: tuple[datetime, datetime]) -> Row:
    bars = [_bar("gap", span, line.stopped_at, line.reopened_at or line.balanced_at or span[1])]
    if line.reopened_at is not None:
        bars.append(_bar("good", span, line.reopened_at, line.balanced_at or span[1]))
    return Row(
        line=line,
        name=words.FLOWS[line.kind],
        shop=shops.get(line.shop_id, line.shop_id),
        reason=words.REASONS[line.why],
        status=STATES[line.state],
        ticks=ticks(line),
        bars=bars,
    )


def _bar(kind: str, span: tuple[datetime, datetime], begins: datetime, ends: datetime) -> Bar:
    """A stretch of the outage's time, no shorter than can be seen."""
    whole = (span[1] - span[0]).total_seconds() or 1.0
    x, end = (round(WIDTH * min(1.0, max(0.0, (at - span[0]).total_seconds() / whole))) for at in (begins, ends))
    x = min(x, WIDTH - LEAST)
    return Bar(kind=kind, x=x, width=max(end - x, LEAST))


def _shares(counted: Mapping[str, int]) -> Sequence[Bar]:
    whole, x, bars = sum(counted.values()), 0, []
    for name in SHARES:
        if counted[name]:
            width = max(LEAST, round(WIDTH * counted[name] / whole))
            bars.append(Bar(kind=name.replace("_", "-"), x=min(x, WIDTH - LEAST), width=width))
            x += width
    return bars
