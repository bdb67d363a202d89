"""How every page is entered and left: browser, log line, and a page instead of an error."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox.book import log
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.clock import rfc3339
from evergrant_sandbox.pages.browser import FORM_TOKEN, Browser, ForgedFormError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform

Visited = Callable[["Door"], Awaitable[Response]]


class RefusedError(Exception):
    """The page cannot be shown; what the person reads instead, and a way on where there is one: its words and its path."""

    def __init__(
        self, code: str, title: str, sentence: str, *, status: int = 403, way_on: tuple[str, str] | None = None
    ) -> None:
        self.code = code
        self.title = title
        self.status = status
        self.way_on = way_on
        super().__init__(sentence)


class Door:
    """One request to a page."""

    def __init__(self, platform: Platform, pages: Pages, request: Request) -> None:
        self.platform = platform
        self.request = request
        self.browser = Browser(platform, request)
        self.entry = Entry(
            kind="page",
            at=platform.clock.now(),
            begun_wall=platform.clock.wall(),
            method=request.method,
            path=request.url.path,
        )
        self._pages = pages

    @property
    def now(self) -> int:
        """The platform's present."""
        return self.platform.clock.now()

    def page(self, template: str, *, status: int = 200, leads_to: tuple[str, ...] = (), **what: object) -> Response:
        """A page for this browser, with what every page shows."""
        return self._pages.render(
            template,
            status=status,
            leads_to=leads_to,
            now=self.now,
            now_text=rfc3339(self.now),
            form_token=self.browser.form_token,
            form_token_name=FORM_TOKEN,
            signed_in=self.browser.who(),
            **what,
        )

    def refusal(self, error: RefusedError, template: str = "refusal.html", **what: object) -> Response:
        """The page instead of the page."""
        response = self.page(
            template,
            status=error.status,
            leads_to=(),
            title=error.title,
            sentence=str(error),
            code=error.code,
            way_on=error.way_on,
            **what,
        )
        response.headers["X-Error-Code"] = error.code
        return response


def visit(platform: Platform, pages: Pages, path: str, methods: tuple[str, ...], visited: Visited) -> Route:
    """A route to a page."""

    async def endpoint(request: Request) -> Response:
        door = Door(platform, pages, request)
        try:
            response = await visited(door)
        except ForgedFormError:
            response = door.refusal(forged())
        except RefusedError as error:
            response = door.refusal(error)
        door.entry.status = response.status_code
        door.entry.ended_wall = platform.clock.wall()
        with platform.book.transaction():
            log.append(platform.book, door.entry)
        return door.browser.greet(response)

    return Route(path, endpoint, methods=list(methods))


def forged() -> RefusedError:
    """What somebody reads whose form did not come from a page of this browser."""
    return RefusedError(
        "form_expired",
        "This form is no longer valid",
        "It was not opened in this browser, or the sandbox was reset since. Go back, reload the page and try again.",
    )
