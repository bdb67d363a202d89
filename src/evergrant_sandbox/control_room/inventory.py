"""Apps with their keys and how their tokens rotate, sellers with their sign-ins, new orders, and a new world."""

from dataclasses import dataclass, replace

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox.acts.trade import GivenOrder, NothingForSaleError
from evergrant_sandbox.book import apps, goods, sellers, settings
from evergrant_sandbox.clock import read_instant
from evergrant_sandbox.control_room import desk
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import OldAccess, Rotation
from evergrant_sandbox.world.seller import Account, Seller, Shop

_PATH = "/control/world"
_SELLERS_SHOWN = 100
_MOST_ORDERS = 500
_LARGEST_SEED = 2**31
_LONGEST_GRACE = 365 * 86_400
_ROTATIONS = {
    Rotation.STRICT: "strict: a second use is refused",
    Rotation.RETRY_SAFE: "retry safe: the same pair again for a while",
    Rotation.STABLE: "stable: the refresh token never changes",
    Rotation.FAMILY: "family: a second use ends the authorization",
}
_OLD_ACCESS = {OldAccess.LIVES: "lives on after a refresh", OldAccess.DIES: "dies at a refresh"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A seller with everything that belongs to it."""

    seller: Seller
    accounts: list[Account]
    shops: list[tuple[Shop, int, int]]


class Inventory:
    """What there is, and what can be made of it."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            (_PATH, "GET", self.show),
            ("/control/apps/{key}/rotation", "POST", self.rotate),
            ("/control/orders", "POST", self.sell),
            ("/control/reset", "POST", self.reset),
        )
        return [desk.control(self._platform, self._pages, *entry) for entry in table]

    async def show(self, door: Door) -> Response:
        """The page."""
        book = self._platform.book
        return desk.show(
            door,
            "world.html",
            apps=apps.everyone(book),
            rotations=_ROTATIONS,
            old_access=_OLD_ACCESS,
            households=[self._household(seller) for seller in sellers.first(book, _SELLERS_SHOWN)],
            more=max(0, sellers.count(book) - _SELLERS_SHOWN),
            seed=settings.read(book, settings.SEED),
        )

    async def rotate(self, door: Door) -> Response:
        """Another rotation for an app."""
        fields = await door.browser.form()
        app = apps.find(self._platform.book, door.request.path_params["key"])
        if app is None:
            raise RefusedError("unknown_app", "There is no such app", "Go back and reload.", status=404)
        mode, old = fields.get("mode", ""), fields.get("old_access", "")
        grace = desk.number(fields.get("grace"))
        if mode not in _ROTATIONS or old not in _OLD_ACCESS or grace is None or grace > _LONGEST_GRACE:
            raise RefusedError(
                "invalid_rotation",
                "The app was not changed",
                "Choose from the lists, and give the seconds as a whole number.",
                status=422,
            )
        changed = replace(app, rotation=Rotation(mode), old_access=OldAccess(old), grace=grace)
        self._platform.registrar.keep(changed, now=door.now)
        return desk.back(_PATH, "rotation")

    async def sell(self, door: Door) -> Response:
        """Orders come in."""
        fields = await door.browser.form()
        shop = sellers.shop(self._platform.book, fields.get("shop", ""))
        count = desk.number(fields.get("count"))
        if shop is None:
            raise RefusedError("unknown_shop", "There is no such shop", "Go back and choose one.", status=404)
        if count is None or not 1 <= count <= _MOST_ORDERS:
            raise RefusedError(
                "invalid_count", "No order was made", f"Say how many, from 1 to {_MOST_ORDERS}.", status=422
            )
        try:
            self._platform.market.sell(shop, [GivenOrder() for _ in range(count)], now=door.now)
        except NothingForSaleError as error:
            raise RefusedError(
                "nothing_for_sale", "No order was made", f"{str(error).capitalize()}.", status=409
            ) from error
        self._platform.agenda.wake()
        return desk.back(_PATH, "orders")

    async def reset(self, door: Door) -> Response:
        """Begin a new world, if the box is checked."""
        fields = await door.browser.form()
        seed = desk.number(fields.get("seed")) if fields.get("seed") else 1
        if fields.get("sure") != "yes":
            raise RefusedError("not_confirmed", "Nothing was reset", "Go back and check the box first.", status=422)
        try:
            instant = read_instant(fields["now"] + "Z") if fields.get("now") else None
        except ValueError as error:
            raise RefusedError(
                "invalid_time", "Nothing was reset", f"{str(error).capitalize()}.", status=422
            ) from error
        if seed is None or seed > _LARGEST_SEED:
            raise RefusedError("invalid_seed", "Nothing was reset", "The seed is a whole number.", status=422)
        await self._platform.begin_anew(number=seed, instant=instant)
        # What the visit was to write into the log belongs to the old world's time.
        door.entry.at = door.now
        return desk.back(_PATH, "reset")

    def _household(self, seller: Seller) -> Household:
        book = self._platform.book
        return Household(
            seller=seller,
            accounts=sellers.accounts_of(book, seller.id),
            shops=[(shop, *goods.counts(book, shop.id)) for shop in sellers.shops_of(book, seller.id)],
        )
