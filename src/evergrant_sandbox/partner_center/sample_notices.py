"""Send test notification: a notice of any topic, to one of the developer's apps, about a shop that is there to be told of."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.acts.announce import Missive
from evergrant_sandbox.acts.samples import Samples
from evergrant_sandbox.acts.trade import NothingForSaleError
from evergrant_sandbox.book import grants, sellers
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center import development_shops
from evergrant_sandbox.partner_center.desk import Desk, at_desk
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import TOPICS

_LOG = "/partner/webhook-log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A shop a test notification can be about."""

    shop: Shop
    label: str


def shops_of(desk: Desk) -> list[Choice]:
    """The shops of the developer's test accounts."""
    return [
        Choice(shop=each.shop, label=f"{each.seller.name} ({each.shop.name})")
        for each in development_shops.all_of(desk)
    ]


class SampleNotices:
    """Sends them."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages
        self._samples = Samples(book=platform.book, switches=platform.switches)

    def routes(self) -> list[Route]:
        """Its routes."""
        return [at_desk(self._platform, self._pages, f"{_LOG}/test", ("POST",), self.send)]

    async def send(self, desk: Desk) -> Response:
        """One notice, on its way at once; it then stands in the log."""
        fields = await desk.form()
        app = desk.app(fields.get("test_app", ""))
        number = fields.get("test_topic", "")
        topic = TOPICS.get(int(number)) if number in {str(each) for each in TOPICS} else None
        if topic is None:
            raise _refused("unknown_topic", "Choose a topic from the list.")
        shop = self._shop(desk, app, fields.get("test_shop", ""))
        urls = self._platform.herald.addresses(app, shop_id=shop.id, kind=topic.number) or (app.webhook_url,)
        if not urls[0]:
            raise _refused("no_webhook_url", f"{app.name} has no Webhook URL. Give it one under App & Service.")
        try:
            payload = self._samples.of(topic.number, app, shop, now=desk.door.now)
        except NothingForSaleError as error:
            raise _refused("nothing_to_tell", f"{error}. Create a test order first, or choose another shop.") from error
        missive = Missive(
            kind=topic.number,
            shop_id=shop.id,
            payload=payload,
            at=desk.door.now,
            due_at=desk.door.now,
            owner=topic.owner,
            open_id=self._samples.open_id(app, shop),
        )
        with self._platform.book.transaction():
            self._platform.herald.post(app, missive, urls=urls)
        self._platform.agenda.wake()
        return RedirectResponse(f"{_LOG}?done=sent", 303)

    def _shop(self, desk: Desk, app: App, wanted: str) -> Shop:
        """The chosen shop of a test account; without a choice one that has authorized the app."""
        if wanted:
            for choice in shops_of(desk):
                if choice.shop.id == wanted:
                    return choice.shop
            raise _refused("unknown_shop", "Choose a shop from the list.")
        for grant in grants.listed(self._platform.book, grants.Filter(app_key=app.key, limit=1)):
            covered = sellers.shops_covered(self._platform.book, seller_id=grant.seller_id, shop_id=grant.shop_id)
            if covered:
                return covered[0]
        raise _refused("unknown_shop", f"No shop has authorized {app.name}. Choose the shop of a test account.")


def _refused(code: str, sentence: str) -> RefusedError:
    return RefusedError(code, "The test notification was not sent", sentence, status=422)
