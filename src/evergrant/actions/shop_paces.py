"""At what pace one shop is called: a budget that all workers share, and the waits the platform asked for."""

from datetime import timedelta
from typing import Protocol

Shop = tuple[str, str, str]
"""Tenant, connection, shop."""


class ShopPaces(Protocol):
    """The pace of every shop, the same for all processes. Whoever calls the platform for a shop asks right before."""

    async def take(self, shop: Shop) -> timedelta:
        """Reserve a call. Zero: make it now; a short wait for a turn is over by then. Otherwise nothing is reserved: make
        none, and come back after so long.
        """

    async def take_some(self, shop: Shop, most: int) -> tuple[int, timedelta]:
        """Reserve calls that are made side by side: as many as one second of the pace allows, `most` at the most. None:
        come back after so long.
        """

    async def throttled(self, shop: Shop, wait: timedelta) -> None:
        """The platform asked to wait: nobody calls for the shop until the wait is over, and then more slowly for a while."""
