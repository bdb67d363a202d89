"""Partner Center's first page: where a developer finds what."""

from dataclasses import astuple, dataclass

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox.book import development_shops, sent_notices
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center.desk import HOME, Desk, at_desk
from evergrant_sandbox.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One way in, with how much there is behind it."""

    icon: str
    label: str
    path: str
    words: str
    figure: int | None = None
    unit: str = ""


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
        book, mine = self._platform.book, desk.apps()
        cards = (
            Card(
                icon="layout-dashboard",
                label="App & Service",
                path="/partner/apps",
                words="Apps with their keys, scopes and authorization links, and where their review stands.",
                figure=len(mine),
                unit="app",
            ),
            Card(
                icon="building-store",
                label="Development Shops",
                path="/partner/development-shops",
                words="Test accounts of Seller Center, for apps that no real seller can authorize yet.",
                figure=len(development_shops.of_developer(book, desk.developer.id)),
                unit="test account",
            ),
            Card(
                icon="history",
                label="Webhook Log",
                path="/partner/webhook-log",
                words="What your apps were told, what they answered, and what is tried again.",
                figure=sent_notices.count(book, tuple(app.key for app in mine)),
                unit="notice",
            ),
            Card(
                icon="tool",
                label="API Testing Tool",
                path="/partner/api-testing-tool",
                words="A call signed and made for you, with the string that was signed and the answer.",
            ),
        )
        return desk.page("partner_center/home.html", cards=[astuple(card) for card in cards])
