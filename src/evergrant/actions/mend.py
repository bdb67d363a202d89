"""End exceptions by hand, and by rule."""

from evergrant.actions.mending import Broken
from evergrant.actions.ports import Ports


async def dismiss(tenant_id: str, exception_id: str, *, actor: str, ports: Ports) -> Broken:
    """End one by hand: its record is not sent, or looked for, any more. One that has ended stays as it did.

    Raises:
        NotFoundError: there is no such exception.
    """
    found = await ports.books.outward.exceptions.find(tenant_id, exception_id)
    known = await ports.books.connections.find(tenant_id, found.connection_id)
    now = await ports.clock.now(known.clock)
    return await ports.books.outward.exceptions.dismiss(tenant_id, exception_id, now, actor=actor)


async def by_rule(ports: Ports) -> int:
    """Do what the rules say is due; gives with how many records that was."""
    done = 0
    for rule, connection_id in await ports.books.outward.rules.due():
        known = await ports.books.connections.find(rule.tenant_id, connection_id)
        now = await ports.clock.now(known.clock)
        done += await ports.books.outward.rules.apply(rule, connection_id, now)
    return done
