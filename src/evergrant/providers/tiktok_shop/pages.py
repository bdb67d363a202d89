"""Pages of orders, products and stock, read into records that keep the platform's own bytes (wire sheet 6.1 to 6.3)."""

from dataclasses import replace
from datetime import datetime

import msgspec

from evergrant.core import flows
from evergrant.providers.tiktok_shop import envelope, instants, mending
from evergrant.providers.wire import CallRefused, Page, Record, Reply, Trouble, Unreadable, Ware

LONGEST_ID = 128
REPLACEMENT = "\ufffd"
NO_JSON = (msgspec.MsgspecError, ValueError, RecursionError)
CANCELLED = "CANCELLED"


class _Orders(msgspec.Struct):
    orders: list[msgspec.Raw] = msgspec.field(default_factory=list)
    next_page_token: str | None = None
    total_count: int | None = None


class _Products(msgspec.Struct):
    products: list[msgspec.Raw] = msgspec.field(default_factory=list)
    next_page_token: str | None = None
    total_count: int | None = None


class _Row(msgspec.Struct):
    id: str
    update_time: int = 0
    create_time: int = 0


class _Promise(msgspec.Struct):
    status: str = ""
    rts_sla_time: int = 0
    is_buyer_request_cancel: bool = False


class _Stock(msgspec.Struct):
    warehouse_id: str = ""


class _Sku(msgspec.Struct):
    id: str
    seller_sku: str = ""
    inventory: list[_Stock] = msgspec.field(default_factory=list)


class _Goods(msgspec.Struct):
    id: str
    status: str = ""
    skus: list[_Sku] = msgspec.field(default_factory=list)


class _Inventory(msgspec.Struct):
    inventory: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Counted(msgspec.Struct):
    product_id: str


class _Named(msgspec.Struct):
    id: str | int = ""
    product_id: str | int = ""


def read_page(kind: flows.Kind, reply: Reply) -> Page | CallRefused:
    """One page of orders or products (6.1, 6.2). Each record keeps the platform's own bytes.

    A row nobody can read costs itself, not its page. Orders are asked for oldest change first; products cannot be sorted.
    """
    opened = _opened(reply)
    if isinstance(opened, CallRefused):
        return opened
    try:
        if kind is flows.Kind.ORDERS:
            orders = msgspec.json.decode(opened.data, type=_Orders)
            page = _page(kind, orders.orders, orders.next_page_token, orders.total_count)
            changes = [record.updated_at for record in page.records]
            return replace(page, reached=changes[-1]) if changes and changes == sorted(changes) else page
        products = msgspec.json.decode(opened.data, type=_Products)
        return _page(kind, products.products, products.next_page_token, products.total_count)
    except NO_JSON:
        return CallRefused(trouble=Trouble.UNAVAILABLE)


def read_inventory(reply: Reply, at: datetime) -> Page | CallRefused:
    """The stock of some products, one record a product (6.3). It tells no time of change: each is as of `at`."""
    opened = _opened(reply)
    if isinstance(opened, CallRefused):
        return opened
    try:
        found = msgspec.json.decode(opened.data, type=_Inventory)
    except NO_JSON:
        return CallRefused(trouble=Trouble.UNAVAILABLE)
    read = [_counted(raw, at) for raw in found.inventory]
    return Page(
        records=tuple(record for record in read if isinstance(record, Record)),
        next_token="",
        unreadable=tuple(found for found in read if isinstance(found, str)),
    )


def _opened(reply: Reply) -> envelope.Envelope | CallRefused:
    """The envelope of a page. What is no JSON in a row, or nested too deeply, costs that row at the most."""
    opened = envelope.opened(reply)
    if isinstance(opened, Unreadable) or not mending.is_text(reply.body):
        body = mending.mended(reply.body)
        opened = envelope.opened(replace(reply, body=body))
        if isinstance(opened, Unreadable):
            opened = envelope.opened(replace(reply, body=mending.shallow(body)))
    if isinstance(opened, Unreadable) or opened.code != 0:
        return envelope.call_refused(reply, opened)
    return opened


def _page(kind: flows.Kind, rows: list[msgspec.Raw], next_token: str | None, total: int | None) -> Page:
    read = [_record(kind, raw) for raw in rows]
    return Page(
        records=tuple(record for record in read if isinstance(record, Record)),
        next_token=next_token or "",
        unreadable=tuple(found for found in read if isinstance(found, str)),
        total=total,
    )


def _record(kind: flows.Kind, raw: msgspec.Raw) -> Record | str:
    """The record, or the id of what is none, if a person can read it."""
    try:
        row = msgspec.json.decode(raw, type=_Row)
        at = instants.instant(row.update_time or row.create_time)
    except NO_JSON:
        return _readable_id(raw)
    if not _is_id(row.id) or not mending.is_text(bytes(raw)):
        return _readable_id(raw)
    record = Record(id=row.id, updated_at=at, document=bytes(raw), created_at=_when(row.create_time))
    if kind is flows.Kind.PRODUCTS:
        return replace(record, wares=_wares(raw))
    try:
        promise = msgspec.json.decode(raw, type=_Promise)
    except NO_JSON:
        return record
    is_cancelled = promise.status == CANCELLED or promise.is_buyer_request_cancel
    return replace(record, is_cancelled=is_cancelled, due_at=_when(promise.rts_sla_time))


def _counted(raw: msgspec.Raw, at: datetime) -> Record | str:
    try:
        row = msgspec.json.decode(raw, type=_Counted)
    except NO_JSON:
        return _readable_id(raw)
    if not _is_id(row.product_id) or not mending.is_text(bytes(raw)):
        return _readable_id(raw)
    return Record(id=row.product_id, updated_at=at, document=bytes(raw))


def _wares(raw: msgspec.Raw) -> tuple[Ware, ...] | None:
    try:
        goods = msgspec.json.decode(raw, type=_Goods)
    except NO_JSON:
        return None
    return tuple(
        Ware(
            sku_id=sku.id,
            product_id=goods.id,
            seller_sku=sku.seller_sku,
            warehouse_ids=tuple(stock.warehouse_id for stock in sku.inventory if stock.warehouse_id),
            status=goods.status,
        )
        for sku in goods.skus
        if _is_id(sku.id) and "\0" not in sku.seller_sku
    )


def _when(unix: int) -> datetime | None:
    try:
        return instants.instant(unix)
    except ValueError:
        return None


def _readable_id(raw: msgspec.Raw) -> str:
    try:
        named = msgspec.json.decode(raw, type=_Named)
    except NO_JSON:
        return ""
    text = str(named.id or named.product_id)
    return text if _is_id(text) and text.isprintable() else ""


def _is_id(text: str) -> bool:
    """Whether it is an id that a database keeps."""
    return 0 < len(text) <= LONGEST_ID and "\0" not in text and REPLACEMENT not in text
