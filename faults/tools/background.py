"""An event loop in a thread, for tools that have to go on while a test waits for something else."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")
Tool = TypeVar("Tool")

LONGEST_SECONDS = 60.0


class Background:
    """Runs tools until the end of the block, and closes those that were entered, the last one first."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tools", daemon=True)
        self._entered: list[AbstractAsyncContextManager[Any]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        while self._entered:
            self.run(self._entered.pop().__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have something done there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=LONGEST_SECONDS)

    def enter(self, tool: AbstractAsyncContextManager[Tool]) -> Tool:
        """Start a tool there; it is closed at the end of the block."""
        started = self.run(_entered(tool))
        self._entered.append(tool)
        return started


async def _entered(tool: AbstractAsyncContextManager[Tool]) -> Tool:
    return await tool.__aenter__()
