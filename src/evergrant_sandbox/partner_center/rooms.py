"""All rooms of Partner Center."""

from collections.abc import Callable

from starlette.routing import Route

from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.pages.room import Room
from evergrant_sandbox.platform import Platform

_ROOMS: tuple[Callable[[Platform, Pages], Room], ...] = ()


def routes(platform: Platform, pages: Pages) -> list[Route]:
    """Every route of Partner Center."""
    return [route for room in _ROOMS for route in room(platform, pages).routes()]
