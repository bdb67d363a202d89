"""What is disputed about the signed API."""

from evergrant_sandbox.switches.switch import Known, switch

DEAUTHORIZED_CODE = switch(
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
DEAUTHORIZED_STATUS = switch(
    "deauthorized_status",
    Known.UNKNOWN,
    "The HTTP status of that answer.",
    {"401": "401", "403": "403", "200": "200"},
)
UNRECORDED_STATUS = switch(
    "unrecorded_status",
    Known.UNKNOWN,
    "The HTTP status of errors for which nobody recorded one (101000, 106013 and some 36009004).",
    {"400": "400", "401": "401", "200": "200"},
)
MISSING_SHOP_CIPHER = switch(
    "missing_shop_cipher",
    Known.DISPUTED,
    "What a call without shop_cipher gives where it belongs; documents call it required and optional.",
    {"106013": "refused with 106013", "tolerated": "a local seller's only shop is taken"},
)
DEVELOPER_REVOKE = switch(
    "developer_revoke",
    Known.DISPUTED,
    "Whether DELETE /authorization/202403/shops exists; the API file lists it, a reader of the docs says it does not.",
    {"exists": "it ends the authorization", "missing": "36009009, invalid path"},
)
