"""Switches: every behaviour that is disputed or unknown, where it stands, and the buttons to turn it."""

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.book import settings
from evergrant_sandbox.control_room import desk
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.switches import UnknownSwitchError
from evergrant_sandbox.switches.switch import Known

_PATH = "/control/switches"


class Switchboard:
    """Switches."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = ((_PATH, "GET", self.show), (_PATH, "POST", self.turn))
        return [desk.control(self._platform, self._pages, *entry) for entry in table]

    async def show(self, door: Door) -> Response:
        """All that can be turned, and where they stand."""
        positions = [(switch, self._platform.switches.of(switch)) for switch in switches.SWITCHES.values()]
        return desk.show(
            door,
            "switches.html",
            positions=[each for each in positions if each[0].known is not Known.FACT],
            sheet=switches.SHEET,
            turned=sum(position != switch.default for switch, position in positions),
        )

    async def turn(self, door: Door) -> Response:
        """Turn one."""
        fields = await door.browser.form()
        name, position = fields.get("name", ""), fields.get("position", "")
        try:
            with self._platform.book.transaction():
                self._platform.switches.turn(name, position)
                settings.write_switch(self._platform.book, name, position)
        except UnknownSwitchError as error:
            raise RefusedError("unknown_switch", "It was not turned", f"{error}.", status=422) from error
        response = desk.back(_PATH, "switch")
        response.headers["location"] += f"#{name}"
        return response
