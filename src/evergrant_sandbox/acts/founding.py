"""A world is founded: on a first start, after a reset, and seller by seller when a test asks for more."""

from dataclasses import dataclass

from evergrant_sandbox.acts import subscribing
from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.acts.trade import Market
from evergrant_sandbox.book import apps, sellers, settings
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world import seed
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.seed import Household


def found(book: Book, *, number: int, dice: Dice, now: int) -> None:
    """The seeded world: sellers with stocked shops and one published app. The secret of its tokens is thrown anew."""
    with book.transaction():
        settings.write(book, settings.SEED, str(number))
        settings.write(book, settings.SECRET, dice(32).hex())
        market = Market(book=book, herald=Herald(book=book, dice=dice, switches=Switches({})))
        for household in seed.households(number):
            settle(book, market, household, now=now)
        apps.keep(book, seed.app(number))


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
            heard_before = before is not None and subscribing.hears_of_grants(self.book, before)
            apps.keep(self.book, app)
            subscribing.mind(self.book, self.switches, app, heard_before=heard_before, now=now)
