"""A connection: the hub's record of one authorization, with its shops and flows, and how news changes all three at once.

Its identity (app, region, open id, shops it has held) never changes. News goes in, a `Change` comes out; nothing is
kept here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from evergrant.core import flows, gate, lifecycle
from evergrant.core.authorization import Authorization, Reason, State
from evergrant.core.chosen import Chosen
from evergrant.core.flows import Kind as FlowKind

WIPES = frozenset({State.CANCELLED, State.DEACTIVATED, State.ERASED})
"""States in which the tokens and their data key are destroyed. An expired pair stays sealed: it is of no use to anyone,
and the seller may have renewed where we did not see it."""

REFRESHES = frozenset({State.ACTIVE, State.SUSPENDED})
"""States in which the token clock is turned: a suspended authorization is verified, and a refresh may be the proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One shop of a connection. `authorized` turns false when a renewal no longer covers it."""

    id: str
    name: str
    region: str
    cipher: str
    seller_type: str = ""
    code: str = ""
    authorized: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow of one shop: why it is shut (None: open), who paused it, and how far it has come."""

    shop_id: str
    kind: FlowKind
    shut: gate.Why | None = None
    paused_by_vendor: bool = False
    cursor: datetime | None = None
    next_run_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error: str | None = None
    catching_up: bool = False
    """It has reopened after an outage, and what was missed is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One app, one platform identity, one token pair, one end; one or more shops, each with its flows."""

    tenant_id: str
    id: str
    merchant_id: str
    app_id: str
    provider: str
    region: str
    open_id: str
    seller_name: str
    clock: str
    authorization: Authorization
    revision: int
    in_doubt_since: datetime | None = None
    shops: tuple[Shop, ...] = ()
    flows: tuple[Flow, ...] = ()
    chosen: Chosen = field(default_factory=Chosen)

    @property
    def is_alive(self) -> bool:
        """Whether its token clock is turned."""
        return self.authorization.state in REFRESHES

    @property
    def is_watched(self) -> bool:
        """Whether it is looked after when nobody calls it: what is suspended is verified, what has ended is over."""
        return self.authorization.state is State.ACTIVE

    def is_not(self, open_id: str) -> bool:
        """Whether it is another identity of the platform than this one. What was erased has none any more to compare."""
        return self.open_id != open_id and self.authorization.state is not State.ERASED

    def is_free_for(self, merchant_id: str) -> bool:
        """Whether its shops may go to a connection of this customer. What ended stays its own customer's to renew."""
        if self.authorization.state is State.ERASED:
            return True
        return self.authorization.state in WIPES and self.merchant_id != merchant_id

    def flow(self, shop_id: str, kind: FlowKind) -> Flow | None:
        """The flow of that kind of that shop, if there is one."""
        return next((flow for flow in self.flows if flow.shop_id == shop_id and flow.kind is kind), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something the vendor is told. `data` holds ids, codes and instants, never a secret and never buyer data."""

    type: str
    data: Mapping[str, str | int | list[str] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A connection before and after, what is told of it, and whether the platform has to be asked about it at once.

    The store keeps it whole or not at all. One that asks counts as a change even where nothing else moves, so that
    whoever is asking already finds that the connection was changed meanwhile.
    """

    before: Connection
    after: Connection
    at: datetime
    events: tuple[Event, ...]
    why_not: str = ""
    asks: bool = False
    answers: bool = False
    """It brings the platform's answer, so that nobody needs to ask any more."""

    @property
    def is_empty(self) -> bool:
        """Whether the connection's row stays as it is."""
        return self.before == self.after and not self.asks and not self.answers

    @property
    def wipes_tokens(self) -> bool:
        """Whether the tokens are destroyed with it."""
        return self.after.authorization.state in WIPES and self.before.authorization.state not in WIPES

    @property
    def stops_refreshing(self) -> bool:
        """Whether the token clock stops."""
        return self.after.authorization.state not in REFRESHES

    @property
    def was_untold(self) -> bool:
        """Whether the platform has just turned out to have ended it, and no notice had said so."""
        before, after = self.before.authorization, self.after.authorization
        ended = after.state is State.REAUTHORIZATION_REQUIRED and before.state is not after.state
        return ended and after.reason in (Reason.CALL_REFUSED, Reason.REFRESH_REFUSED)


Needs = Mapping[FlowKind, frozenset[str]]
"""Which scopes each flow needs, as the dialect of the connection's provider knows."""


def apply(known: Connection, news: lifecycle.News, *, needs: Needs, now: datetime) -> Change:
    """What the news makes of the connection: its authorization by the table, then every flow by the gate.

    Raises:
        ImpossibleNewsError: the table says this cannot happen in that state.
    """
    step = lifecycle.step(known.authorization, news, now)
    stepped = replace(known, authorization=step.authorization)
    events = (Event(type=step.tells, data=_facts(step.authorization)),) if step.tells else ()
    settled = settle(known, stepped, events=events, needs=needs, now=now, why_not=step.why)
    change = replace(settled, asks=step.asks, answers=news.kind in lifecycle.VERDICTS)
    ends = step.authorization.ends
    if step.moved and step.authorization.state is State.EXPIRED and ends is not None:
        return replace(change, at=min(ends, now))  # it ended then, whenever the sweep came by
    return change


def settle(
    before: Connection, after: Connection, *, events: tuple[Event, ...], needs: Needs, now: datetime, why_not: str = ""
) -> Change:
    """The change from before to after, with every flow of after brought to what the gate says at `now`."""
    settled, told = [], []
    for flow in after.flows:
        moved = _gated(flow, after, needs, now)
        settled.append(moved)
        if moved.shut is not flow.shut:
            told.append(_told(moved))
    return Change(
        before=before, after=replace(after, flows=tuple(settled)), at=now, events=(*events, *told), why_not=why_not
    )


def regranted(known: Connection, shops: Iterable[Shop]) -> Connection:
    """The connection with the shops a new consent covers: new ones join, missing ones lose their authorization alone."""
    covered = {shop.id: shop for shop in shops}
    kept = tuple(covered.pop(shop.id, replace(shop, authorized=False)) for shop in known.shops)
    joined = tuple(covered.values())
    begun = tuple(Flow(shop_id=shop.id, kind=kind) for shop in joined for kind in FlowKind)
    return replace(known, shops=(*kept, *joined), flows=(*known.flows, *begun))


def _gated(flow: Flow, connection: Connection, needs: Needs, now: datetime) -> Flow:
    shop = next(shop for shop in connection.shops if shop.id == flow.shop_id)
    decided = gate.for_flow(
        connection.authorization,
        required=needs.get(flow.kind, frozenset()),
        shop_authorized=shop.authorized,
        paused_by_vendor=flow.paused_by_vendor,
        now=now,
    )
    if not decided.open:
        return replace(flow, shut=decided.why, next_run_at=None)
    is_polled = flow.kind in flows.PULLED
    if flow.shut is not None or (is_polled and flow.next_run_at is None):
        return replace(flow, shut=None, next_run_at=now if is_polled else None)
    return flow


def _told(flow: Flow) -> Event:
    data = {"shop_id": flow.shop_id, "flow": flow.kind.value, "reason": flow.shut.value if flow.shut else None}
    return Event(type="flow.paused" if flow.shut else "flow.resumed", data=data)


def _facts(authorization: Authorization) -> Mapping[str, str | None]:
    return {
        "status": authorization.state.value,
        "reason": authorization.reason.value if authorization.reason else None,
        "authorization_expires_at": authorization.ends.isoformat() if authorization.ends else None,
    }
