"""After the database was put back: give up pairs that may be used up already, and ask their sellers."""

from evergrant.actions import stale
from evergrant.actions.ports import Ports
from evergrant.actions.upkeep import Held
from evergrant.core import connection, lifecycle
from evergrant.providers import dialects

AT_ONCE = 100


async def ask_sellers(ports: Ports) -> int:
    """Say of every connection that is held that its seller has to authorize it anew; gives how many."""
    asked = 0
    while held := await ports.books.upkeep.recovery.some(AT_ONCE):
        for one in held:
            await _ask(one, ports)
        asked += len(held)
    await ports.books.upkeep.recovery.done()
    return asked


async def _ask(held: Held, ports: Ports) -> None:
    async def ask() -> None:
        known = await ports.books.connections.find(held.tenant_id, held.connection_id)
        news = lifecycle.News(kind=lifecycle.Kind.REFRESH_LOST, at=await ports.clock.now(known.clock))
        change = connection.apply(known, news, needs=dialects.named(known.provider).FLOW_SCOPES, now=news.at)
        await ports.books.upkeep.recovery.give_up(held, change)

    await stale.until_kept(ask)
