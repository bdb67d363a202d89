"""Every disputed or unknown behaviour of the platform, by name, with its documented alternatives (wire sheet section 8).

A switch is asked where the behaviour is decided: `switches.of(switches.CODE_REUSE) == "refused"`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Known(StrEnum):
    """How sure anybody is of a behaviour."""

    FACT = "fact"
    UNKNOWN = "unknown"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One behaviour: what it is about, how sure it is, and what each position does. The first position is the default."""

    name: str
    about: str
    known: Known
    positions: Mapping[str, str]

    @property
    def default(self) -> str:
        """The position in which a fresh world stands."""
        return next(iter(self.positions))


def _switch(name: str, known: Known, about: str, positions: Mapping[str, str]) -> Switch:
    return Switch(name=name, about=about, known=known, positions=positions)


# --- the authorization link and its callback

REFUSAL_ERROR = _switch(
    "refusal_error",
    Known.DISPUTED,
    "The word in `error` when the seller discards; two official pages differ.",
    {
        "auth_denied": "error=auth_denied, as the authorization guide has it",
        "access_denied": "error=access_denied, as the changelog of May 2024 has it",
    },
)
STATE_ON_REFUSAL = _switch(
    "state_on_refusal",
    Known.UNKNOWN,
    "Whether `state` comes back when the seller discards.",
    {"returned": "state is echoed as on success", "dropped": "no state comes back"},
)
EXTRA_CALLBACK_PARAMETERS = _switch(
    "extra_callback_parameters",
    Known.UNKNOWN,
    "Whether the callback carries more than code and state; seen in the field, on no documentation page.",
    {"off": "code and state only", "on": "app_key, locale and shop_region as well"},
)
INSTALL_BUTTON = _switch(
    "install_button",
    Known.DISPUTED,
    "The letter case of the form's button; EcomSend and Pipe17 write it differently.",
    {"Confirm to Install": "as EcomSend writes it (S0)", "Confirm to install": "as Pipe17 writes it (S1)"},
)
RETURN_COUNTDOWN = _switch(
    "return_countdown",
    Known.DISPUTED,
    "What the seller sees between Authorize and the app: some guides show a countdown.",
    {
        "off": "an immediate redirect",
        "3s": "a page that counts three seconds and then goes on",
        "10s": "a page that counts ten seconds and then goes on",
    },
)
AUTHORIZATION_PERIODS = _switch(
    "authorization_periods",
    Known.UNKNOWN,
    "The list of periods a seller may choose from, in days; no source has the list.",
    {
        "30,90,180,365": "a month to a year",
        "90": "ninety days only, as one connector's help says",
        "365": "a year only, the longest in another's",
        "30,90,180,365,36135": "and 99 years, as live samples from Europe and Asia compute",
    },
)
RENEW_OPTION_WHILE_VALID = _switch(
    "renew_option_while_valid",
    Known.DISPUTED,
    'Whether "Re-authorize only" is offered while the authorization is valid, not ending soon and complete.',
    {"absent": "it is missing, as Pipe17's troubleshooting says", "offered": "it is always there on a renewal"},
)
SELLER_CENTER_RENEWAL = _switch(
    "seller_center_renewal",
    Known.DISPUTED,
    "Where a renewal made in Seller Center ends; sources conflict.",
    {
        "stays": "back on My apps and incidents, the app is not called (Pipe17)",
        "calls_back": "at the Redirect URL with a code and no state (EcomSend, AfterShip, Zetpy)",
    },
)

# --- the grant

OPEN_ID_PER = _switch(
    "open_id_per",
    Known.UNKNOWN,
    "What an open_id identifies for one app.",
    {"seller": "the seller: two shops of one seller share it", "grant": "the authorization: each has its own"},
)
END_AFTER_RECONSENT = _switch(
    "end_after_reconsent",
    Known.UNKNOWN,
    "Where a consent puts the end of an authorization that is still running.",
    {
        "from_consent": "at the moment of consent plus the chosen period",
        "added": "at the old end plus the chosen period",
        "unchanged": "where it was, as two weak samples suggest",
    },
)
NEW_SCOPES_BY_LINK = _switch(
    "new_scopes_by_link",
    Known.DISPUTED,
    "Whether a renewal through the app's own link brings scopes the app asked for since.",
    {"carried": "yes, as the documentation reads", "kept_back": "no, as one production case saw"},
)
OLD_PAIR_AFTER_RECONSENT = _switch(
    "old_pair_after_reconsent",
    Known.UNKNOWN,
    "What becomes of the pair at hand when the seller consents again.",
    {
        "refused_at_exchange": "it lives until the new code is exchanged",
        "refused_at_consent": "it dies when the seller consents",
        "kept": "it lives on beside the new one",
    },
)

# --- tokens

CODE_REUSE = _switch(
    "code_reuse",
    Known.UNKNOWN,
    "What a second use of an auth code does besides being refused.",
    {"refused": "nothing else", "revokes": "what the first use gave is revoked (ASVS 10.4.2)"},
)
ACCESS_TOKEN_NEAR_THE_END = _switch(
    "access_token_near_the_end",
    Known.UNKNOWN,
    "What access_token_expire_in says when the authorization ends first; it is refused after that end either way.",
    {"full_life": "the full seven days, as every sample has it", "capped": "the end of the authorization"},
)
GRANTED_SCOPES = _switch(
    "granted_scopes",
    Known.DISPUTED,
    "Whether token answers list the granted scopes; older ones did not.",
    {"listed": "granted_scopes is there", "missing": "granted_scopes is left out"},
)
CROSS_BORDER_USER_TYPE = _switch(
    "cross_border_user_type",
    Known.DISPUTED,
    "The user_type of a cross-border seller.",
    {"0": "0, a seller", "4": "4, as two second-hand readings say", "5": "5, as two second-hand readings say"},
)
TOKEN_ERROR_DATA = _switch(
    "token_error_data",
    Known.UNKNOWN,
    "Whether errors of the token host carry `data`.",
    {"omitted": "no data, as the fixtures have it", "null": "data is null"},
)

# --- the signed API

DEAUTHORIZED_CODE = _switch(
    "deauthorized_code",
    Known.UNKNOWN,
    "What a deauthorized seller's token answers; 105001 is documented for creators.",
    {
        "105001": "access token is invalid; detail:your token has been deauthorized",
        "105002": "as if it had expired",
        "36009004": "as if it were malformed",
        "101000": "as if it did not fit the call",
    },
)
DEAUTHORIZED_STATUS = _switch(
    "deauthorized_status",
    Known.UNKNOWN,
    "The HTTP status of that answer.",
    {"401": "401", "403": "403", "200": "200"},
)
UNRECORDED_STATUS = _switch(
    "unrecorded_status",
    Known.UNKNOWN,
    "The HTTP status of errors for which nobody recorded one (101000, 106013 and some 36009004).",
    {"400": "400", "401": "401", "200": "200"},
)
MISSING_SHOP_CIPHER = _switch(
    "missing_shop_cipher",
    Known.DISPUTED,
    "What a call without shop_cipher gives where it belongs; documents call it required and optional.",
    {"106013": "refused with 106013", "tolerated": "a local seller's only shop is taken"},
)
DEVELOPER_REVOKE = _switch(
    "developer_revoke",
    Known.DISPUTED,
    "Whether DELETE /authorization/202403/shops exists; the API file lists it, a reader of the docs says it does not.",
    {"exists": "it ends the authorization", "missing": "36009009, invalid path"},
)

# --- notices

NOTICE_AT_EXPIRY = _switch(
    "notice_at_expiry",
    Known.UNKNOWN,
    "Whether the natural end of an authorization sends notice 6.",
    {"off": "nothing is sent", "on": "notice 6 at the end"},
)
NOTICE_ON_DEVELOPER_REVOKE = _switch(
    "notice_on_developer_revoke",
    Known.UNKNOWN,
    "Whether the developer's own revoke sends notice 6.",
    {"on": "notice 6", "off": "nothing is sent"},
)
NOTICE_ON_DEACTIVATION = _switch(
    "notice_on_deactivation",
    Known.UNKNOWN,
    "Whether an authorization the platform deactivates sends notice 6.",
    {"on": "notice 6", "off": "nothing is sent"},
)
DAILY_WARNING_ZONE = _switch(
    "daily_warning_zone",
    Known.UNKNOWN,
    'The zone of "daily at 0:00" in notice 7.',
    {"UTC": "UTC", "UTC+8": "eight hours ahead of UTC", "UTC-8": "eight hours behind UTC"},
)
ANSWER_401_TO_NOTICE = _switch(
    "answer_401_to_notice",
    Known.DISPUTED,
    'Whether a 401 ends the attempts; the page calls it an "acceptable response" and says no more.',
    {"accepted": "delivered", "retried": "tried again"},
)

# --- facts: one position each, listed so that nobody has to guess whether they can be turned

TOKEN_ROUTES = _switch(
    "token_routes",
    Known.FACT,
    "Methods of the token host.",
    {"get_only": "GET; everything else is 404 `404 page not found`"},
)
TOKEN_ERROR_STATUS = _switch(
    "token_error_status", Known.FACT, "The HTTP status of token errors.", {"200": "200 with a code that is not 0"}
)
CODE_LIFE = _switch(
    "code_life", Known.FACT, "The life of an auth code.", {"30m": "30 minutes of platform time, one use"}
)
TIMESTAMP_WINDOW = _switch(
    "timestamp_window",
    Known.FACT,
    "Which `timestamp` a signed call may carry.",
    {"-5m..+30s": "five minutes old to thirty seconds ahead of the sandbox's clock"},
)
NOTICE_SCHEDULE = _switch(
    "notice_schedule",
    Known.FACT,
    "When a failed notice is tried again.",
    {"2m,30m,3h,12h": "each after the failure before it, then dropped; 3 s to answer"},
)

SWITCHES: dict[str, Switch] = {
    switch.name: switch
    for switch in (
        REFUSAL_ERROR,
        STATE_ON_REFUSAL,
        EXTRA_CALLBACK_PARAMETERS,
        INSTALL_BUTTON,
        RETURN_COUNTDOWN,
        AUTHORIZATION_PERIODS,
        RENEW_OPTION_WHILE_VALID,
        SELLER_CENTER_RENEWAL,
        OPEN_ID_PER,
        END_AFTER_RECONSENT,
        NEW_SCOPES_BY_LINK,
        OLD_PAIR_AFTER_RECONSENT,
        CODE_REUSE,
        ACCESS_TOKEN_NEAR_THE_END,
        GRANTED_SCOPES,
        CROSS_BORDER_USER_TYPE,
        TOKEN_ERROR_DATA,
        DEAUTHORIZED_CODE,
        DEAUTHORIZED_STATUS,
        UNRECORDED_STATUS,
        MISSING_SHOP_CIPHER,
        DEVELOPER_REVOKE,
        NOTICE_AT_EXPIRY,
        NOTICE_ON_DEVELOPER_REVOKE,
        NOTICE_ON_DEACTIVATION,
        DAILY_WARNING_ZONE,
        ANSWER_401_TO_NOTICE,
        TOKEN_ROUTES,
        TOKEN_ERROR_STATUS,
        CODE_LIFE,
        TIMESTAMP_WINDOW,
        NOTICE_SCHEDULE,
    )
}


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
