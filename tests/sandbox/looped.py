"""A sandbox with a loop of its own, for tests whose examples are made by a library that knows no event loop."""

import asyncio
from pathlib import Path
from typing import Any

from tests.sandbox.kit import Sandbox, running


class Looped:
    """Called again and again from plain functions: one app with every scope given, one seller, one pair."""

    def __init__(self, folder: Path, **app: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.context = running(folder)
        self.sandbox: Sandbox = self.do(self.context.__aenter__())
        self.app = self.do(self.sandbox.app(**app))
        self.seller = self.do(self.sandbox.seller())
        self.cipher = self.seller["shops"][0]["cipher"]
        self.pair: Any = None
        self.connect()

    def do(self, coroutine: Any) -> Any:
        """Run a coroutine to its end."""
        return self.loop.run_until_complete(coroutine)

    def connect(self) -> None:
        """The seller consents, again or for the first time."""
        self.pair = self.do(self.sandbox.connected(self.app, self.seller))

    def close(self) -> None:
        """End it."""
        self.do(self.context.__aexit__(None, None, None))
        self.loop.close()
