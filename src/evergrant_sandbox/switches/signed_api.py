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
RATE_LIMIT = switch(
    "rate_limit",
    Known.DISPUTED,
    "Requests one app may make for one shop and one API; since 2026 the limit is dynamic and no number is given.",
    {"unlimited": "none; a 429 can be set as a fault", "50_per_second": "50 a second, as the page of 2025 had it"},
)
DEVELOPMENT_SHOP_LIMIT = switch(
    "development_shop_limit",
    Known.DISPUTED,
    "Calls an hour for the shop of a test account; two notices of the platform name two numbers.",
    {"unlimited": "none", "100_per_hour": "100", "1000_per_hour": "1000"},
)
CONTENT_TYPE_HEADER = switch(
    "content_type_header",
    Known.UNKNOWN,
    "What a call without `content-type: application/json` gives; it is documented as required, also on GET.",
    {"tolerated": "nothing happens", "required": "36009022"},
)
INVALID_API_VERSION = switch(
    "invalid_api_version",
    Known.DISPUTED,
    "What a known path in a version that does not exist answers.",
    {
        "36009014": "36009014, as read in 2026",
        "36009004": "36009004, as the table of 2025 has it",
        "36009009": "36009009, invalid path",
    },
)
ZERO_STOCK = switch(
    "zero_stock",
    Known.UNKNOWN,
    "Whether a stock of 0 can be set; the documents say 1 to 99,999, and sellers must be able to sell out.",
    {"accepted": "it is set", "refused": "12052055 among the errors"},
)
STOCK_STATES = switch(
    "stock_states",
    Known.DISPUTED,
    "Whose stock can be set; the API file of 2026 and the page of 2025 differ.",
    {"all_but_frozen": "any product but FREEZE and DELETED", "active_only": "ACTIVATE only"},
)
MORE_DETAILS_LINK = switch(
    "more_details_link",
    Known.DISPUTED,
    "Whether messages of the API host end in a link; live ones do, documented ones do not.",
    {"missing": "as documented", "added": "`For more details:` and a short link"},
)
