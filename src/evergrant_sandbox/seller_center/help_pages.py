"""Help inside Seller Center: how to re-authorize an app, what to look at when it does not work, and who may do what."""

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center.desk import Desk, at_desk
from evergrant_sandbox.world.roles import RIGHTS, Page
from evergrant_sandbox.world.seller import Role


class HelpPages:
    """The help of a seller; everybody who signs in may read it."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("/seller/help", self.contents),
            ("/seller/help/apps", self.apps),
            ("/seller/help/roles", self.roles),
        )
        return [at_desk(self._platform, self._pages, path, ("GET",), Page.HELP, do) for path, do in table]

    async def contents(self, desk: Desk) -> Response:
        """What there is."""
        return desk.page("seller_center/help.html")

    async def apps(self, desk: Desk) -> Response:
        """How to re-authorize an app, with what is needed before and what to do when it does not work."""
        return desk.page(
            "seller_center/help_apps.html",
            is_owner=desk.who.account.role is Role.OWNER,
            may_see_apps=Page.APPS in desk.rights.pages,
            way=desk.path_to(Page.APPS),
            action=desk.door.platform.switches.of(switches.ROW_ACTION),
        )

    async def roles(self, desk: Desk) -> Response:
        """Who may do what."""
        return desk.page("seller_center/help_roles.html", roles=RIGHTS.items())
