"""What the hub gives, as values, and what it refuses, as exceptions. Instants are aware and in UTC."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A fresh access token. It does not print; `str(token)` is refused as well: use `token.access_token`."""

    access_token: str = field(repr=False)
    expires_at: datetime
    shop_cipher: str | None
    open_id: str
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]

    def __str__(self) -> str:
        raise TypeError("a token is not printed; use token.access_token where it is sent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One shop of a connection. `status` is `authorized` or `not_authorized`."""

    id: str
    name: str
    region: str
    cipher: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One seller's authorization: its state, its reason, and the end only the seller can move."""

    id: str
    merchant_id: str
    app_id: str
    status: str
    reason: str | None
    authorization_expires_at: datetime | None
    days_remaining: int | None
    expiring: bool
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]
    shops: tuple[Shop, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSession:
    """A hosted link. `url` is there only in the answer that made it. `outcome` is None, `completed` or `failed`."""

    id: str
    url: str | None
    expires_at: datetime
    outcome: str | None
    code: str | None
    connection_id: str | None


class HubUnavailable(Exception):  # noqa: N818  (what it says is a fact, not a mistake)
    """The hub cannot be reached, or asks to come back in a moment."""


class Refused(Exception):  # noqa: N818
    """The hub refused the call. `code` never changes its meaning; `request_id` helps support to find it."""

    def __init__(self, *, status: int, code: str, message: str, request_id: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id


class SellerMustRenew(Refused):
    """No token leaves, and only the seller's consent can change that: make a link with purpose `renew`."""
