"""The sandbox's own front page, a doorway: what this is, who signs in where, and the ways in; and the Limits page."""

from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox import limits, switches
from evergrant_sandbox.book import developers, sellers
from evergrant_sandbox.pages.door import Door, visit
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.seller import Account, Seller

_SELLERS_SHOWN = 50
_DEVELOPERS_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A seller with its sign-ins and the names of its shops."""

    seller: Seller
    accounts: list[Account]
    shops: list[str]


class Front:
    """The doorway."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (("/", self.front), ("/limits", self.limits))
        return [visit(self._platform, self._pages, path, ("GET",), visited) for path, visited in table]

    async def front(self, door: Door) -> Response:
        """The front page."""
        book = self._platform.book
        return door.page(
            "control_room/front.html",
            households=[self._household(seller) for seller in sellers.first(book, _SELLERS_SHOWN)],
            more=max(0, sellers.count(book) - _SELLERS_SHOWN),
            developers=developers.everyone(book)[:_DEVELOPERS_SHOWN],
        )

    async def limits(self, door: Door) -> Response:
        """What is not imitated, what loopback forces, and what is unknown."""
        positions = [(switch, self._platform.switches.of(switch)) for switch in switches.SWITCHES.values()]
        return door.page(
            "control_room/limits.html",
            not_imitated=limits.NOT_IMITATED,
            forced=limits.FORCED_BY_LOOPBACK,
            positions=positions,
            sheet=switches.SHEET,
        )

    def _household(self, seller: Seller) -> Household:
        book = self._platform.book
        return Household(
            seller=seller,
            accounts=sellers.accounts_of(book, seller.id),
            shops=[f"{shop.name} ({shop.region})" for shop in sellers.shops_of(book, seller.id)],
        )
