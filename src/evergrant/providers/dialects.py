"""Which dialects there are, and what each has to know. A dialect is a module; nothing is inherited."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from evergrant.core import flows
from evergrant.core.app import App, Hosts
from evergrant.core.connection import Shop
from evergrant.core.errors import InvalidRequestError
from evergrant.core.secret import Secret
from evergrant.providers import tiktok_shop
from evergrant.providers.wire import (
    Access,
    Call,
    CallAnswer,
    CallRefused,
    Level,
    Notice,
    Page,
    Reply,
    Request,
    Stocked,
    StockSet,
    TokenAnswer,
)


class Dialect(Protocol):
    """Everything the actions ask of a platform: requests to send, and how to read what comes back."""

    NAME: str
    REGIONS: tuple[str, ...]
    EVERYWHERE: str
    HOSTS: Mapping[str, Hosts]
    SELLER_USER_TYPES: frozenset[int]
    SANDBOX_MARK: str
    """What follows the data region in every token of the sandbox; a production app refuses it."""
    BASIC_SCOPES: frozenset[str]
    FLOW_SCOPES: Mapping[flows.Kind, frozenset[str]]
    MOST_LEVELS: int
    """How many levels go in one call."""

    def sells_in(self, region: str, country: str) -> bool:
        """Whether a shop of this country can be an app's of that region."""

    def consent_url(self, app: App, state: Secret) -> str:
        """Where the seller's browser is sent."""

    def exchange_request(self, app: App, code: Secret) -> Request:
        """The code for a token pair."""

    def refresh_request(self, app: App, refresh: Secret) -> Request:
        """The refresh token for a new pair."""

    def shops_request(self, app: App, token: Secret, now: datetime) -> Request:
        """The shops the token covers."""

    def pull_request(
        self, app: App, kind: flows.Kind, access: Access, window: flows.Window, page_token: str, now: datetime
    ) -> Request:
        """One page of a flow."""

    def inventory_request(self, app: App, access: Access, product_ids: Sequence[str], now: datetime) -> Request:
        """The stock of at most a hundred products."""

    OURS: frozenset[str]
    """Parameters and headers of a call that only the hub sets."""

    def is_call(self, path: str) -> bool:
        """Whether a path is below the platform's API, and nothing else."""

    def takes_cipher(self, path: str) -> bool:
        """Whether a call is about one shop."""

    def call_request(self, app: App, call: Call, access: Access, now: datetime) -> Request:
        """A call of the vendor's own."""

    def read_call(self, reply: Reply, token: Secret) -> CallAnswer:
        """The answer to it, without the token."""

    def stock_request(
        self, app: App, access: Access, product_id: str, levels: Sequence[Level], now: datetime
    ) -> Request:
        """New stock of some variants of a product."""

    def read_tokens(self, reply: Reply, now: datetime) -> TokenAnswer:
        """The answer to an exchange or a refresh."""

    def read_shops(self, reply: Reply) -> tuple[Shop, ...] | CallRefused:
        """The answer to the shops request."""

    def read_page(self, kind: flows.Kind, reply: Reply) -> Page | CallRefused:
        """The answer to a pull request."""

    def read_inventory(self, reply: Reply, at: datetime) -> Page | CallRefused:
        """The answer to an inventory request, as of `at`."""

    def without_buyer(self, document: bytes) -> bytes:
        """An order with everything left out that tells who bought, and every other byte as it was, where that can be."""

    def read_levels(self, reply: Reply) -> Mapping[str, Stocked] | CallRefused:
        """The same answer, variant by variant."""

    def read_stock(self, reply: Reply) -> StockSet | CallRefused:
        """The answer to a stock request."""

    def is_notice_signed(self, key: str, secret: Secret, body: bytes, signature: bytes) -> bool:
        """Whether a notice is the platform's, in constant time."""

    def read_notice(self, body: bytes) -> Notice:
        """A notice whose signature held. Raises ValueError for bytes that are none."""


_TIKTOK_SHOP: Dialect = tiktok_shop
DIALECTS: Mapping[str, Dialect] = {_TIKTOK_SHOP.NAME: _TIKTOK_SHOP}


def named(provider: str) -> Dialect:
    """The dialect of a provider.

    Raises:
        InvalidRequestError: there is none of that name.
    """
    if provider not in DIALECTS:
        raise InvalidRequestError(f"provider has to be one of: {', '.join(DIALECTS)}")
    return DIALECTS[provider]
