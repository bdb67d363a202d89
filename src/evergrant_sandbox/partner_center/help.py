"""Help: the guides a developer is pointed to, in the sandbox's own words."""

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox.clock import DAY
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center.desk import Desk, at_desk
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import development_shop as rules
from evergrant_sandbox.world.regions import REGIONS

PATH = "/partner/help"


class Help:
    """The guides."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            at_desk(self._platform, self._pages, PATH, ("GET",), self.index),
            at_desk(self._platform, self._pages, f"{PATH}/development-shops", ("GET",), self.development_shops),
            at_desk(self._platform, self._pages, f"{PATH}/app-development-overview", ("GET",), self.overview),
        ]

    async def index(self, desk: Desk) -> Response:
        """Which guides there are."""
        return desk.page("partner_center/help.html")

    async def development_shops(self, desk: Desk) -> Response:
        """The Seller Center Development Shops User Guide."""
        markets = [REGIONS[code].name for code in rules.MARKETS]
        return desk.page(
            "partner_center/help_development_shops.html", markets=markets, most=rules.MOST, days=rules.LIFE // DAY
        )

    async def overview(self, desk: Desk) -> Response:
        """The app development overview."""
        return desk.page("partner_center/help_overview.html")
