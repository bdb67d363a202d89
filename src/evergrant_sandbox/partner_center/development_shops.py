"""Development Shops: the developer's test accounts, and the form that creates one."""

from dataclasses import dataclass, field

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.acts.development_shops import TooManyError, Wanted, Workshop
from evergrant_sandbox.book import development_shops, sellers
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center.desk import Desk, at_desk, missing
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import development_shop as rules
from evergrant_sandbox.world.development_shop import DevelopmentShop, Function, Onboarding
from evergrant_sandbox.world.regions import REGIONS
from evergrant_sandbox.world.seller import Account, Kind, Seller, Shop

PATH = "/partner/development-shops"

# What the page calls the two kinds of seller.
_SHOP_TYPES = {"Local": Kind.LOCAL, "CB": Kind.CROSS_BORDER}
_MARKETS = tuple(REGIONS[code] for code in rules.MARKETS)
_LONGEST_NICKNAME = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAccount:
    """A test account with everything a page says about it."""

    own: DevelopmentShop
    seller: Seller
    account: Account
    shop: Shop
    expired: bool

    @property
    def path(self) -> str:
        """Where it is managed."""
        return f"{PATH}/{self.own.seller_id}"

    @property
    def shop_type(self) -> str:
        """Local or cross-border, as the page calls it."""
        return "CB" if self.seller.kind is Kind.CROSS_BORDER else "Local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a developer entered to create a test account, and what is wrong with it, by field."""

    function: str = Function.CORE
    shop_type: str = "Local"
    market: str = "GB"
    nickname: str = ""
    onboarding: str = Onboarding.WITHOUT_PAPERS
    faults: dict[str, str] = field(default_factory=dict)

    def wanted(self) -> Wanted:
        """The test account it is about; only when nothing is wrong."""
        return Wanted(
            nickname=self.nickname,
            market=self.market,
            kind=_SHOP_TYPES[self.shop_type],
            function=Function(self.function),
            onboarding=Onboarding(self.onboarding),
        )


def workshop(platform: Platform) -> Workshop:
    """Who looks after the test accounts of a platform."""
    return Workshop(
        book=platform.book,
        market=platform.market,
        registry=platform.registry,
        issuer=platform.issuer,
        dice=platform.dice,
    )


def all_of(desk: Desk) -> list[TestAccount]:
    """The developer's test accounts, oldest first."""
    owned = development_shops.of_developer(desk.door.platform.book, desk.developer.id)
    return [found for own in owned if (found := _view(desk, own))]


def one_of(desk: Desk, seller_id: str) -> TestAccount:
    """One of the developer's test accounts.

    Raises:
        RefusedError: there is none like that, or it is somebody else's; nobody learns which.
    """
    own = development_shops.find(desk.door.platform.book, seller_id=seller_id, developer_id=desk.developer.id)
    found = _view(desk, own) if own else None
    if found is None:
        raise missing()
    return found


class DevelopmentShops:
    """The list and the form."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages
        self._workshop = workshop(platform)

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            at_desk(self._platform, self._pages, PATH, ("GET",), self.show),
            at_desk(self._platform, self._pages, f"{PATH}/create", ("GET", "POST"), self.create),
        ]

    async def show(self, desk: Desk) -> Response:
        """All test accounts, with their sign-ins and when they expire."""
        accounts = all_of(desk)
        return desk.page(
            "partner_center/development_shops.html", accounts=accounts, most=rules.MOST, days=rules.LIFE // DAY
        )

    async def create(self, desk: Desk) -> Response:
        """The form, and what comes of it."""
        if desk.door.request.method == "GET":
            if len(all_of(desk)) >= rules.MOST:
                raise _too_many()
            return self._form(desk, Order())
        asked = _read(await desk.form())
        if asked.faults:
            return self._form(desk, asked)
        try:
            made = self._workshop.create(asked.wanted(), developer_id=desk.developer.id, now=desk.door.now)
        except TooManyError as error:
            raise _too_many() from error
        return RedirectResponse(f"{PATH}/{made.seller_id}?done=created", 303)

    def _form(self, desk: Desk, asked: Order) -> Response:
        return desk.page(
            "partner_center/create_test_account.html",
            status=422 if asked.faults else 200,
            asked=asked,
            functions=tuple(Function),
            shop_types=tuple(_SHOP_TYPES),
            markets=_MARKETS,
            onboardings=tuple(Onboarding),
            days=rules.LIFE // DAY,
        )


def _view(desk: Desk, own: DevelopmentShop) -> TestAccount | None:
    book = desk.door.platform.book
    seller = sellers.find(book, own.seller_id)
    shops = sellers.shops_of(book, own.seller_id)
    if seller is None or not shops:
        return None
    owner = sellers.accounts_of(book, seller.id)[0]
    expired = own.has_expired(desk.door.now)
    return TestAccount(own=own, seller=seller, account=owner, shop=shops[0], expired=expired)


def _read(fields: dict[str, str]) -> Order:
    function, shop_type = fields.get("function", ""), fields.get("shop_type", "")
    market, onboarding = fields.get("market", ""), fields.get("onboarding", "")
    nickname = fields.get("nickname", "").strip()
    faults = {}
    if function not in set(Function):
        faults["function"] = "Choose what the test account is for."
    if shop_type not in _SHOP_TYPES:
        faults["shop_type"] = "Choose a shop type."
    if market not in rules.MARKETS:
        faults["market"] = "Choose the market of the test account."
    if not nickname or not nickname.isprintable():
        faults["nickname"] = "Enter a nickname by which you recognise the account."
    elif len(nickname) > _LONGEST_NICKNAME:
        faults["nickname"] = f"Choose a nickname of at most {_LONGEST_NICKNAME} characters."
    if onboarding not in set(Onboarding):
        faults["onboarding"] = "Choose an onboarding type."
    return Order(
        function=function,
        shop_type=shop_type,
        market=market,
        nickname=nickname[:_LONGEST_NICKNAME],
        onboarding=onboarding,
        faults=faults,
    )


def _too_many() -> RefusedError:
    return RefusedError(
        "too_many_test_accounts",
        "You have all the test accounts there may be",
        f"A developer may have {rules.MOST} test accounts. One that has expired counts and can be reactivated.",
        status=409,
    )
