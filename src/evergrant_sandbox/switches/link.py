"""What is disputed about the authorization link and its callback."""

from evergrant_sandbox.switches.switch import Known, switch

REFUSAL_ERROR = switch(
    "refusal_error",
    Known.DISPUTED,
    "The word in `error` when the seller discards; two official pages differ.",
    {
        "auth_denied": "error=auth_denied, as the authorization guide has it",
        "access_denied": "error=access_denied, as the changelog of May 2024 has it",
    },
)
STATE_ON_REFUSAL = switch(
    "state_on_refusal",
    Known.UNKNOWN,
    "Whether `state` comes back when the seller discards.",
    {"returned": "state is echoed as on success", "dropped": "no state comes back"},
)
EXTRA_CALLBACK_PARAMETERS = switch(
    "extra_callback_parameters",
    Known.UNKNOWN,
    "Whether the callback carries more than code and state; seen in the field, on no documentation page.",
    {"off": "code and state only", "on": "app_key, locale and shop_region as well"},
)
INSTALL_BUTTON = switch(
    "install_button",
    Known.DISPUTED,
    "The letter case of the form's button; EcomSend and Pipe17 write it differently.",
    {"Confirm to Install": "as EcomSend writes it (S0)", "Confirm to install": "as Pipe17 writes it (S1)"},
)
RETURN_COUNTDOWN = switch(
    "return_countdown",
    Known.DISPUTED,
    "What the seller sees between Authorize and the app: some guides show a countdown.",
    {
        "off": "an immediate redirect",
        "3s": "a page that counts three seconds and then goes on",
        "10s": "a page that counts ten seconds and then goes on",
    },
)
AUTHORIZATION_PERIODS = switch(
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
RENEW_OPTION_WHILE_VALID = switch(
    "renew_option_while_valid",
    Known.DISPUTED,
    'Whether "Re-authorize only" is offered while the authorization is valid, not ending soon and complete.',
    {"absent": "it is missing, as Pipe17's troubleshooting says", "offered": "it is always there on a renewal"},
)
SELLER_CENTER_RENEWAL = switch(
    "seller_center_renewal",
    Known.DISPUTED,
    "Where a renewal made in Seller Center ends; sources conflict.",
    {
        "stays": "back on My apps and incidents, the app is not called (Pipe17)",
        "calls_back": "at the Redirect URL with a code and no state (EcomSend, AfterShip, Zetpy)",
    },
)
REGION_REFUSAL = switch(
    "region_refusal",
    Known.UNKNOWN,
    "What a seller reads whose region an app is not for; three titles of the FAQ index fit, their answers are not public.",
    {
        "auth_state_inactive": "`auth state is inactive; detail:…our region restriction.` and error code 105004",
        "account_region": "`No authorization permission for your account region`",
        "no_permission": "`No permission`",
    },
)
WRONG_REGION = switch(
    "wrong_region",
    Known.UNKNOWN,
    'What becomes of a seller who clicked "Next" under a region that is not the account\'s.',
    {
        "refused": "refused with `No authorization permission for your account region`, and may choose again",
        "ignored": "the account decides, the click does not matter",
    },
)
REDIRECT_URL_CHANGE = switch(
    "redirect_url_change",
    Known.UNKNOWN,
    'When a changed Redirect URL counts; the FAQ index says only that it "does not take effect at once".',
    {
        "at_once": "from the next click on Authorize or Discard",
        "next_walk": "from the next time the link is opened; who is on the way returns to the old one",
    },
)
