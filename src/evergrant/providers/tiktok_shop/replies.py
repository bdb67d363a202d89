"""TikTok Shop's answers and notices, read into values. "Success is `code == 0`, not the HTTP status" (wire sheet 2.3)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from evergrant.core import flows
from evergrant.core.connection import Shop
from evergrant.providers.tiktok_shop import instants, pairs
from evergrant.providers.wire import (
    CallRefused,
    Misconfigured,
    Notice,
    NoticeKind,
    Page,
    Record,
    Refused,
    Reply,
    Throttled,
    TokenAnswer,
    Trouble,
    Unreadable,
)

DEFAULT_WAIT = timedelta(seconds=5)
SHORTEST_WAIT = timedelta(seconds=1)
"""`Retry-After: 0`, or a date that is past, is no invitation to ask without end."""
LONGEST_WAIT = timedelta(hours=1)
LONGEST_ID = 128
REPLACEMENT = "\ufffd"
HIGH, LOW = (b"d8", b"d9", b"da", b"db"), (b"dc", b"dd", b"de", b"df")
"""How the two halves of a character begin that JSON writes as a pair."""

THROTTLE_CODES = frozenset({36009002})
REFUSAL_CODES = frozenset({36004001, 36004004, 36004005})
"""Refresh token expired, code invalid, no such authorization: "never retry in a loop" (2.5)."""
APP_CODES = frozenset({36009004, 36009033})
"""The `36009004` family names the app key; `36009033` is an address missing from the app's allow list (2.5)."""

TROUBLES: Mapping[int, Trouble] = {
    105001: Trouble.AUTHORIZATION_GONE,
    105002: Trouble.TOKEN_EXPIRED,
    105005: Trouble.SCOPE_MISSING,
    101000: Trouble.WRONG_SHOP,
    106001: Trouble.MISCONFIGURED,
    106013: Trouble.OUR_MISTAKE,
    36009002: Trouble.THROTTLED,
    36009003: Trouble.UNAVAILABLE,
    36009004: Trouble.OUR_MISTAKE,
    36009007: Trouble.UNAVAILABLE,
    36009009: Trouble.OUR_MISTAKE,
    36009010: Trouble.OUR_MISTAKE,
    36009014: Trouble.OUR_MISTAKE,
    36009033: Trouble.MISCONFIGURED,
}
"""What each documented code asks for (3.7). A signature that is suddenly refused is an app secret that was changed."""

KEYWORDS: tuple[tuple[str, Trouble], ...] = (
    ("access-token", Trouble.AUTHORIZATION_GONE),
    ("access_token", Trouble.AUTHORIZATION_GONE),
    ("app_key", Trouble.MISCONFIGURED),
    ("timestamp", Trouble.CLOCK_WRONG),
)
"""`36009004` is "reused for many things, so read the message too" (3.7)."""

NOTICE_KINDS: Mapping[int, NoticeKind] = {
    1: NoticeKind.ORDER_STATUS_CHANGE,
    6: NoticeKind.SELLER_DEAUTHORIZATION,
    7: NoticeKind.UPCOMING_AUTHORIZATION_EXPIRATION,
}
"""6 and 7 are the official numbers; a secondary source says 5 and 8 (4.5, requirements section 7)."""


class _Envelope(msgspec.Struct):
    code: int
    message: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Shop(msgspec.Struct):
    id: str
    cipher: str
    name: str = ""
    region: str = ""
    seller_type: str = ""
    code: str = ""


class _Shops(msgspec.Struct):
    shops: list[_Shop] = msgspec.field(default_factory=list)


class _Orders(msgspec.Struct):
    orders: list[msgspec.Raw] = msgspec.field(default_factory=list)
    next_page_token: str | None = None


class _Products(msgspec.Struct):
    products: list[msgspec.Raw] = msgspec.field(default_factory=list)
    next_page_token: str | None = None


class _Row(msgspec.Struct):
    id: str
    update_time: int = 0
    create_time: int = 0


class _Notice(msgspec.Struct):
    type: int
    timestamp: int
    shop_id: str | int = ""
    tts_notification_id: str | int = ""
    data: Any = None


def read_tokens(reply: Reply, now: datetime) -> TokenAnswer:
    """The answer to an exchange or a refresh (2.3, 2.5), classed by what may be done next."""
    envelope = _envelope(reply)
    if isinstance(envelope, Unreadable):
        return _throttled(reply) if reply.status == 429 else envelope
    if envelope.code in THROTTLE_CODES or reply.status == 429:
        return _throttled(reply)
    if envelope.code in REFUSAL_CODES:
        return Refused(platform_code=envelope.code)
    if envelope.code in APP_CODES:
        return Misconfigured(platform_code=envelope.code)
    if envelope.code != 0:
        is_well = reply.status < 500 and TROUBLES.get(envelope.code) is not Trouble.UNAVAILABLE
        return Unreadable(why=f"code {envelope.code}, HTTP {reply.status}", answered=is_well)
    try:
        data = msgspec.json.decode(envelope.data)
    except (msgspec.MsgspecError, ValueError):
        data = None
    if not isinstance(data, dict) or not data:
        return Unreadable(why="a successful answer without tokens")
    return pairs.read(data, reply.body, now)


def read_shops(reply: Reply) -> tuple[Shop, ...] | CallRefused:
    """The shops of a grant (3.4). The call names no shop, so that where nothing fits it is the token (3.7)."""
    envelope = _envelope(reply)
    if isinstance(envelope, Unreadable) or envelope.code != 0:
        refused = _call_refused(reply, envelope)
        return (
            replace(refused, trouble=Trouble.AUTHORIZATION_GONE) if refused.trouble is Trouble.WRONG_SHOP else refused
        )
    try:
        found = msgspec.json.decode(envelope.data, type=_Shops)
    except msgspec.MsgspecError:
        return CallRefused(trouble=Trouble.UNAVAILABLE)
    return tuple(
        Shop(
            id=shop.id,
            name=shop.name,
            region=shop.region,
            cipher=shop.cipher,
            seller_type=shop.seller_type,
            code=shop.code,
        )
        for shop in found.shops
    )


def read_page(kind: flows.Kind, reply: Reply) -> Page | CallRefused:
    """One page of orders or products (6.1, 6.2). Each record keeps the platform's own bytes.

    A row nobody can read costs itself, not its page. Orders are asked for oldest change first; products cannot be sorted.
    """
    envelope = _envelope(reply)
    if isinstance(
        envelope, Unreadable
    ):  # half a character is no JSON; it costs its row, if it is in the id, and no more
        envelope = _envelope(replace(reply, body=_mended(reply.body)))
    if isinstance(envelope, Unreadable) or envelope.code != 0:
        return _call_refused(reply, envelope)
    try:
        if kind is flows.Kind.ORDERS:
            orders = msgspec.json.decode(envelope.data, type=_Orders)
            page = _page(orders.orders, orders.next_page_token)
            changes = [record.updated_at for record in page.records]
            return replace(page, reached=changes[-1]) if changes and changes == sorted(changes) else page
        products = msgspec.json.decode(envelope.data, type=_Products)
        return _page(products.products, products.next_page_token)
    except (msgspec.MsgspecError, ValueError):
        return CallRefused(trouble=Trouble.UNAVAILABLE)


def _page(rows: list[msgspec.Raw], next_token: str | None) -> Page:
    read = [_record(raw) for raw in rows]
    return Page(
        records=tuple(record for record in read if isinstance(record, Record)),
        next_token=next_token or "",
        unreadable=tuple(found for found in read if isinstance(found, str)),
    )


def _record(raw: msgspec.Raw) -> Record | str:
    """The record, or the id of what is none, if a person can read it."""
    try:
        row = msgspec.json.decode(raw, type=_Row)
        at = instants.instant(row.update_time or row.create_time)
    except (msgspec.MsgspecError, ValueError):
        return _readable_id(raw)
    return Record(id=row.id, updated_at=at, document=bytes(raw)) if _is_id(row.id) else _readable_id(raw)


def _readable_id(raw: msgspec.Raw) -> str:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError):
        return ""
    named = found.get("id", "") if isinstance(found, dict) else ""
    text = str(named) if isinstance(named, str | int) else ""
    return text if _is_id(text) and text.isprintable() else ""


def _is_id(text: str) -> bool:
    """Whether it is an id that a database keeps."""
    return 0 < len(text) <= LONGEST_ID and "\0" not in text and REPLACEMENT not in text


def _mended(body: bytes) -> bytes:
    """The answer with every lone half of a character replaced, and every other byte as it was."""
    return b"\\\\".join(_mended_escapes(part) for part in body.split(b"\\\\"))


def _mended_escapes(part: bytes) -> bytes:
    first, *escapes = part.split(b"\\u")
    mended, is_open = [first], False
    for escape, after in zip(escapes, [*escapes[1:], b""], strict=False):
        begins = escape[:2].lower()
        is_whole = is_open or begins not in HIGH + LOW
        is_open = not is_open and begins in HIGH and len(escape) == 4 and after[:2].lower() in LOW
        mended.append(escape if is_whole or is_open else b"fffd" + escape[4:])
    return b"\\u".join(mended)


def read_notice(body: bytes) -> Notice:
    """A notice whose signature held (4.3, 4.4). Parsed leniently: "numbers and strings are mixed even inside docs".

    Raises:
        ValueError: the bytes are no notice at all.
    """
    try:
        found = msgspec.json.decode(body, type=_Notice)
    except msgspec.MsgspecError as error:
        raise ValueError("not a notice") from error
    data = found.data if isinstance(found.data, dict) else {}
    return Notice(
        kind=NOTICE_KINDS.get(found.type, NoticeKind.UNKNOWN),
        type=found.type,
        id=str(found.tts_notification_id),
        shop_id=str(found.shop_id),
        at=instants.instant(found.timestamp),
        ends=_end_in(data),
        order_id=str(data.get("order_id", "")),
    )


def _end_in(data: dict[str, Any]) -> datetime | None:
    """`data.expiration_time` is "Unix seconds as a string" (4.4)."""
    value = data.get("expiration_time")
    if not isinstance(value, str | int) or not str(value).isdigit():
        return None
    return instants.instant(int(value))


def _envelope(reply: Reply) -> _Envelope | Unreadable:
    try:
        return msgspec.json.decode(reply.body, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Unreadable(why=f"not the platform's envelope, HTTP {reply.status}, {len(reply.body)} bytes")


def _wait(reply: Reply) -> timedelta:
    if reply.retry_after is None:
        return DEFAULT_WAIT
    return timedelta(seconds=min(max(reply.retry_after, SHORTEST_WAIT.total_seconds()), LONGEST_WAIT.total_seconds()))


def _throttled(reply: Reply) -> Throttled:
    return Throttled(wait=_wait(reply))


def _call_refused(reply: Reply, envelope: _Envelope | Unreadable) -> CallRefused:
    if isinstance(envelope, Unreadable):
        throttled = reply.status == 429
        return (
            CallRefused(trouble=Trouble.THROTTLED, wait=_wait(reply))
            if throttled
            else CallRefused(trouble=Trouble.UNAVAILABLE)
        )
    trouble = Trouble.THROTTLED if reply.status == 429 else TROUBLES.get(envelope.code, Trouble.UNAVAILABLE)
    if envelope.code == 36009004:
        message = envelope.message.lower()
        trouble = next((kind for word, kind in KEYWORDS if word in message), trouble)
    wait = _wait(reply) if trouble is Trouble.THROTTLED else None
    return CallRefused(trouble=trouble, platform_code=envelope.code, wait=wait)
