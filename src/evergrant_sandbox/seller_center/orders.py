"""Seller Center's orders: the list, one order in full, and its shipment."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.acts.trade import GivenOrder
from evergrant_sandbox.book import goods
from evergrant_sandbox.book.goods import OrderSearch
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center import listing
from evergrant_sandbox.seller_center.desk import Desk, at_desk
from evergrant_sandbox.world.order import Order, OrderStatus
from evergrant_sandbox.world.roles import Deed, Page, may

# The words of the API, said as a person reads them.
WORDS = {status.value: status.replace("_", " ").capitalize() for status in OrderStatus} | {
    OrderStatus.AWAITING_SHIPMENT.value: "To ship",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One step of an order's way."""

    label: str
    at: int


_STEPS = (
    ("Placed", "create_time"),
    ("Paid", "paid_time"),
    ("Shipment arranged", "rts_time"),
    ("Collected", "collection_time"),
    ("Delivered", "delivery_time"),
    ("Cancelled", "cancel_time"),
)


class Orders:
    """The orders of the chosen shop."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("/seller/orders", ("GET",), self.list),
            ("/seller/orders/{order_id}", ("GET",), self.one),
            ("/seller/orders/{order_id}/shipment", ("POST",), self.ship),
        )
        return [at_desk(self._platform, self._pages, path, methods, Page.ORDERS, do) for path, methods, do in table]

    async def list(self, desk: Desk) -> Response:
        """The orders, the newest first, of all states or of one."""
        asked = listing.read(desk, OrderStatus)
        wanted = OrderSearch(shop_id=desk.chosen_shop().id, status=asked.status, after=asked.after, limit=listing.ROWS)
        found = goods.search_orders(self._platform.book, wanted)
        return desk.page(
            "seller_center/orders.html",
            orders=goods.read_orders(found),
            total=found.total,
            asked=asked,
            tabs=asked.tabs(WORDS),
            next_page=asked.next(found),
            words=WORDS,
        )

    async def one(self, desk: Desk) -> Response:
        """One order in full."""
        order = self._order(desk)
        return desk.page(
            "seller_center/order.html",
            order=order,
            words=WORDS,
            moments=_moments(order),
            can_be_shipped=order.status is OrderStatus.AWAITING_SHIPMENT
            and may(desk.who.account.role, Deed.SHIP_ORDERS),
            said="The shipment is arranged. The carrier collects it."
            if "arranged" in desk.door.request.query_params
            else "",
        )

    async def ship(self, desk: Desk) -> Response:
        """Arrange the shipment: the order waits for the carrier, and whoever listens hears of it."""
        await desk.door.browser.form()
        desk.check(Deed.SHIP_ORDERS)
        order = self._order(desk)
        if order.status is not OrderStatus.AWAITING_SHIPMENT:
            sentence = f"Its status is {WORDS[order.status]}. Only orders to ship can be shipped."
            raise RefusedError("not_to_ship", "This order cannot be shipped", sentence, status=409)
        change = GivenOrder(id=order.id, status=OrderStatus.AWAITING_COLLECTION)
        self._platform.market.sell(desk.chosen_shop(), [change], now=desk.now)
        self._platform.agenda.wake()
        return RedirectResponse(f"/seller/orders/{order.id}?arranged", 303)

    def _order(self, desk: Desk) -> Order:
        found = goods.order(self._platform.book, desk.chosen_shop().id, desk.door.request.path_params["order_id"])
        if found is None:
            sentence = "The shop chosen at the top has no order with this number. It may be another shop's."
            raise RefusedError("unknown_order", "There is no such order", sentence, status=404)
        return found


def _moments(order: Order) -> list[Moment]:
    known = ((label, getattr(order, name)) for label, name in _STEPS)
    return [Moment(label=label, at=at) for label, at in known if isinstance(at, int)]
