"""What goes to a platform and what comes back, as values: the dialects make and read these, `net` carries them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from evergrant.core.secret import Secret
from evergrant.core.tokens import TokenPair


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP call. `url` has no query; secrets stay wrapped until the socket. Header names are lower case."""

    method: str
    url: str
    query: tuple[tuple[str, str | Secret], ...] = ()
    headers: tuple[tuple[str, str | Secret], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One whole HTTP answer. `retry_after` is what the header says, in seconds, if it says anything readable."""

    status: int
    body: bytes
    retry_after: float | None = None
    media_type: str = ""


NO_END = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A token pair, and whose it is. `open_id` identifies the authorizing user for this app.

    Where the answer `keeps_refresh` it brought no refresh token: the one that was shown goes on; where it tells no end of
    it either, that is empty too (`NO_END`).
    """

    pair: TokenPair
    open_id: str
    user_type: int
    seller_name: str
    region: str
    scopes: frozenset[str]
    keeps_refresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A successful answer with something in it that cannot be: `fields` says what. `answer` is the whole body.

    What else it brought stands here, None where it cannot be used; `open_id` is empty where it is not told.
    """

    answer: Secret
    fields: tuple[str, ...]
    access: Secret | None
    access_ends: datetime | None
    refresh: Secret | None
    refresh_ends: datetime | None
    open_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A well-formed refusal of the code or token shown. Final: showing it again cannot help."""

    platform_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """The platform asks to wait; what was shown was not used up."""

    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Misconfigured:
    """The app's own credentials are refused; says nothing about any seller."""

    platform_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Not an answer the protocol knows, so whether the platform acted is in doubt. `why` never quotes the body.

    `answered`: it is the platform's own refusal all the same, for a reason nobody knows, and no sign that it is unwell.
    """

    why: str
    answered: bool = False


TokenAnswer = Granted | Suspect | Refused | Throttled | Misconfigured | Unreadable


class Trouble(StrEnum):
    """Why a business call was refused, by what has to be done about it."""

    TOKEN_EXPIRED = "token_expired"  # noqa: S105  (a name, not a password)
    AUTHORIZATION_GONE = "authorization_gone"
    SCOPE_MISSING = "scope_missing"
    WRONG_SHOP = "wrong_shop"
    THROTTLED = "throttled"
    MISCONFIGURED = "misconfigured"
    UNAVAILABLE = "unavailable"
    CLOCK_WRONG = "clock_wrong"
    OUR_MISTAKE = "our_mistake"
    REFUSED = "refused"
    """Understood, and refused for what was asked: the same again is refused again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused:
    """A business call that brought no data. `message` is the platform's, cut and printable, where it tells what is wrong."""

    trouble: Trouble
    platform_code: int | None = None
    wait: timedelta | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a signed call needs beside the app: the token, and the cipher of the shop it is about."""

    token: Secret
    cipher: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call the vendor's own code makes, as it is to reach the platform but for what the hub adds."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswer:
    """What is known of the answer to such a call: why it was refused, if it was, the platform's own id of it, and the body
    as it may leave.
    """

    refused: CallRefused | None
    request_id: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """One variant of a product, as the product tells of it."""

    sku_id: str
    product_id: str
    seller_sku: str
    warehouse_ids: tuple[str, ...]
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One order, product or stock as received. `document` is the platform's own JSON, byte for byte.

    `due_at` is by when the seller promises to ship; an order that `is_cancelled` is known before all else. `wares` are
    what a product sells; None where it is no product, or one whose variants nobody can read.
    """

    id: str
    updated_at: datetime
    document: bytes
    created_at: datetime | None = None
    due_at: datetime | None = None
    is_cancelled: bool = False
    wares: tuple[Ware, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some records, and where the next ones begin; empty when there are no more.

    `unreadable` are the ids, as far as there are any, of rows that are no records. `reached` is the last change behind which
    nothing is missing, where pages come in the order of changes; None where they come in none. `total` is how many the
    platform says there are on all pages, if it says so.
    """

    records: tuple[Record, ...]
    next_token: str
    unreadable: tuple[str, ...] = ()
    reached: datetime | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How many of a variant there shall be in each warehouse; None for a variant that lies in one only."""

    sku_id: str
    quantities: tuple[tuple[str | None, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """How many of a variant are free to sell in each warehouse, and how many of them open orders hold there."""

    level: Level
    committed: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuRefused:
    """A variant whose stock stays as it was. `passes`: for a reason that may pass by itself."""

    platform_code: int
    message: str
    passes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSet:
    """Every variant of a call has its new stock, but those `refused`, by their ids at the platform."""

    refused: Mapping[str, SkuRefused]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice from the platform, read. `ends` comes with the expiry warning only."""

    kind: "NoticeKind"
    type: int
    id: str
    shop_id: str
    at: datetime
    ends: datetime | None = None
    order_id: str = ""


class NoticeKind(StrEnum):
    """What a notice is about. Unknown kinds are kept and shown, never dropped."""

    ORDER_STATUS_CHANGE = "order_status_change"
    SELLER_DEAUTHORIZATION = "seller_deauthorization"
    UPCOMING_AUTHORIZATION_EXPIRATION = "upcoming_authorization_expiration"
    UNKNOWN = "unknown"
