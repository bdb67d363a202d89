"""Exceptions as people and programs see them, and what makes many of them good: bulk retries and rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from evergrant.actions.exceptions import How
from evergrant.actions.pushes import Mappings, Pushes
from evergrant.core import flows


class Stage(StrEnum):
    """How an exception stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One exception. Instants are wall time."""

    position: int
    id: str
    connection_id: str
    shop_id: str
    kind: flows.Kind
    entity: str
    cause: str
    message: str
    stage: Stage
    how: How | None
    attempts: int
    parked: bool
    outage_id: str | None
    opened_at: datetime
    last_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which exceptions are wanted; None leaves a question open."""

    cause: str | None = None
    connection_id: str | None = None
    stage: Stage | None = Stage.OPEN
    after: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Open exceptions of one cause."""

    cause: str
    count: int
    oldest: datetime


class Exceptions(Protocol):
    """Records that failed."""

    async def page(self, tenant_id: str, sought: Sought) -> Sequence[Broken]:
        """Exceptions in the order in which they came."""

    async def causes(self, tenant_id: str, connection_id: str | None = None) -> Sequence[Cause]:
        """Open ones by cause, the most frequent first."""

    async def find(self, tenant_id: str, exception_id: str) -> Broken:
        """One. Raises NotFoundError."""

    async def dismiss(self, tenant_id: str, exception_id: str, at: datetime, *, actor: str) -> Broken:
        """End one by hand: its record is not sent, or looked for, any more. Raises NotFoundError."""

    async def missed(
        self, flow: tuple[str, str, str, flows.Kind], record_id: str, since: datetime, at: datetime
    ) -> None:
        """A record came that a shut flow (tenant, connection, shop, kind) could not fetch."""

    async def forget(self) -> int:
        """Remove what has been over for long, and is in no bulk retry and no open outage; gives how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a bulk retry is about: at least one of these."""

    cause: str | None = None
    connection_id: str | None = None
    ids: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a bulk retry would do: how many of which flow, the first ones in their order, and how many it would leave out, and why.

    `remaining` are those that are left for a next one, because one takes so many only.
    """

    total: int
    remaining: int = 0
    by_flow: Mapping[str, int] = field(default_factory=dict)
    first: Sequence[Broken] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A bulk retry, and how far it is: how many of each outcome, `waiting` for none yet; `remaining` were left for a next one."""

    id: str
    cause: str | None
    connection_id: str | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None
    total: int
    remaining: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """One record of a bulk retry, and what came of it."""

    position: int
    exception: Broken
    outcome: str | None
    message: str | None
    ended_at: datetime | None


class Replays(Protocol):
    """Bulk retries."""

    async def preview(self, tenant_id: str, choice: Choice) -> Preview:
        """What it would do, without doing it."""

    async def begin(self, tenant_id: str, choice: Choice, *, actor: str) -> Replay:
        """Try them again, in their order, as many as one may take. What another one tries already is left out."""

    async def find(self, tenant_id: str, replay_id: str) -> Replay:
        """One. Raises NotFoundError."""

    async def items(self, tenant_id: str, replay_id: str, *, after: int, limit: int) -> Sequence[Retried]:
        """Its records in their order, behind one of them."""

    async def forget(self) -> int:
        """Remove those that have been over for long; gives how many rows."""


class Action(StrEnum):
    """What a rule does."""

    DISMISS = "dismiss"
    RESOLVE = "resolve"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is done by itself with exceptions of a cause that are still open so long after they were opened."""

    tenant_id: str
    id: str
    cause: str
    connection_id: str | None
    action: Action
    after_minutes: int
    created_by: str
    created_at: datetime | None = None
    ran_at: datetime | None = None


class Rules(Protocol):
    """What is done by itself."""

    async def add(self, rule: Rule) -> Rule:
        """Keep a rule. Raises NotFoundError: there is no such connection; ConflictError: there is one already, or too many."""

    async def of(self, tenant_id: str) -> Sequence[Rule]:
        """All of a tenant, oldest first."""

    async def remove(self, tenant_id: str, rule_id: str, *, actor: str) -> None:
        """Raises NotFoundError."""

    async def take(self, seen: Sequence[str]) -> Rule | None:
        """The rule of any tenant that nobody has looked at for longest; none of those, and None after the last."""

    async def ripe(self, rule: Rule) -> Sequence[str]:
        """Connections for which it has something to do; not always all of them at once."""

    async def apply(self, rule: Rule, connection_id: str, at: datetime) -> int:
        """Do it, for some at a time; gives how many. `at` is platform time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """What goes out, and what makes failures good, in one hand."""

    pushes: Pushes
    mappings: Mappings
    exceptions: Exceptions
    replays: Replays
    rules: Rules
