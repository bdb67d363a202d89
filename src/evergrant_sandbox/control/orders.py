"""`/_sandbox/orders/{id}`: an order comes along, step by step, or something happens to it."""

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.acts.fulfilment import Happening, Moved, Party
from evergrant_sandbox.book import goods, sellers
from evergrant_sandbox.clock import rfc3339
from evergrant_sandbox.control.steering import SteeringError, read, steer
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.order import Order, OrderStatus
from evergrant_sandbox.world.progress import NoWayError
from evergrant_sandbox.world.seller import Shop


class GivenStep(msgspec.Struct, forbid_unknown_fields=True):
    """Where an order goes; nothing: to its next status. `by` is who cancels it."""

    status: OrderStatus | None = None
    by: Party = Party.SELLER


class GivenHappening(msgspec.Struct, forbid_unknown_fields=True):
    """What happens to an order."""

    what: Happening


class OrderMoved(msgspec.Struct, frozen=True):
    """How the order stands, which statuses it has passed, and how many notices went on their way."""

    at: str
    id: str
    shop: str
    status: str
    passed: list[str]
    notices: int


class Orders:
    """Single orders."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/orders/{order}/status", "POST", self.step),
            steer(self._platform, "/orders/{order}/happenings", "POST", self.happen),
        ]

    async def step(self, request: Request) -> OrderMoved:
        """To a status, through every one on the way."""
        given = await read(request, GivenStep)
        shop, order = self._order(request)
        now = self._platform.clock.now()
        try:
            moved = self._platform.fulfilment.step(shop, order, to=given.status, by=given.by, now=now)
        except NoWayError as error:
            raise _refused(error) from error
        return self._said(shop, moved, now)

    async def happen(self, request: Request) -> OrderMoved:
        """Something that leaves the status as it is."""
        given = await read(request, GivenHappening)
        shop, order = self._order(request)
        now = self._platform.clock.now()
        try:
            moved = self._platform.fulfilment.happen(shop, order, given.what, now=now)
        except NoWayError as error:
            raise _refused(error) from error
        return self._said(shop, moved, now)

    def _said(self, shop: Shop, moved: Moved, now: int) -> OrderMoved:
        self._platform.agenda.wake()
        return OrderMoved(
            at=rfc3339(now),
            id=moved.order.id,
            shop=shop.id,
            status=moved.order.status,
            passed=[status.value for status in moved.passed],
            notices=moved.notices,
        )

    def _order(self, request: Request) -> tuple[Shop, Order]:
        number = request.path_params["order"]
        book = self._platform.book
        shop = sellers.shop(book, goods.shop_of_order(book, number))
        order = goods.order(book, shop.id, number) if shop else None
        if shop is None or order is None:
            raise SteeringError(
                "unknown_order", f"No order has the id {number!r}; POST /_sandbox/orders makes one.", status=404
            )
        return shop, order


def _refused(error: NoWayError) -> SteeringError:
    sentence = str(error)
    return SteeringError("no_way", f"{sentence[0].upper()}{sentence[1:]}.", status=409)
