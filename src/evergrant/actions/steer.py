"""What the vendor's people do to a connection by hand: pause and resume flows, let go of it, ask for a sync."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from evergrant.actions import stale
from evergrant.actions.ports import Ports
from evergrant.core import connection, errors, flows, gate, lifecycle, tokens
from evergrant.core.connection import Change, Connection
from evergrant.providers import dialects


async def pause(
    tenant_id: str, connection_id: str, *, actor: str, ports: Ports, kind: flows.Kind | None = None
) -> Connection:
    """Pause one flow kind of every shop, or all. Only a person's resume undoes it; no renewal does."""
    return await _by_hand(
        tenant_id, connection_id, actor, ports, lambda known, now: _paused(known, kind, now, paused=True)
    )


async def resume(
    tenant_id: str, connection_id: str, *, actor: str, ports: Ports, kind: flows.Kind | None = None
) -> Connection:
    """Undo a pause made by hand. A flow that is shut for another reason stays shut for that reason."""
    return await _by_hand(
        tenant_id, connection_id, actor, ports, lambda known, now: _paused(known, kind, now, paused=False)
    )


async def disconnect(tenant_id: str, connection_id: str, *, actor: str, ports: Ports) -> Connection:
    """Let go of a connection: every flow stops and the tokens are destroyed. At the platform only the seller can cancel."""

    def let_go(known: Connection, now: datetime) -> Change:
        news = lifecycle.News(kind=lifecycle.Kind.DISCONNECTED, at=now)
        return connection.apply(known, news, needs=_needs(known), now=now)

    return await _by_hand(tenant_id, connection_id, actor, ports, let_go)


async def sync_now(
    tenant_id: str,
    connection_id: str,
    ports: Ports,
    *,
    shop_id: str | None = None,
    kind: flows.Kind | None = None,
) -> int:
    """Make polls due at once; gives how many.

    Raises:
        NotFoundError: the connection has no such shop.
        FlowShutError: every one of them is shut; the sentence says what to do.
    """
    known = await ports.books.connections.find(tenant_id, connection_id)
    if shop_id is not None and not any(shop.id == shop_id for shop in known.shops):
        raise errors.NotFoundError("This connection has no such shop.")
    now = await ports.clock.now(known.clock)
    woken = await ports.books.flows.want(tenant_id, connection_id, now, shop_id, kind)
    if not woken:
        wanted = [flow for flow in known.flows if shop_id in (None, flow.shop_id) and kind in (None, flow.kind)]
        raise errors.FlowShutError(next((gate.REMEDIES[flow.shut] for flow in wanted if flow.shut), None))
    return woken


async def refresh_now(tenant_id: str, connection_id: str, ports: Ports) -> None:
    """Make the refresh of the tokens due at once.

    Raises:
        ShutError: nothing is refreshed any more; only the seller's consent brings it back.
    """
    known = await ports.books.connections.find(tenant_id, connection_id)
    now = await ports.clock.now(known.clock)
    decided = gate.for_token(known.authorization, now)
    if not known.is_alive and decided.why:
        raise gate.ShutError(decided.why)
    await ports.books.tokens.want(tenant_id, connection_id, now)


async def take_up(tenant_id: str, connection_id: str, ports: Ports) -> bool:
    """Take a connection up anew from our side: its tokens are refreshed, which tells whether the authorization stands and until
    when, and its flows run. False where only the seller's consent brings it back; then nothing was done.

    It may be done again and again: a fresh pair is not refreshed, and what is due already is due no sooner.
    """
    known = await ports.books.connections.find(tenant_id, connection_id)
    now = await ports.clock.now(known.clock)
    if not known.is_alive or known.authorization.is_past_end(now):
        return False
    await ports.books.tokens.want(tenant_id, connection_id, now, issued_before=now - tokens.FRESH)
    await ports.books.connections.ask_again(known, timedelta(0))
    await ports.books.flows.want(tenant_id, connection_id, now, None, None)
    return True


async def _by_hand(
    tenant_id: str,
    connection_id: str,
    actor: str,
    ports: Ports,
    decide: Callable[[Connection, datetime], Change],
) -> Connection:

    async def keep() -> Connection:
        known = await ports.books.connections.find(tenant_id, connection_id)
        change = decide(known, await ports.clock.now(known.clock))
        await ports.books.connections.keep(change, actor=actor)
        return change.after

    return await stale.until_kept(keep)


def _paused(known: Connection, kind: flows.Kind | None, now: datetime, *, paused: bool) -> Change:
    changed = tuple(
        replace(flow, paused_by_vendor=paused) if kind in (None, flow.kind) else flow for flow in known.flows
    )
    return connection.settle(known, replace(known, flows=changed), events=(), needs=_needs(known), now=now)


def _needs(known: Connection) -> connection.Needs:
    return dialects.named(known.provider).FLOW_SCOPES
