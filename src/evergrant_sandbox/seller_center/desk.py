"""The desk of somebody signed in to Seller Center: who it is, at which shop, with which navigation; nobody else gets in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.book import sellers
from evergrant_sandbox.clock import moment
from evergrant_sandbox.pages.browser import ForgedFormError, SignedIn
from evergrant_sandbox.pages.door import Door, RefusedError, forged, visit
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.switches.seller_center import BY_MARKET
from evergrant_sandbox.world import menus
from evergrant_sandbox.world.menus import Entry, Path
from evergrant_sandbox.world.regions import REGIONS, Region
from evergrant_sandbox.world.roles import RIGHTS, Deed, Page, Rights, may
from evergrant_sandbox.world.seller import Shop

# Which of the seller's shops the desk is about.
SHOP_COOKIE = "sandbox_shop"

Seated = Callable[["Desk"], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One request of somebody signed in, to a page that is theirs to see."""

    door: Door
    who: SignedIn
    here: Page
    shops: tuple[Shop, ...]
    # The one chosen with "Shop"; None for a seller without any.
    shop: Shop | None

    @property
    def platform(self) -> Platform:
        """The platform."""
        return self.door.platform

    @property
    def now(self) -> int:
        """The platform's present."""
        return self.door.now

    @property
    def rights(self) -> Rights:
        """What whoever sits here sees and may do."""
        return RIGHTS[self.who.account.role]

    @property
    def market(self) -> Region:
        """The market of the chosen shop, or of a seller without one."""
        return REGIONS[self.shop.region if self.shop else self.who.seller.region]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The menu paths of this market on this day, or the one the switch puts in their place."""
        position = self.platform.switches.of(switches.SELLER_CENTER_MENU)
        only = None if position == BY_MARKET else position
        return menus.paths(self.market.code, moment(self.now).date(), only=only)

    @property
    def navigation(self) -> tuple[Entry, ...]:
        """The left navigation of this market on this day, for this role."""
        return menus.navigation(self.paths, self.rights.pages)

    def path_to(self, page: Page) -> str:
        """How to tell somebody the way to a page that the menu leads to: `Growth > App store`."""
        return next(path.words for path in self.paths if path.page is page)

    def chosen_shop(self) -> Shop:
        """The shop, where a page makes no sense without one.

        Raises:
            RefusedError: the seller has not opened a shop.
        """
        if self.shop is None:
            sentence = f"{self.who.seller.name} has not opened a shop. Sign in as a seller who has one."
            raise RefusedError("no_shop", "There is no shop yet", sentence, status=404)
        return self.shop

    def check(self, deed: Deed) -> None:
        """Refuse whoever may see the page but may not do this.

        Raises:
            RefusedError: the role does not allow it.
        """
        if not may(self.who.account.role, deed):
            sentence = f"You are signed in with the role {self.rights.name}. Ask the shop's owner to do it."
            raise RefusedError("role_not_allowed", "Your role does not allow this", sentence)

    def page(self, template: str, *, status: int = 200, leads_to: tuple[str, ...] = (), **what: object) -> Response:
        """A page inside Seller Center's frame."""
        return self.door.page(template, status=status, leads_to=leads_to, desk=self, **what)

    def refusal(self, error: RefusedError) -> Response:
        """The page instead of the page, inside the frame."""
        return self.door.refusal(error, "seller_center/refusal.html", desk=self)


def at_desk(platform: Platform, pages: Pages, path: str, methods: tuple[str, ...], page: Page, seated: Seated) -> Route:
    """A route to a page of Seller Center: sign-in is asked for, and the role decides, before anything else is looked at."""

    async def visited(door: Door) -> Response:
        who = door.browser.who()
        if who is None:
            return _to_the_login(door, page)
        desk = _desk(door, who, page)
        try:
            if page not in desk.rights.pages:
                raise _not_theirs(desk)
            return await seated(desk)
        except ForgedFormError:
            return desk.refusal(forged())
        except RefusedError as error:
            return desk.refusal(error)

    return visit(platform, pages, path, methods, visited)


def _to_the_login(door: Door, page: Page) -> Response:
    url = door.request.url
    wanted = f"{url.path}?{url.query}" if url.query else url.path
    # What was being sent is lost with the session; the page it was sent from is the place to begin again.
    following = wanted if door.request.method == "GET" else page.value
    return RedirectResponse(f"/seller/login?next={quote(following, safe='/')}", 303)


def _desk(door: Door, who: SignedIn, page: Page) -> Desk:
    shops = tuple(sellers.shops_of(door.platform.book, who.seller.id))
    wanted = door.request.cookies.get(SHOP_COOKIE)
    shop = next((each for each in shops if each.id == wanted), shops[0] if shops else None)
    return Desk(door=door, who=who, here=page, shops=shops, shop=shop)


def _not_theirs(desk: Desk) -> RefusedError:
    return RefusedError(
        "page_not_for_role",
        "This page is not for your role",
        f"You are signed in as {desk.who.account.email} with the role {desk.rights.name}. The shop's owner can give you"
        " another role, or sign in instead.",
    )
