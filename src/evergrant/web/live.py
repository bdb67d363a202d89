"""Tells open pages that something of their tenant changed; they fetch what they show anew."""

import asyncio
from collections.abc import AsyncIterator

BEAT_SECONDS = 15.0
MOST_LISTENERS = 500


class TooManyListenersError(Exception):
    """More pages are open than this process serves live; they still work without."""


class Live:
    """The pages that listen, by tenant. A page that is slow is told once, not once per change."""

    def __init__(self) -> None:
        self._listening: dict[str, set[asyncio.Event]] = {}
        self._closed = False

    def heard(self, payload: str) -> None:
        """A notification of the database: `<tenant id> <connection id>`, or nothing: then everybody looks."""
        tenant_id = payload.split(" ", 1)[0]
        for tenant, events in self._listening.items():
            if tenant_id in ("", tenant):
                for event in events:
                    event.set()

    def close(self) -> None:
        """Let every listener go."""
        self._closed = True
        self.heard("")

    async def changes(self, tenant_id: str) -> AsyncIterator[bool]:
        """True for each change of the tenant's, False as a sign of life every so often. The first change comes at once.

        Raises:
            TooManyListenersError: this process serves enough pages already.
        """
        if sum(map(len, self._listening.values())) >= MOST_LISTENERS:
            raise TooManyListenersError
        event = asyncio.Event()
        event.set()
        self._listening.setdefault(tenant_id, set()).add(event)
        try:
            time = asyncio.get_running_loop().time
            beat = time() + BEAT_SECONDS
            while not self._closed:
                try:
                    await asyncio.wait_for(event.wait(), timeout=max(beat - time(), 0.0))
                except TimeoutError:
                    beat = time() + BEAT_SECONDS
                    yield False
                    continue
                event.clear()
                yield True
        finally:
            self._listening[tenant_id].discard(event)
            if not self._listening[tenant_id]:
                del self._listening[tenant_id]
