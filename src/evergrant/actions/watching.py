"""What `watch` asks of the books: which connections nobody has heard of, and which notices never came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

RETRY_SPAN = timedelta(minutes=2) + timedelta(minutes=30) + timedelta(hours=3) + timedelta(hours=12)
"""How long the platform goes on delivering a notice: "+2 min, +30 min, +3 h, +12 h, then dropped" (wire sheet 4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often is looked. `quiet` is how long a connection may go unproven; `looks_a_minute` is each app's budget."""

    quiet: timedelta = timedelta(minutes=10)
    compare_every: timedelta = timedelta(days=1)
    looks_a_minute: int = 300
    patience: timedelta = RETRY_SPAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A connection to be looked at, this worker's alone until its lease ends."""

    tenant_id: str
    connection_id: str
    failures: int


class Owed(StrEnum):
    """Notices about an authorization, which the platform owes whoever subscribed to them."""

    DEAUTHORIZATION = "deauthorization"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Notices of an app that never came, and since when. `since` is platform time."""

    count: int
    since: datetime


class Watches(Protocol):
    """When each connection was last proven alive, and which notices are awaited."""

    async def pass_over(self, clock: str, now: datetime) -> int:
        """Put off the look at every connection whose own polls have proven it; gives how many."""

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Look]:
        """Take connections nobody has successfully called for a while, or whose shops are to be compared; of each app no
        more than its budget allows.
        """

    async def looked(self, look: Look, now: datetime) -> None:
        """The platform has answered: the token lives."""

    async def later(self, look: Look, wait: timedelta) -> None:
        """The platform said nothing of the consent: look again after a while."""

    async def heard(self, tenant_id: str, app_id: str) -> None:
        """A signed notice of this app was understood."""

    async def came(self, tenant_id: str, connection_id: str, owed: Owed, since: datetime) -> None:
        """A notice the platform owes came; for a warning, `since` is when it fell due."""

    async def missed(self, clock: str, now: datetime) -> int:
        """Count the notices that should have come by now, and tell the vendor, once a day per app; gives how many."""
