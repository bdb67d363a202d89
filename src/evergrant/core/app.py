"""One set of platform credentials, and where that platform is found."""

from dataclasses import dataclass

from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation

WALL = "wall"
"""The clock of every app that speaks to the real platform. Other clocks are named by their sandbox's base URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Base URLs without a trailing slash: where sellers consent, where tokens are given, where the API is."""

    authorize: str
    auth: str
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Platform credentials of a tenant: provider, region, key and secret.

    `clock` says whose time its tokens live in: `wall`, or the base URL of a sandbox whose clock can be turned.
    """

    tenant_id: str
    id: str
    provider: str
    region: str
    name: str
    key: str
    secret: Secret
    service_id: str
    hosts: Hosts
    required_scopes: frozenset[str]
    rotation: Rotation
    clock: str
    claim_url: str | None = None
    """Where the vendor's own pages claim what its sellers begin at the platform; None: the hub's pages do."""

    @property
    def is_production(self) -> bool:
        """Whether its hosts are the platform's own, so that no offset and no sandbox token is accepted."""
        return self.clock == WALL
