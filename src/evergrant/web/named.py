"""What connections and their shops are called, and the time on their clocks, for pages that list what belongs to many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from evergrant.web import cards
from evergrant.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Titles and clocks by connection, names by shop."""

    titles: Mapping[str, str]
    nows: Mapping[str, datetime]
    shops: Mapping[str, str]


async def of(desk: Desk, tenant_id: str, connection_ids: Iterable[str]) -> Named:
    """The names of these connections of a tenant."""
    titles, nows, shops = dict[str, str](), dict[str, datetime](), dict[str, str]()
    for connection_id in sorted(set(connection_ids)):
        found = await desk.connections.listed(tenant_id, connection_id)
        titles[connection_id] = cards.title(found)
        nows[connection_id] = await desk.ports.clock.now(found.connection.clock)
        shops |= {shop.id: shop.name or shop.id for shop in found.connection.shops}
    return Named(titles=titles, nows=nows, shops=shops)
