"""Whether a flow may call the platform at this very moment, and what the platform's no means for its connection.

Shared by whatever calls in a flow's name; it decides nothing about the flow's own work.
"""

from dataclasses import dataclass
from datetime import datetime

from evergrant.actions.ports import Ports, StaleError
from evergrant.core import connection, flows, gate, lifecycle, tokens
from evergrant.core.app import App
from evergrant.core.connection import Connection
from evergrant.core.secret import Secret
from evergrant.providers import dialects
from evergrant.providers.wire import Access, CallRefused, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A flow of a shop, by its names."""

    tenant_id: str
    connection_id: str
    shop_id: str
    kind: flows.Kind

    @property
    def shop(self) -> tuple[str, str, str]:
        """The shop it is of."""
        return (self.tenant_id, self.connection_id, self.shop_id)


async def access(flow: Flow, app: App, now: datetime, ports: Ports) -> Access | gate.Why | None:
    """The token for a call, if the gate is open now; why it is shut; None if no token lives, and a refresh was asked for."""
    known = await ports.books.connections.find(flow.tenant_id, flow.connection_id)
    shop = next(shop for shop in known.shops if shop.id == flow.shop_id)
    found = known.flow(flow.shop_id, flow.kind)
    decided = gate.for_flow(
        known.authorization,
        required=dialects.named(app.provider).FLOW_SCOPES[flow.kind],
        shop_authorized=shop.authorized,
        paused_by_vendor=found is None or found.paused_by_vendor,
        now=now,
    )
    if not decided.open:
        return decided.why
    token = await _token(flow, known, now, ports)
    return None if token is None else Access(token=token, cipher=shop.cipher)


async def refused(flow: Flow, app: App, refusal: CallRefused, now: datetime, ports: Ports, *, actor: str) -> None:
    """Do about a refused call what concerns the connection or the app: a fresh token, a doubt, a mark."""
    match refusal.trouble:
        case Trouble.TOKEN_EXPIRED:
            issued_before = now - tokens.FRESH
            await ports.books.tokens.want(flow.tenant_id, flow.connection_id, now, issued_before=issued_before)
        case Trouble.AUTHORIZATION_GONE | Trouble.WRONG_SHOP:  # a dead token may say either (wire sheet 3.7)
            await suspend(flow.tenant_id, flow.connection_id, app, now, ports, actor=actor)
        case Trouble.MISCONFIGURED:
            await ports.books.apps.refused(app.id, True)
        case Trouble.THROTTLED if refusal.wait is not None:
            await ports.books.shop_paces.throttled(flow.shop, refusal.wait)
        case _:
            pass


async def _token(flow: Flow, known: Connection, now: datetime, ports: Ports) -> Secret | None:
    found = await ports.books.tokens.access(flow.tenant_id, flow.connection_id)
    if found is None:
        return None
    token, ends = found
    if ends <= now:
        if known.in_doubt_since is None:
            await ports.books.tokens.want(flow.tenant_id, flow.connection_id, now)
        return None
    return token


async def suspend(tenant_id: str, connection_id: str, app: App, now: datetime, ports: Ports, *, actor: str) -> None:
    """The platform says the authorization is gone: stop everything at once, and let `verify` find out."""
    known = await ports.books.connections.find(tenant_id, connection_id)
    news = lifecycle.News(kind=lifecycle.Kind.CALL_REFUSED, at=now)
    change = connection.apply(known, news, needs=dialects.named(app.provider).FLOW_SCOPES, now=now)
    try:
        await ports.books.connections.keep(change, actor=actor)
    except StaleError:
        return  # whoever changed it knows more; the next call asks again
