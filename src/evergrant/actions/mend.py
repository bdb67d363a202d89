"""End exceptions by hand, and by rule."""

from evergrant.actions.mending import Broken, Rule
from evergrant.actions.ports import Ports

RULES_AT_ONCE = 200


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
    """Do what the rules say is due, one after the other; gives with how many records that was."""
    done, seen, failed = 0, list[str](), None
    while len(seen) < RULES_AT_ONCE and (rule := await ports.books.outward.rules.take(seen)):
        seen.append(rule.id)
        try:
            done += await _follow(rule, ports)
        except Exception as error:  # noqa: BLE001  (it has its next turn later, and stops no other; the worker logs it)
            failed = error
    if failed:
        raise failed
    return done


async def _follow(rule: Rule, ports: Ports) -> int:
    done = 0
    for connection_id in await ports.books.outward.rules.ripe(rule):
        known = await ports.books.connections.find(rule.tenant_id, connection_id)
        now = await ports.clock.now(known.clock)
        done += await ports.books.outward.rules.apply(rule, connection_id, now)
    return done


async def forget(ports: Ports) -> int:
    """Forget bulk retries and exceptions that have been over for long; gives how many rows."""
    return await ports.books.outward.replays.forget() + await ports.books.outward.exceptions.forget()
