"""All steering routes, room by room."""

from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.control.apps import Apps
from evergrant_sandbox.control.consents import Consents
from evergrant_sandbox.control.disputes import Disputes
from evergrant_sandbox.control.mischief import Mischief
from evergrant_sandbox.control.notices import Notices
from evergrant_sandbox.control.orders import Orders
from evergrant_sandbox.control.steering import SteeringError, steer
from evergrant_sandbox.control.supply import Supply
from evergrant_sandbox.control.time import Time
from evergrant_sandbox.control.trade import Trade
from evergrant_sandbox.control.watch import Watch
from evergrant_sandbox.control.worlds import Worlds
from evergrant_sandbox.platform import Platform

_ROOMS = (Worlds, Time, Apps, Trade, Orders, Supply, Consents, Notices, Watch, Mischief, Disputes)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(platform: Platform) -> list[Route]:
    """Every steering route there is, and a helpful answer for those there are not."""
    known = [route for room in _ROOMS for route in room(platform).routes()]
    listed = ", ".join(f"{min(route.methods - {'HEAD'})} {route.path}" for route in known if route.methods)

    async def lost(request: Request) -> object:
        raise SteeringError(
            "unknown_route", f"No {request.method} {request.url.path}. There are: {listed}.", status=404
        )

    return [*known, *(steer(platform, "/{rest:path}", method, lost) for method in _METHODS)]
