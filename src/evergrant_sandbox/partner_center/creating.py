"""App & Service: the developer's apps, and the way to another one."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center import app_form
from evergrant_sandbox.partner_center.app_form import Api, Basics
from evergrant_sandbox.partner_center.desk import Desk, at_desk
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import App, Stage, Visibility
from evergrant_sandbox.world.scopes import ORDINARY

LIST = "/partner/apps"


class Creating:
    """The list of apps, and "Create app & service"."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            at_desk(self._platform, self._pages, LIST, ("GET",), self.show),
            at_desk(self._platform, self._pages, f"{LIST}/create", ("GET", "POST"), self.create),
        ]

    async def show(self, desk: Desk) -> Response:
        """All apps of this developer."""
        return desk.page(
            "partner_center/apps.html",
            apps=desk.apps(),
            categories=app_form.CATEGORIES,
            markets=app_form.MARKETS,
            stages=app_form.STAGES,
        )

    async def create(self, desk: Desk) -> Response:
        """First the type, "Public" or "Custom"; then everything else, in one form."""
        asked = desk.door.request.query_params.get("type")
        visibility = Visibility(asked) if asked in set(Visibility) else None
        if desk.door.request.method == "GET":
            if visibility is None:
                return desk.page("partner_center/app_type.html")
            return self._form(desk, visibility, Basics(), Api())
        fields = await desk.form()
        if visibility is None:
            return RedirectResponse(f"{LIST}/create", 303)
        basics, api = app_form.read_basics(fields), app_form.read_api(fields)
        if basics.faults or api.faults:
            return self._form(desk, visibility, basics, api)
        made = self._platform.maker.make(api.on(basics.on(self._blank(desk, visibility))), now=desk.door.now)
        return RedirectResponse(f"{LIST}/{made.key}?done=created", 303)

    def _form(self, desk: Desk, visibility: Visibility, basics: Basics, api: Api) -> Response:
        faults = basics.faults | api.faults
        response = desk.page(
            "partner_center/app_create.html",
            status=422 if faults else 200,
            visibility=visibility,
            basics=basics,
            api=api,
            faults=faults,
            categories=app_form.CATEGORIES,
            markets=app_form.MARKETS,
            seller_types=app_form.SELLER_TYPES,
        )
        if faults:
            response.headers["X-Error-Code"] = "invalid_form"
        return response

    def _blank(self, desk: Desk, visibility: Visibility) -> App:
        given = self._platform.maker.credentials()
        return App(
            key=given.key,
            secret=given.secret,
            service_id=given.service_id,
            name="",
            redirect_urls=(),
            scopes=ORDINARY,
            visibility=visibility,
            stage=Stage.DRAFT,
            webhook_url="",
            developer_id=desk.developer.id,
        )
