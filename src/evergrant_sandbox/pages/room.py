"""A room: some pages that belong together, and their routes."""

from typing import Protocol

from starlette.routing import Route


class Room(Protocol):
    """Pages that belong together."""

    def routes(self) -> list[Route]:
        """Its routes."""
        ...
