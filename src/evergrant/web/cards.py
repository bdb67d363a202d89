"""A connection as people see it: two clocks as rings, a status in a word, and what happens if nobody acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evergrant.actions.reading import Listed
from evergrant.core import cure
from evergrant.core.authorization import Authorization, State
from evergrant.core.connection import Flow
from evergrant.core.cure import Cause
from evergrant.core.flows import NOT_CARRIED, Kind
from evergrant.core.gate import Why
from evergrant.web import words
from evergrant.web.words import Status, Tone

CONNECTS = frozenset({Cause.SELLER_CANCELLED, Cause.VENDOR_DISCONNECTED, Cause.ERASED})
"""What connecting the shop again cures."""

OWN_REASONS = frozenset({Why.SCOPE_MISSING, Why.PAUSED_BY_VENDOR, Why.SHOP_NOT_AUTHORIZED})
"""Why a flow stands still while the authorization lives."""

ORDER = {Tone.OVER: 0, Tone.SOON: 1, Tone.WAITING: 2, Tone.WELL: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings:
    """How full the two rings are, in percent: outer the authorization, inner the token. `days` stands in the middle."""

    authorization: int
    token: int
    days: int | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLine:
    """One flow of one shop in words."""

    name: str
    kind: str
    shop_id: str
    shop: str
    running: bool
    carried: bool
    """Whether anything goes with it yet; what is not carried can be paused all the same."""
    reason: str | None
    trouble: str | None
    last_success_at: datetime | None
    next_run_at: datetime | None
    paused_by_vendor: bool
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is wrong and what cures it, in words; `href` leads to a cure that is not re-authorization, if a page is one."""

    cause: Cause
    title: str
    sentence: str
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One connection on the Dashboard."""

    id: str
    title: str
    of: str
    status: Status
    rings: Rings
    ends: datetime | None
    token_ends: datetime | None
    refresh_due_at: datetime | None
    now: datetime
    fate: str
    need: Need | None
    renews: bool
    """Whether the shop's owner can renew: not where something else has to be put right."""
    flows: Sequence[FlowLine]
    wants_person: bool
    lives: bool
    in_doubt: bool


def card(found: Listed, now: datetime, records: dict[tuple[str, str], int] | None = None) -> Card:
    """The card of a connection at `now` (platform time of its app)."""
    known, authorization = found.connection, found.connection.authorization
    status = words.status_of(authorization, now)
    cause = cure.cause(authorization, required=found.required_scopes, app_refused=found.app_refused, now=now)
    lines = tuple(
        _line(found, flow, now, (records or {}).get((flow.shop_id, flow.kind.value), 0))
        for flow in sorted(known.flows, key=lambda flow: (flow.shop_id, list(Kind).index(flow.kind)))
    )
    return Card(
        id=known.id,
        title=title(found),
        of=_of(found),
        status=status,
        rings=rings(found, now),
        ends=authorization.ends,
        token_ends=found.token_ends,
        refresh_due_at=found.refresh_due_at,
        now=now,
        fate=fate(authorization, status, cause, _at_stake(known.flows)),
        need=_need(found, cause),
        renews=cause is None or cause in cure.REAUTHORIZES,
        flows=lines,
        wants_person=cause in cure.REAUTHORIZES or status.tone is Tone.SOON,
        lives=status.tone in (Tone.WELL, Tone.SOON),
        in_doubt=known.in_doubt_since is not None,
    )


def _at_stake(flows: Sequence[Flow]) -> list[Flow]:
    """What stops with the authorization, or has: what is carried, and not paused for a reason of its own."""
    return [flow for flow in flows if flow.kind not in NOT_CARRIED and flow.shut not in OWN_REASONS]


def title(found: Listed) -> str:
    """What a connection is called: its shops, or its seller while they are not known."""
    known = found.connection
    return words.listed([shop.name or shop.id for shop in known.shops]) or known.seller_name


def _of(found: Listed) -> str:
    """Whose it is, where that is not said already, and where it sells."""
    regions = words.listed(sorted({words.region(shop.region) for shop in found.connection.shops if shop.region}))
    owner = found.merchant_name if found.merchant_name != title(found) else ""
    return " · ".join(part for part in (owner, regions) if part)


def _need(found: Listed, cause: Cause | None) -> Need | None:
    if cause is None:
        return None
    title, sentence = words.CAUSES[cause]
    missing = sorted(found.connection.authorization.missing(found.required_scopes))
    href = f"/connect?merchant_id={found.connection.merchant_id}" if cause in CONNECTS else None
    return Need(cause=cause, title=title, sentence=sentence.format(missing=words.listed(missing)), href=href)


def in_order(cards: Sequence[Card]) -> list[Card]:
    """Those that need a person first, then by how soon they end."""
    return sorted(cards, key=lambda shown: (ORDER[shown.status.tone], shown.ends or shown.now, shown.title))


def summary(cards: Sequence[Card]) -> str:
    """All of them in one sentence."""
    counted = {tone: sum(shown.status.tone is tone for shown in cards) for tone in Tone}
    lacking = sum(
        shown.need is not None and shown.need.cause is Cause.NEW_PERMISSIONS and shown.status.tone is Tone.WELL
        for shown in cards
    )
    parts = [
        _count(counted[Tone.OVER], "is stopped", "are stopped"),
        _count(counted[Tone.SOON], "ends within 30 days", "end within 30 days"),
        _count(counted[Tone.WAITING], "is being verified", "are being verified"),
        _count(counted[Tone.WELL] - lacking, "is fine", "are fine"),
        _count(lacking, "needs new permissions", "need new permissions"),
    ]
    return words.listed([part for part in parts if part])


def fate(authorization: Authorization, status: Status, cause: Cause | None, flows: Sequence[Flow]) -> str:
    """What stops, and when, if nobody acts; or what has stopped."""
    what = words.listed([words.FLOWS[kind] for kind in Kind if kind in {flow.kind for flow in flows}]) or "Everything"
    if status.tone is Tone.WAITING:
        return f"{what} wait until TikTok has confirmed or denied it."
    if status.tone is Tone.OVER and cause not in cure.REAUTHORIZES:
        return f"{what} have stopped."
    if status.tone is Tone.OVER:
        return f"{what} have stopped. They resume, and catch up, once the shop owner renews."
    if authorization.ends is None:
        return ""
    stops = "1 flow stops" if len(flows) == 1 else f"{len(flows)} flows stop"
    return f"If nobody renews by {words.day(authorization.ends)}: {stops}."


def rings(found: Listed, now: datetime) -> Rings:
    """Both clocks, and in words for who cannot see them."""
    authorization = found.connection.authorization
    left = authorization.days_remaining(now)
    whole = _percent(authorization.granted_at, authorization.ends, now)
    alive = authorization.state in (State.ACTIVE, State.SUSPENDED) and not authorization.is_past_end(now)
    token = _percent(found.token_issued_at, found.token_ends, now) if alive else 0
    if not alive:
        return Rings(authorization=0, token=0, days=0, said="The authorization is over.")
    said = f"The authorization has {words.days(left or 0)} left. The token is refreshed by Evergrant."
    return Rings(authorization=whole, token=token, days=left, said=said)


def _percent(begun: datetime | None, ends: datetime | None, now: datetime) -> int:
    if begun is None or ends is None or ends <= begun:
        return 0
    return round(100 * max(0.0, min(1.0, (ends - now) / (ends - begun))))


def _line(found: Listed, flow: Flow, now: datetime, records: int) -> FlowLine:
    shop = next(shop for shop in found.connection.shops if shop.id == flow.shop_id)
    shut, state = flow.shut, words.state_of(found.connection.authorization, now)
    over = state is not State.ACTIVE
    reason = words.REASONS[shut] if shut else words.REASON_OF_STATE.get(state)
    return FlowLine(
        name=words.FLOWS[flow.kind],
        kind=flow.kind.value,
        shop_id=shop.id,
        shop=shop.name or shop.id,
        running=shut is None and not over,
        carried=flow.kind not in NOT_CARRIED,
        reason=reason,
        trouble=flow.last_error if shut is None and not over else None,
        last_success_at=flow.last_success_at,
        next_run_at=None if over else flow.next_run_at,
        paused_by_vendor=flow.paused_by_vendor,
        records=records,
    )


def _count(number: int, one: str, many: str) -> str:
    if not number:
        return ""
    return f"1 shop {one}" if number == 1 else f"{number} shops {many}"
