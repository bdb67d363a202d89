"""What the actions ask of the book of claims: grants without a proven owner, sealed out of everybody's reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evergrant.core.app import App
from evergrant.core.claim import Claim, Why
from evergrant.core.connection import Change, Connection, Shop
from evergrant.core.link import Returned, Unasked
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What a code brought, and the shops the platform itself says it is for. `at` is platform time."""

    granted: Granted
    shops: tuple[Shop, ...]
    at: datetime


class Quarantine(Protocol):
    """Claims, from the return that began them to their end."""

    async def arrive(self, app: App, request_id: str, code: Secret, proof: Secret) -> Unasked | None:
        """Keep a code that came without a state, sealed, in one commit; None if this browser brought it before.

        `proof` is what the browser can prove from now on. Raises StateUsedError: another browser brought it before. Raises
        TooManyArrivalsError: nothing is kept, for now.
        """

    async def keep(
        self, returned: Returned, proved: Proved, why: Why, *, of: str | None, contested: Sequence[Connection] = ()
    ) -> bool:
        """Seal a grant under a key of its own, and end its return; False, and nothing kept, if somebody else ended it.

        `of` is the connection it is about, if one is. `contested` hold its shop: they are told that it was authorized
        elsewhere, and their refresh is due at once, under the protocol of every refresh, since their pair may have ended.
        """

    async def elsewhere(self, app: App, shop_ids: Sequence[str]) -> Sequence[Connection]:
        """What holds one of the shops under the same app of the platform, kept by others."""

    async def find(self, tenant_id: str, claim_id: str) -> Claim:
        """One claim. Raises NotFoundError."""

    async def grant(self, claim: Claim) -> tuple[Granted, datetime] | None:
        """The pair that waits, and when it was granted; None once it is gone."""

    async def complete(self, claim: Claim, change: Change, granted: Granted, *, due_at: datetime, actor: str) -> None:
        """Give the connection its pair, and end the claim. Raises ClaimError: somebody was quicker. Raises StaleError."""

    async def dismiss(self, claim: Claim, *, actor: str, now: datetime) -> None:
        """Destroy the pair. Raises ClaimError: somebody was quicker."""

    async def expire(self, clock: str, now: datetime) -> int:
        """Destroy every pair nobody claimed in time; gives how many."""
