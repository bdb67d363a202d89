"""What a switch is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Known(StrEnum):
    """How sure anybody is of a behaviour."""

    FACT = "fact"
    UNKNOWN = "unknown"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One behaviour: what it is about, how sure it is, and what each position does. The first position is the default."""

    name: str
    about: str
    known: Known
    positions: Mapping[str, str]

    @property
    def default(self) -> str:
        """The position in which a fresh world stands."""
        return next(iter(self.positions))


def switch(name: str, known: Known, about: str, positions: Mapping[str, str]) -> Switch:
    """A switch, as the tables of the themes write it."""
    return Switch(name=name, about=about, known=known, positions=positions)
