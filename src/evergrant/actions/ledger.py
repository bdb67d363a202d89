"""The ledger of outages: what stopped, what was missed, what was made good, and what still has to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from evergrant.core import flows
from evergrant.core.gate import Why


class Trouble(StrEnum):
    """Why a check has not passed yet, or will not be made. Beside these: whatever the platform refuses a call for."""

    PAUSED_BY_VENDOR = "paused_by_vendor"
    WRITING_IS_OFF = "writing_is_off"
    NOTHING_TO_CHECK = "nothing_to_check"
    """The shop sells nothing that is known, so there is nothing to read or write."""
    VENDOR_DISCONNECTED = "vendor_disconnected"
    """The vendor let go of the connection: what was open counts as given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Whether stock can be read and written again: this worker's to find out until its lease ends.

    `product_id` and `sku_id` are what it is tried on; None where the shop has no wares, or none of them is free just now.
    `written`: a level that waited has gone out already, or writing is off. `since`: from this wall time on the SKU is ours;
    what goes out for it meanwhile goes out again.
    """

    tenant_id: str
    connection_id: str
    shop_id: str
    outage_id: str
    fence: int
    failures: int
    written: bool
    product_id: str | None
    sku_id: str | None
    has_wares: bool
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One flow in the ledger. Instants are platform time. missed = caught_up + superseded + given_up + open, always.

    `is_known` is false until the platform has said how much the gap holds: what is counted then is the least there is.
    """

    shop_id: str
    kind: flows.Kind
    why: Why
    state: str
    stopped_at: datetime
    reopened_at: datetime | None
    expected: int | None
    caught_up: int
    superseded: int
    given_up: int
    open: int
    is_known: bool
    read_at: datetime | None
    written_at: datetime | None
    trouble: str | None
    balanced_at: datetime | None

    @property
    def missed(self) -> int:
        """Everything that did not flow while it should have."""
        return self.caught_up + self.superseded + self.given_up + self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One outage with its flows. Instants are platform time."""

    id: str
    position: int
    connection_id: str
    cause: Why
    started_at: datetime
    ended_at: datetime | None
    closed_at: datetime | None
    lines: tuple[Line, ...]


class Outages(Protocol):
    """The ledger, as it is kept."""

    async def balance(self, clock: str, now: datetime) -> int:
        """Note which flows balance, and close the outages all of whose flows do; gives how many were noted."""

    async def take_checks(self, clock: str, limit: int) -> Sequence[Check]:
        """Take checks of stock that are due: what waited has gone out, and no read or no write has passed yet."""

    async def goes_on(self, check: Check) -> bool:
        """Whether the check is still this worker's; if so, for another lease."""

    async def read(self, check: Check, now: datetime) -> None:
        """One real read has passed."""

    async def wrote(self, check: Check, now: datetime) -> None:
        """One harmless write has passed; what went out for its SKU meanwhile goes out again."""

    async def troubled(self, check: Check, trouble: str, wait: timedelta, now: datetime) -> None:
        """The check has not passed: again after a while."""

    async def let_go(self, check: Check, wait: timedelta, *, failed: bool = False) -> None:
        """Nothing was tried: again after a while. `failed`: it counts as a try that failed."""


class Ledger(Protocol):
    """The ledger, as the doors look at it."""

    async def page(self, tenant_id: str, connection_id: str, *, before: int, limit: int) -> Sequence[Outage]:
        """Outages of a connection, the newest first, those before a position (0: from the newest)."""

    async def all(
        self, tenant_id: str, *, is_open: bool, before: int, limit: int, connection_id: str | None = None
    ) -> Sequence[Outage]:
        """Outages that are not closed, or that are, of all connections or one; the newest first, those before a position."""

    async def find(self, tenant_id: str, outage_id: str) -> Outage:
        """One outage. Raises NotFoundError."""
