"""What goes out to the platform: levels of stock as they were given, the calls they go in, and the book that keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from evergrant.core.gate import Why

CALLS_A_WAVE = 25
LEVELS_A_CALL = 50
"""Variants of one product in one call. The wire sheet names no limit (6.4)."""


class Standing(StrEnum):
    """How far a record has come on its way out."""

    WAITING = "waiting"
    DONE = "done"
    SUPERSEDED = "superseded"
    PARKED = "parked"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How many of a SKU the vendor has: in all, or by the platform's warehouses."""

    sku: str
    shop_id: str
    quantity: int | None = None
    warehouses: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gave:
    """A level that was taken in. `held`: why it does not go out yet."""

    id: str
    sku: str
    shop_id: str
    held: Why | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One record in hand, with what the platform calls its SKU, and how many there shall be in each warehouse."""

    id: str
    fence: int
    sku: str
    attempts: int
    sku_id: str
    quantities: tuple[tuple[str | None, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Records that go in one call: variants of one product."""

    product_id: str
    pushes: tuple[Push, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Calls for one shop that are made at once; their records are this worker's alone until the lease ends."""

    tenant_id: str
    connection_id: str
    app_id: str
    shop_id: str
    calls: tuple[Call, ...]

    @property
    def pushes(self) -> tuple[Push, ...]:
        """All records of it."""
        return tuple(push for call in self.calls for push in call.pushes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of one record. One that goes on waiting without a cause has not failed; `counts`: it was a try all the same.

    `alone`: from now on in a call of its own, because one with others was refused as a whole.
    """

    push: Push
    state: Standing
    cause: str = ""
    message: str = ""
    wait: timedelta = timedelta(0)
    alone: bool = False
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A record as people and programs see it. `held`: why the flow it waits for is shut."""

    position: int
    id: str
    level: Level
    state: Standing
    held: Why | None
    attempts: int
    outage_id: str | None
    given_at: datetime
    ended_at: datetime | None


class Pushes(Protocol):
    """What waits to go out."""

    async def give(self, tenant_id: str, connection_id: str, levels: Sequence[Level], at: datetime) -> Sequence[Gave]:
        """Take levels in, each for a SKU of its own; an older one of the same SKU that nobody has in hand is superseded.

        `at` is platform time. Raises NotFoundError: the connection has no such shop.
        """

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Wave]:
        """Take records of open flows, the oldest of each SKU only. What has no known SKU is parked."""

    async def hold(self, wave: Wave) -> bool:
        """Whether all of it is still this worker's, for as long as its calls last."""

    async def put_back(self, wave: Wave, wait: timedelta) -> None:
        """Nothing was tried: again after a while."""

    async def settle(self, wave: Wave, came: Sequence[Came], at: datetime) -> None:
        """Note what came of each, with the exceptions that opens and ends. `at` is platform time."""

    async def page(
        self, tenant_id: str, connection_id: str, *, after: int, limit: int, state: Standing | None = None
    ) -> Sequence[Sent]:
        """Records behind a position, in the order in which they were given."""

    async def forget(self) -> int:
        """Remove what has been over for long; gives how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The vendor's word for a SKU of the platform's. Without a `sku_id` there is none any more."""

    sku: str
    shop_id: str
    sku_id: str | None
    product_id: str | None = None


class Mappings(Protocol):
    """The vendor's words for what shops sell, where they differ."""

    async def page(self, tenant_id: str, connection_id: str, *, after: tuple[str, str], limit: int) -> Sequence[Mapped]:
        """Mappings in the order of shop and SKU, behind one of them."""

    async def put(self, tenant_id: str, connection_id: str, given: Sequence[Mapped], *, actor: str) -> Sequence[Mapped]:
        """Replace those that are named; gives them as they stand.

        Raises:
            NotFoundError: the connection has no such shop.
            InvalidRequestError: the shop sells no such variant, or the product has to be named.
        """
