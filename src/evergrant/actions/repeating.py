"""What a call that is made twice is told: the first answer, kept under the key its caller gave it."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

ONCE_ONLY = "^[A-Z]+ /v1/connections/[^/]+/proxy/"
"""Routes, as a pattern: they speak to the platform, and may never be run again unless the first run is known to have done
nothing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer is kept: keys of one tenant on one route do not meet those of others. `route` is method and path."""

    tenant_id: str
    route: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered. `fingerprint` tells whether a second call asks the same; `scope` is what it has to be good for.

    `headers` are those that belong to what was said, beside the media type.
    """

    fingerprint: bytes
    scope: str
    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes


class Keeping(Protocol):
    """One call under way, alone at its place."""

    earlier: Answer | None
    """What was kept while this call waited for its turn."""

    async def keep(self, answer: Answer) -> None:
        """Keep the answer, together with what the call did."""


class Answers(Protocol):
    """The kept answers."""

    async def find(self, place: Place) -> Answer | None:
        """What is kept there, if it is not too old."""

    def alone(self, place: Place) -> AbstractAsyncContextManager[Keeping]:
        """One transaction around all that the call does, alone at its place. Raises IdempotencyInProgressError."""

    def leased(self, place: Place, fingerprint: bytes, *, once: bool = False) -> AbstractAsyncContextManager[Keeping]:
        """Alone at its place for a while, without a transaction: for what speaks to the platform meanwhile.

        Raises:
            IdempotencyInProgressError: somebody else has the place.
            CallOutcomeUnknownError: somebody had it and did not come back, and it may be done `once` only.
            IdempotencyKeyReusedError: somebody had it with another request, and did not come back.
        """

    async def sweep(self) -> int:
        """Forget what is too old; gives how many."""
