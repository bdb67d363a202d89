"""The sandbox's own front page: what this is, who is in it, and plain forms to turn time and to end authorizations."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox import limits, origin, switches
from evergrant_sandbox.acts.ending import NotAliveError
from evergrant_sandbox.book import apps, developers, due, goods, grants, log, notices, sellers
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.clock import DAY, HOUR, checked, read_instant
from evergrant_sandbox.origin import ForeignCallError
from evergrant_sandbox.pages.door import Door, RefusedError, visit
from evergrant_sandbox.pages.rendering import Pages, roughly
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.seller import Account, Seller, Shop

_GRANTS_SHOWN = 50
_SELLERS_SHOWN = 50
_DEVELOPERS_SHOWN = 50
_CALLS_SHOWN = 10

# What the front page says after one of its forms was used.
_SAID = {
    "turn": "The clock was turned. What fell due on the way has happened.",
    "cancel": "The authorization was cancelled.",
    "deactivate": "The authorization was deactivated.",
    "renew": "The authorization was renewed.",
}
_TURNS = {"hour": HOUR, "day": DAY, "month": 30 * DAY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A seller with everything that belongs to it."""

    seller: Seller
    accounts: list[Account]
    shops: list[tuple[Shop, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """A grant as the front page lists it."""

    grant: Grant
    app_name: str
    shops: list[Shop]
    status: str


class Front:
    """The front page and what its forms do."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("/", ("GET",), self.front),
            ("/limits", ("GET",), self.limits),
            ("/clock", ("POST",), self.turn),
            ("/grants/{id:int}/{verb}", ("POST",), self.act),
        )
        return [visit(self._platform, self._pages, path, methods, visited) for path, methods, visited in table]

    async def front(self, door: Door) -> Response:
        """The front page."""
        book = self._platform.book
        return door.page(
            "control_room/front.html",
            offset=(offset := round(self._platform.clock.offset)),
            offset_words=roughly(abs(offset)),
            next_due=self._next_due(),
            households=[self._household(seller) for seller in sellers.everyone(book)[:_SELLERS_SHOWN]],
            apps=apps.everyone(book),
            developers=developers.everyone(book)[:_DEVELOPERS_SHOWN],
            grants=[self._authorized(grant, door.now) for grant in grants.newest(book, _GRANTS_SHOWN)],
            grant_count=grants.count(book),
            waiting=len(notices.waiting(book, 1000)),
            calls=self._calls(),
            said=_SAID.get(door.request.query_params.get("done", ""), ""),
        )

    async def limits(self, door: Door) -> Response:
        """What is not imitated, what loopback forces, and what is unknown."""
        positions = [(switch, self._platform.switches.of(switch)) for switch in switches.SWITCHES.values()]
        return door.page(
            "control_room/limits.html",
            not_imitated=limits.NOT_IMITATED,
            forced=limits.FORCED_BY_LOOPBACK,
            positions=positions,
        )

    async def turn(self, door: Door) -> Response:
        """Turn the clock on, by a step or to an instant."""
        fields = await self._steering(door)
        step = _TURNS.get(fields.get("by", ""))
        try:
            instant = checked(door.now + step) if step else read_instant(fields.get("to", "") + "Z")
            await self._platform.agenda.turn_to(instant)
        except ValueError as error:
            raise RefusedError(
                "invalid_time", "The clock was not turned", f"{str(error).capitalize()}.", status=422
            ) from error
        return _back("turn")

    async def act(self, door: Door) -> Response:
        """Cancel, deactivate or renew an authorization."""
        await self._steering(door)
        grant = grants.find(self._platform.book, door.request.path_params["id"])
        if grant is None:
            raise RefusedError("unknown_grant", "There is no such authorization", "Go back and reload.", status=404)
        door.entry.grant_id, door.entry.app_key = grant.id, grant.app_key
        platform, verb = self._platform, door.request.path_params["verb"]
        following = ""
        try:
            match verb:
                case "cancel":
                    platform.undertaker.cancel(grant, now=door.now)
                case "deactivate":
                    platform.undertaker.deactivate(grant, now=door.now)
                case "renew":
                    following = platform.registry.in_seller_center(grant, period=grant.period, now=door.now).url
                case _:
                    raise RefusedError("unknown_verb", "There is no such action", "Go back and reload.", status=404)
        except NotAliveError as error:
            raise RefusedError("not_alive", "It was over already", f"{str(error).capitalize()}.", status=409) from error
        platform.agenda.wake()
        if following:
            return RedirectResponse(following, 303)
        return _back(verb)

    async def _steering(self, door: Door) -> dict[str, str]:
        """The fields of a steering form, which works on this machine only."""
        try:
            origin.check(door.request)
        except ForeignCallError as error:
            raise RefusedError(error.code, "Not from here", str(error)) from error
        return await door.browser.form()

    def _next_due(self) -> int | None:
        times = (due.next_due(self._platform.book), notices.next_due(self._platform.book))
        return min((at for at in times if at is not None), default=None)

    def _household(self, seller: Seller) -> Household:
        book = self._platform.book
        return Household(
            seller=seller,
            accounts=sellers.accounts_of(book, seller.id),
            shops=[(shop, *goods.counts(book, shop.id)) for shop in sellers.shops_of(book, seller.id)],
        )

    def _authorized(self, grant: Grant, now: int) -> Authorized:
        app = apps.find(self._platform.book, grant.app_key)
        shops = sellers.shops_covered(self._platform.book, seller_id=grant.seller_id, shop_id=grant.shop_id)
        return Authorized(
            grant=grant, app_name=app.name if app else grant.app_key, shops=shops, status=grant.status(now)
        )

    def _calls(self) -> list[Entry]:
        book = self._platform.book
        kinds = ("token", "api", "notice")
        last = log.last(book)
        recent = log.read(book, log.Filter(after=max(0, last - 400), limit=400))
        return [entry for entry in reversed(recent) if entry.kind in kinds][:_CALLS_SHOWN]


def _back(done: str) -> Response:
    return RedirectResponse(f"/?done={done}", 303)
