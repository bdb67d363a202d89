"""Notices are written: who has subscribed to a topic, and at which addresses (wire sheet 4)."""

from dataclasses import dataclass

import msgspec

from evergrant_sandbox import switches
from evergrant_sandbox.book import apps, grants, notices, sellers, subscriptions
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.notices import Notice
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world import ids, payloads
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.order import Order, OrderStatus
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import TOPICS, Owner, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Missive:
    """One notice as it is to be sent; under a known id it is the same one again."""

    kind: int
    shop_id: str
    payload: msgspec.Raw
    at: int
    due_at: int
    grant_id: int | None = None
    notice_id: str | None = None
    badly_signed: int = 0
    # Whom it is about, where that is not the shop.
    owner: Owner = Owner.SHOP
    open_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Herald:
    """Puts notices on their way; the courier carries them."""

    book: Book
    dice: Dice
    switches: Switches

    def deauthorization(self, grant: Grant, *, at: int) -> int:
        """Notice 6 for every shop of a grant; gives how many."""
        topic = Topic.SELLER_DEAUTHORIZATION
        return sum(self._tell(grant, shop, topic, payloads.deauthorized(shop.id), at=at) for shop in self._shops(grant))

    def expiration(self, grant: Grant, *, at: int) -> int:
        """Notice 7 for every shop of a grant; gives how many."""
        topic = Topic.UPCOMING_AUTHORIZATION_EXPIRATION
        return sum(
            self._tell(grant, shop, topic, payloads.expiring(shop.id, at=at, ends_at=grant.ends_at), at=at)
            for shop in self._shops(grant)
        )

    def order_change(self, shop: Shop, order: Order, *, at: int) -> int:
        """Notice 1; its vocabulary has no word for an order that is partly shipped. Gives how many."""
        if order.status is OrderStatus.PARTIALLY_SHIPPING:
            return 0
        return self.tell(shop, Topic.ORDER_STATUS_CHANGE, payloads.order_changed(order), at=at)

    def tell(self, shop: Shop, topic: Topic, payload: msgspec.Raw, *, at: int) -> int:
        """A notice about a shop to every app that has a living grant for it; gives how many."""
        return sum(
            self._tell(grant, shop, topic, payload, at=at)
            for grant in grants.covering(self.book, shop_id=shop.id, seller_id=shop.seller_id)
            if grant.is_alive(at)
        )

    def addresses(self, app: App, *, shop_id: str, kind: int) -> tuple[str, ...]:
        """Where a topic of a shop goes: to the shop's own address, to the app-wide one, or to both."""
        own = subscriptions.address(self.book, app_key=app.key, shop_id=shop_id, kind=kind)
        wide = app.webhook_url if kind in app.topics else ""
        if own and self.switches.of(switches.SHOP_WEBHOOK) == "replaces":
            wide = ""
        return tuple(dict.fromkeys(url for url in (own, wide) if url))

    def post(self, app: App, missive: Missive, *, urls: tuple[str, ...]) -> str:
        """Put one notice on its way, to each address under the same id; gives the id."""
        number = missive.notice_id or ids.digits(self.dice, prefix="76", length=19)
        body = payloads.body_of(
            missive.kind,
            notice_id=number,
            whom=missive.shop_id if missive.owner is Owner.SHOP else missive.open_id,
            at=missive.at,
            payload=missive.payload,
            owner=missive.owner,
        )
        for url in urls:
            notices.add(
                self.book,
                Notice(
                    id=number,
                    app_key=app.key,
                    shop_id=missive.shop_id,
                    grant_id=missive.grant_id,
                    type=missive.kind,
                    url=url,
                    body=body,
                    badly_signed=missive.badly_signed,
                    next_at=missive.due_at,
                ),
            )
        return number

    def _tell(self, grant: Grant, shop: Shop, topic: Topic, payload: msgspec.Raw, *, at: int) -> int:
        """One notice about a grant, due at once, to each address it has; gives to how many."""
        app = apps.find(self.book, grant.app_key)
        scope = TOPICS[topic].scope
        if app is None or (scope and scope not in app.scopes):
            return 0
        urls = self.addresses(app, shop_id=shop.id, kind=topic)
        if urls:
            missive = Missive(kind=topic, shop_id=shop.id, payload=payload, at=at, due_at=at, grant_id=grant.id)
            self.post(app, missive, urls=urls)
        return len(urls)

    def _shops(self, grant: Grant) -> list[Shop]:
        return sellers.shops_covered(self.book, seller_id=grant.seller_id, shop_id=grant.shop_id)
