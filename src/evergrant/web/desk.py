"""What the doors have at hand: the actions' ports, what can be read, and how this hub is reached."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from evergrant.actions.history import Histories, Signs
from evergrant.actions.ledger import Ledger
from evergrant.actions.ports import Ports, Received
from evergrant.actions.reading import (
    AppBook,
    ClaimBook,
    ErasureBook,
    Keys,
    LinkBook,
    Listing,
    Log,
    Merchants,
    People,
    Records,
    Trail,
)
from evergrant.actions.repeating import Answers
from evergrant.actions.upkeep import Recovery
from evergrant.core.errors import InvalidRequestError
from evergrant.web.live import Live


class InboxDoor(Protocol):
    """Where notices go in."""

    async def put(self, received: Received) -> None:
        """Return once the notice is durable. Raises DatabaseUnavailableError: then no 200 may be given."""


class Health(Protocol):
    """Whether the house stands."""

    async def revision(self) -> str | None:
        """The database's schema revision. Raises DatabaseUnavailableError."""


class Walls(Protocol):
    """Whose rows a request sees: the second wall between tenants."""

    def visited(self) -> AbstractContextManager[None]:
        """A request: it sees nobody's rows until it enters."""

    def enter(self, tenant_id: str) -> None:
        """From here on the request under way sees this tenant's rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything a door may use. `origin` is the public address without a trailing slash."""

    ports: Ports
    apps: AppBook
    merchants: Merchants
    links: LinkBook
    claims: ClaimBook
    connections: Listing
    log: Log
    histories: Histories
    signer: Signs
    recovery: Recovery
    records: Records
    people: People
    keys: Keys
    trail: Trail
    inbox: InboxDoor
    erasures: ErasureBook
    outages: Ledger
    health: Health
    walls: Walls
    answers: Answers
    live: Live
    origin: str
    sandbox_urls: tuple[str, ...]
    return_urls: tuple[str, ...]
    schema_revision: str

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the hub over TLS."""
        return self.origin.startswith("https://")

    def cookie(self, name: str) -> str:
        """A cookie's name: bound to this host where the public address is https. Clients drop Secure cookies on loopback."""
        return f"__Host-{name}" if self.is_https else name

    def checked_return(self, return_to: str | None) -> str | None:
        """A place a link may return to: a path of the hub's own, or one of the registered addresses, to the letter.

        Raises:
            InvalidRequestError: anything else.
        """
        if return_to is None or return_to in self.return_urls or is_own_path(return_to):
            return return_to
        raise InvalidRequestError(
            "return_to has to be a path of this hub (beginning with one /), or one of the registered return_urls."
        )


def is_own_path(address: str) -> bool:
    """Whether an address is a plain path here, whatever a browser might make of it."""
    if not address.startswith("/") or address.startswith(("//", "/\\")):
        return False
    if any(character.isspace() or not character.isprintable() or character == "\\" for character in address):
        return False
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc
