"""What was chosen for a connection, and what follows from it: the book that keeps it, and knows whose time is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from evergrant.core import flows


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """An order whose buyer has been kept for long enough, as it was read; `is_staged`: it waits for the end of a catch-up."""

    tenant_id: str
    connection_id: str
    shop_id: str
    record_id: str
    provider: str
    updated_at: datetime
    document: bytes
    is_staged: bool = False


class Terms(Protocol):
    """What holds for each connection."""

    async def choose(
        self, tenant_id: str, connection_id: str, given: Mapping[str, Any], now: datetime, *, actor: str
    ) -> frozenset[flows.Kind]:
        """Keep what was chosen; gives the flows that are pulled otherwise from now on. Raises NotFoundError.

        A first fetch that reaches further back than before is made up for by the next poll of orders.
        """

    async def aged(self, clock: str, now: datetime, limit: int) -> Sequence[Aged]:
        """Orders whose buyers have been kept for long enough, and are still in them."""

    async def redact(self, orders: Sequence[tuple[Aged, bytes]]) -> int:
        """Keep each of them without its buyer, if it has not changed meanwhile; gives how many."""
