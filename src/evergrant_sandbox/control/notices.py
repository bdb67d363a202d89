"""`/_sandbox/notices`: send one of any type now, late, twice, out of order or badly signed; and see what is on its way."""

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox import signing
from evergrant_sandbox.acts.announce import Missive
from evergrant_sandbox.book import apps, grants, notices, sellers, subscriptions
from evergrant_sandbox.clock import read_duration, rfc3339
from evergrant_sandbox.control.apps import app_of
from evergrant_sandbox.control.samples import Samples
from evergrant_sandbox.control.steering import SteeringError, number_of, read, steer
from evergrant_sandbox.fields import Digits, Key
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import TOPICS, Owner


class GivenNotice(msgspec.Struct, forbid_unknown_fields=True):
    """A notice. Without data, documented types say what they would say about the shop now; others say nothing."""

    type: Annotated[int, Meta(ge=0, le=9999)]
    app: str
    shop: str | None = None
    data: dict[str, msgspec.Raw] | None = None
    bad_signature: bool = False
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    delay: str = "0s"
    id: Digits | None = None
    # Of the creator or seller, for the types that carry it in place of the shop's id.
    open_id: Key | None = None


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


class Destination(msgspec.Struct, frozen=True):
    """One address of a notice; `next_at` is null when it was accepted there, or dropped."""

    url: str
    attempts: int
    next_at: str | None


class NoticeView(msgspec.Struct, frozen=True):
    """One notice, with the bytes and the `Authorization` header every attempt carries."""

    id: str
    type: int
    app: str
    shop: str
    body: str
    authorization: str
    destinations: list[Destination]


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
        self._samples = Samples(platform)

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/notices", "GET", self.show),
            steer(self._platform, "/notices", "POST", self.send, status=201),
            steer(self._platform, "/notices/{id}", "GET", self.show_one),
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

    async def show_one(self, request: Request) -> NoticeView:
        """One notice as its receivers see it."""
        number = request.path_params["id"]
        sent = notices.found(self._book, number)
        if not sent:
            raise SteeringError("unknown_notice", f"No notice has the id {number!r}.", status=404)
        first = sent[0]
        app = apps.find(self._book, first.app_key)
        secret = app.secret if app else ""
        return NoticeView(
            id=first.id,
            type=first.type,
            app=first.app_key,
            shop=first.shop_id,
            body=first.body.decode(),
            authorization=signing.sign_notice(app_key=first.app_key, secret=secret, body=first.body),
            destinations=[
                Destination(
                    url=each.url,
                    attempts=each.attempts,
                    next_at=None if each.next_at is None else rfc3339(each.next_at),
                )
                for each in sent
            ],
        )

    async def send(self, request: Request) -> Posted:
        """Put a notice on its way."""
        given = await read(request, GivenNotice)
        app = app_of(self._platform, given.app)
        if not app.webhook_url and not subscriptions.any_of(self._book, app_key=app.key, kinds=(given.type,)):
            raise _nowhere(app)
        now = self._platform.clock.now()
        shop = self._shop(app, given.shop)
        urls = self._addresses(app, shop, given.type)
        try:
            due_at = now + read_duration(given.delay)
        except ValueError as error:
            raise SteeringError("invalid_time", f"{str(error).capitalize()}.") from error
        known = TOPICS.get(given.type)
        missive = Missive(
            kind=given.type,
            shop_id=shop.id,
            payload=self._payload(given, app, shop, now),
            at=now,
            due_at=due_at,
            notice_id=given.id,
            badly_signed=int(given.bad_signature),
            owner=known.owner if known else Owner.SHOP,
            open_id=given.open_id or self._open_id(app, shop),
        )
        with self._book.transaction():
            for _ in range(given.times):
                number = self._platform.herald.post(app, missive, urls=urls)
                missive = replace(missive, notice_id=number)
        self._platform.agenda.wake()
        return Posted(id=missive.notice_id or "", times=given.times, due_at=rfc3339(due_at))

    def _addresses(self, app: App, shop: Shop, kind: int) -> tuple[str, ...]:
        """Where the topic goes; one that nobody has subscribed to goes to the app-wide URL, since it was asked for."""
        urls = self._platform.herald.addresses(app, shop_id=shop.id, kind=kind)
        if not urls and app.webhook_url:
            urls = (app.webhook_url,)
        if not urls:
            raise _nowhere(app)
        return urls

    def _payload(self, given: GivenNotice, app: App, shop: Shop, now: int) -> msgspec.Raw:
        if given.data is not None:
            return msgspec.Raw(msgspec.json.encode(given.data))
        return self._samples.of(given.type, app, shop, now=now)

    def _open_id(self, app: App, shop: Shop) -> str:
        for grant in grants.covering(self._book, shop_id=shop.id, seller_id=shop.seller_id):
            if grant.app_key == app.key:
                return grant.open_id
        return ""

    def _shop(self, app: App, wanted: str | None) -> Shop:
        if wanted is not None:
            shop = sellers.shop(self._book, wanted)
            if shop is None:
                raise SteeringError("unknown_shop", f"No shop has the id {wanted!r}.", status=404)
            return shop
        for grant in grants.listed(self._book, grants.Filter(app_key=app.key, limit=1)):
            return sellers.shops_covered(self._book, seller_id=grant.seller_id, shop_id=grant.shop_id)[0]
        raise SteeringError("unknown_shop", f"No shop has authorized {app.name}; name one.", status=409)


def _nowhere(app: App) -> SteeringError:
    return SteeringError(
        "no_webhook_url", f"{app.name} has no webhook URL; give it one by POST /_sandbox/apps.", status=409
    )
