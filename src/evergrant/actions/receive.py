"""Take notices from the platform: verified on raw bytes and kept before they are understood; then understood."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from evergrant.actions import stale
from evergrant.actions.ports import FIRST, LATER, Ports, Received
from evergrant.actions.watching import Owed
from evergrant.core import connection, flows, lifecycle
from evergrant.core.app import App
from evergrant.core.authorization import EXPIRING
from evergrant.core.connection import Change
from evergrant.providers import dialects
from evergrant.providers.wire import Notice, NoticeKind

AT_MOST = 50
LONGEST_ID = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a notice came to: a word for the record, and the change it brought, if any."""

    outcome: str
    change: Change | None = None


def is_theirs(app: App, body: bytes, signature: bytes) -> bool:
    """Whether the notice is the platform's, for this app: under the secret in use, or one it replaced a while ago.

    Every secret is tried, whichever fits, so that the time taken does not tell which.
    """
    dialect = dialects.named(app.provider)
    fits = [dialect.is_notice_signed(app.key, secret, body, signature) for secret in (app.secret, *app.older_secrets)]
    return any(fits)


def received(app: App, body: bytes) -> Received:
    """A notice as it is kept: under the platform's id, or the hash of its bytes where it carries none, so that it is
    kept once; and what ends an authorization before all else.

    An id that no database would keep, or no person read, counts as none.
    """
    name, priority = f"sha256:{hashlib.sha256(body).hexdigest()}", LATER
    with suppress(ValueError):
        notice = dialects.named(app.provider).read_notice(body)
        if notice.id.isascii() and notice.id.isprintable() and 0 < len(notice.id) <= LONGEST_ID:
            name = notice.id
        if notice.kind is NoticeKind.SELLER_DEAUTHORIZATION:
            priority = FIRST
    return Received(
        tenant_id=app.tenant_id, app_id=app.id, notification_id=name, body=body, attempts=0, priority=priority
    )


async def digest(taken: Received, ports: Ports) -> str:
    """Find out what one kept notice means, and settle it together with the change it brings."""
    app = await ports.books.apps.by_id(taken.app_id)
    try:
        notice = dialects.named(app.provider).read_notice(taken.body)
    except ValueError:
        await ports.books.inbox.settle(taken, "unreadable")
        return "unreadable"
    await ports.books.watches.heard(taken.tenant_id, taken.app_id)

    async def settle() -> str:
        understood = await _understand(notice, app, ports)
        await ports.books.inbox.settle(taken, understood.outcome, understood.change)
        return understood.outcome

    return await stale.until_kept(settle)


async def _understand(notice: Notice, app: App, ports: Ports) -> Understood:
    if notice.kind is NoticeKind.UNKNOWN:
        return Understood(outcome="unknown_type")
    held = await ports.books.connections.holders(app.id, [notice.shop_id])
    if not held:
        return Understood(outcome="unknown_shop")
    tenant_id, connection_id = held[0]
    now = await ports.clock.now(app.clock)
    match notice.kind:
        case NoticeKind.SELLER_DEAUTHORIZATION:
            return await _deauthorized(notice, app, (tenant_id, connection_id), now, ports)
        case NoticeKind.ORDER_STATUS_CHANGE:
            return await _ordered(notice, (tenant_id, connection_id), now, ports)
        case NoticeKind.UPCOMING_AUTHORIZATION_EXPIRATION:
            return await _expiring(notice, (tenant_id, connection_id), ports)


async def _ordered(notice: Notice, holder: tuple[str, str], now: datetime, ports: Ports) -> Understood:
    """An order changed: polling brings it, now, or it stands among the exceptions until the flow is open again."""
    if await ports.books.flows.want(*holder, now, notice.shop_id, flows.Kind.ORDERS):
        return Understood(outcome="polling")
    if 0 < len(notice.order_id) <= LONGEST_ID and notice.order_id.isascii() and notice.order_id.isprintable():
        flow = (*holder, notice.shop_id, flows.Kind.ORDERS)
        await ports.books.outward.exceptions.missed(flow, notice.order_id, min(notice.at, now), now)
    return Understood(outcome="flow_shut")


async def _deauthorized(notice: Notice, app: App, holder: tuple[str, str], now: datetime, ports: Ports) -> Understood:
    """A deauthorization has no time in its signature: suspend at once, and destroy nothing before it is verified."""
    known = await ports.books.connections.find(*holder)
    if not any(shop.id == notice.shop_id for shop in known.shops):
        return Understood(outcome="unknown_shop")
    await ports.books.watches.came(*holder, Owed.DEAUTHORIZATION, notice.at)
    news = lifecycle.News(kind=lifecycle.Kind.DEAUTHORIZATION_NOTICED, at=notice.at)
    change = connection.apply(known, news, needs=dialects.named(app.provider).FLOW_SCOPES, now=now)
    return Understood(outcome=f"stays: {change.why_not}" if change.why_not else "suspended", change=change)


async def _expiring(notice: Notice, holder: tuple[str, str], ports: Ports) -> Understood:
    """The end is known from the grant, and the 30-day warning comes from the clock: the notice is only compared."""
    known = await ports.books.connections.find(*holder)
    if known.authorization.ends is not None:
        await ports.books.watches.came(*holder, Owed.WARNING, known.authorization.ends - EXPIRING)
    if notice.ends is not None and known.authorization.ends is not None and notice.ends != known.authorization.ends:
        return Understood(outcome="end_differs")
    return Understood(outcome="end_confirmed")
