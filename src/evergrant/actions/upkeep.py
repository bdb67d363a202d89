"""What the hub does for its own sake, whatever the connections need."""

from typing import Protocol


class Chain(Protocol):
    """The audit trail's chain."""

    async def extend(self) -> int:
        """Bind what is not bound yet; gives how many rows that were."""


class Upkeep(Protocol):
    """All of it in one hand."""

    @property
    def chain(self) -> Chain:
        """The audit trail's chain."""
