"""The browser in front of the pages: its cookies, its form tokens, and who is signed in."""

import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from evergrant_sandbox.book import development_shops, sellers, visits
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.regions import MARKETS
from evergrant_sandbox.world.seller import Account, Seller
from evergrant_sandbox.world.tokens import sha256

_BROWSER = "sandbox_browser"
_SESSION = "sandbox_session"
_MARKET = "sandbox_region"
_YEAR = 365 * 86_400

# The hidden field every form carries.
FORM_TOKEN = "form_token"  # noqa: S105  (a field's name)
_LARGEST_FORM = 64 * 1024


class ForgedFormError(Exception):
    """A form that was not got from a page of ours in this browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is signed in."""

    account: Account
    seller: Seller


class Browser:
    """One browser, for the length of one request. Its answers set what it lacks."""

    def __init__(self, platform: Platform, request: Request) -> None:
        self._platform = platform
        self._request = request
        known = request.cookies.get(_BROWSER, "")
        self._is_new = not (known.isascii() and 20 <= len(known) <= 64)
        self.id = platform.dice(24).hex() if self._is_new else known

    @property
    def form_token(self) -> str:
        """What a form of this browser carries."""
        return self._platform.mint.proof(f"form:{self.id}")

    @property
    def market(self) -> str | None:
        """The region whose "Next" was clicked in this browser before."""
        market = self._request.cookies.get(_MARKET, "")
        return market if market in {each.code for each in MARKETS} else None

    def who(self) -> SignedIn | None:
        """Who is signed in, if anybody."""
        session = self._request.cookies.get(_SESSION)
        email = visits.who(self._platform.book, sha256(session)) if session else None
        account = sellers.account(self._platform.book, email) if email else None
        seller = sellers.find(self._platform.book, account.seller_id) if account else None
        if account is None or seller is None:
            return None
        expired = development_shops.has_expired(self._platform.book, seller.id, now=self._platform.clock.now())
        return None if expired else SignedIn(account=account, seller=seller)

    async def form(self) -> dict[str, str]:
        """The fields of a submitted form.

        Raises:
            ForgedFormError: the form has no token, or another browser's.
        """
        text = (await self._sent()).decode("utf-8", errors="replace")
        fields = dict(parse_qsl(text, keep_blank_values=True))
        given = fields.get(FORM_TOKEN, "")
        if self._is_new or not hmac.compare_digest(given.encode(), self.form_token.encode()):
            raise ForgedFormError
        return fields

    def sign_in(self, response: Response, account: Account) -> None:
        """Sign an account in: always with a new session."""
        session = self._platform.dice(24).hex()
        with self._platform.book.transaction():
            self._forget_session()
            visits.sign_in(self._platform.book, sha256=sha256(session), email=account.email)
            visits.forget_forms(self._platform.book, self.id)
        response.set_cookie(_SESSION, session, httponly=True, samesite="lax", path="/")

    def sign_out(self, response: Response) -> None:
        """Sign out whoever is signed in."""
        with self._platform.book.transaction():
            self._forget_session()
        response.delete_cookie(_SESSION, path="/")

    def remember_market(self, response: Response, market: str) -> None:
        """Remember the region, so that the prompt need not ask again."""
        response.set_cookie(_MARKET, market, max_age=_YEAR, httponly=True, samesite="lax", path="/")

    def greet(self, response: Response) -> Response:
        """Give a new browser its name."""
        if self._is_new:
            response.set_cookie(_BROWSER, self.id, max_age=_YEAR, httponly=True, samesite="lax", path="/")
        return response

    async def _sent(self) -> bytes:
        """What was sent, as far as a form of ours can be long: the rest is not waited for, whoever sends it."""
        sent = b""
        async for part in self._request.stream():
            sent += part[: _LARGEST_FORM - len(sent)]
            if len(sent) == _LARGEST_FORM:
                break
        return sent

    def _forget_session(self) -> None:
        session = self._request.cookies.get(_SESSION)
        if session:
            visits.sign_out(self._platform.book, sha256(session))


def local_path(given: str | None, *, otherwise: str) -> str:
    """Where to go next, if that is a path of this site; never the way to another."""
    if given and given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable():
        return given
    return otherwise
