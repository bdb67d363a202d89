"""The life of one connection as it can be proven: steps in their order, each with its place in the audit chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Ed25519: the number of the key, its public half, and what it made of the text."""

    key: int
    public: bytes
    value: bytes


class Signs(Protocol):
    """Signs texts with a key that is outside the database."""

    async def sign(self, text: bytes) -> Signature:
        """A signature over this text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Where a step stands in its tenant's audit chain: its number there (the last one, where it sums up several) and hash."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened. `happened_at` is platform time, `recorded_at` wall time.

    `type` is an event's, or the action of an audit row; reads of the token one after the other are one step, with their
    `count` in `data`. `proof` is missing for a moment: rows are chained within a second.
    """

    id: str
    type: str
    actor: str
    happened_at: datetime
    recorded_at: datetime
    data: Mapping[str, Any]
    proof: Proof | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a reader has come: the position of the last event and the number of the last audit row they saw."""

    event: int = 0
    audit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some steps, where the next ones begin, and whether there are more already."""

    steps: Sequence[Step]
    place: Place
    more: bool


class Histories(Protocol):
    """Life histories."""

    async def page(
        self, tenant_id: str, connection_id: str, *, after: Place, limit: int, newest_first: bool = False
    ) -> Page:
        """Steps behind a place, in order; or, newest first, those before it (an empty place: from the newest)."""
