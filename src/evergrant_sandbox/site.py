"""Everything a browser sees, and the steering routes beside it."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from evergrant_sandbox.consent.authorization import Authorization
from evergrant_sandbox.control_room import rooms as control_room
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.pages.rendering import STATIC, Pages
from evergrant_sandbox.partner_center import rooms as partner_center
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center import rooms as seller_center

_NOT_THERE = {
    404: ("not_found", "This page does not exist", "Check the address, or begin at the sandbox's front page."),
    405: ("method_not_allowed", "This page cannot be used like that", "Go back and use the form on the page."),
}
_OTHERWISE = ("bad_request", "This request makes no sense here", "Begin again at the sandbox's front page.")


def build(platform: Platform, *, steering: Sequence[BaseRoute], signed_api: ASGIApp) -> ASGIApp:
    """The site."""
    pages = Pages()

    async def error_page(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code, title, sentence = _NOT_THERE.get(status, _OTHERWISE)
        door = Door(platform, pages, request)
        return door.refusal(RefusedError(code, title, sentence, status=status))

    return Starlette(
        routes=[
            *control_room.routes(platform, pages),
            *Authorization(platform, pages).routes(),
            *seller_center.routes(platform, pages),
            *partner_center.routes(platform, pages, signed_api),
            *steering,
            Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
        ],
        exception_handlers={HTTPException: error_page},
    )
