"""What is known: one position each, listed so that nobody has to guess whether they can be turned."""

from evergrant_sandbox.switches.switch import Known, switch

TOKEN_ROUTES = switch(
    "token_routes",
    Known.FACT,
    "Methods of the token host.",
    {"get_only": "GET; everything else is 404 `404 page not found`"},
)
TOKEN_ERROR_STATUS = switch(
    "token_error_status", Known.FACT, "The HTTP status of token errors.", {"200": "200 with a code that is not 0"}
)
CODE_LIFE = switch(
    "code_life", Known.FACT, "The life of an auth code.", {"30m": "30 minutes of platform time, one use"}
)
TIMESTAMP_WINDOW = switch(
    "timestamp_window",
    Known.FACT,
    "Which `timestamp` a signed call may carry.",
    {"-5m..+30s": "five minutes old to thirty seconds ahead of the sandbox's clock"},
)
NOTICE_SCHEDULE = switch(
    "notice_schedule",
    Known.FACT,
    "When a failed notice is tried again.",
    {"2m,30m,3h,12h": "each after the failure before it, then dropped; 3 s to answer"},
)
