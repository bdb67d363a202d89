"""`/_sandbox/world`, `/reset` and `/sellers`: who exists, back to the seeded world, and more sellers."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.acts import founding
from evergrant_sandbox.book import apps, developers, goods, grants, reviews, sellers, settings
from evergrant_sandbox.clock import read_instant, rfc3339
from evergrant_sandbox.control import shapes
from evergrant_sandbox.control.shapes_of_apps import app_view
from evergrant_sandbox.control.steering import SteeringError, read, steer
from evergrant_sandbox.fields import Count, Email, Text
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import ids, seed
from evergrant_sandbox.world.regions import REGIONS, TRADING
from evergrant_sandbox.world.seed import PASSWORD, Household, StockedShop
from evergrant_sandbox.world.seller import Account, Kind, Origin, Role, Seller


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """Which world to go back to, and at which moment of platform time (otherwise: the present)."""

    seed: Annotated[int, Meta(ge=0, le=2**31)] = 1
    now: str | float | None = None


class GivenShop(msgspec.Struct, forbid_unknown_fields=True):
    """A shop of a new seller."""

    name: Text
    region: str | None = None
    orders: Count = 25
    products: Count = 10


class SubAccount(msgspec.Struct, forbid_unknown_fields=True):
    """A sign-in that is not the owner's."""

    email: Email
    password: Text = PASSWORD
    role: Literal["administrator", "operations", "customer_support", "finance", "sub_account"] = "sub_account"


class GivenSeller(msgspec.Struct, forbid_unknown_fields=True):
    """A new seller; what is left out is made up."""

    name: Text = "A Seller Ltd"
    email: Email | None = None
    password: Text = PASSWORD
    region: str = "GB"
    kind: Literal["local", "cross_border"] = "local"
    test: bool = False
    phone: Text | None = None
    shops: tuple[GivenShop, ...] | None = None
    sub_accounts: tuple[SubAccount, ...] = ()


class Worlds:
    """Who exists."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/world", "GET", self.show),
            steer(self._platform, "/reset", "POST", self.reset),
            steer(self._platform, "/sellers", "POST", self.add_seller, status=201),
        ]

    async def show(self, _: Request) -> shapes.World:
        """Everything there is, with keys and sign-ins."""
        return world_view(self._platform)

    async def reset(self, request: Request) -> shapes.World:
        """Back to a seeded world: grants, log, switches, faults and the clock's offset are forgotten."""
        asked = await read(request, Reset)
        try:
            instant = None if asked.now is None else read_instant(asked.now)
        except ValueError as error:
            raise SteeringError("invalid_time", f"{str(error).capitalize()}.") from error
        await self._platform.begin_anew(number=asked.seed, instant=instant)
        return world_view(self._platform)

    async def add_seller(self, request: Request) -> shapes.SellerView:
        """A new seller with sign-ins and stocked shops."""
        given = await read(request, GivenSeller)
        household = self._household(given)
        taken: set[str] = set()
        for account in household.accounts:
            if account.email.lower() in taken or sellers.account(self._platform.book, account.email):
                raise SteeringError("email_taken", f"{account.email} signs in already; choose another.", status=409)
            taken.add(account.email.lower())
        founding.settle(self._platform.book, self._platform.market, household, now=self._platform.clock.now())
        return _seller_view(self._platform, household.seller)

    def _household(self, given: GivenSeller) -> Household:
        dice = self._platform.dice
        number = seed.seller_id(dice)
        email = given.email or f"seller.{ids.lower(dice, 6)}@shops.example"
        kind = Kind.CROSS_BORDER if given.kind == "cross_border" else Kind.LOCAL
        shops = given.shops if given.shops is not None else (GivenShop(name=given.name, region=given.region),)
        _check_region(given.region, tuple(REGIONS))
        for each in shops:
            _check_region(each.region or given.region, tuple(region.code for region in TRADING))
        people = [
            Account(email=email, password=given.password, seller_id=number, role=Role.OWNER),
            *(
                Account(email=each.email, password=each.password, seller_id=number, role=Role(each.role))
                for each in given.sub_accounts
            ),
        ]
        return Household(
            seller=Seller(
                id=number,
                name=given.name,
                region=given.region,
                kind=kind,
                phone=given.phone or f"+{REGIONS[given.region].dial} {ids.digits(dice, prefix='20', length=9)}",
                origin=Origin.TEST if given.test else Origin.ONLINE,
            ),
            accounts=tuple(people),
            shops=tuple(self._stocked(number, each, given.region, kind) for each in shops),
        )

    def _stocked(self, seller_id: str, given: GivenShop, region: str, kind: Kind) -> StockedShop:
        made = seed.shop(
            self._platform.dice, seller_id=seller_id, name=given.name, region=given.region or region, kind=kind
        )
        # A shop with orders needs something that was bought.
        products = given.products or min(given.orders, 1)
        return StockedShop(shop=made, products=products, orders=given.orders)


def world_view(platform: Platform) -> shapes.World:
    """The world as JSON."""
    book = platform.book
    makers = {maker.id: maker for maker in developers.everyone(book)}
    return shapes.World(
        now=rfc3339(platform.clock.now()),
        seed=int(settings.read(book, settings.SEED) or 0),
        developers=[shapes.developer_view(maker) for maker in makers.values()],
        apps=[
            app_view(app, makers.get(app.developer_id), reviews.of_app(book, app.key)) for app in apps.everyone(book)
        ],
        sellers=[_seller_view(platform, seller) for seller in sellers.everyone(book)],
        grants=grants.count(book),
    )


def _check_region(region: str, known: tuple[str, ...]) -> None:
    if region not in known:
        raise SteeringError("unknown_region", f"{region!r} is no region for that; there are {', '.join(known)}.")


def _seller_view(platform: Platform, seller: Seller) -> shapes.SellerView:
    book = platform.book
    shops = [shapes.shop_view(shop, goods.counts(book, shop.id)) for shop in sellers.shops_of(book, seller.id)]
    return shapes.seller_view(seller, sellers.accounts_of(book, seller.id), shops)
