"""Choose for one connection how it is pulled and how long its buyers are kept. No renewal changes what was chosen."""

from collections.abc import Mapping
from typing import Any

from evergrant.actions.ports import Ports
from evergrant.core import gate


async def settings(tenant_id: str, connection_id: str, given: Mapping[str, Any], *, actor: str, ports: Ports) -> None:
    """Keep what was chosen. Flows that are pulled otherwise from now on are pulled at once.

    Raises:
        NotFoundError: there is no such connection.
        ShutError: it was erased.
    """
    known = await ports.books.connections.find(tenant_id, connection_id)
    now = await ports.clock.now(known.clock)
    if gate.for_token(known.authorization, now).why is gate.Why.CONNECTION_ERASED:
        raise gate.ShutError(gate.Why.CONNECTION_ERASED)
    for kind in sorted(await ports.books.terms.choose(tenant_id, connection_id, given, now, actor=actor)):
        await ports.books.flows.want(tenant_id, connection_id, now, None, kind)
