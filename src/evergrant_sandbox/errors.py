"""The platform's error codes as a table: number, HTTP status, sentence, and where each was read (wire sheet 2.5, 3.7)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One way the platform says no."""

    number: int
    # None: nobody recorded it; the switch `unrecorded_status` decides.
    status: int | None
    message: str
    source: str


class RefusalError(Exception):
    """The platform refuses a call; carries what its envelope will say."""

    def __init__(self, code: Code, **names: str) -> None:
        self.code = code
        self.message = code.message.format(**names) if names else code.message
        super().__init__(self.message)


def _code(number: int, status: int | None, message: str, source: str) -> Code:
    return Code(number=number, status=status, message=message, source=source)


# --- token host: HTTP 200 whatever happens

INVALID_AUTH_CODE = _code(36004004, 200, "invalid auth code", "live 2026-09")
NO_AUTH_RECORD = _code(36004005, 200, "can not find related auth record", "live; EcomPHP pull request 15")
REFRESH_TOKEN_EXPIRED = _code(36004001, 200, "rt has expired", "official FAQ index, 2026-09")
# What the token host says to a wrong key, secret or grant type is unknown; the family is the documented one.
TOKEN_APP_KEY = _code(
    36009004, 200, "Invalid credentials. The 'app_key' query parameter is invalid.", "inferred from the API host"
)
TOKEN_APP_SECRET = _code(
    36009004, 200, "Invalid credentials. The 'app_secret' query parameter is invalid.", "inferred from the API host"
)
TOKEN_MISSING = _code(
    36009004, 200, "Missing parameter. The '{name}' query parameter is required.", "inferred from the API host"
)
TOKEN_GRANT_TYPE = _code(
    36009004, 200, "Invalid parameter. The 'grant_type' query parameter must be '{wanted}'.", "inferred"
)

# --- signed API

MISSING_SIGN = _code(
    36009004, None, "Missing credentials. The 'sign' query parameter is required.", "official, common errors 2025-12"
)
INVALID_SIGN = _code(106001, 401, "Invalid credentials. The 'sign' query parameter is invalid.", "live, two sources")
INVALID_APP_KEY = _code(
    36009004, 400, "Invalid credentials. The 'app_key' query parameter is invalid.", "live; official text"
)
MISSING_TIMESTAMP = _code(
    36009004, None, "Missing parameter. The 'timestamp' query parameter is required.", "inferred from common errors"
)
NEGATIVE_TIMESTAMP = _code(
    36009004, None, "Invalid timestamp. The 'timestamp' query parameter must be a positive number.", "official text"
)
OLD_TIMESTAMP = _code(
    36009004,
    None,
    "Invalid timestamp. The 'timestamp' query parameter is earlier than 5 minutes before the current time.",
    "official text",
)
AHEAD_TIMESTAMP = _code(
    36009004,
    None,
    "Invalid timestamp. The 'timestamp' query parameter is more than 30 seconds ahead of the current time.",
    "official text",
)
MISSING_TOKEN = _code(
    36009004, None, "Missing credentials. The 'x-tts-access-token' header is required.", "inferred from common errors"
)
INVALID_TOKEN = _code(
    36009004, None, "Invalid credentials. The 'x-tts-access-token' header is invalid.", "official text"
)
INVALID_QUERY_TOKEN = _code(
    36009004, None, "Invalid credentials. The 'access_token' query parameter is invalid.", "official text"
)
EXPIRED_TOKEN = _code(
    105002, 401, "Expired credentials. The 'x-tts-access-token' header has expired.", "official; 401 one source"
)
DEAUTHORIZED = _code(
    105001, None, "access token is invalid; detail:your token has been deauthorized", "official, creator guide 2025-12"
)
MISSING_SCOPE = _code(
    105005,
    401,
    "Access denied. The application or access token does not have the required scope to access this API.",
    "official changelog 2024-05",
)
MISMATCH = _code(
    101000,
    None,
    "Invalid query or header. The 'shop_cipher' query parameter does not match the 'x-tts-access-token' header.",
    "official, common errors 2025-12",
)
MISSING_CIPHER = _code(
    106013,
    None,
    "Missing identifier. The 'shop_cipher' query parameter is required.",
    "official, common errors 2025-12",
)
UNEXPECTED_CIPHER = _code(
    36009004,
    None,
    "Unexpected identifier. The 'shop_cipher' query parameter is not required for this API.",
    "official, common errors 2025-12",
)
MISSING_PARAMETER = _code(36009004, 400, "param {name} is missing", "live, EcomPHP issue 27")
INVALID_PARAMETER = _code(36009004, 400, "param {name} is invalid", "after the live text for a missing one")
INVALID_BODY = _code(36009022, None, "Invalid body format. The request body is not valid JSON.", "official number")
INVALID_PATH = _code(36009009, 404, "Invalid path. The requested path does not exist.", "official number")
INVALID_METHOD = _code(36009010, 405, "Invalid method. The path does not support this method.", "official number")
TOO_MANY_REQUESTS = _code(36009002, 429, "Too many requests.", "official")
INTERNAL_ERROR = _code(36009003, 500, "Internal error.", "official")

# --- orders and products

PRODUCT_PAGE_SIZE = _code(12019109, None, "The page size must be between 1 and 100.", "official, products search")
TOO_MANY_FILTERS = _code(12019087, None, "At most 10 values may be given for '{name}'.", "official, products search")
TOO_MANY_PRODUCTS = _code(
    12052180, None, "At most 10,000 products can be returned. Narrow the time range.", "official, products search"
)
NOT_THIS_SELLERS = _code(21008111, None, "The order does not belong to this seller.", "official, orders")
