"""A connection as a connector: connected or not and why, what each flow does and when next, and how far catching up is."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evergrant.actions.ledger import Line, Outage
from evergrant.actions.reading import Listed
from evergrant.core import flows
from evergrant.core.authorization import State
from evergrant.core.cure import Cause
from evergrant.web import cards, ledgers, words
from evergrant.web.cards import Card, FlowLine
from evergrant.web.desk import Desk
from evergrant.web.ledgers import Tick
from evergrant.web.words import Status, Tone

MOST = 200
"""Outages that are looked at for a page."""

CONNECTED = Status(word="Connected", icon="plug-connected", tone=Tone.WELL)
ENDING = Status(word="Connected", icon="plug-connected", tone=Tone.SOON)
VERIFIED = Status(word="Being verified", icon="clock", tone=Tone.WAITING)
DISCONNECTED = Status(word="Disconnected", icon="plug-connected-x", tone=Tone.OVER)
NOT_YET = Status(word="Not connected yet", icon="clock", tone=Tone.WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One flow of a connector. `ticks` are there until everything it missed is accounted for."""

    line: FlowLine
    status: Status
    trouble: str
    ticks: Sequence[Tick]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far catching up is, for a bar and in words."""

    done: int
    whole: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One connection on the Connectors page."""

    id: str
    title: str
    of: str
    app: str
    status: Status
    reason: str
    sentence: str
    now: datetime
    flows: Sequence[Running]
    not_carried: str
    """Names of flows that are there and take nothing along yet."""
    has_shops: bool
    """More than one, so that each flow says whose it is."""
    lives: bool
    syncs: bool
    """Something is open that can be polled."""
    asks_consent: bool
    """"Connect to TikTok" leads to the seller's consent."""
    href: str | None
    """Or to a page of ours, where another consent for this connection is not the cure."""
    waiting_since: datetime | None
    """Fresh credentials were asked for and are not there yet."""
    stopped_at: datetime | None
    progress: Progress | None
    outage: Outage | None


def connector(
    found: Listed, now: datetime, outages: Sequence[Outage], records: Mapping[tuple[str, str], int] | None = None
) -> Connector:
    """The connector of a connection at `now`. `outages` are those of it that are not closed."""
    card = cards.card(found, now, dict(records or {}))
    lines = {(line.shop_id, line.kind.value): line for outage in outages for line in outage.lines}
    carried = [flow for flow in card.flows if flow.carried or not flow.running]
    running = [_running(flow, lines.get((flow.shop_id, flow.kind))) for flow in carried]
    status, reason = _status(card)
    due = found.refresh_due_at
    return Connector(
        id=card.id,
        title=card.title,
        of=card.of,
        app=found.app_name,
        status=status,
        reason=reason,
        sentence=card.need.sentence if card.need else "",
        now=now,
        flows=running,
        not_carried=words.listed(sorted({flow.name for flow in card.flows if flow not in carried})),
        has_shops=len(found.connection.shops) > 1,
        lives=card.lives,
        syncs=card.lives and any(_is_polled(flow) for flow in card.flows),
        asks_consent=not card.lives and status is not VERIFIED and card.renews,
        href=card.need.href if card.need else None,
        waiting_since=due if card.lives and due is not None and due <= now else None,
        stopped_at=min((line.stopped_at for line in lines.values()), default=None),
        progress=progress(list(lines.values())) if card.lives else None,
        outage=outages[0] if outages else None,
    )


async def of(desk: Desk, tenant_id: str, found: Sequence[Listed]) -> list[Connector]:
    """The connectors of these connections, with their outages that are not closed."""
    outages = defaultdict[str, list[Outage]](list)
    for outage in await desk.outages.all(tenant_id, is_open=True, before=0, limit=MOST):
        outages[outage.connection_id].append(outage)
    return [
        connector(each, await desk.ports.clock.now(each.connection.clock), outages[each.connection.id])
        for each in found
    ]


def in_order(found: Sequence[Connector]) -> list[Connector]:
    """Those that are disconnected first, then those that are behind."""
    return sorted(found, key=lambda each: (cards.ORDER[each.status.tone], each.progress is None, each.title))


def progress(lines: Sequence[Line]) -> Progress | None:
    """How far what has reopened is; None where nothing is left to be caught up."""
    behind = [line for line in lines if line.reopened_at is not None and line.balanced_at is None]
    whole = sum(line.missed for line in behind)
    if not behind:
        return None
    if not whole:
        return Progress(done=0, whole=0, said="Catching up: asking TikTok what was missed.")
    done = whole - sum(line.open for line in behind)
    uncounted = [words.FLOWS[line.kind].lower() for line in _staged(behind) if not line.is_known]
    counted = [line for line in behind if line.missed]
    parts = [f"{line.missed - line.open:,} of {line.missed:,} {words.RECORDS[line.kind]}" for line in _staged(counted)]
    also = f"; {words.listed(uncounted)} not counted yet" if uncounted else ""
    return Progress(done=done, whole=whole, said=f"Catching up: {words.listed(parts)}{also}.")


def _staged(lines: Sequence[Line]) -> Sequence[Line]:
    """In the order in which they catch up."""
    return sorted(lines, key=lambda line: flows.STAGES.get(line.kind, 9))


def _status(card: Card) -> tuple[Status, str]:
    """The status in a word, and its reason in a few."""
    if card.status is words.EXPIRING:
        return ENDING, f"authorization ends in {words.days(card.rings.days or 0)}"
    if card.need is not None and card.need.cause is Cause.APP_REFUSED:
        return DISCONNECTED, "TikTok does not accept your app's credentials"
    if card.lives:
        lacks = card.need is not None and card.need.cause is Cause.NEW_PERMISSIONS
        return CONNECTED, "new permissions needed" if lacks else ""
    if card.need is None:
        is_new = card.status is words.STATUSES[State.PENDING]
        return (NOT_YET, "the seller has not authorized") if is_new else (VERIFIED, "TikTok is being asked")
    return DISCONNECTED, card.need.title.removeprefix("Disconnected: ")


def _running(line: FlowLine, kept: Line | None) -> Running:
    return Running(
        line=line,
        status=_state(line, kept),
        trouble=words.TROUBLES.get(line.trouble or "", line.trouble or ""),
        ticks=ledgers.ticks(kept) if kept and line.running else (),
    )


def _state(line: FlowLine, kept: Line | None) -> Status:
    if not line.running:
        return Status(word=f"Paused: {line.reason}", icon="player-pause", tone=Tone.OVER)
    if kept is not None and kept.balanced_at is None:
        return Status(word="Catching up", icon="refresh", tone=Tone.WAITING)
    return Status(word="Running", icon="player-play", tone=Tone.WELL)


def _is_polled(line: FlowLine) -> bool:
    return line.running and line.kind in flows.PULLED
