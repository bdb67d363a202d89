"""Every disputed or unknown behaviour of the platform, by name, with its documented alternatives (wire sheet section 8).

A switch is asked where the behaviour is decided: `switches.of(switches.CODE_REUSE) == "refused"`.
"""

from collections.abc import Mapping
from types import ModuleType

from evergrant_sandbox.switches import facts, grants, link, notices, signed_api, tokens
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
    REFUSAL_ERROR,
    RENEW_OPTION_WHILE_VALID,
    RETURN_COUNTDOWN,
    SELLER_CENTER_RENEWAL,
    STATE_ON_REFUSAL,
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

_THEMES: tuple[ModuleType, ...] = (link, grants, tokens, signed_api, notices, facts)

# Every switch there is, theme by theme, in the order in which they are written down.
SWITCHES: dict[str, Switch] = {
    each.name: each for theme in _THEMES for each in vars(theme).values() if isinstance(each, Switch)
}

__all__ = [
    "ACCESS_TOKEN_NEAR_THE_END",
    "ANSWER_401_TO_NOTICE",
    "AUTHORIZATION_PERIODS",
    "BODY_OF_ANSWER_TO_NOTICE",
    "CODE_LIFE",
    "CODE_REUSE",
    "CONTENT_TYPE_HEADER",
    "CROSS_BORDER_USER_TYPE",
    "DAILY_WARNING_ZONE",
    "DEAUTHORIZED_CODE",
    "DEAUTHORIZED_STATUS",
    "DEVELOPER_REVOKE",
    "DEVELOPMENT_SHOP_LIMIT",
    "END_AFTER_RECONSENT",
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
    "REFUSAL_ERROR",
    "RENEW_OPTION_WHILE_VALID",
    "RETURN_COUNTDOWN",
    "SELLER_CENTER_RENEWAL",
    "SHOP_WEBHOOK",
    "STATE_ON_REFUSAL",
    "STOCK_STATES",
    "SWITCHES",
    "TIMESTAMP_WINDOW",
    "TOKEN_ERROR_DATA",
    "TOKEN_ERROR_STATUS",
    "TOKEN_ROUTES",
    "UNRECORDED_STATUS",
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
