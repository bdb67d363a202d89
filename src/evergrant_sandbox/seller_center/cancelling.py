"""Cancelling an authorization: what it means is said first, and only the owner can."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.acts.ending import NotAliveError
from evergrant_sandbox.consent import refusals
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center import app_rows
from evergrant_sandbox.seller_center.desk import Desk, at_desk
from evergrant_sandbox.world.roles import Deed, Page, may


class Cancelling:
    """The page that asks once more."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        path = f"{Page.APPS}/{{id}}/cancel"
        return [at_desk(self._platform, self._pages, path, ("GET", "POST"), Page.APPS, self.cancel)]

    async def cancel(self, desk: Desk) -> Response:
        """Ask, and do it: "this will trigger a [Seller deauthorization] webhook" (source S2)."""
        is_sent = desk.door.request.method == "POST"
        if is_sent:
            await desk.door.browser.form()
        row = app_rows.row(desk)
        if not may(desk.who.account.role, Deed.AUTHORIZE_APPS):
            raise refusals.not_the_owner(desk.who, path=Page.APPS)
        if is_sent:
            try:
                self._platform.undertaker.cancel(row.grant, now=desk.now)
            except NotAliveError:
                raise _over(row) from None
            self._platform.agenda.wake()
            return RedirectResponse(f"{Page.APPS}?cancelled={row.grant.id}", 303)
        if not row.may_cancel:
            raise _over(row)
        return desk.page("seller_center/cancel.html", row=row)


def _over(row: app_rows.Row) -> RefusedError:
    return RefusedError(
        "already_over",
        "There is nothing to cancel",
        f"The authorization of {row.app.name} for {row.shop} is over already.",
        status=409,
        way_on=("My apps and incidents", Page.APPS),
    )
