"""Test accounts are created, reactivated, and give out access tokens without an authorization link."""

from dataclasses import dataclass

from evergrant_sandbox.acts import founding
from evergrant_sandbox.acts.consent import Consent, Registry, covers_all_shops
from evergrant_sandbox.acts.tokens import Issuer, Pair
from evergrant_sandbox.acts.trade import Market
from evergrant_sandbox.book import development_shops, sellers
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.world import development_shop as rules
from evergrant_sandbox.world import ids, seed
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.development_shop import DevelopmentShop, Function, Onboarding
from evergrant_sandbox.world.grant import Route
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.seed import Household, StockedShop
from evergrant_sandbox.world.seller import Account, Kind, Origin, Role, Seller

_PERIOD = 365 * DAY
# Something to sell; nobody has bought anything yet.
_PRODUCTS = 5


class TooManyError(Exception):
    """The developer has as many test accounts as there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A test account as its developer wants it."""

    nickname: str
    market: str
    kind: Kind
    function: Function
    onboarding: Onboarding


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Looks after the test accounts of one world."""

    book: Book
    market: Market
    registry: Registry
    issuer: Issuer
    dice: Dice

    def create(self, wanted: Wanted, *, developer_id: str, now: int) -> DevelopmentShop:
        """A new test seller with its own sign-in and one shop, bound to the developer for good.

        Raises:
            TooManyError: there are ten already.
        """
        new = DevelopmentShop(
            seller_id=seed.seller_id(self.dice),
            developer_id=developer_id,
            function=wanted.function,
            onboarding=wanted.onboarding,
            made_at=now,
            ends_at=now + rules.LIFE,
        )
        with self.book.transaction():
            if len(development_shops.of_developer(self.book, developer_id)) >= rules.MOST:
                raise TooManyError
            founding.settle(self.book, self.market, self._household(wanted, new.seller_id), now=now)
            development_shops.add(self.book, new)
        return new

    def reactivate(self, shop: DevelopmentShop, *, now: int) -> None:
        """Another 180 days for one that has expired."""
        with self.book.transaction():
            development_shops.prolong(self.book, seller_id=shop.seller_id, ends_at=now + rules.LIFE)

    def generate(self, app: App, shop: DevelopmentShop, *, now: int) -> Pair:
        """A pair for an app, as if the test account had just authorized it.

        Raises:
            LookupError: the test seller is gone.
        """
        seller = sellers.find(self.book, shop.seller_id)
        if seller is None:
            raise LookupError("the test seller is gone")
        owner = sellers.accounts_of(self.book, seller.id)[0]
        consent = Consent(
            app=app,
            seller=seller,
            shop=None if covers_all_shops(seller) else sellers.shops_of(self.book, seller.id)[0],
            period=_PERIOD,
            scopes=app.scopes,
            contact_email=owner.email,
            contact_phone=seller.phone,
            route=Route.DEVELOPMENT_SHOP,
        )
        with self.book.transaction():
            grant = self.registry.agree(consent, now=now)
            return self.issuer.exchange(app, self.registry.code_for(grant, now=now), now=now)

    def _free_name(self) -> tuple[str, str]:
        """A name for the shop, and an address to sign in with that is nobody's yet."""
        while True:
            name = f"SANDBOX{ids.digits(self.dice, prefix='7', length=7)}"
            email = f"{name.lower()}@partner.example"
            if sellers.account(self.book, email) is None:
                return name, email

    def _household(self, wanted: Wanted, number: str) -> Household:
        name, email = self._free_name()
        opened = seed.shop(self.dice, seller_id=number, name=name, region=wanted.market, kind=wanted.kind)
        return Household(
            seller=Seller(
                id=number,
                name=wanted.nickname,
                region=wanted.market,
                kind=wanted.kind,
                phone=seed.phone(self.dice, wanted.market),
                origin=Origin.TEST,
            ),
            accounts=(Account(email=email, password=seed.PASSWORD, seller_id=number, role=Role.OWNER),),
            shops=(StockedShop(shop=opened, products=_PRODUCTS, orders=0),),
        )
