"""The platform by its real host names: each answers for its own paths, and for the others as it would at home."""

import re
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from evergrant_sandbox import wire
from evergrant_sandbox.wire import Answer
from evergrant_sandbox.world.hosts import House, house_of

# What the token host was seen to say (juli_backend 896, 1187). What the others say to a path of nobody's is unknown.
NOT_FOUND = Answer(404, b"404 page not found", b"text/plain; charset=utf-8")

_STRANGER = Answer(
    421,
    b"This address is for the platform's real host names. Without one of them, use the sandbox's plain base address.\n",
    b"text/plain; charset=utf-8",
)
_AGENCY_LINK = Answer(
    404,
    b"This is the link for agencies, which is not imitated. Sellers authorize at services.tiktokshop.com"
    b" or services.us.tiktokshop.com.\n",
    b"text/plain; charset=utf-8",
)

# A walk that has begun goes on at the host at which it began; so sign-in and drawings are at all of them, and the page of
# limits, to which the sandbox's band leads from everywhere.
_WALK = r"/authorize/|/seller(/|$)|/static/|/limits$"

_PAGES = {
    House.TOKENS: re.compile(rf"/oauth/authorize$|{_WALK}"),
    House.CONSENT: re.compile(rf"/open/authorize$|{_WALK}"),
    House.SELLER_CENTER: re.compile(rf"/open/authorize$|{_WALK}"),
    House.PARTNER_CENTER: re.compile(rf"/partner(/|$)|{_WALK}"),
}
_FRONT = {House.SELLER_CENTER: b"/seller", House.PARTNER_CENTER: b"/partner"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ByName:
    """The three doors of the platform behind its names."""

    tokens: ASGIApp
    api: ASGIApp
    site: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        name = next((value for key, value in scope["headers"] if key == b"host"), b"")
        found = self._door(house_of(name.decode("latin-1")), scope["path"])
        if isinstance(found, Answer):
            await wire.send(found, send)
        else:
            await found(scope, receive, send)

    def _door(self, house: House | None, path: str) -> ASGIApp | Answer:
        """Who answers for a path at a host."""
        if house is None:
            return _STRANGER
        if house is House.API:
            return self.api
        if _PAGES[house].match(path):
            return self.site
        if house is House.TOKENS:
            return self.tokens
        if path == "/" and house in _FRONT:
            return Answer(307, b"", headers=((b"location", _FRONT[house]),))
        if house is House.PARTNER_CENTER and path == "/open/authorize":
            return _AGENCY_LINK
        return NOT_FOUND
