"""TikTok Shop's answers and notices, read into values. "Success is `code == 0`, not the HTTP status" (wire sheet 2.3)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from evergrant.core.connection import Shop
from evergrant.providers.tiktok_shop import envelope, instants, pairs
from evergrant.providers.wire import (
    CallRefused,
    Misconfigured,
    Notice,
    NoticeKind,
    Refused,
    Reply,
    TokenAnswer,
    Trouble,
    Unreadable,
)

THROTTLE_CODES = frozenset({36009002})
REFUSAL_CODES = frozenset({36004001, 36004004, 36004005})
"""Refresh token expired, code invalid, no such authorization: "never retry in a loop" (2.5)."""
APP_CODES = frozenset({36009004, 36009033})
"""The `36009004` family names the app key; `36009033` is an address missing from the app's allow list (2.5)."""

NOTICE_KINDS: Mapping[int, NoticeKind] = {
    1: NoticeKind.ORDER_STATUS_CHANGE,
    6: NoticeKind.SELLER_DEAUTHORIZATION,
    7: NoticeKind.UPCOMING_AUTHORIZATION_EXPIRATION,
}
"""6 and 7 are the official numbers; a secondary source says 5 and 8 (4.5, requirements section 7)."""


class _Shop(msgspec.Struct):
    id: str
    cipher: str
    name: str = ""
    region: str = ""
    seller_type: str = ""
    code: str = ""


class _Shops(msgspec.Struct):
    shops: list[_Shop] = msgspec.field(default_factory=list)


class _Notice(msgspec.Struct):
    type: int
    timestamp: int
    shop_id: str | int = ""
    tts_notification_id: str | int = ""
    data: Any = None


def read_tokens(reply: Reply, now: datetime) -> TokenAnswer:
    """The answer to an exchange or a refresh (2.3, 2.5), classed by what may be done next."""
    opened = envelope.opened(reply)
    if isinstance(opened, Unreadable):
        return envelope.throttled(reply) if reply.status == 429 else opened
    if opened.code in THROTTLE_CODES or reply.status == 429:
        return envelope.throttled(reply)
    if opened.code in REFUSAL_CODES:
        return Refused(platform_code=opened.code)
    if opened.code in APP_CODES:
        return Misconfigured(platform_code=opened.code)
    if opened.code != 0:
        is_well = reply.status < 500 and envelope.TROUBLES.get(opened.code) is not Trouble.UNAVAILABLE
        return Unreadable(why=f"code {opened.code}, HTTP {reply.status}", answered=is_well)
    try:
        data = msgspec.json.decode(opened.data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not data:
        return Unreadable(why="a successful answer without tokens")
    return pairs.read(data, reply.body, now)


def read_shops(reply: Reply) -> tuple[Shop, ...] | CallRefused:
    """The shops of a grant (3.4). The call names no shop, so that where nothing fits it is the token (3.7)."""
    opened = envelope.opened(reply)
    if isinstance(opened, Unreadable) or opened.code != 0:
        refused = envelope.call_refused(reply, opened)
        return (
            replace(refused, trouble=Trouble.AUTHORIZATION_GONE) if refused.trouble is Trouble.WRONG_SHOP else refused
        )
    try:
        found = msgspec.json.decode(opened.data, type=_Shops)
    except (msgspec.MsgspecError, RecursionError):
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


def read_notice(body: bytes) -> Notice:
    """A notice whose signature held (4.3, 4.4). Parsed leniently: "numbers and strings are mixed even inside docs".

    Raises:
        ValueError: the bytes are no notice at all.
    """
    try:
        found = msgspec.json.decode(body, type=_Notice)
    except (msgspec.MsgspecError, RecursionError) as error:
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
