"""What the people of a shop may see and do in Seller Center, role by role.

Documented is one line only: the owner (main account) may authorize apps, nobody else (source S1; wire sheet 5.5). Everything
else here is ours, cut so that each role has something to see and something it may not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.world.seller import Role


class Page(StrEnum):
    """The pages of Seller Center by their address."""

    HOME = "/seller"
    ORDERS = "/seller/orders"
    PRODUCTS = "/seller/products"
    APP_STORE = "/seller/app-store"
    APPS = "/seller/apps"
    USERS = "/seller/account/users"
    HELP = "/seller/help"


class Deed(StrEnum):
    """What not everybody may do who sees the page."""

    SHIP_ORDERS = "ship_orders"
    CHANGE_STOCK = "change_stock"
    AUTHORIZE_APPS = "authorize_apps"
    MANAGE_USERS = "manage_users"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one role is called, sees and may do."""

    name: str
    about: str
    pages: frozenset[Page]
    deeds: frozenset[Deed]


_EVERYBODY = frozenset({Page.HOME, Page.HELP})
_TRADE = _EVERYBODY | {Page.ORDERS, Page.PRODUCTS}
_APPS = frozenset({Page.APP_STORE, Page.APPS})


def _rights(name: str, about: str, pages: frozenset[Page], *deeds: Deed) -> Rights:
    return Rights(name=name, about=about, pages=pages, deeds=frozenset(deeds))


RIGHTS: Mapping[Role, Rights] = {
    Role.OWNER: _rights("Owner", "Everything; the only one who can authorize apps.", frozenset(Page), *Deed),
    Role.ADMINISTRATOR: _rights(
        "Administrator",
        "Orders, products and apps, but cannot authorize apps.",
        _TRADE | _APPS,
        Deed.SHIP_ORDERS,
        Deed.CHANGE_STOCK,
    ),
    Role.OPERATIONS: _rights(
        "Operations",
        "Orders, products and stock, and what state apps are in.",
        _TRADE | {Page.APPS},
        Deed.SHIP_ORDERS,
        Deed.CHANGE_STOCK,
    ),
    Role.CUSTOMER_SUPPORT: _rights("Customer support", "Orders, to look at.", _EVERYBODY | {Page.ORDERS}),
    Role.FINANCE: _rights("Finance", "Orders and products, to look at.", _TRADE),
    Role.SUB_ACCOUNT: _rights("Sub-account", "Looks at everything but account settings.", _TRADE | _APPS),
}

# What the owner may give to others: an account has one owner, "the account that originally signed up" (source S1).
FOR_OTHERS = tuple(role for role in RIGHTS if role is not Role.OWNER)


def may(role: Role, deed: Deed) -> bool:
    """Whether this role may do it."""
    return deed in RIGHTS[role].deeds
