"""What keeping secrets asks of the books beside the daily work: keys that rotate, and what must be gone for good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from evergrant.core.app import App
from evergrant.core.connection import Change, Connection
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted


class Subject(StrEnum):
    """What can be erased: one connection, a customer with all of theirs, a whole workspace."""

    CONNECTION = "connection"
    MERCHANT = "merchant"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One duty to forget. Its data keys are gone since it was asked for; `statement` is there, signed, once all else is."""

    tenant_id: str
    id: str
    kind: Subject
    subject_id: str
    asked_by: str
    asked_at: datetime
    keys_gone: int
    counts: Mapping[str, int] = field(default_factory=dict)
    finished_at: datetime | None = None
    statement: str | None = None
    signature: bytes | None = None
    public_key: bytes | None = None


class Generations(Protocol):
    """The vault's keys outside the database."""

    async def rewrap(self) -> int:
        """Wrap some data keys again under the newest generation; gives how many."""


class Erasures(Protocol):
    """Duties to forget, each resumed wherever it was broken off."""

    async def begin(self, tenant_id: str, kind: Subject, subject_id: str, *, erasure_id: str, actor: str) -> Erasure:
        """Destroy every data key of the subject, and note that the rest has to follow: in one commit, before anything
        else. Asked again, it gives the first. Raises NotFoundError.
        """

    async def take(self, limit: int) -> Sequence[Erasure]:
        """Erasures nobody is at."""

    async def left(self, erasure: Erasure) -> Sequence[str]:
        """Some of its connections of which anything is left."""

    async def wipe(self, erasure: Erasure, connection_id: str) -> None:
        """Remove what is kept of one connection, which has ended for good."""

    async def finish(self, erasure: Erasure) -> Erasure:
        """Remove what is left of the subject itself, and sign the record."""


class Imports(Protocol):
    """Pairs a vendor brings along."""

    async def check_merchant(self, tenant_id: str, merchant_id: str) -> None:
        """Raises NotFoundError unless the tenant has this customer."""

    async def holders(self, app: App, refresh: Secret) -> Sequence[Connection]:
        """What holds this refresh token under the same app of the platform, or has shown it there, whoever keeps it."""

    async def keep(self, change: Change, granted: Granted, *, due_at: datetime, actor: str) -> None:
        """Keep a new connection with its pair. Raises StaleError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """These books in one hand."""

    generations: Generations
    erasures: Erasures
    imports: Imports
