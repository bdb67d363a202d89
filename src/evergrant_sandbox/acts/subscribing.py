"""An app listens to one shop: the Event API sets an address for a topic, or takes it away."""

from dataclasses import dataclass

from evergrant_sandbox.book import due, subscriptions
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.switches import DAILY_WARNING_ZONE, Switches
from evergrant_sandbox.world import warnings
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.topics import Topic

# What a grant falls due for by itself.
OF_GRANTS = (Topic.SELLER_DEAUTHORIZATION, Topic.UPCOMING_AUTHORIZATION_EXPIRATION)


def hears_of_grants(book: Book, app: App) -> bool:
    """Whether an app would hear of what falls due at its grants; one that does not costs nothing when time is turned."""
    wide = bool(app.webhook_url) and any(topic in app.topics for topic in OF_GRANTS)
    return wide or subscriptions.any_of(book, app_key=app.key, kinds=OF_GRANTS)


def mind(book: Book, switches: Switches, app: App, *, heard_before: bool, now: int) -> None:
    """After a change of what an app listens to: let its grants fall due from now on, or no longer."""
    hears = hears_of_grants(book, app)
    if hears and not heard_before:
        midnight = warnings.next_midnight(now, switches.of(DAILY_WARNING_ZONE))
        due.listen(book, app_key=app.key, now=now, next_midnight=midnight)
    if heard_before and not hears:
        due.fall_silent(book, app.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Connects topics of shops to addresses."""

    book: Book
    switches: Switches

    def subscribe(self, app: App, shop: Shop, *, kind: int, address: str, now: int) -> None:
        """Set the address of a topic, new or another."""
        with self.book.transaction():
            heard = hears_of_grants(self.book, app)
            subscriptions.keep(self.book, app_key=app.key, shop_id=shop.id, kind=kind, address=address, now=now)
            mind(self.book, self.switches, app, heard_before=heard, now=now)

    def unsubscribe(self, app: App, shop: Shop, *, kind: int, now: int) -> None:
        """Take the address of a topic away; it need not have one."""
        with self.book.transaction():
            heard = hears_of_grants(self.book, app)
            subscriptions.remove(self.book, app_key=app.key, shop_id=shop.id, kind=kind)
            mind(self.book, self.switches, app, heard_before=heard, now=now)
