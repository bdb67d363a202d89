"""Answers with something in them that cannot be: kept whole and sealed, so that nothing of them is ever thrown away."""

from collections.abc import Sequence
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
    """An answer that was kept, on this machine's disk (`name`) or in the books. `fields` is what was found wrong with it."""

    whose: Whose
    reply: Reply
    at: datetime
    fields: tuple[str, ...] = ()
    name: str = ""
    """The file's name; empty if it has none, or the disk did not take it."""


class Suspects(Protocol):
    """The answers that were kept."""

    async def spool(self, whose: Whose, suspect: Suspect, at: datetime) -> Stored:
        """Keep an answer on disk, before anything else is asked of anybody. A disk that does not take it is logged."""

    async def spooled(self) -> Sequence[Stored]:
        """Answers a killed process left on this machine's disk."""

    async def keep(self, stored: Stored) -> None:
        """Keep an answer in the books too, and tell of it, once. It stays on disk."""

    async def drop(self, stored: Stored) -> None:
        """Forget it on disk: what can be used of it is in the books."""

    async def newest(self, tenant_id: str, connection_id: str) -> Stored | None:
        """The newest one of a connection that nobody has settled."""

    async def settle(self, stored: Stored) -> None:
        """It has been dealt with, and so have those before it."""

    async def adopt_orphans(self, clock: str, now: datetime) -> int:
        """Where the standing pair was refused for good: put the newest stray pair of the connection in its place, each
        once, and make it due; gives how many.
        """
