"""Every disputed or unknown behaviour of the platform, by name, with its documented alternatives (wire sheet section 8).

A switch is asked where the behaviour is decided: `switches.of(switches.CODE_REUSE) == "refused"`.
"""

from collections.abc import Mapping
from types import ModuleType

from evergrant_sandbox.switches import (
    apps,
    development_shops,
    facts,
    grants,
    link,
    notices,
    seller_center,
    signed_api,
    tokens,
)
from evergrant_sandbox.switches.apps import CONNECTOR_BETA, REVIEW_TAKES, SECRET_ROTATION
from evergrant_sandbox.switches.development_shops import EXPIRED_TEST_ACCOUNT
from evergrant_sandbox.switches.facts import (
    CODE_LIFE,
    NOTICE_SCHEDULE,
    TIMESTAMP_WINDOW,
    TOKEN_ERROR_STATUS,
    TOKEN_ROUTES,
)
from evergrant_sandbox.switches.grants import (
    END_AFTER_RECONSENT,
    NEW_SCOPES_BY_LINK,
    OLD_PAIR_AFTER_RECONSENT,
    OPEN_ID_PER,
)
from evergrant_sandbox.switches.link import (
    AUTHORIZATION_PERIODS,
    EXTRA_CALLBACK_PARAMETERS,
    INSTALL_BUTTON,
    REDIRECT_URL_CHANGE,
    REFUSAL_ERROR,
    REGION_REFUSAL,
    RENEW_OPTION_WHILE_VALID,
    RETURN_COUNTDOWN,
    SELLER_CENTER_RENEWAL,
    STATE_ON_REFUSAL,
    WRONG_REGION,
)
from evergrant_sandbox.switches.notices import (
    ANSWER_401_TO_NOTICE,
    BODY_OF_ANSWER_TO_NOTICE,
    DAILY_WARNING_ZONE,
    NOTICE_AT_EXPIRY,
    NOTICE_ON_DEACTIVATION,
    NOTICE_ON_DEVELOPER_REVOKE,
    PRODUCT_ID_IN_NOTICE,
    SHOP_WEBHOOK,
)
from evergrant_sandbox.switches.seller_center import ROW_ACTION, SELLER_CENTER_MENU
from evergrant_sandbox.switches.signed_api import (
    CONTENT_TYPE_HEADER,
    DEAUTHORIZED_CODE,
    DEAUTHORIZED_STATUS,
    DEVELOPER_REVOKE,
    DEVELOPMENT_SHOP_LIMIT,
    INVALID_API_VERSION,
    MISSING_SHOP_CIPHER,
    MORE_DETAILS_LINK,
    RATE_LIMIT,
    STOCK_STATES,
    UNRECORDED_STATUS,
    ZERO_STOCK,
)
from evergrant_sandbox.switches.switch import Known, Switch
from evergrant_sandbox.switches.tokens import (
    ACCESS_TOKEN_NEAR_THE_END,
    CODE_REUSE,
    CROSS_BORDER_USER_TYPE,
    GRANTED_SCOPES,
    TOKEN_ERROR_DATA,
)

_THEMES: tuple[ModuleType, ...] = (
    link,
    seller_center,
    grants,
    tokens,
    signed_api,
    notices,
    apps,
    development_shops,
    facts,
)

# Every switch there is, theme by theme, in the order in which they are written down.
SWITCHES: dict[str, Switch] = {
    each.name: each for theme in _THEMES for each in vars(theme).values() if isinstance(each, Switch)
}

# Where the wire sheet speaks of a theme; section 8 lists all that is open.
_SECTIONS = {
    link: "1",
    tokens: "2",
    grants: "2.7",
    signed_api: "3",
    notices: "4",
    apps: "5.2",
    seller_center: "5.6",
    development_shops: "5.7",
}
SHEET: dict[str, str] = {
    each.name: _SECTIONS.get(theme, "8")
    for theme in _THEMES
    for each in vars(theme).values()
    if isinstance(each, Switch)
}

__all__ = [
    "ACCESS_TOKEN_NEAR_THE_END",
    "ANSWER_401_TO_NOTICE",
    "AUTHORIZATION_PERIODS",
    "BODY_OF_ANSWER_TO_NOTICE",
    "CODE_LIFE",
    "CODE_REUSE",
    "CONNECTOR_BETA",
    "CONTENT_TYPE_HEADER",
    "CROSS_BORDER_USER_TYPE",
    "DAILY_WARNING_ZONE",
    "DEAUTHORIZED_CODE",
    "DEAUTHORIZED_STATUS",
    "DEVELOPER_REVOKE",
    "DEVELOPMENT_SHOP_LIMIT",
    "END_AFTER_RECONSENT",
    "EXPIRED_TEST_ACCOUNT",
    "EXTRA_CALLBACK_PARAMETERS",
    "GRANTED_SCOPES",
    "INSTALL_BUTTON",
    "INVALID_API_VERSION",
    "MISSING_SHOP_CIPHER",
    "MORE_DETAILS_LINK",
    "NEW_SCOPES_BY_LINK",
    "NOTICE_AT_EXPIRY",
    "NOTICE_ON_DEACTIVATION",
    "NOTICE_ON_DEVELOPER_REVOKE",
    "NOTICE_SCHEDULE",
    "OLD_PAIR_AFTER_RECONSENT",
    "OPEN_ID_PER",
    "PRODUCT_ID_IN_NOTICE",
    "RATE_LIMIT",
    "REDIRECT_URL_CHANGE",
    "REFUSAL_ERROR",
    "REGION_REFUSAL",
    "RENEW_OPTION_WHILE_VALID",
    "RETURN_COUNTDOWN",
    "REVIEW_TAKES",
    "ROW_ACTION",
    "SECRET_ROTATION",
    "SELLER_CENTER_MENU",
    "SELLER_CENTER_RENEWAL",
    "SHEET",
    "SHOP_WEBHOOK",
    "STATE_ON_REFUSAL",
    "STOCK_STATES",
    "SWITCHES",
    "TIMESTAMP_WINDOW",
    "TOKEN_ERROR_DATA",
    "TOKEN_ERROR_STATUS",
    "TOKEN_ROUTES",
    "UNRECORDED_STATUS",
    "WRONG_REGION",
    "ZERO_STOCK",
    "Known",
    "Switch",
    "Switches",
    "UnknownSwitchError",
]


class UnknownSwitchError(ValueError):
    """No such switch, or no such position of it."""


class Switches:
    """The positions of all switches: defaults, and what was set on top of them."""

    def __init__(self, stored: Mapping[str, str]) -> None:
        self._set = {name: position for name, position in stored.items() if name in SWITCHES}

    def of(self, switch: Switch) -> str:
        """The position the switch stands in."""
        return self._set.get(switch.name, switch.default)

    def turn(self, name: str, position: str) -> None:
        """Put a switch into a position.

        Raises:
            UnknownSwitchError: naming the choices there are.
        """
        switch = SWITCHES.get(name)
        if switch is None:
            raise UnknownSwitchError(f"There is no switch {name!r}. There are: {', '.join(SWITCHES)}.")
        if position not in switch.positions:
            raise UnknownSwitchError(f"{name} has no position {position!r}. It has: {', '.join(switch.positions)}.")
        self._set[name] = position

    def back_to_defaults(self) -> None:
        """Forget everything that was set."""
        self._set.clear()
