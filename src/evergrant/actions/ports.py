"""What the actions ask of the world outside: a clock, dice, the platform, and the books they keep.

Values stand here beside the protocols that give and take them. Every method of a book is one transaction, and none of
them reaches the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from evergrant.actions.custody import Custody
from evergrant.actions.mending import Outward
from evergrant.actions.polls import Flows
from evergrant.actions.quarantine import Quarantine
from evergrant.actions.repeating import Answers
from evergrant.actions.shop_paces import ShopPaces
from evergrant.actions.terms import Terms
from evergrant.actions.upkeep import Upkeep
from evergrant.actions.watching import Watches
from evergrant.core.app import App
from evergrant.core.connection import Change, Connection
from evergrant.core.errors import LinkError
from evergrant.core.link import Claimed, Mismatch, Mode, Purpose, Returned
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted, Reply, Request

if TYPE_CHECKING:
    from evergrant.actions.ledger import Outages
    from evergrant.actions.pace import Paces
    from evergrant.actions.suspects import Suspects, Whose


class NotSentError(Exception):
    """The request provably never reached the platform; it may be made again."""


class AnswerLostError(Exception):
    """The request may have reached the platform, and no whole answer came back."""


class StaleError(Exception):
    """Somebody else changed the connection first: read it again and decide anew."""


class Clock(Protocol):
    """Platform time, by the name of the clock an app lives by."""

    async def now(self, clock: str) -> datetime:
        """The time there, read now: wall time, or a sandbox's own."""


class Dice(Protocol):
    """Everything random."""

    def identifier(self, prefix: str) -> str:
        """A new id: prefix, underscore, 128 random bits."""

    def secret(self) -> Secret:
        """256 random bits as URL-safe text."""

    def fraction(self) -> float:
        """A number in [0, 1)."""


class Platform(Protocol):
    """The way to the platform."""

    async def send(self, request: Request, *, once: bool = False) -> Reply:
        """Send a request and read its whole answer. `once`: never again over another connection, whatever happens.

        Raises:
            NotSentError: it never left.
            AnswerLostError: whether it arrived is not known.
        """

    async def send_all(self, requests: Sequence[Request]) -> Sequence[Reply | None]:
        """Send requests side by side, none of which does harm twice; None: no whole answer came back."""


class SealingKey(Protocol):
    """An open data key: what the store seals an answer with, at once and without asking the database."""

    def seal(self, field: str, version: int, value: Secret) -> bytes:
        """The value, sealed for that field and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSession:
    """One hosted link. `outcome` tells how it ended: completed, failed (then `code` says why), or None: not yet."""

    tenant_id: str
    id: str
    merchant_id: str
    app_id: str
    purpose: Purpose
    connection_id: str | None
    mode: Mode
    return_to: str | None
    expires_at: datetime
    created_by: str
    outcome: str | None = None
    code: str | None = None
    result_id: str | None = None
    is_revoked: bool = False
    mismatch: Mismatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A code about to be shown to the platform, and the key its answer will be sealed with."""

    code: Secret
    key: SealingKey


class Links(Protocol):
    """Hosted links and the requests that left through them."""

    async def add(self, session: LinkSession, handle: Secret, life: timedelta) -> datetime:
        """Keep a new session; gives when it expires."""

    async def by_handle(self, handle: Secret) -> LinkSession:
        """The session of a link that can still be used. Raises a LinkError that says why not."""

    async def find(self, tenant_id: str, session_id: str) -> LinkSession:
        """One session. Raises NotFoundError."""

    async def depart(self, session: LinkSession, request_id: str, state: Secret, browser: Secret) -> None:
        """Keep that a browser left for the platform with this state."""

    async def claim(
        self, state: Secret, app_id: str, browsers: Sequence[Secret], brought: Secret | tuple[LinkError, datetime]
    ) -> Claimed:
        """Spend a state, and keep the code sealed or end it at once because none came, in one commit; one of `browsers` has
        to be the one that left with it. Raises a LinkError that says why not.
        """


class Exchanges(Protocol):
    """How far each code has come on its way to a connection."""

    async def begin(self, returned: Returned) -> Shown | None:
        """Note that the code is about to be shown, and give it; None if somebody else has it."""

    async def put_back(self, returned: Returned, wait: timedelta) -> None:
        """The code was provably not used: show it again after a while."""

    async def again(self, returned: Returned, wait: timedelta) -> None:
        """What comes after the answer could not be done: a worker tries again after a while."""

    async def keep_answer(self, returned: Returned, key: SealingKey, granted: Granted, now: datetime) -> None:
        """Keep the pair that came for the code: on disk first, before the database is asked for anything, then there."""

    async def lost(self, returned: Returned, code: str, now: datetime) -> None:
        """Nobody knows what became of the code that was shown: end the request, unless its answer is here after all."""

    async def answer(self, returned: Returned) -> tuple[Granted, datetime] | None:
        """The pair kept for this request, and when it was granted."""

    async def take_unfinished(self, limit: int) -> Sequence[tuple[Returned, str]]:
        """Requests whose worker is gone, each with how far it came: `waiting`, `sent`, `answered`, or too
        old to go on with: `overdue` (the code was never shown) or `unplaced` (its answer never found a connection); or
        `empty`: it has no code.
        """

    async def heal(self) -> int:
        """Bring answers that reached the disk but not the database to the database; gives how many."""

    async def complete(
        self, returned: Returned, change: Change, granted: Granted, *, due_at: datetime, failure: str | None = None
    ) -> bool:
        """Keep the connection with its new pair, end the request and its session; False, and nothing kept, if somebody
        else has finished it. Raises StaleError.
        """

    async def fail(self, returned: Returned, code: str, now: datetime) -> None:
        """The return brought nothing: end it; its session can be tried again."""

    async def set_aside(self, returned: Returned, granted: Granted, why: str, now: datetime) -> None:
        """Keep a pair without a proven owner, sealed, and fail the request with `why`."""


class Connections(Protocol):
    """The connections, with their shops and flows."""

    async def find(self, tenant_id: str, connection_id: str) -> Connection:
        """One connection. Raises NotFoundError."""

    async def holders(self, app_id: str, shop_ids: Sequence[str]) -> Sequence[tuple[str, str]]:
        """(tenant id, connection id) of every connection that holds one of the shops under the app."""

    async def keep(self, change: Change, *, actor: str) -> None:
        """Keep a change whole. Raises StaleError."""

    async def past_end(self, clock: str, now: datetime) -> Sequence[tuple[str, str]]:
        """Those whose period is over and whose state does not say so yet."""

    async def tell_expiring(self, clock: str, now: datetime) -> int:
        """Note the 30-day warning once per end, for every connection that has come that close; gives how many."""

    async def take_unverified(self, clock: str, limit: int) -> Sequence[tuple[str, str]]:
        """Connections the platform is to be asked about and nobody asks."""

    async def is_refreshing(self, tenant_id: str, connection_id: str) -> bool:
        """Whether a refresh token was shown and nobody knows yet what came of it."""

    async def ask_again(self, known: Connection, wait: timedelta | None) -> None:
        """The platform said nothing: ask after the wait, or, for None, not before somebody casts doubt anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A refresh that is this worker's alone until its lease ends: the attempt is kept before the token is shown.

    `troubled`: something was wrong with the app's calls by then, so that an answer as it should be is news.
    """

    tenant_id: str
    connection_id: str
    app_id: str
    fence: int
    version: int
    refresh: Secret
    issued_at: datetime
    access_ends: datetime
    refresh_ends: datetime
    probe: bool
    failures: int
    key: SealingKey
    troubled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """The pair a refresh brought, on this machine's disk until the books have it. `version` is the one it replaces."""

    tenant_id: str
    connection_id: str
    app_id: str
    fence: int
    version: int
    granted: Granted
    at: datetime
    due_at: datetime
    key: SealingKey
    name: str
    """The file's name; empty if the disk did not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A presentation whose outcome nobody knows."""

    tenant_id: str
    connection_id: str
    app_id: str
    fence: int
    issued_at: datetime
    access_ends: datetime
    probe: bool
    failures: int = 0


class Tokens(Protocol):
    """The token clock of every connection."""

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Taken]:
        """Take refreshes that are due, each with a lease, a fencing number and a kept attempt."""

    async def holds(self, taken: Taken) -> bool:
        """Whether the lease still has the hard limit of a call left."""

    async def spool(self, taken: "Taken | Whose", granted: Granted, *, at: datetime, due_at: datetime) -> Spooled:
        """Keep an answer on disk, before anything else is asked of anybody. A disk that does not take it is logged."""

    async def spooled(self) -> Sequence[Spooled]:
        """Answers a killed process left on this machine's disk."""

    async def keep_unchanged(self, spooled: Spooled) -> bool:
        """Keep a new pair that says nothing new of its connection; False, and nothing is kept, if that is not so."""

    async def keep(self, spooled: Spooled, change: Change) -> str:
        """Keep a new pair where the one it replaces still stands; gives `ok`, or `outlived` if a newer one stands or
        the tokens were destroyed meanwhile. Raises StaleError.
        """

    async def give_back(self, taken: Taken, outcome: str, wait: timedelta) -> None:
        """The token was provably not used up: try again after a while."""

    async def end(self, taken: Taken | Doubt, change: Change) -> str:
        """The platform refused the token for good; gives `final`, or `outlived` if a newer pair stands. Raises StaleError."""

    async def doubt(
        self, doubt: Taken | Doubt, *, probe_at: datetime, now: datetime, wait: timedelta | None = None
    ) -> None:
        """The outcome is not known: keep serving the access token, and show the refresh token again at `probe_at`, but not
        before the wait, which a failure costs, is over.
        """

    async def doubts(self, clock: str) -> Sequence[Doubt]:
        """Attempts whose worker is gone without a word."""

    async def set_aside(self, spooled: Spooled, why: str) -> None:
        """Keep a pair that is not this connection's, sealed, out of reach."""

    async def access(self, tenant_id: str, connection_id: str) -> tuple[Secret, datetime] | None:
        """The access token and its end, for our own calls."""

    async def want(
        self,
        tenant_id: str,
        connection_id: str,
        now: datetime,
        *,
        issued_before: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        """Make the refresh due at once, unless the pair is younger than `issued_before` or lives beyond `until`."""

    async def want_all(
        self, tenant_id: str, connection_ids: Sequence[str], now: datetime, *, until: datetime | None = None
    ) -> None:
        """The same for many."""


FIRST, LATER = 0, 1
"""Which notices overtake which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A notice kept raw, taken by this worker to be understood."""

    tenant_id: str
    app_id: str
    notification_id: str
    body: bytes
    attempts: int
    priority: int = LATER


class Inbox(Protocol):
    """Notices, kept raw before anybody asks what they mean."""

    async def take(self, limit: int) -> Sequence[Received]:
        """Take notices nobody has settled, oldest first; those that end authorizations overtake the rest."""

    async def settle(self, received: Received, outcome: str, change: Change | None = None) -> None:
        """Note what came of it, together with the change it brought. Raises StaleError."""

    async def put_back(self, received: Received, wait: timedelta) -> None:
        """It cannot be settled yet: again after a while."""


class Apps(Protocol):
    """Platform credentials."""

    async def by_id(self, app_id: str) -> App:
        """One app. Raises NotFoundError."""

    async def refused(self, app_id: str, refused: bool) -> None:  # noqa: FBT001
        """Note whether the platform refuses the app's own credentials."""

    async def clocks(self) -> Sequence[str]:
        """Every clock an app lives by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All books in one hand."""

    apps: Apps
    paces: "Paces"
    shop_paces: ShopPaces
    suspects: "Suspects"
    links: Links
    exchanges: Exchanges
    quarantine: Quarantine
    connections: Connections
    tokens: Tokens
    flows: Flows
    terms: Terms
    inbox: Inbox
    answers: Answers
    watches: Watches
    custody: Custody
    upkeep: Upkeep
    outward: Outward
    outages: "Outages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything an action reaches the outside with."""

    books: Books
    platform: Platform
    clock: Clock
    dice: Dice
