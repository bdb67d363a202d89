"""All rooms of the sandbox's own pages."""

from starlette.routing import Route

from evergrant_sandbox.control_room.authorizations import Authorizations
from evergrant_sandbox.control_room.calls import Calls
from evergrant_sandbox.control_room.front import Front
from evergrant_sandbox.control_room.inventory import Inventory
from evergrant_sandbox.control_room.overview import Overview
from evergrant_sandbox.control_room.switchboard import Switchboard
from evergrant_sandbox.control_room.trouble import Trouble
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform

_ROOMS = (Front, Overview, Calls, Authorizations, Trouble, Switchboard, Inventory)


def routes(platform: Platform, pages: Pages) -> list[Route]:
    """Every route of the control room."""
    return [route for room in _ROOMS for route in room(platform, pages).routes()]
