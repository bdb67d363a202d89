"""Calls and notices as they come: a table that follows by itself, and a page with everything known of each."""

from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox import origin
from evergrant_sandbox.book import apps, codes, grants, log, notices, sellers
from evergrant_sandbox.book.log import Entry, Filter
from evergrant_sandbox.control_room import desk
from evergrant_sandbox.control_room.desk import Names
from evergrant_sandbox.control_room.lineage import Lineage, Token
from evergrant_sandbox.origin import ForeignCallError
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.pages.rendering import HEADERS, Pages
from evergrant_sandbox.platform import Platform

KINDS = ("token", "api", "notice")
_CHOICES = {
    "": "Calls and notices",
    "token": "Token calls",
    "api": "Signed calls",
    "notice": "Notices",
    "page": "Pages",
    "control": "Steering",
}
_STATUSES = {
    "": "Any answer",
    "accepted": "Accepted",
    "refused": "Refused",
    "4xx": "HTTP 4xx",
    "5xx": "HTTP 5xx",
    "none": "No answer",
    "fault": "Hit by a fault",
}
_SHOWN = 50
# How far back one page looks: the rest is a link away, and the server is not kept from its calls.
SEARCHED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the person wants to see, as it stands in the query."""

    kind: str
    app: str
    grant: str
    shop: str
    status: str
    before: int | None

    def filter(self, newest: int) -> Filter:
        """The lines this means."""
        before = self.before if self.before is not None else newest + 1
        return Filter(
            kinds=(self.kind,) if self.kind else KINDS,
            app_key=self.app or None,
            # What is no number is no authorization's: nothing is found.
            grant_id=(desk.number(self.grant) or 0) if self.grant else None,
            shop_id=self.shop or None,
            status=self.status or None,
            after=0 if self.grant else max(0, before - SEARCHED - 1),
            before=before,
            limit=_SHOWN,
        )

    def query(self, *, before: int | None) -> str:
        """The same as a query, from another place."""
        given = {"kind": self.kind, "app": self.app, "grant": self.grant, "shop": self.shop, "status": self.status}
        given["before"] = str(before) if before is not None else ""
        return urlencode({name: value for name, value in given.items() if value})


class Calls:
    """The table and the page of a line."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            desk.control(self._platform, self._pages, "/control/calls", "GET", self.show),
            # No visit: who watches would fill the log with watching.
            Route("/control/calls/rows", self.rows, methods=["GET"]),
            desk.control(self._platform, self._pages, "/control/calls/{n}", "GET", self.line),
        ]

    async def show(self, door: Door) -> Response:
        """The table, with its filter."""
        book, wanted = self._platform.book, _wanted(door.request)
        if wanted.status and not log.is_status(wanted.status):
            raise RefusedError("invalid_status", "There is no such answer", "Choose one from the list.", status=422)
        asked = wanted.filter(log.last(book))
        lines = log.read(book, asked)
        older = lines[0].n if len(lines) == _SHOWN else asked.after + 1
        return desk.show(
            door,
            "calls.html",
            lines=lines[::-1],
            wanted=wanted,
            kinds=_CHOICES,
            statuses=_STATUSES,
            apps=apps.everyone(book),
            names=Names(book),
            older=wanted.query(before=older) if older > 1 and (asked.after or len(lines) == _SHOWN) else "",
            newest=wanted.query(before=None),
        )

    async def rows(self, request: Request) -> Response:
        """The table's rows alone, for a page that follows."""
        try:
            origin.check(request)
        except ForeignCallError:
            return Response(status_code=403)
        book, wanted = self._platform.book, _wanted(request)
        if wanted.status and not log.is_status(wanted.status):
            return Response(status_code=422)
        page = self._pages.render(
            "control_room/rows.html",
            lines=log.read(book, wanted.filter(log.last(book)))[::-1],
            names=Names(book),
            now=self._platform.clock.now(),
        )
        return Response(page.body, media_type="text/html", headers=HEADERS)

    async def line(self, door: Door) -> Response:
        """Everything known of one call or notice."""
        book = self._platform.book
        entry = log.find(book, desk.number(door.request.path_params["n"]) or 0)
        if entry is None:
            raise RefusedError(
                "unknown_line", "There is no such line", "A reset empties the log; go back and reload.", status=404
            )
        grant = grants.find(book, entry.grant_id) if entry.grant_id is not None else None
        lineage = Lineage(self._platform, grant, now=door.now) if grant else None
        seller = sellers.find(book, grant.seller_id) if grant else None
        notice = notices.find(book, entry.notice_id) if entry.notice_id else None
        return desk.show(
            door,
            "call.html",
            entry=entry,
            app=apps.find(book, entry.app_key),
            grant=grant,
            seller=seller,
            shop=sellers.shop(book, entry.shop_id) if entry.shop_id else None,
            presented=self._presented(entry, lineage),
            gave=lineage.find(entry.gave_access_sha256) if lineage else None,
            body=_pretty(notice.body) if notice else "",
            notice=notice,
            attempts=log.read(book, Filter(notice_id=entry.notice_id)) if entry.notice_id else [],
            milliseconds=round((entry.ended_wall - entry.begun_wall) * 1000, 1) if entry.ended_wall else None,
        )

    def _presented(self, entry: Entry, lineage: Lineage | None) -> str:
        """What the token or code was that came with the call."""
        if entry.token_sha256 is None:
            return ""
        token: Token | None = lineage.find(entry.token_sha256) if lineage else None
        if token is not None:
            return token.words
        if codes.grant_of(self._platform.book, entry.token_sha256) is not None:
            return "an auth code of this authorization"
        return "no token or code of this world, or a very old one"


def _wanted(request: Request) -> Wanted:
    query = request.query_params
    kind = query.get("kind", "")
    return Wanted(
        kind=kind if kind in _CHOICES else "",
        app=query.get("app", ""),
        grant=query.get("grant", "").strip(),
        shop=query.get("shop", "").strip(),
        status=query.get("status", ""),
        before=desk.asked_number(request, "before"),
    )


def _pretty(body: bytes) -> str:
    return msgspec.json.format(body, indent=2).decode()
