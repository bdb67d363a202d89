"""What the hub does for its own sake, whatever the connections need."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evergrant.core.connection import Change


class Chain(Protocol):
    """The audit trail's chain."""

    async def extend(self) -> int:
        """Bind what is not bound yet; gives how many rows that were."""


class Epochs(Protocol):
    """How new the database is, held against this machine's disk."""

    async def compare(self) -> bool:
        """Whether the database turned out to be older than the disk; then everything in it is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A connection whose pair may be older than the platform's."""

    tenant_id: str
    connection_id: str


class Recovery(Protocol):
    """What is held after the database was put back."""

    async def held(self, tenant_id: str | None = None) -> int:
        """How many pairs are held, of one tenant or of all."""

    async def some(self, limit: int) -> Sequence[Held]:
        """Some that are still held."""

    async def done(self) -> None:
        """Forget what was held and is proven since."""

    async def give_up(self, held: Held, change: Change) -> None:
        """Keep what was decided of one, and hold it no longer. Raises StaleError."""


class Upkeep(Protocol):
    """All of it in one hand."""

    @property
    def chain(self) -> Chain:
        """The audit trail's chain."""

    @property
    def epochs(self) -> Epochs:
        """How new the database is."""

    @property
    def recovery(self) -> Recovery:
        """What is held after the database was put back."""
