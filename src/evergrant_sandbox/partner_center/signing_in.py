"""Partner Center's sign-in, sign-out and registration of developers."""

import hmac
from dataclasses import dataclass, field

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.book import developers
from evergrant_sandbox.pages.browser import local_path
from evergrant_sandbox.pages.credentials import fault_of_password, is_email
from evergrant_sandbox.pages.door import Door, visit
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center import desk
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import seed
from evergrant_sandbox.world.developer import Developer

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Somebody who wants to become a developer: what was entered, and what is wrong with it, by field."""

    company: str = ""
    email: str = ""
    password: str = ""
    faults: dict[str, str] = field(default_factory=dict)


class SigningIn:
    """Sign-in, sign-out and registration."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            visit(self._platform, self._pages, "/partner/login", ("GET", "POST"), self.login),
            visit(self._platform, self._pages, "/partner/logout", ("POST",), self.logout),
            visit(self._platform, self._pages, "/partner/register", ("GET", "POST"), self.register),
        ]

    async def login(self, door: Door) -> Response:
        """The login page; a wrong password is said to be wrong, and nothing more."""
        following = _next(door)
        if door.request.method == "GET":
            return self._login_page(door, following, email="", wrong="")
        fields = await door.browser.form()
        email = fields.get("email", "").strip()
        developer = developers.find_by_email(self._platform.book, email)
        given = fields.get("password", "").encode()
        if developer is None or not hmac.compare_digest(developer.password.encode(), given):
            wrong = "The e-mail address or password is wrong. Check both and try again."
            return self._login_page(door, following, email=email, wrong=wrong)
        response = RedirectResponse(following, 303)
        desk.sign_in(door, response, developer)
        return response

    async def logout(self, door: Door) -> Response:
        """Signed out, and back at the login page."""
        await door.browser.form()
        response = RedirectResponse("/partner/login", 303)
        desk.sign_out(door, response)
        return response

    async def register(self, door: Door) -> Response:
        """A new developer, signed in at once."""
        following = _next(door)
        if door.request.method == "GET":
            return self._register_page(door, following, Application())
        asked = self._read(await door.browser.form())
        if asked.faults:
            return self._register_page(door, following, asked)
        number = seed.developer_id(self._platform.dice)
        developer = Developer(id=number, email=asked.email, password=asked.password, company=asked.company)
        response = RedirectResponse(following, 303)
        with self._platform.book.transaction():
            developers.add(self._platform.book, developer)
            desk.sign_in(door, response, developer)
        return response

    def _login_page(self, door: Door, following: str, *, email: str, wrong: str) -> Response:
        return door.page(
            "partner_center/login.html",
            status=401 if wrong else 200,
            following=following,
            email=email,
            wrong=wrong,
            known=developers.everyone(self._platform.book)[:_SHOWN],
        )

    def _register_page(self, door: Door, following: str, asked: Application) -> Response:
        status = 422 if asked.faults else 200
        return door.page("partner_center/register.html", status=status, following=following, asked=asked)

    def _read(self, fields: dict[str, str]) -> Application:
        company, email = fields.get("company", "").strip()[:100], fields.get("email", "").strip()
        password = fields.get("password", "")
        faults = {}
        if not company or not company.isprintable():
            faults["company"] = "Enter the name of your company."
        if not is_email(email):
            faults["email"] = "Enter your e-mail address."
        elif developers.find_by_email(self._platform.book, email):
            faults["email"] = "This e-mail address is registered already. Log in with it instead."
        if wrong := fault_of_password(password):
            faults["password"] = wrong
        return Application(company=company, email=email, password=password, faults=faults)


def _next(door: Door) -> str:
    return local_path(door.request.query_params.get("next"), otherwise=desk.HOME)
