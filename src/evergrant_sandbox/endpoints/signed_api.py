"""The signed API: a table of paths and methods, each with the scope it needs and whether it wants a shop_cipher."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from evergrant_sandbox import errors, switches
from evergrant_sandbox.acts.ending import NotAliveError, Undertaker
from evergrant_sandbox.book import goods, sellers
from evergrant_sandbox.book.goods import OrderSearch, Page, ProductSearch
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.endpoints import documents, envelope, paging
from evergrant_sandbox.endpoints.admission import Admitted, Cipher, Gate
from evergrant_sandbox.endpoints.documents import LARGEST_PAGE, ShopData, ShopsData
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.faults import Subject
from evergrant_sandbox.wire import Answer, Call
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.seller import Shop

# "The version is in the path: /{package}/{yyyymm}/..." Whatever looks like this belongs to the API host.
ITS_PATHS = re.compile(r"/[a-z_]+/20\d{4}(/|$)")

# "Max count : 50", order detail (202507).
MOST_IDS = 50
# "At most 10,000 results", products search (202502).
MOST_PRODUCTS = 10_000
MOST_FILTERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path."""

    scope: str
    cipher: Cipher
    answer: Callable[[Admitted], bytes]


class SignedApi:
    """open-api.tiktokglobalshop.com."""

    kind = "api"

    def __init__(self, *, gate: Gate, undertaker: Undertaker, dice: Dice, wake: Callable[[], None]) -> None:
        self._gate = gate
        self._book = gate.book
        self._switches = gate.switches
        self._undertaker = undertaker
        self._mint = gate.mint
        self._dice = dice
        self._wake = wake
        self._endpoints = self._table()

    def subject(self, call: Call) -> Subject:
        """What the call is about: the app it names and the grant behind its token."""
        value = call.header(b"x-tts-access-token") or call.query.get("access_token", "")
        token = self._gate.find(value)
        return Subject(
            kind=self.kind,
            path=call.path,
            app=call.query.get("app_key", ""),
            grant=token.grant.id if token else None,
        )

    def answer(self, call: Call, entry: Entry, *, now: int) -> Answer:
        """The data asked for, or a refusal in the platform's envelope."""
        number = envelope.request_id(self._dice, now)
        try:
            endpoint = self._find(call)
            admitted = self._gate.admit(call, entry, scope=endpoint.scope, cipher=endpoint.cipher, now=now)
            data = endpoint.answer(admitted)
        except RefusalError as refusal:
            entry.code, entry.message = refusal.code.number, refusal.message
            body = envelope.refusal(refusal.code.number, refusal.message, number)
            return Answer(self._status(refusal), body)
        entry.code = 0
        return Answer(200, envelope.success(b"Success", data, number))

    def broken(self, now: int) -> Answer:
        """The envelope of an internal error."""
        code = errors.INTERNAL_ERROR
        return Answer(500, envelope.refusal(code.number, code.message, envelope.request_id(self._dice, now)))

    def _table(self) -> dict[str, dict[str, Endpoint]]:
        orders, products = "seller.order.info", "seller.product.basic"
        search_orders = Endpoint(scope=orders, cipher=Cipher.REQUIRED, answer=self._search_orders)
        orders_by_id = Endpoint(scope=orders, cipher=Cipher.REQUIRED, answer=self._orders_by_id)
        search_products = Endpoint(scope=products, cipher=Cipher.REQUIRED, answer=self._search_products)
        shops = Endpoint(scope="seller.authorization.info", cipher=Cipher.UNWANTED, answer=self._shops)
        give_back = Endpoint(scope="seller.authorization.info", cipher=Cipher.REQUIRED, answer=self._give_back)
        return {
            "/authorization/202309/shops": {"GET": shops},
            "/authorization/202403/shops": {"DELETE": give_back},
            "/order/202309/orders/search": {"POST": search_orders},
            "/order/202309/orders": {"GET": orders_by_id},
            "/order/202507/orders": {"GET": orders_by_id},
            "/product/202309/products/search": {"POST": search_products},
            "/product/202312/products/search": {"POST": search_products},
            "/product/202502/products/search": {"POST": search_products},
        }

    def _find(self, call: Call) -> Endpoint:
        methods = self._endpoints.get(call.path)
        if methods is None:
            raise RefusalError(errors.INVALID_PATH)
        endpoint = methods.get(call.method)
        if endpoint is None:
            raise RefusalError(errors.INVALID_METHOD)
        if endpoint.answer == self._give_back and self._switches.of(switches.DEVELOPER_REVOKE) == "missing":
            raise RefusalError(errors.INVALID_PATH)
        return endpoint

    def _status(self, refusal: RefusalError) -> int:
        if refusal.code is errors.DEAUTHORIZED:
            return int(self._switches.of(switches.DEAUTHORIZED_STATUS))
        return refusal.code.status or int(self._switches.of(switches.UNRECORDED_STATUS))

    # --- what the endpoints do

    def _shops(self, admitted: Admitted) -> bytes:
        grant = admitted.grant
        seller = sellers.find(self._book, grant.seller_id)
        covered = sellers.shops_covered(self._book, seller_id=grant.seller_id, shop_id=grant.shop_id)
        kind = seller.kind.value if seller else ""
        shops = [
            ShopData(
                id=shop.id, name=shop.name, region=shop.region, seller_type=kind, cipher=shop.cipher, code=shop.code
            )
            for shop in covered
        ]
        return msgspec.json.encode(ShopsData(shops=shops))

    def _give_back(self, admitted: Admitted) -> bytes:
        try:
            self._undertaker.give_back(admitted.grant, now=admitted.now)
        except NotAliveError as error:
            raise RefusalError(errors.DEAUTHORIZED) from error
        self._wake()
        return b"{}"

    def _search_orders(self, admitted: Admitted) -> bytes:
        query, shop = admitted.call.query, _shop(admitted)
        filters = documents.order_filters(admitted.call.body)
        field = _one_of(query, "sort_field", ("create_time", "update_time"))
        direction = _one_of(query, "sort_order", ("DESC", "ASC"))
        search = f"orders:{shop.id}:{field}:{direction}"
        page = goods.search_orders(
            self._book,
            OrderSearch(
                shop_id=shop.id,
                status=filters.order_status,
                create_time_ge=filters.create_time_ge,
                create_time_lt=filters.create_time_lt,
                update_time_ge=filters.update_time_ge,
                update_time_lt=filters.update_time_lt,
                shipping_type=filters.shipping_type,
                buyer=filters.buyer_user_id,
                cancel_asked=filters.is_buyer_request_cancel,
                warehouses=_json_list("body.warehouse_ids", filters.warehouse_ids, most=LARGEST_PAGE),
                sort_field=field,
                sort_order=direction,
                after=self._place(query.get("page_token"), search),
                limit=_page_size(query.get("page_size")),
            ),
        )
        return self._page(page, b"orders", search)

    def _orders_by_id(self, admitted: Admitted) -> bytes:
        wanted = [number for number in admitted.call.query.get("ids", "").split(",") if number]
        if not wanted:
            raise RefusalError(errors.MISSING_PARAMETER, name="ids")
        if len(wanted) > MOST_IDS:
            raise RefusalError(errors.INVALID_PARAMETER, name="ids")
        found = goods.order_documents(self._book, _shop(admitted).id, wanted)
        if len(found) < len(wanted):
            raise RefusalError(errors.NOT_THIS_SELLERS)
        return b'{"orders":[%b]}' % b",".join(found)

    def _search_products(self, admitted: Admitted) -> bytes:
        query, shop = admitted.call.query, _shop(admitted)
        filters = documents.product_filters(admitted.call.body)
        size = query.get("page_size")
        if size is not None and not _is_page_size(size):
            raise RefusalError(errors.PRODUCT_PAGE_SIZE)
        search = f"products:{shop.id}"
        page = goods.search_products(
            self._book,
            ProductSearch(
                shop_id=shop.id,
                status=None if filters.status == "ALL" else filters.status,
                create_time_ge=filters.create_time_ge,
                create_time_le=filters.create_time_le,
                update_time_ge=filters.update_time_ge,
                update_time_le=filters.update_time_le,
                seller_skus=_json_list("seller_skus", filters.seller_skus, most=MOST_FILTERS),
                sku_ids=_json_list("sku_ids", filters.sku_ids, most=MOST_FILTERS),
                after=self._place(query.get("page_token"), search),
                limit=_page_size(size),
            ),
        )
        if page.total > MOST_PRODUCTS:
            raise RefusalError(errors.TOO_MANY_PRODUCTS)
        return self._page(page, b"products", search)

    def _place(self, token: str | None, search: str) -> goods.Place | None:
        if not token:
            return None
        place = paging.read(self._mint, token, search=search)
        if place is None:
            raise RefusalError(errors.INVALID_PARAMETER, name="page_token")
        return place

    def _page(self, page: Page, name: bytes, search: str) -> bytes:
        token = paging.write(self._mint, page.next, search=search) if page.next else ""
        return b'{"total_count":%d,"next_page_token":"%b","%b":[%b]}' % (
            page.total,
            token.encode(),
            name,
            b",".join(page.documents),
        )


def _shop(admitted: Admitted) -> Shop:
    if admitted.shop is None:
        raise RefusalError(errors.MISSING_CIPHER)
    return admitted.shop


def _is_page_size(given: str) -> bool:
    return given.isascii() and given.isdigit() and len(given) < 4 and 1 <= int(given) <= LARGEST_PAGE


def _page_size(given: str | None) -> int:
    """Required, say the documents, and name a default all the same; a missing one is refused here."""
    if given is None:
        raise RefusalError(errors.MISSING_PARAMETER, name="page_size")
    if not _is_page_size(given):
        raise RefusalError(errors.INVALID_PARAMETER, name="page_size")
    return int(given)


def _one_of(query: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The value of a parameter, the first choice when it is absent."""
    given = query.get(name, choices[0])
    if given not in choices:
        raise RefusalError(errors.INVALID_PARAMETER, name=name)
    return given


def _json_list(name: str, values: tuple[str, ...] | None, *, most: int) -> str | None:
    if values is None:
        return None
    if len(values) > most:
        raise RefusalError(errors.TOO_MANY_FILTERS, name=name)
    return msgspec.json.encode(values).decode()
