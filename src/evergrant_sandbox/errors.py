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

    def __init__(self, code: Code, *, retry_after: int | None = None, **names: str) -> None:
        self.code = code
        # Seconds, for `Retry-After`.
        self.retry_after = retry_after
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
TOKEN_ADDRESS = _code(
    36009033,
    200,
    "Access denied. Your IP address is not in the IP allow list configured for this app.",
    "official, common errors; from the token host live 2026-09",
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
WRONG_USER_TYPE = _code(
    101000,
    None,
    "Invalid query or header. The 'x-tts-access-token' header belongs to another user_type than this API is for.",
    "official, common errors 2025-12",
)
UNEXPECTED_ASSET_CIPHER = _code(
    36009004,
    None,
    "Unexpected identifier. The 'category_asset_cipher' query parameter is not required for this API.",
    "official, common errors 2025-12",
)
INVALID_SHOP_ID = _code(
    36009004, None, "Invalid identifier. The 'shop_id' query parameter is invalid.", "official, common errors 2025-12"
)
ADDRESS_NOT_ALLOWED = _code(
    36009033,
    None,
    "Access denied. Your IP address is not in the IP allow list configured for this app.",
    "official, common errors 2025-12",
)
MISSING_PARAMETER = _code(36009004, 400, "param {name} is missing", "live, EcomPHP issue 27")
INVALID_PARAMETER = _code(36009004, 400, "param {name} is invalid", "after the live text for a missing one")
INVALID_BODY = _code(36009022, None, "Invalid body format. The request body is not valid JSON.", "official number")
WRONG_CONTENT_TYPE = _code(
    36009022, None, "Invalid body format. The 'content-type' header must be 'application/json'.", "official number"
)
NOT_MULTIPART = _code(
    36009023, None, "Invalid content type. The 'content-type' header must be 'multipart/form-data'.", "official number"
)
FILE_TOO_LARGE = _code(36009021, None, "Invalid file size. The file exceeds the size allowed.", "official number")
INVALID_PATH = _code(36009009, 404, "Invalid path. The requested path does not exist.", "official number")
INVALID_METHOD = _code(36009010, 405, "Invalid method. The path does not support this method.", "official number")
# Two numbers are documented for the same thing; the switch `invalid_api_version` picks.
INVALID_VERSION = _code(
    36009014, None, "The version name is invalid, please check and retry.", "official, second-hand 2026"
)
INVALID_VERSION_OLDER = _code(36009004, None, "Invalid API version.", "official, common errors 2025-12")
TOO_MANY_REQUESTS = _code(36009002, 429, "Too many requests.", "official")
INTERNAL_ERROR = _code(36009003, 500, "Internal error.", "official")

# --- orders

NOT_THIS_SELLERS = _code(21008111, None, "The order does not belong to this seller.", "official, orders")

# --- products; what is official without more is of the pages of 202502 and 202309 as captured 2025-12-03

PRODUCT_PAGE_SIZE = _code(12019109, None, "page size is invalid", "official, products search")
TOO_MANY_SELLER_SKUS = _code(
    12019027, None, "The maximum count of 'seller_skus' in the search filter is 10.", "official, products search"
)
TOO_MANY_SKU_IDS = _code(12019087, None, "The number of SKU IDs exceeds the limit of 10", "official, products search")
CREATE_TIME = _code(12019118, None, "search create time invalid", "official, products search")
UPDATE_TIME = _code(12019119, None, "search update time invalid", "official, products search")
TOO_MANY_PRODUCTS = _code(
    12052180, None, "The total number of search results can not exceed 10000.", "official, products search"
)
SELLER_INACTIVE = _code(12052700, None, "The seller is inactive.", "official, products search and inventory update")
PRODUCT_PARAMETERS = _code(
    12052910,
    None,
    "Invalid input parameters. Refer to the API documentation for details. ({name})",
    "official, products search",
)

# --- stock

PRODUCT_ID = _code(12019008, None, "Product id is invalid", "official, inventory search")
TOO_MANY_STOCK_SKUS = _code(12019015, None, "The number of SKU exceed the limit", "official, inventory search")
TOO_MANY_STOCK_PRODUCTS = _code(
    12019120, None, "The number of provided product IDs exceeds the limit.", "official, inventory search"
)
NO_SUCH_PRODUCT = _code(12052032, None, "The product does not exist", "official, inventory update")
NOT_THIS_SHOPS = _code(
    12052048,
    None,
    "You cannot edit the specified product(s) as it isn't listed in your account or shop.",
    "official, inventory update",
)
SKU_ID_MISSING = _code(12052036, None, "The SKU ID is necessary", "official, inventory update")
SKU_TWICE = _code(12052553, None, "Sku id duplicate", "official, inventory update")
NO_SUCH_SKU = _code(12052556, None, "The SKU id not exist.", "official, inventory update")
PRODUCT_STATUS = _code(
    12052901,
    None,
    "The product in its current status is not available for this operation. Change the product status and try again.",
    "official, inventory update",
)
SKUS_EMPTY = _code(
    12052902,
    None,
    "The SKU list is empty. Either omit the list entirely, or provide all required details.",
    "official, inventory update",
)

# Inside an answer with code 0: what went wrong with one variant, and with one of its warehouses.
CHECK_FAILED = _code(12052990, 200, "Check failed", "official, inventory update")
WAREHOUSES_MISSING = _code(
    12019028,
    200,
    "Multiple warehouses detected. Include all warehouse IDs and the corresponding details and try again.",
    "official, inventory update",
)
NO_SUCH_WAREHOUSE = _code(12052097, 200, "The warehouse does not exist", "official, inventory update")
QUANTITY = _code(
    12052055,
    200,
    "The SKU inventory quantity for the warehouse must be within allowed limits.",
    "official, inventory update",
)
FOREIGN_WAREHOUSE = _code(
    12052530, 200, "The warehouse '{id}' does not belong to this shop/seller.", "official, inventory update"
)
WAREHOUSE_DISABLED = _code(12052531, 200, "The warehouse is disabled.", "official, inventory update")
NO_SALES_WAREHOUSE = _code(12052532, 200, "the warehouse not delivery warehouse", "official, inventory update")
WAREHOUSE_ADDED = _code(
    12052533,
    200,
    "Removal, addition, and change of warehouses are not permitted. Please specify the original warehouses for the SKUs.",
    "official, inventory update",
)

# --- images

IMAGE_MISSING = _code(
    12038002,
    None,
    "Invalid upload file. Please ensure you are passing the correct file data.",
    "official, image upload",
)
IMAGE_FORMAT = _code(
    12038004, None, "Failed to process the image. The format or content is not supported.", "official, image upload"
)
IMAGE_PARAMETER = _code(11050001, None, "invalid param", "official, image upload")
