"""One app: its keys, and everything its developer may set."""

from dataclasses import replace

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center import app_form
from evergrant_sandbox.partner_center.app_form import AllowList, Api, Basics
from evergrant_sandbox.partner_center.creating import LIST
from evergrant_sandbox.partner_center.desk import Desk, at_desk
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import App, Stage
from evergrant_sandbox.world.scopes import ORDINARY, SCOPES
from evergrant_sandbox.world.topics import TOPICS

# What has just been done, as the page says it after the redirect.
_DONE = {
    "created": "The app was created. It is a draft: try it with a test account, then submit it.",
    "saved": "Saved.",
    "relisted": "Saved. The listing was live, so the app is in review again and sellers cannot authorize it until it is"
    " approved.",
    "rotated": "There is a new App Secret. Put it into your app.",
    "submitted": "The app was submitted. It is in review now.",
    "published": "The app is published.",
    "deactivated": "The app was deactivated, for good.",
}


class AppPages:
    """The pages about one app that show and change what was entered."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("", ("GET",), self.overview),
            ("/basics", ("GET", "POST"), self.basics),
            ("/scopes", ("GET", "POST"), self.scopes),
            ("/api", ("GET", "POST"), self.api),
            ("/topics", ("POST",), self.topics),
            ("/allow-list", ("GET", "POST"), self.allow_list),
            ("/secret", ("GET", "POST"), self.secret),
        )
        return [
            at_desk(self._platform, self._pages, f"{LIST}/{{key}}{path}", methods, seated)
            for path, methods, seated in table
        ]

    async def overview(self, desk: Desk) -> Response:
        """Keys, service id, status and what was entered."""
        return self._overview(desk, app_of(desk), shown=False)

    async def basics(self, desk: Desk) -> Response:
        """Name, description, category, market and seller types. A live listing goes back to review when they change."""
        app = app_of(desk)
        entered = app_form.basics_of(app)
        if desk.door.request.method == "POST":
            entered = app_form.read_basics(await desk.form())
            app = changeable(desk)
            if not entered.faults:
                return self._saved(desk, entered.on(app), "basics")
        return self._basics(desk, app, entered)

    async def scopes(self, desk: Desk) -> Response:
        """What the app asks sellers for: public scopes are on by default, custom ones are applied for."""
        if desk.door.request.method == "POST":
            chosen = app_form.read_scopes(await desk.form())
            return self._saved(desk, replace(changeable(desk), scopes=chosen), "scopes")
        return show(
            desk,
            "partner_center/app_scopes.html",
            app_of(desk),
            public=[SCOPES[key] for key in ORDINARY],
            custom=[scope for key, scope in SCOPES.items() if key not in ORDINARY],
        )

    async def api(self, desk: Desk) -> Response:
        """Redirect URL, Webhook URL, and the topics the latter hears of."""
        app = app_of(desk)
        entered = app_form.api_of(app)
        if desk.door.request.method == "POST":
            fields = await desk.form()
            app = changeable(desk)
            entered = app_form.read_api(fields, stage=app.stage)
            if not entered.faults:
                return self._saved(desk, entered.on(app), "api")
        return self._api(desk, app, entered)

    async def topics(self, desk: Desk) -> Response:
        """Which topics the Webhook URL hears of."""
        chosen = app_form.read_topics(await desk.form())
        return self._saved(desk, replace(changeable(desk), topics=chosen), "api")

    async def allow_list(self, desk: Desk) -> Response:
        """From where the app may call."""
        app = app_of(desk)
        entered = AllowList(text="\n".join(app.allowed_addresses))
        if desk.door.request.method == "POST":
            entered = app_form.read_allow_list(await desk.form())
            if not entered.faults:
                return self._saved(desk, replace(changeable(desk), allowed_addresses=entered.addresses), "allow-list")
        return show(desk, "partner_center/app_allow_list.html", app, faults=entered.faults, entered=entered)

    async def secret(self, desk: Desk) -> Response:
        """The App Secret is shown only when asked for, and made anew only after saying what that does."""
        app = app_of(desk)
        if desk.door.request.method == "GET":
            overlaps = self._platform.switches.of(switches.SECRET_ROTATION) == "old_valid_24h"
            return show(desk, "partner_center/app_secret.html", app, overlaps=overlaps)
        fields = await desk.form()
        if fields.get("action") == "show":
            return self._overview(desk, app_of(desk), shown=True)
        self._platform.maker.rotate_secret(changeable(desk), now=desk.door.now)
        return RedirectResponse(f"{LIST}/{app.key}?done=rotated", 303)

    def _overview(self, desk: Desk, app: App, *, shown: bool) -> Response:
        return show(
            desk,
            "partner_center/app_overview.html",
            app,
            shown=shown,
            scopes=[SCOPES[key] for key in app.scopes if key in SCOPES],
            categories=app_form.CATEGORIES,
            markets=app_form.MARKETS,
            seller_types=app_form.SELLER_TYPES,
        )

    def _basics(self, desk: Desk, app: App, entered: Basics) -> Response:
        return show(
            desk,
            "partner_center/app_basics.html",
            app,
            faults=entered.faults,
            basics=entered,
            categories=app_form.CATEGORIES,
            markets=app_form.MARKETS,
            seller_types=app_form.SELLER_TYPES,
        )

    def _api(self, desk: Desk, app: App, entered: Api) -> Response:
        return show(
            desk,
            "partner_center/app_api.html",
            app,
            faults=entered.faults,
            api=entered,
            topics=TOPICS.values(),
        )

    def _saved(self, desk: Desk, changed: App, page: str) -> Response:
        kept = self._platform.maker.change(changed, now=desk.door.now)
        self._platform.agenda.wake()
        done = "relisted" if kept.stage is not changed.stage else "saved"
        return RedirectResponse(f"{LIST}/{kept.key}/{page}?done={done}", 303)


def app_of(desk: Desk) -> App:
    """The app in the address, if it is this developer's."""
    return desk.app(desk.door.request.path_params["key"])


def changeable(desk: Desk) -> App:
    """The app in the address as it stands now, to be changed.

    Raises:
        RefusedError: it is deactivated.
    """
    app = app_of(desk)
    if app.stage is Stage.DEACTIVATED:
        raise RefusedError(
            "app_deactivated",
            "This app is deactivated",
            "That is for good, and nothing about it can be changed any more. Create another app.",
            status=409,
        )
    return app


def show(
    desk: Desk, template: str, app: App, *, faults: dict[str, str] | None = None, code: str = "", **what: object
) -> Response:
    """A page about an app, with its head and its tabs; with faults it is a refusal of what was entered."""
    response = desk.page(
        template,
        status=422 if faults else 200,
        leads_to=(),
        app=app,
        at=f"{LIST}/{app.key}",
        stage_word=app_form.STAGES[app.stage],
        done=_DONE.get(desk.door.request.query_params.get("done", ""), ""),
        faults=faults or {},
        **what,
    )
    if faults:
        response.headers["X-Error-Code"] = code or "invalid_form"
    return response
