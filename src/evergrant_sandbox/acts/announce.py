"""Notices are written: the envelope, the payloads of types 1, 6 and 7, and to whom they go (wire sheet 4)."""

from dataclasses import dataclass

import msgspec

from evergrant_sandbox.book import apps, grants, notices, sellers
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.notices import Notice
from evergrant_sandbox.world import ids, warnings
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.order import Order, status_in_notice
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import Topic


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What every notice looks like; `shop_id` is the shop's id, not its cipher."""

    type: int
    tts_notification_id: str
    shop_id: str
    timestamp: int
    data: msgspec.Raw


class OrderChange(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 1, in the order of the official sample."""

    is_on_hold_order: bool
    order_id: str
    order_status: str
    update_time: int


class Deauthorization(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 6: no reason, no other time than the envelope's."""

    message: str


class UpcomingExpiration(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of type 7; the time is a string of Unix seconds."""

    message: str
    expiration_time: str


def body_of(kind: int, *, notice_id: str, shop_id: str, at: int, payload: msgspec.Raw) -> bytes:
    """The exact bytes of a notice."""
    envelope = Envelope(type=kind, tts_notification_id=notice_id, shop_id=shop_id, timestamp=at, data=payload)
    return msgspec.json.encode(envelope)


def deauthorized(shop_id: str) -> msgspec.Raw:
    """What notice 6 says ("Shop_id {xxx} is deauthorized from your APP by merchant."), copied 2025-12."""
    return _raw(Deauthorization(message=f"Shop_id {shop_id} is deauthorized from your APP by merchant."))


def expiring(shop_id: str, *, at: int, ends_at: int) -> msgspec.Raw:
    """What notice 7 says ("Authorization of shop_id {xxx} is expiring in {x} days."), copied 2025-12."""
    days = warnings.days_left(at, ends_at)
    message = (
        f"Authorization of shop_id {shop_id} is expiring in {days} days. Please direct the merchant to re-authorize."
    )
    return _raw(UpcomingExpiration(message=message, expiration_time=str(ends_at)))


def order_changed(order: Order) -> msgspec.Raw:
    """The payload of type 1 for an order as it stands."""
    return _raw(
        OrderChange(
            is_on_hold_order=order.is_on_hold_order,
            order_id=order.id,
            order_status=status_in_notice(order.status),
            update_time=order.update_time,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Herald:
    """Puts notices on their way; the courier carries them."""

    book: Book
    dice: Dice

    def deauthorization(self, grant: Grant, *, at: int) -> int:
        """Notice 6 for every shop of a grant; gives how many."""
        topic = Topic.SELLER_DEAUTHORIZATION
        return sum(self._tell(grant, shop, topic, deauthorized(shop.id), at=at) for shop in self._shops(grant))

    def expiration(self, grant: Grant, *, at: int) -> int:
        """Notice 7 for every shop of a grant; gives how many."""
        topic = Topic.UPCOMING_AUTHORIZATION_EXPIRATION
        return sum(
            self._tell(grant, shop, topic, expiring(shop.id, at=at, ends_at=grant.ends_at), at=at)
            for shop in self._shops(grant)
        )

    def order_change(self, shop: Shop, order: Order, *, at: int) -> int:
        """Notice 1 to every app that has a living grant for the shop; gives how many."""
        topic = Topic.ORDER_STATUS_CHANGE
        return sum(
            self._tell(grant, shop, topic, order_changed(order), at=at)
            for grant in grants.covering(self.book, shop_id=shop.id, seller_id=shop.seller_id)
            if grant.is_alive(at)
        )

    def post(
        self,
        app: App,
        *,
        shop_id: str,
        kind: int,
        payload: msgspec.Raw,
        at: int,
        due_at: int,
        grant_id: int | None = None,
        notice_id: str | None = None,
        badly_signed: int = 0,
    ) -> str:
        """Put one notice on its way and give its id; the same id may be sent again."""
        number = notice_id or ids.digits(self.dice, prefix="76", length=19)
        notices.add(
            self.book,
            Notice(
                id=number,
                app_key=app.key,
                shop_id=shop_id,
                grant_id=grant_id,
                type=kind,
                url=app.webhook_url,
                body=body_of(kind, notice_id=number, shop_id=shop_id, at=at, payload=payload),
                badly_signed=badly_signed,
                next_at=due_at,
            ),
        )
        return number

    def _tell(self, grant: Grant, shop: Shop, kind: int, payload: msgspec.Raw, *, at: int) -> int:
        """One notice about a grant, due at once; 0 if its app has no webhook URL."""
        app = apps.find(self.book, grant.app_key)
        if app is None or not app.webhook_url:
            return 0
        self.post(app, shop_id=shop.id, kind=kind, payload=payload, at=at, due_at=at, grant_id=grant.id)
        return 1

    def _shops(self, grant: Grant) -> list[Shop]:
        return sellers.shops_covered(self.book, seller_id=grant.seller_id, shop_id=grant.shop_id)


def _raw(payload: msgspec.Struct) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(payload))
