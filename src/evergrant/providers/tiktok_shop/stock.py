"""Stock as it shall be (wire sheet 6.4): the call, and an answer that may say yes as a whole and no to some."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from evergrant.core.app import App
from evergrant.providers.tiktok_shop import envelope
from evergrant.providers.tiktok_shop.requests import signed
from evergrant.providers.wire import (
    Access,
    CallRefused,
    Level,
    Reply,
    Request,
    SkuRefused,
    StockSet,
    Trouble,
    Unreadable,
)

MOST_LEVELS = 50
"""Variants in one call. The platform names no limit of its own; a product has up to 300 variants."""
LONGEST_MESSAGE = 300


class _Extra(msgspec.Struct):
    code: int = 0
    message: str = ""
    warehouse_id: str = ""


class _Detail(msgspec.Struct):
    sku_id: str = ""
    extra_errors: list[_Extra] = msgspec.field(default_factory=list)


class _Error(msgspec.Struct):
    code: int
    message: str = ""
    detail: _Detail = msgspec.field(default_factory=_Detail)


class _Update(msgspec.Struct):
    errors: list[_Error] | None = None


def stock_request(app: App, access: Access, product_id: str, levels: Sequence[Level], now: datetime) -> Request:
    """Set the stock of some variants of a product. Levels are absolute, so that the same call twice does no harm."""
    skus = [{"id": level.sku_id, "inventory": [_line(*each) for each in level.quantities]} for level in levels]
    path = f"/product/202309/products/{product_id}/inventory/update"
    return signed(app, "POST", path, access=access, now=now, body=msgspec.json.encode({"skus": skus}))


def read_stock(reply: Reply) -> StockSet | CallRefused:
    """What came of it. "Partial failure is code 0 with `data.errors[]`"; one that names no variant is about all of them."""
    opened = envelope.opened(reply)
    if isinstance(opened, Unreadable):
        return envelope.call_refused(reply, opened)
    if opened.code != 0:
        refused = envelope.call_refused(reply, opened)
        is_known = opened.code in envelope.TROUBLES or reply.status == 429 or reply.status >= 500
        trouble = refused.trouble if is_known else Trouble.REFUSED
        return replace(refused, trouble=trouble, message=_readable(opened.message))
    try:
        found = msgspec.json.decode(opened.data, type=_Update | None)
    except (msgspec.MsgspecError, ValueError):
        return CallRefused(trouble=Trouble.UNAVAILABLE)
    refusals: Mapping[str, SkuRefused] = {
        error.detail.sku_id: _refused(error) for error in (found.errors if found else None) or ()
    }
    if "" in refusals:
        unnamed = refusals[""]
        return CallRefused(trouble=Trouble.REFUSED, platform_code=unnamed.platform_code, message=unnamed.message)
    return StockSet(refused=refusals)


def _line(warehouse_id: str | None, quantity: int) -> dict[str, str | int]:
    return {"quantity": quantity} if warehouse_id is None else {"warehouse_id": warehouse_id, "quantity": quantity}


def _refused(error: _Error) -> SkuRefused:
    """The first of its details says what is wrong; the error itself only that something is."""
    said = error.detail.extra_errors[0] if error.detail.extra_errors else None
    code, message = (said.code or error.code, said.message) if said else (error.code, error.message)
    where = f" (warehouse {said.warehouse_id})" if said and said.warehouse_id else ""
    return SkuRefused(
        platform_code=code,
        message=_readable(f"{message or error.message}{where}"),
        passes=envelope.TROUBLES.get(code) in (Trouble.UNAVAILABLE, Trouble.THROTTLED),
    )


def _readable(message: str) -> str:
    """The platform's words, as people and databases take them."""
    return "".join(each if each.isprintable() else " " for each in message[:LONGEST_MESSAGE]).strip()
