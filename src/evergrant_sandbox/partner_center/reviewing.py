"""One app towards others: its review, its authorization link, who has authorized it, and its end."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.acts.review import UnmetError
from evergrant_sandbox.book import grants, reviews, sellers
from evergrant_sandbox.book.grants import Filter
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center.app_pages import app_of, changeable, show
from evergrant_sandbox.partner_center.creating import LIST
from evergrant_sandbox.partner_center.desk import Desk, at_desk
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import review
from evergrant_sandbox.world.app import App, AppMarket, Stage
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.review import Event, OutOfTurnError

_PAGE = 50
# The hosts a seller's link has at home (wire sheet 1.1).
_US_HOST = "https://services.us.tiktokshop.com"
_HOST = "https://services.tiktokshop.com"

EVENTS = {
    Event.SUBMITTED: "Submitted for review",
    Event.APPROVED: "Approved and published",
    Event.REFUSED: "Refused",
    Event.ENROLLED: "Published after enrollment, without a review",
    Event.EDITED: "Live listing edited, in review again",
    Event.DEACTIVATED: "Deactivated",
}


class Reviewing:
    """Review, authorization and deactivation."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("/authorization", ("GET",), self.authorization),
            ("/review", ("GET", "POST"), self.review),
            ("/deactivate", ("GET", "POST"), self.deactivate),
        )
        return [
            at_desk(self._platform, self._pages, f"{LIST}/{{key}}{path}", methods, seated)
            for path, methods, seated in table
        ]

    async def authorization(self, desk: Desk) -> Response:
        """The link where the platform offers it, and the sellers who have authorized the app."""
        app = app_of(desk)
        after = desk.door.request.query_params.get("after", "")
        number = int(after) if after.isascii() and after.isdigit() and len(after) <= 18 else 0
        found = grants.listed(self._platform.book, Filter(app_key=app.key, after=number, limit=_PAGE))
        return show(
            desk,
            "partner_center/app_authorization.html",
            app,
            links=_links(desk, app) if review.offers_link(app) else (),
            rows=[self._row(grant) for grant in found],
            following=found[-1].id if len(found) == _PAGE else None,
            alive=self._platform.reviewer.authorizations(app, now=desk.door.now),
            most=self._most(app),
        )

    async def review(self, desk: Desk) -> Response:
        """What the app has to meet, where it stands, and what was said of it; handed in with one button."""
        app = app_of(desk)
        if desk.door.request.method == "GET":
            return self._review(desk, app, {})
        await desk.form()
        try:
            submitted = self._platform.reviewer.submit(changeable(desk), now=desk.door.now)
        except UnmetError as error:
            return self._review(desk, app, {each.name: each.sentence for each in error.unmet})
        except OutOfTurnError as error:
            raise RefusedError(
                "out_of_turn",
                "This app cannot be submitted now",
                f"It cannot be handed in as it stands: {error}. Go back to its Review page and reload it.",
                status=409,
            ) from error
        done = "published" if submitted.stage is Stage.PUBLISHED else "submitted"
        return RedirectResponse(f"{LIST}/{app.key}/review?done={done}", 303)

    async def deactivate(self, desk: Desk) -> Response:
        """For good, and only after saying so."""
        app = changeable(desk)
        alive = self._platform.reviewer.authorizations(app, now=desk.door.now)
        faults = {}
        if desk.door.request.method == "POST":
            fields = await desk.form()
            if fields.get("agree") == "yes":
                self._platform.reviewer.deactivate(changeable(desk), now=desk.door.now)
                return RedirectResponse(f"{LIST}/{app.key}?done=deactivated", 303)
            faults["agree"] = "Check the box: a deactivated app cannot be brought back."
        return show(desk, "partner_center/app_deactivate.html", app, faults=faults, alive=alive)

    def _review(self, desk: Desk, app: App, unmet: dict[str, str]) -> Response:
        past = reviews.of_app(self._platform.book, app.key)
        alive = self._platform.reviewer.authorizations(app, now=desk.door.now)
        reviewed = review.needs_review(app, authorizations=alive)
        approved = any(each.event is Event.APPROVED for each in past)
        return show(
            desk,
            "partner_center/app_review.html",
            app,
            faults=unmet,
            code="criteria_unmet",
            criteria=review.concerning(app),
            parts_of_review=review.parts(app, authorizations=alive),
            reviewed=reviewed,
            outgrown=not approved and review.has_outgrown(app, authorizations=alive),
            alive=alive,
            most=self._most(app),
            past=past,
            events=EVENTS,
            refusal=past[0] if past and past[0].event is Event.REFUSED else None,
        )

    def _row(self, grant: Grant) -> tuple[Grant, str, str]:
        """A grant with the names of its seller and of what was authorized."""
        seller = sellers.find(self._platform.book, grant.seller_id)
        shop = sellers.shop(self._platform.book, grant.shop_id) if grant.shop_id else None
        return grant, seller.name if seller else "", f"{shop.name} ({shop.region})" if shop else "All shops"

    def _most(self, app: App) -> int | None:
        """How many authorizations the app may have for now; None: as many as there are."""
        most = int(self._platform.switches.of(switches.CONNECTOR_BETA))
        return most if review.is_full(app, authorizations=most, most=most) else None


def _links(desk: Desk, app: App) -> tuple[tuple[str, str, str], ...]:
    """For whom, the link here, and the link at home: the United States have a host of their own."""
    path = f"/open/authorize?service_id={app.service_id}"
    here = str(desk.door.request.base_url).rstrip("/")
    table = (
        ("Sellers in the United States", _US_HOST, {AppMarket.US, AppMarket.ALL}),
        ("Sellers in the rest of the world", _HOST, {AppMarket.UK_EU, AppMarket.REST, AppMarket.ALL}),
    )
    return tuple((whom, f"{here}{path}", f"{host}{path}") for whom, host, markets in table if app.market in markets)
