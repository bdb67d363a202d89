"""Who is at the door: API keys with scopes, logins with their CSRF token, and visitors without either."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from fastapi import Request
from starlette.responses import Response

from evergrant.actions.reading import KEY_PREFIX, KEY_SCOPES, ApiKey, Person, Whence
from evergrant.core.errors import InvalidRequestError
from evergrant.core.secret import Secret
from evergrant.web import problems
from evergrant.web.desk import Desk

Answer = Coroutine[Any, Any, tuple[int, object]]

LOGIN_COOKIE = "eg_login"
VISIT_COOKIE = "eg_visit"
BROWSER_COOKIE = "eg_browser"
"""What a browser carries since somebody logged in with it: it opens nothing, and is told from strangers who guess."""

BROWSER_LIFE = timedelta(days=90)
CHANGES = frozenset({"owner", "operator"})
"""Roles that may change something; a viewer looks."""


class LoginRequiredError(Exception):
    """Nobody is logged in: the page sends to the login and comes back."""


def desk_of(request: Request) -> Desk:
    """What the doors have at hand."""
    desk: Desk = request.app.state.desk
    return desk


def bearer(header: str) -> Secret:
    """The API key in an Authorization header.

    Raises:
        ApiKeyMissingError: there is none, or it is not one of ours by its look.
    """
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise problems.ApiKeyMissingError
    if not key.strip().startswith(KEY_PREFIX):
        raise problems.ApiKeyUnknownError
    return Secret(key.strip())


def admitted(key: ApiKey | None, scope: str) -> ApiKey:
    """The key, if it may do what the scope stands for.

    Raises:
        DoorError: it is unknown, revoked, expired, or has not that scope.
    """
    if key is None:
        raise problems.ApiKeyUnknownError
    if key.revoked:
        raise problems.ApiKeyRevokedError
    if key.expired:
        raise problems.ApiKeyExpiredError
    if scope not in key.scopes:
        raise problems.ApiKeyScopeMissingError(f"This API key lacks the scope `{scope}`.")
    return key


class WithScope:
    """A dependency: the caller's API key, which has this scope."""

    def __init__(self, scope: str) -> None:
        assert scope in KEY_SCOPES
        self._scope = scope

    async def __call__(self, request: Request) -> ApiKey:
        """The key of this request."""
        desk = desk_of(request)
        shown = bearer(request.headers.get("authorization", ""))
        key = admitted(await desk.keys.find(shown), self._scope)
        desk.walls.enter(key.tenant_id)
        request.scope["state"]["scope"] = self._scope  # what an answer kept for a repetition asks for, too
        return key


async def person_of(request: Request) -> Person:
    """Whoever is logged in.

    Raises:
        LoginRequiredError: nobody is.
    """
    return await _logged_in(request, desk_of(request).people.by_login)


async def watching_person(request: Request) -> Person:
    """Whoever is logged in, for what an open page fetches by itself: nobody has to be there for that, so it is no use.

    Raises:
        LoginRequiredError: nobody is.
    """
    return await _logged_in(request, desk_of(request).people.still_logged_in)


async def _logged_in(request: Request, find: Callable[[Secret], Awaitable[Person | None]]) -> Person:
    desk = desk_of(request)
    token = request.cookies.get(desk.cookie(LOGIN_COOKIE))
    person = await find(Secret(token)) if token else None
    if person is None:
        raise LoginRequiredError
    desk.walls.enter(person.tenant_id)
    return person


async def acting_person(request: Request) -> Person:
    """Whoever is logged in, for a form that changes something: the CSRF token is checked, and the role."""
    person = await person_of(request)
    await check_csrf(request, LOGIN_COOKIE)
    if person.role not in CHANGES:
        raise problems.NotPermittedError
    return person


def whence_of(request: Request) -> Whence:
    """Where a form comes from. An address of the newer kind counts as its network, of which one person has all."""
    carried = request.cookies.get(desk_of(request).cookie(BROWSER_COOKIE))
    address = request.client.host if request.client else ""
    with suppress(ValueError):
        if ip_address(address).version == 6:
            address = str(ip_network(f"{address.partition('%')[0]}/64", strict=False))
    return Whence(address=address, browser=Secret(carried) if carried else None)


def csrf_of(cookie_value: str) -> str:
    """The CSRF token that goes with a cookie: who cannot read the cookie cannot know it."""
    return hashlib.sha256(f"evergrant csrf|{cookie_value}".encode()).hexdigest()


async def check_csrf(request: Request, cookie: str) -> None:
    """Raises CsrfFailedError unless the form carries the token that goes with the cookie."""
    value = request.cookies.get(desk_of(request).cookie(cookie), "")
    form = await request.form()
    given = form.get("csrf")
    if (
        not value
        or not isinstance(given, str)
        or not hmac.compare_digest(csrf_of(value).encode(), given.encode(errors="replace"))
    ):
        raise problems.CsrfFailedError


def visit_of(request: Request, desk: Desk) -> str:
    """The visitor's cookie value: the one they have, or a fresh one for the answer to set."""
    return request.cookies.get(desk.cookie(VISIT_COOKIE)) or desk.ports.dice.secret().reveal()


def set_cookie(response: Response, desk: Desk, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set one of our cookies: for this host, out of scripts' reach, sent along when the platform sends the person back."""
    response.set_cookie(
        desk.cookie(name), value, max_age=seconds, path="/", secure=desk.is_https, httponly=True, samesite="lax"
    )


def drop_cookie(response: Response, desk: Desk, name: str) -> None:
    """Forget one of our cookies."""
    response.delete_cookie(desk.cookie(name), path="/", secure=desk.is_https, httponly=True, samesite="lax")


def once(request: Request, name: str) -> str | None:
    """A query parameter that may be given once.

    Raises:
        InvalidRequestError: it is given more than once.
    """
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise InvalidRequestError(f"The parameter {name} is given more than once.")
    return values[0] if values else None
