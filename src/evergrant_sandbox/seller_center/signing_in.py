"""Seller Center's sign-in: e-mail address or telephone number and a password, and a way to become a seller."""

import hmac
from dataclasses import dataclass, field

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.acts import founding
from evergrant_sandbox.book import development_shops, sellers
from evergrant_sandbox.pages.browser import local_path
from evergrant_sandbox.pages.credentials import fault_of_password, is_email
from evergrant_sandbox.pages.door import Door, visit
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import seed
from evergrant_sandbox.world.regions import TRADING
from evergrant_sandbox.world.roles import RIGHTS, Page
from evergrant_sandbox.world.seed import Household, StockedShop
from evergrant_sandbox.world.seller import Account, Kind, Origin, Role, Seller

_HOME = Page.HOME.value
_SIGNED_OUT = "/"
_SHOWN = 12
_EXPIRED = "This test account has expired. Its developer can reactivate it in Partner Center, Development Shops."


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Somebody who wants to become a seller: what was entered, and what is wrong with it, by field."""

    name: str = ""
    email: str = ""
    password: str = ""
    region: str = "GB"
    faults: dict[str, str] = field(default_factory=dict)


class SigningIn:
    """Sign-in, sign-out and sign-up."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            visit(self._platform, self._pages, "/seller/login", ("GET", "POST"), self.login),
            visit(self._platform, self._pages, "/seller/logout", ("POST",), self.logout),
            visit(self._platform, self._pages, "/seller/register", ("GET", "POST"), self.register),
        ]

    async def login(self, door: Door) -> Response:
        """The login page; a wrong password is said to be wrong, and nothing more."""
        following = local_path(door.request.query_params.get("next"), otherwise=_HOME)
        if door.request.method == "GET":
            return self._login_page(door, following, login="", wrong="")
        fields = await door.browser.form()
        login = fields.get("login", "").strip()
        account = self._account(login)
        if account is None or not hmac.compare_digest(account.password.encode(), fields.get("password", "").encode()):
            wrong = "The e-mail address, telephone number or password is wrong. Check both and try again."
            return self._login_page(door, following, login=login, wrong=wrong)
        if development_shops.has_expired(self._platform.book, account.seller_id, now=door.now):
            return self._login_page(door, following, login=login, wrong=_EXPIRED)
        response = RedirectResponse(following, 303)
        door.browser.sign_in(response, account)
        return response

    async def logout(self, door: Door) -> Response:
        """Signed out; on to where the form says, which is the login page for whoever switches accounts."""
        fields = await door.browser.form()
        response = RedirectResponse(local_path(fields.get("next"), otherwise=_SIGNED_OUT), 303)
        door.browser.sign_out(response)
        return response

    async def register(self, door: Door) -> Response:
        """A new seller with a first shop, signed in at once; the walk goes on where it was."""
        following = local_path(door.request.query_params.get("next"), otherwise=_HOME)
        if door.request.method == "GET":
            return self._register_page(door, following, Application())
        asked = self._read(await door.browser.form())
        if asked.faults:
            return self._register_page(door, following, asked)
        response = RedirectResponse(following, 303)
        door.browser.sign_in(response, self._open_account(asked))
        return response

    def _login_page(self, door: Door, following: str, *, login: str, wrong: str) -> Response:
        known = [
            (account, seller)
            for seller in sellers.first(self._platform.book, _SHOWN)
            for account in sellers.accounts_of(self._platform.book, seller.id)
        ]
        status = 401 if wrong else 200
        return door.page(
            "seller_center/login.html",
            status=status,
            following=following,
            login=login,
            wrong=wrong,
            known=known,
            rights=RIGHTS,
        )

    def _register_page(self, door: Door, following: str, asked: Application) -> Response:
        status = 422 if asked.faults else 200
        return door.page(
            "seller_center/register.html", status=status, following=following, asked=asked, regions=TRADING
        )

    def _account(self, login: str) -> Account | None:
        by_email = sellers.account(self._platform.book, login)
        digits = "".join(letter for letter in login if letter.isdigit())
        return by_email or (sellers.account_by_phone(self._platform.book, digits) if len(digits) > 5 else None)

    def _read(self, fields: dict[str, str]) -> Application:
        name, email = fields.get("name", "").strip()[:100], fields.get("email", "").strip()
        password, region = fields.get("password", ""), fields.get("region", "")
        faults = {}
        if not name:
            faults["name"] = "Enter the name of your shop."
        if not is_email(email):
            faults["email"] = "Enter your e-mail address."
        elif sellers.account(self._platform.book, email):
            faults["email"] = "This e-mail address signs in already. Log in with it instead."
        if wrong := fault_of_password(password):
            faults["password"] = wrong
        if region not in {each.code for each in TRADING}:
            faults["region"] = "Choose the region in which you sell."
        return Application(name=name, email=email, password=password, region=region, faults=faults)

    def _open_account(self, asked: Application) -> Account:
        platform = self._platform
        number = seed.seller_id(platform.dice)
        account = Account(email=asked.email, password=asked.password, seller_id=number, role=Role.OWNER)
        opened = seed.shop(platform.dice, seller_id=number, name=asked.name, region=asked.region, kind=Kind.LOCAL)
        household = Household(
            seller=Seller(
                id=number,
                name=asked.name,
                region=asked.region,
                kind=Kind.LOCAL,
                phone=seed.phone(platform.dice, asked.region),
                origin=Origin.ONLINE,
            ),
            accounts=(account,),
            shops=(StockedShop(shop=opened, products=5, orders=8),),
        )
        founding.settle(platform.book, platform.market, household, now=platform.clock.now())
        return account
