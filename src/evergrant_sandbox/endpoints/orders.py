"""`/order/…`: the search and the orders by their ids (wire sheet 6.1)."""

from enum import StrEnum

import msgspec

from evergrant_sandbox import errors
from evergrant_sandbox.book import goods
from evergrant_sandbox.book.goods import OrderSearch
from evergrant_sandbox.endpoints import reading
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.endpoints.paging import Pager
from evergrant_sandbox.endpoints.reading import Seconds
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.order import OrderStatus

SCOPE = "seller.order.info"

# "Max count : 50", order detail (202507).
MOST_IDS = 50
# "Max count : 100", order search (202309).
MOST_WAREHOUSES = 100


class ShippingType(StrEnum):
    """Who arranges the shipping."""

    TIKTOK = "TIKTOK"
    SELLER = "SELLER"


class OrderFilters(msgspec.Struct, frozen=True):
    """The body of an order search; what it does not know it does not mind."""

    order_status: OrderStatus | None = None
    create_time_ge: Seconds | None = None
    create_time_lt: Seconds | None = None
    update_time_ge: Seconds | None = None
    update_time_lt: Seconds | None = None
    shipping_type: ShippingType | None = None
    buyer_user_id: str | None = None
    is_buyer_request_cancel: bool | None = None
    warehouse_ids: tuple[str, ...] | None = None


_filters = msgspec.json.Decoder(OrderFilters)


class Orders:
    """Orders of one shop."""

    def __init__(self, platform: Platform) -> None:
        self._book = platform.book
        self._pager = Pager(platform.mint)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What there is."""
        search = Endpoint(
            method="POST",
            path="/order/202309/orders/search",
            scope=SCOPE,
            cipher=Cipher.REQUIRED,
            answer=self._search,
        )
        by_id = (
            Endpoint(
                method="GET",
                path=f"/order/{version}/orders",
                scope=SCOPE,
                cipher=Cipher.REQUIRED,
                answer=self._by_id,
            )
            for version in ("202309", "202507")
        )
        return (search, *by_id)

    def _search(self, admitted: Admitted) -> bytes:
        query, shop = admitted.call.query, admitted.its_shop
        filters = reading.read(_filters, admitted.call.body)
        field = reading.one_of(query, "sort_field", ("create_time", "update_time"))
        direction = reading.one_of(query, "sort_order", ("DESC", "ASC"))
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
                warehouses=reading.json_list(
                    filters.warehouse_ids,
                    most=MOST_WAREHOUSES,
                    else_=errors.INVALID_PARAMETER,
                    name="body.warehouse_ids",
                ),
                sort_field=field,
                sort_order=direction,
                after=self._pager.place(query.get("page_token"), search),
                limit=reading.page_size(query.get("page_size")),
            ),
        )
        return self._pager.data(page, b"orders", search)

    def _by_id(self, admitted: Admitted) -> bytes:
        wanted = [number for number in admitted.call.query.get("ids", "").split(",") if number]
        if not wanted:
            raise RefusalError(errors.MISSING_PARAMETER, name="ids")
        if len(wanted) > MOST_IDS:
            raise RefusalError(errors.INVALID_PARAMETER, name="ids")
        found = goods.order_documents(self._book, admitted.its_shop.id, wanted)
        if len(found) < len(wanted):
            raise RefusalError(errors.NOT_THIS_SELLERS)
        return b'{"orders":[%b]}' % b",".join(found)
