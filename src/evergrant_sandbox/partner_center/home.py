"""Partner Center's first page: where a developer finds what."""

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center.desk import HOME, Desk, at_desk
from evergrant_sandbox.platform import Platform


class Home:
    """The first page."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        return [at_desk(self._platform, self._pages, HOME, ("GET",), self.show)]

    async def show(self, desk: Desk) -> Response:
        """What there is, with how much of it."""
        return desk.page("partner_center/home.html", apps=desk.apps())
