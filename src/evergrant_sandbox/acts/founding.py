"""A world is founded: on a first start, after a reset, and seller by seller when a test asks for more."""

from dataclasses import dataclass

from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.acts.trade import Market
from evergrant_sandbox.book import apps, developers, due, sellers, settings
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.switches import DAILY_WARNING_ZONE, Switches
from evergrant_sandbox.world import seed, warnings
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.seed import Household


def found(book: Book, *, number: int, dice: Dice, now: int) -> None:
    """The seeded world: sellers with stocked shops and one published app. The secret of its tokens is thrown anew."""
    with book.transaction():
        settings.write(book, settings.SEED, str(number))
        settings.write(book, settings.SECRET, dice(32).hex())
        market = Market(book=book, herald=Herald(book=book, dice=dice))
        for household in seed.households(number):
            settle(book, market, household, now=now)
        developers.add(book, seed.developer(number))
        apps.keep(book, seed.app(number))


def bring_up_to_date(book: Book) -> None:
    """A world that was founded before there were developers gets the seeded one, and its apps a maker."""
    if developers.find_by_email(book, seed.DEVELOPER_EMAIL):
        return
    maker = seed.developer(int(settings.read(book, settings.SEED) or 0))
    with book.transaction():
        developers.add(book, maker)
        developers.adopt_apps(book, maker.id)


def settle(book: Book, market: Market, household: Household, *, now: int) -> None:
    """A seller moves in, with sign-ins, shops, products and the orders of the last days."""
    with book.transaction():
        sellers.add(book, household.seller)
        for account in household.accounts:
            sellers.add_account(book, account)
        for stocked in household.shops:
            sellers.add_shop(book, stocked.shop, trade=stocked.trade)
            market.stock(stocked.shop, stocked.products, now=now)
            market.fill(stocked.shop, stocked.orders, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """Keeps apps, and sees to it that an app with a webhook URL hears of what falls due."""

    book: Book
    switches: Switches

    def keep(self, app: App, *, now: int) -> None:
        """Keep an app, new or changed."""
        with self.book.transaction():
            before = apps.find(self.book, app.key)
            apps.keep(self.book, app)
            heard_before = bool(before and before.webhook_url)
            if app.webhook_url and not heard_before:
                midnight = warnings.next_midnight(now, self.switches.of(DAILY_WARNING_ZONE))
                due.listen(self.book, app_key=app.key, now=now, next_midnight=midnight)
            if heard_before and not app.webhook_url:
                due.fall_silent(self.book, app.key)
