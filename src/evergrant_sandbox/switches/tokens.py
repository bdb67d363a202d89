"""What is disputed about tokens."""

from evergrant_sandbox.switches.switch import Known, switch

CODE_REUSE = switch(
    "code_reuse",
    Known.UNKNOWN,
    "What a second use of an auth code does besides being refused.",
    {"refused": "nothing else", "revokes": "what the first use gave is revoked (ASVS 10.4.2)"},
)
ACCESS_TOKEN_NEAR_THE_END = switch(
    "access_token_near_the_end",
    Known.UNKNOWN,
    "What access_token_expire_in says when the authorization ends first; it is refused after that end either way.",
    {"full_life": "the full seven days, as every sample has it", "capped": "the end of the authorization"},
)
GRANTED_SCOPES = switch(
    "granted_scopes",
    Known.DISPUTED,
    "Whether token answers list the granted scopes; older ones did not.",
    {"listed": "granted_scopes is there", "missing": "granted_scopes is left out"},
)
CROSS_BORDER_USER_TYPE = switch(
    "cross_border_user_type",
    Known.DISPUTED,
    "The user_type of a cross-border seller.",
    {"0": "0, a seller", "4": "4, as two second-hand readings say", "5": "5, as two second-hand readings say"},
)
TOKEN_ERROR_DATA = switch(
    "token_error_data",
    Known.UNKNOWN,
    "Whether errors of the token host carry `data`.",
    {"omitted": "no data, as the fixtures have it", "null": "data is null"},
)
