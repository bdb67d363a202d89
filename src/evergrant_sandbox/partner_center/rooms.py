"""All rooms of Partner Center."""

from starlette.routing import Route

from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center.app_pages import AppPages
from evergrant_sandbox.partner_center.creating import Creating
from evergrant_sandbox.partner_center.home import Home
from evergrant_sandbox.partner_center.reviewing import Reviewing
from evergrant_sandbox.partner_center.signing_in import SigningIn
from evergrant_sandbox.platform import Platform

_ROOMS = (SigningIn, Home, Creating, AppPages, Reviewing)


def routes(platform: Platform, pages: Pages) -> list[Route]:
    """Every route of Partner Center."""
    return [route for room in _ROOMS for route in room(platform, pages).routes()]
