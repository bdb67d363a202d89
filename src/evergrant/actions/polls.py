"""Polls of flows: one that is this worker's, what it brought, and the book that keeps when each flow runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from evergrant.core import flows
from evergrant.providers.wire import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One poll of one flow of one shop, this worker's alone until its lease ends."""

    tenant_id: str
    connection_id: str
    shop_id: str
    kind: flows.Kind
    fence: int
    cursor: datetime | None
    failures: int
    catching_up: bool = False
    """Its flow has reopened after an outage, and this poll reads what was missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a whole poll brought: everything from `since` up to `cursor`, so many new or newer records, and rows nobody could
    read.
    """

    cursor: datetime
    kept: int
    unreadable: tuple[str, ...] = ()
    since: datetime | None = None


class Flows(Protocol):
    """When each flow runs, and what it brought."""

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Run]:
        """Take polls that are due."""

    async def keep_records(
        self, run: Run, records: Sequence[Record], reached: datetime | None = None, total: int | None = None
    ) -> int:
        """Keep records, newest version wins; gives how many were new or newer. Nothing is missing up to `reached`.

        No records at all renew the lease. Orders that were missed wait until the poll is done, and reach the records
        in their order. `total` is how many the platform says there are.
        """

    async def products(self, run: Run, *, after: str, limit: int) -> Sequence[str]:
        """Ids of products of the run's shop behind one of them, in their order; none that was deleted."""

    async def done(self, run: Run, brought: Brought, *, next_run_at: datetime, now: datetime) -> None:
        """The poll has everything up to its cursor."""

    async def failed(self, run: Run, error: str, wait: timedelta) -> None:
        """The poll brought nothing, or not all: again after a while."""

    async def rest(self, run: Run, wait: timedelta) -> None:
        """The shop is called by nobody for a while: let go of the poll until then. It has not failed."""

    async def shut(self, run: Run) -> None:
        """The gate is shut: let go of the poll; the change that shut it has noted why."""

    async def want(
        self, tenant_id: str, connection_id: str, now: datetime, shop_id: str | None, kind: flows.Kind | None
    ) -> int:
        """Make polls due at once; gives how many were open."""
