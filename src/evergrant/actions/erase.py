"""Erase: the keys first, so that nothing opens any more; then the life ends by the table; then every row, and a record stays."""

from evergrant.actions import stale
from evergrant.actions.custody import Erasure, Subject
from evergrant.actions.ports import Ports
from evergrant.core import connection, lifecycle
from evergrant.providers import dialects

AT_MOST = 4


async def ask(tenant_id: str, kind: Subject, subject_id: str, *, actor: str, ports: Ports) -> Erasure:
    """Forget a subject. When this returns no key opens its tokens; one connection is gone, the rest follows by a worker.

    Raises:
        NotFoundError: there is no such subject.
    """
    erasure = await ports.books.custody.erasures.begin(
        tenant_id, kind, subject_id, erasure_id=ports.dice.identifier("era"), actor=actor
    )
    if kind is Subject.CONNECTION and erasure.finished_at is None:
        return await finish(erasure, ports)
    return erasure


async def one(erasure: Erasure, ports: Ports) -> str:
    """Go on with an erasure wherever it was broken off."""
    await finish(erasure, ports)
    return "erased"


async def finish(erasure: Erasure, ports: Ports) -> Erasure:
    """Do all that is left of an erasure; gives it with its signed record. Each step is done again without harm."""
    erasures = ports.books.custody.erasures
    while found := await erasures.left(erasure):
        for connection_id in found:
            await _end(erasure, connection_id, ports)
            await erasures.wipe(erasure, connection_id)
    return await erasures.finish(erasure)


async def _end(erasure: Erasure, connection_id: str, ports: Ports) -> None:
    """The end of a life, as the table has it; the vendor is told."""

    async def end() -> None:
        known = await ports.books.connections.find(erasure.tenant_id, connection_id)
        now = await ports.clock.now(known.clock)
        news = lifecycle.News(kind=lifecycle.Kind.ERASED, at=now)
        needs = dialects.named(known.provider).FLOW_SCOPES
        change = connection.apply(known, news, needs=needs, now=now)
        await ports.books.connections.keep(change, actor=erasure.asked_by)

    await stale.until_kept(end)
