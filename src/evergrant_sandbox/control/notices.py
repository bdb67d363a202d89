"""`/_sandbox/notices`: send one of any type now, late, twice, out of order or badly signed; and see what is on its way."""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.acts import announce
from evergrant_sandbox.book import goods, grants, notices, sellers
from evergrant_sandbox.book.goods import OrderSearch
from evergrant_sandbox.clock import DAY, read_duration, rfc3339
from evergrant_sandbox.control.apps import app_of
from evergrant_sandbox.control.steering import SteeringError, number_of, read, steer
from evergrant_sandbox.fields import Digits
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.order import Order
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import Topic


class GivenNotice(msgspec.Struct, forbid_unknown_fields=True):
    """A notice. Without data, types 1, 6 and 7 say what they would say about the shop now; others say nothing."""

    type: Annotated[int, Meta(ge=0, le=9999)]
    app: str
    shop: str | None = None
    data: dict[str, msgspec.Raw] | None = None
    bad_signature: bool = False
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    delay: str = "0s"
    id: Digits | None = None


class NoticeLine(msgspec.Struct, frozen=True):
    """A notice on its way."""

    id: str
    type: int
    app: str
    shop: str
    url: str
    attempts: int
    next_at: str


class OnTheWay(msgspec.Struct, frozen=True):
    """What is still to be delivered, the next due first."""

    items: list[NoticeLine]


class Posted(msgspec.Struct, frozen=True):
    """What was put on its way; the same id as often as it was asked for."""

    id: str
    times: int
    due_at: str


class Notices:
    """Notices."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._book = platform.book

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/notices", "GET", self.show),
            steer(self._platform, "/notices", "POST", self.send, status=201),
        ]

    async def show(self, request: Request) -> OnTheWay:
        """What is still to be delivered."""
        waiting = notices.waiting(self._book, number_of(request, "limit", 100, most=1000))
        return OnTheWay(
            items=[
                NoticeLine(
                    id=notice.id,
                    type=notice.type,
                    app=notice.app_key,
                    shop=notice.shop_id,
                    url=notice.url,
                    attempts=notice.attempts,
                    next_at=rfc3339(notice.next_at or 0),
                )
                for notice in waiting
            ]
        )

    async def send(self, request: Request) -> Posted:
        """Put a notice on its way."""
        given = await read(request, GivenNotice)
        app = app_of(self._platform, given.app)
        if not app.webhook_url:
            raise SteeringError(
                "no_webhook_url", f"{app.name} has no webhook URL; give it one by POST /_sandbox/apps.", status=409
            )
        now = self._platform.clock.now()
        shop = self._shop(app, given.shop)
        payload = self._payload(given, app, shop, now)
        try:
            due_at = now + read_duration(given.delay)
        except ValueError as error:
            raise SteeringError("invalid_time", f"{str(error).capitalize()}.") from error
        number = given.id
        with self._book.transaction():
            for _ in range(given.times):
                number = self._platform.herald.post(
                    app,
                    shop_id=shop.id,
                    kind=given.type,
                    payload=payload,
                    at=now,
                    due_at=due_at,
                    notice_id=number,
                    badly_signed=int(given.bad_signature),
                )
        self._platform.agenda.wake()
        return Posted(id=number or "", times=given.times, due_at=rfc3339(due_at))

    def _shop(self, app: App, wanted: str | None) -> Shop:
        if wanted is not None:
            shop = sellers.shop(self._book, wanted)
            if shop is None:
                raise SteeringError("unknown_shop", f"No shop has the id {wanted!r}.", status=404)
            return shop
        for grant in grants.listed(self._book, grants.Filter(app_key=app.key, limit=1)):
            return sellers.shops_covered(self._book, seller_id=grant.seller_id, shop_id=grant.shop_id)[0]
        raise SteeringError("unknown_shop", f"No shop has authorized {app.name}; name one.", status=409)

    def _payload(self, given: GivenNotice, app: App, shop: Shop, now: int) -> msgspec.Raw:
        if given.data is not None:
            return msgspec.Raw(msgspec.json.encode(given.data))
        if given.type == Topic.ORDER_STATUS_CHANGE:
            return announce.order_changed(self._newest_order(shop))
        if given.type == Topic.SELLER_DEAUTHORIZATION:
            return announce.deauthorized(shop.id)
        if given.type == Topic.UPCOMING_AUTHORIZATION_EXPIRATION:
            return announce.expiring(shop.id, at=now, ends_at=self._end(app, shop, now))
        return msgspec.Raw(b"{}")

    def _newest_order(self, shop: Shop) -> Order:
        page = goods.search_orders(self._book, OrderSearch(shop_id=shop.id, limit=1))
        if not page.documents:
            raise SteeringError("nothing_for_sale", f"{shop.name} has no order; give the notice its data.", status=409)
        return msgspec.json.decode(page.documents[0], type=Order)

    def _end(self, app: App, shop: Shop, now: int) -> int:
        for grant in grants.covering(self._book, shop_id=shop.id, seller_id=shop.seller_id):
            if grant.app_key == app.key:
                return grant.ends_at
        return now + 30 * DAY
