"""Let the clock speak: authorizations whose period is over end, and those close to it are announced, once each."""

from evergrant.actions.ports import Ports, StaleError
from evergrant.core import connection, lifecycle
from evergrant.providers import dialects


async def sweep(clock: str, ports: Ports) -> int:
    """End every authorization of this clock whose period is over; gives how many ended."""
    now = await ports.clock.now(clock)
    ended = 0
    for tenant_id, connection_id in await ports.books.connections.past_end(clock, now):
        known = await ports.books.connections.find(tenant_id, connection_id)
        news = lifecycle.News(kind=lifecycle.Kind.LAPSED, at=now)
        change = connection.apply(known, news, needs=dialects.named(known.provider).FLOW_SCOPES, now=now)
        try:
            await ports.books.connections.keep(change, actor="expire")
        except StaleError:
            continue  # somebody else moved it; the next sweep looks again
        ended += change.after.authorization.state is not change.before.authorization.state
    return ended


async def announce(clock: str, ports: Ports) -> int:
    """Tell the vendor, once per end, of every authorization within 30 days of it. Notices from TikTok may get lost."""
    return await ports.books.connections.tell_expiring(clock, await ports.clock.now(clock))
