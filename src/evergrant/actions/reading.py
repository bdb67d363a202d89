"""What the doors read and note: people and keys, lists for pages and programs, the log, the audit trail."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from evergrant.actions.custody import Erasure
from evergrant.actions.lend import Lendable
from evergrant.actions.ports import LinkSession
from evergrant.actions.watching import Missed
from evergrant.core import flows
from evergrant.core.app import App
from evergrant.core.authorization import State
from evergrant.core.claim import Claim
from evergrant.core.connection import Connection
from evergrant.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works for a tenant. `role` is owner, operator or viewer."""

    tenant_id: str
    tenant_name: str
    id: str
    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Whence:
    """Where a password was entered: the network's address, and what the browser carries since somebody logged in with it."""

    address: str
    browser: Secret | None


class People(Protocol):
    """Who may look at the pages."""

    async def by_password(self, email: str, password: Secret, whence: Whence) -> Person | None:
        """Whoever has this address and password. Takes as long for an unknown address as for a wrong password.

        Raises:
            TooManyTriesError: too many were wrong lately; it was not looked at.
            PasswordsBusyError: too many wait to be checked.
        """

    async def log_in(self, person: Person, token: Secret, *, browser: Secret, instead_of: Secret | None) -> None:
        """Begin a login under a fresh token, and end the browser's earlier one; from now on it is known."""

    async def by_login(self, token: Secret) -> Person | None:
        """Whoever is logged in with this token; its idle time begins anew."""

    async def still_logged_in(self, token: Secret) -> Person | None:
        """Whoever is logged in with this token; its idle time goes on."""

    async def is_confirmed(self, token: Secret) -> bool:
        """Whether the password was entered for this login a few minutes ago."""

    async def confirm(self, person: Person, token: Secret, password: Secret, whence: Whence) -> bool:
        """Enter the password anew for this login; whether it was the right one. Raises as `by_password`."""

    async def log_out(self, token: Secret) -> None:
        """End a login."""


KEY_PREFIX = "eg_"
KEY_SCOPES = ("read", "tokens", "manage", "webhooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of the key somebody showed."""

    tenant_id: str
    id: str
    scopes: frozenset[str]
    revoked: bool
    expired: bool


class Keys(Protocol):
    """API keys."""

    async def find(self, key: Secret) -> ApiKey | None:
        """The key somebody showed, whatever its state; None if nobody was ever given it."""

    async def for_token(self, key: Secret, connection_id: str) -> tuple[ApiKey | None, Lendable | None]:
        """The key somebody showed, and the connection whose token they want, if it is their tenant's."""

    async def for_tokens(
        self, key: Secret, connection_ids: Sequence[str]
    ) -> tuple[ApiKey | None, Sequence[Lendable | None]]:
        """The same for many connections, in their order; an error for one whose token does not open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """A customer of the vendor."""

    tenant_id: str
    id: str
    external_id: str
    name: str
    email: str
    locale: str
    created_at: datetime | None = None


class Merchants(Protocol):
    """The vendor's customers."""

    async def add(self, merchant: Merchant) -> Merchant:
        """Keep a new merchant. Raises ConflictError."""

    async def find(self, tenant_id: str, merchant_id: str) -> Merchant:
        """One merchant. Raises NotFoundError."""

    async def page(self, tenant_id: str, *, after: str, limit: int) -> Sequence[Merchant]:
        """Merchants in the order of their ids, beginning behind `after`."""


class AppBook(Protocol):
    """Platform credentials, as the vendor manages them."""

    async def add(self, app: App, *, actor: str) -> None:
        """Keep a new app, its secret sealed. Raises ConflictError: it is kept already."""

    async def by_id(self, app_id: str) -> App:
        """One app by its id alone, as the platform's calls name it. Raises NotFoundError."""

    async def of(self, tenant_id: str) -> Sequence[App]:
        """A tenant's apps, oldest first."""

    async def renew(self, tenant_id: str, app_id: str, secret: Secret | None, *, retire_older: bool, actor: str) -> App:
        """Use another secret, the one before it still accepted on notices. Raises NotFoundError, ConflictError."""

    async def require(self, tenant_id: str, app_id: str, scopes: Collection[str], now: datetime, *, actor: str) -> App:
        """Require these scopes of every consent, and tell each connection that comes to lack one. Raises NotFoundError."""

    async def refused_since(self, tenant_id: str) -> Mapping[str, datetime]:
        """Apps whose own credentials the platform refuses, and since when."""

    async def notices_missed(self, tenant_id: str) -> Mapping[str, Missed]:
        """Apps whose notices do not arrive."""


class ErasureBook(Protocol):
    """What was erased, as the vendor looks at it."""

    async def find(self, tenant_id: str, erasure_id: str) -> Erasure:
        """One erasure. Raises NotFoundError."""

    async def page(self, tenant_id: str, *, after: str, limit: int) -> Sequence[Erasure]:
        """Erasures in the order of their ids, beginning behind `after`."""


class LinkBook(Protocol):
    """Hosted links, as the doors look at them."""

    async def by_handle(self, handle: Secret) -> LinkSession:
        """The session of a link that can still be used. Raises a LinkError that says why not."""

    async def find(self, tenant_id: str, session_id: str) -> LinkSession:
        """One session. Raises NotFoundError."""

    async def of_browser(self, session_id: str, browser: Secret) -> LinkSession:
        """The session that left with this browser. Raises NotFoundError for any other browser."""

    async def revoke(self, tenant_id: str, session_id: str, *, actor: str) -> LinkSession:
        """Withdraw a link; one that was used stays used. Raises NotFoundError."""


class ClaimBook(Protocol):
    """Claims, as the doors look at them."""

    async def find(self, tenant_id: str, claim_id: str) -> Claim:
        """One claim. Raises NotFoundError."""

    async def kept_as(self, app: App, code: Secret) -> str | None:
        """The claim this code is kept as, if it is."""

    async def of_browser(self, claim_id: str, proofs: Sequence[Secret]) -> Claim:
        """The claim of a browser that proves it brought the code. Raises NotFoundError for any other."""

    async def brought(self, tenant_id: str, proofs: Sequence[Secret]) -> frozenset[str]:
        """The claims this browser proves it brought."""

    async def page(self, tenant_id: str, *, after: str, limit: int) -> Sequence[Claim]:
        """What waits for an owner, in the order of the ids, beginning behind `after`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A connection as people and programs see it, with both its clocks. Instants of tokens are platform time."""

    connection: Connection
    merchant_name: str
    app_name: str
    required_scopes: frozenset[str]
    """What the app requires of every consent."""
    app_refused: bool
    """The platform refuses the app's own credentials."""
    token_issued_at: datetime | None
    token_ends: datetime | None
    refresh_due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which connections are wanted; None leaves a question open. `q` looks into seller, merchant and shop names."""

    after: str = ""
    limit: int = 50
    connection_id: str | None = None
    merchant_id: str | None = None
    state: State | None = None
    ends_before: datetime | None = None
    q: str | None = None


class Listing(Protocol):
    """Connections for people and programs."""

    async def page(self, tenant_id: str, wanted: Filter) -> Sequence[Listed]:
        """Connections in the order of their ids, beginning behind `wanted.after`."""

    async def listed(self, tenant_id: str, connection_id: str) -> Listed:
        """One connection. Raises NotFoundError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One event as it stands in the log. `happened_at` is platform time; `position` rises in the order of the log."""

    id: str
    position: int
    type: str
    connection_id: str | None
    happened_at: datetime
    data: Mapping[str, Any]


class Log(Protocol):
    """The event log."""

    async def page(
        self, tenant_id: str, *, after: int, limit: int, connection_id: str | None = None, newest_first: bool = False
    ) -> Sequence[Happened]:
        """Events behind a position, in order; or, newest first, those before it (0: from the newest)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One record. `document` is the platform's own JSON, byte for byte; `updated_at` is platform time. `more` stand behind it."""

    position: int
    shop_id: str
    record_id: str
    updated_at: datetime
    document: bytes
    more: bool = False


class Records(Protocol):
    """What was pulled."""

    async def page(
        self, tenant_id: str, connection_id: str, kind: flows.Kind, *, after: int, limit: int
    ) -> Sequence[Kept]:
        """Records of one kind behind a position; fewer where they are large, and one if there is any."""

    async def counts(self, tenant_id: str, connection_id: str) -> Mapping[tuple[str, str], int]:
        """(shop id, kind) -> how many records are kept."""

    async def beginnings(self, tenant_id: str, connection_id: str) -> tuple[datetime | None, datetime | None]:
        """When the first order that is kept began, and when the connection did; platform time."""

    async def begun(self, tenant_id: str, connection_id: str, since: datetime, until: datetime) -> int:
        """How many orders began then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the trail. `actor` is a key, a person or a program; `detail` holds codes and counts, never a secret."""

    tenant_id: str
    actor: str
    action: str
    subject: str
    request_id: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class Trail(Protocol):
    """The audit trail."""

    async def record(self, entry: Entry) -> None:
        """Return once the entry is durable. Raises AuditUnavailableError: then whatever waited must not happen."""

    async def record_all(self, entries: Sequence[Entry]) -> None:
        """The same for many entries, in one commit. Raises AuditUnavailableError."""
