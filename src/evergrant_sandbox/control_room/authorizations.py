"""Authorizations: found by seller, app and status, ended and renewed, and each with its whole story."""

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.acts.ending import NotAliveError
from evergrant_sandbox.book import apps, finding, grants, sellers
from evergrant_sandbox.book.finding import Search
from evergrant_sandbox.control_room import desk, story
from evergrant_sandbox.control_room.desk import Names
from evergrant_sandbox.control_room.lineage import Lineage
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.grant import Grant, Status
from evergrant_sandbox.world.tokens import Half

_SHOWN = 25
_PAIRS_SHOWN = 10
_MOST_PAGES = 100_000
_LONGEST_WORDS = 200


class Authorizations:
    """The list, and the page of each."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("/control/grants", "GET", self.show),
            ("/control/grants/{id}", "GET", self.story),
            ("/control/grants/{id}/{verb}", "POST", self.act),
        )
        return [desk.control(self._platform, self._pages, *entry) for entry in table]

    async def show(self, door: Door) -> Response:
        """A page of the list."""
        book, query = self._platform.book, door.request.query_params
        words, app_key, status = (
            query.get("words", "").strip()[:_LONGEST_WORDS],
            query.get("app", ""),
            query.get("status", ""),
        )
        page = min(max(1, desk.asked_number(door.request, "page") or 1), _MOST_PAGES)
        wanted = Search(
            words=words,
            app_key=app_key or None,
            status=Status(status) if status in set(Status) else None,
            skip=(page - 1) * _SHOWN,
            limit=_SHOWN,
        )
        found = finding.search(book, wanted, now=door.now)
        given = {name: value for name, value in (("words", words), ("app", app_key), ("status", status)) if value}
        return desk.show(
            door,
            "grants.html",
            leads_to=self._callbacks(found.grants),
            found=found,
            names=Names(book),
            apps=apps.everyone(book),
            statuses=list(Status),
            words=words,
            app_key=app_key,
            standing=status,
            page=page,
            pages=max(1, -(-found.total // _SHOWN)),
            query=urlencode(given),
        )

    async def story(self, door: Door) -> Response:
        """Everything about one."""
        book, grant = self._platform.book, self._grant(door)
        lineage = Lineage(self._platform, grant, now=door.now)
        told = story.of_grant(
            self._platform, grant, lineage, before=desk.asked_number(door.request, "before"), now=door.now
        )
        return desk.show(
            door,
            "grant.html",
            leads_to=self._callbacks([grant]),
            grant=grant,
            standing=grant.status(door.now),
            app=apps.find(book, grant.app_key),
            seller=sellers.find(book, grant.seller_id),
            shops=sellers.shops_covered(book, seller_id=grant.seller_id, shop_id=grant.shop_id),
            names=Names(book),
            told=told,
            pairs=[
                (pair, lineage.token(Half.ACCESS, pair), lineage.token(Half.REFRESH, pair))
                for pair in lineage.pairs[:_PAIRS_SHOWN]
            ],
            more_pairs=max(0, len(lineage.pairs) - _PAIRS_SHOWN),
        )

    async def act(self, door: Door) -> Response:
        """Cancel, deactivate or renew."""
        await door.browser.form()
        grant, platform, verb = self._grant(door), self._platform, door.request.path_params["verb"]
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
        return desk.back(f"/control/grants/{grant.id}", verb)

    def _grant(self, door: Door) -> Grant:
        grant = grants.find(self._platform.book, desk.number(door.request.path_params["id"]) or 0)
        if grant is None:
            raise RefusedError("unknown_grant", "There is no such authorization", "Go back and reload.", status=404)
        door.entry.grant_id, door.entry.app_key = grant.id, grant.app_key
        return grant

    def _callbacks(self, shown: list[Grant]) -> list[str]:
        """Where a renewal may lead: the apps' own pages, if Seller Center calls them back."""
        if self._platform.switches.of(switches.SELLER_CENTER_RENEWAL) != "calls_back":
            return []
        found = [apps.find(self._platform.book, key) for key in {grant.app_key for grant in shown}]
        return [app.redirect_url for app in found if app]
