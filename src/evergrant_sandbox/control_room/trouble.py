"""Break things: faults set by a form or by one button, what each has hit and holds, and how it is let go."""

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox.book import apps
from evergrant_sandbox.control_room import breaking, desk
from evergrant_sandbox.control_room.breaking import UnreadableError
from evergrant_sandbox.control_room.desk import Names
from evergrant_sandbox.faults import Fault, InvalidFaultError
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform

_PATH = "/control/faults"


class Trouble:
    """Faults."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._faults = platform.faults
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            (_PATH, "GET", self.show),
            (_PATH, "POST", self.set),
            (f"{_PATH}/preset", "POST", self.preset),
            (f"{_PATH}/clear", "POST", self.clear),
            (f"{_PATH}/{{id}}/{{verb}}", "POST", self.act),
        )
        return [desk.control(self._platform, self._pages, *entry) for entry in table]

    async def show(self, door: Door) -> Response:
        """The form, the ready-made faults, and those that are set."""
        return self._page(door, dict(door.request.query_params), {})

    async def set(self, door: Door) -> Response:
        """A new fault from the form."""
        fields = await door.browser.form()
        try:
            match, effect = breaking.read(breaking.offer_of(fields.get("action")), fields)
            self._faults.set(match, effect)
        except UnreadableError as error:
            return self._page(door, fields, error.faults)
        except InvalidFaultError as error:
            return self._page(door, fields, {"kind": str(error)})
        return desk.back(_PATH, "set")

    async def preset(self, door: Door) -> Response:
        """A ready-made fault."""
        preset = breaking.PRESETS.get((await door.browser.form()).get("name", ""))
        if preset is None:
            raise RefusedError("unknown_preset", "There is no such button", "Go back and reload.", status=404)
        self._faults.set(preset.match, preset.effect)
        return desk.back(_PATH, "set")

    async def clear(self, door: Door) -> Response:
        """Remove all."""
        await door.browser.form()
        self._faults.clear()
        return desk.back(_PATH, "clear")

    async def act(self, door: Door) -> Response:
        """Release, cut or remove one."""
        await door.browser.form()
        fault, verb = self._fault(door), door.request.path_params["verb"]
        match verb:
            case "release":
                self._faults.release(fault, "continue")
            case "cut":
                self._faults.release(fault, "cut")
            case "remove":
                self._faults.clear(fault.id)
            case _:
                raise RefusedError("unknown_verb", "There is no such action", "Go back and reload.", status=404)
        return desk.back(_PATH, verb)

    def _fault(self, door: Door) -> Fault:
        fault = self._faults.find(door.request.path_params["id"])
        if fault is None:
            raise RefusedError("unknown_fault", "This fault is no longer set", "Go back and reload.", status=404)
        return fault

    def _page(self, door: Door, fields: dict[str, str], faults: dict[str, str]) -> Response:
        response = desk.show(
            door,
            "faults.html",
            status=422 if faults else 200,
            offers=breaking.OFFERS,
            offer=breaking.offer_of(fields.get("action")),
            presets=breaking.PRESETS.values(),
            kinds=breaking.KINDS,
            barriers=breaking.BARRIERS,
            moments=breaking.MOMENTS,
            apps=apps.everyone(self._platform.book),
            names=Names(self._platform.book),
            set_faults=list(self._faults),
            labels={offer.action: offer.label for offer in breaking.OFFERS},
            wall=self._platform.clock.wall(),
            fields=fields,
            faults=faults,
        )
        if faults:
            response.headers["X-Error-Code"] = "invalid_fault"
        return response
