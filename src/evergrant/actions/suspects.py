"""Answers with something in them that cannot be: kept whole and sealed, so that nothing of them is ever thrown away."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evergrant.actions.ports import SealingKey
from evergrant.providers.wire import Reply, Suspect


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whom an answer was for: a connection, under which attempt and beside which version of its pair; or a code's request."""

    tenant_id: str
    app_id: str
    owner_id: str
    key: SealingKey
    fence: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An answer that was kept, opened again."""

    whose: Whose
    reply: Reply
    at: datetime


class Suspects(Protocol):
    """The answers that were kept."""

    async def keep(self, whose: Whose, suspect: Suspect, at: datetime) -> None:
        """Keep an answer: on disk first, then in the books, where it is told of."""

    async def heal(self) -> int:
        """Bring answers a killed process left on this machine's disk to the books; gives how many."""

    async def newest(self, tenant_id: str, connection_id: str) -> Stored | None:
        """The newest one of a connection that nobody has settled."""

    async def settle(self, stored: Stored) -> None:
        """It has been dealt with, and so have those before it."""

    async def adopt_orphans(self, clock: str, now: datetime) -> int:
        """Where the standing pair was refused for good: put the newest stray pair of the connection in its place, each
        once, and make it due; gives how many.
        """
