"""The tab "Incidents": what went wrong between the seller's apps and shops, newest first."""

from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.book import incidents as kept
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center import app_rows
from evergrant_sandbox.seller_center.app_rows import Row
from evergrant_sandbox.seller_center.desk import Desk, at_desk
from evergrant_sandbox.world import incidents as rules
from evergrant_sandbox.world.incidents import REASONS, Incident, Words
from evergrant_sandbox.world.roles import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An incident with the app and the shop it is about."""

    incident: Incident
    words: Words
    row: Row


class Incidents:
    """The list of incidents."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        path = f"{Page.APPS}/incidents"
        return [at_desk(self._platform, self._pages, path, ("GET",), Page.APPS, self.incidents)]

    async def incidents(self, desk: Desk) -> Response:
        """The page."""
        book, seller_id = self._platform.book, desk.who.seller.id
        by_grant = {row.grant.id: row for row in app_rows.rows(desk)}
        is_401_fine = self._platform.switches.of(switches.ANSWER_401_TO_NOTICE) == "accepted"
        found = [
            *(rules.of_grant(row.grant, now=desk.now) for row in by_grant.values()),
            *kept.missed_notices(book, seller_id, also_accepted="401" if is_401_fine else "200"),
            *kept.refused_calls(book, seller_id),
        ]
        shown = [
            Shown(incident=each, words=REASONS[each.reason], row=by_grant[each.grant_id])
            for each in found
            if each and each.grant_id in by_grant
        ]
        return desk.page(
            "seller_center/incidents.html", shown=sorted(shown, key=lambda each: each.incident.at, reverse=True)
        )
