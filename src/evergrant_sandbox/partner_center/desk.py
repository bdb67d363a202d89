"""A developer's desk: the door of a page in Partner Center, with who is signed in behind it and whose things may be seen."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.book import apps, developers
from evergrant_sandbox.pages.door import Door, RefusedError, visit
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center.navigation import NAVIGATION
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.developer import Developer
from evergrant_sandbox.world.tokens import sha256

HOME = "/partner"

_SESSION = "sandbox_developer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One request of a developer who is signed in."""

    door: Door
    developer: Developer

    def page(self, template: str, *, status: int = 200, leads_to: tuple[str, ...] = (), **what: object) -> Response:
        """A page with Partner Center around it: navigation, and who is signed in."""
        return self.door.page(
            template,
            status=status,
            leads_to=leads_to,
            developer=self.developer,
            navigation=NAVIGATION,
            here=self.door.request.url.path,
            **what,
        )

    async def form(self) -> dict[str, str]:
        """The fields of a submitted form.

        Raises:
            ForgedFormError: the form has no token, or another browser's.
        """
        return await self.door.browser.form()

    def app(self, key: str) -> App:
        """An app of this developer.

        Raises:
            RefusedError: there is none with this key, or it is somebody else's; nobody learns which.
        """
        app = apps.find(self.door.platform.book, key)
        if app is None or app.developer_id != self.developer.id:
            raise missing()
        self.door.entry.app_key = app.key
        return app

    def apps(self) -> list[App]:
        """All apps of this developer, oldest first."""
        return apps.of_developer(self.door.platform.book, self.developer.id)


Seated = Callable[[Desk], Awaitable[Response]]


def at_desk(platform: Platform, pages: Pages, path: str, methods: tuple[str, ...], seated: Seated) -> Route:
    """A route to a page for developers; whoever is not signed in is sent to log in, and back afterwards."""

    async def visited(door: Door) -> Response:
        developer = who(door)
        if developer is not None:
            return await seated(Desk(door=door, developer=developer))
        if door.request.method != "GET":
            return RedirectResponse("/partner/login", 303)
        query = f"?{door.request.url.query}" if door.request.url.query else ""
        return RedirectResponse(f"/partner/login?next={quote(door.request.url.path + query)}", 303)

    return visit(platform, pages, path, methods, visited)


def missing() -> RefusedError:
    """What is not there and what is somebody else's look the same."""
    return RefusedError(
        "not_found",
        "This page does not exist",
        "Check the address, or begin at the front page of Partner Center.",
        status=404,
    )


def who(door: Door) -> Developer | None:
    """The developer who is signed in at this browser, if any."""
    session = door.request.cookies.get(_SESSION)
    return developers.who(door.platform.book, sha256(session)) if session else None


def sign_in(door: Door, response: Response, developer: Developer) -> None:
    """Sign a developer in: always with a new session."""
    session = door.platform.dice(24).hex()
    with door.platform.book.transaction():
        _forget_session(door)
        developers.sign_in(door.platform.book, sha256=sha256(session), developer_id=developer.id)
    response.set_cookie(_SESSION, session, httponly=True, samesite="lax", path="/partner")


def sign_out(door: Door, response: Response) -> None:
    """Sign out whoever is signed in."""
    with door.platform.book.transaction():
        _forget_session(door)
    response.delete_cookie(_SESSION, path="/partner")


def _forget_session(door: Door) -> None:
    session = door.request.cookies.get(_SESSION)
    if session:
        developers.sign_out(door.platform.book, sha256(session))
