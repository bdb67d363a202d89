"""What keeping secrets asks of the books beside the daily work: keys that rotate, and what must be gone for good."""

from dataclasses import dataclass
from typing import Protocol


class Generations(Protocol):
    """The vault's keys outside the database."""

    async def rewrap(self) -> int:
        """Wrap some data keys again under the newest generation; gives how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """These books in one hand."""

    generations: Generations
