"""Sellers, their sign-ins and their shops."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a seller sells; the words of the authorized-shops answer."""

    LOCAL = "LOCAL"
    CROSS_BORDER = "CROSS_BORDER"


class Origin(StrEnum):
    """A real seller ("online seller" in the platform's pages) or a test account from Partner Center's Development Shops."""

    ONLINE = "online"
    TEST = "test"


class Standing(StrEnum):
    """How a seller stands with the platform; the numbers are those of the seller status (202508)."""

    PENDING = "pending"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    REJECTED = "rejected"

    @property
    def number(self) -> str:
        """As it goes onto the wire: a number in a string."""
        return {"pending": "1", "active": "2", "deactivated": "3", "rejected": "4"}[self.value]


class Role(StrEnum):
    """Who signs in. "Only the shop owner / main account may authorize; others do not see the button" (wire sheet 5.5)."""

    OWNER = "owner"
    SUB_ACCOUNT = "sub_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """A business with an account on the platform."""

    id: str
    name: str
    region: str
    kind: Kind
    phone: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One sign-in of a seller. Passwords are kept readable: they are printed for whoever tries the sandbox."""

    email: str
    password: str
    seller_id: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One shop. `id` goes into notices, `cipher` onto the wire, `code` is what the seller sees."""

    id: str
    seller_id: str
    name: str
    region: str
    code: str
    cipher: str
    warehouse_id: str
