"""Hears at once what other processes committed: one connection of its own, opened again whenever it breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from evergrant.store.database import GONE

WORK = "evergrant_work"
EVENTS = "evergrant_events"
AGAIN_SECONDS = 0.5
PULSE_SECONDS = 2.0
COMMAND_SECONDS = 5.0

Heard = Callable[[str], None]


@asynccontextmanager
async def listening(arguments: Mapping[str, Any], heard: Mapping[str, Heard]) -> AsyncIterator[None]:
    """Call `heard[channel](payload)` for every notification while the context lasts.

    What was said while the connection was down is not heard: after each reconnection every listener is called with an
    empty payload, and looks for itself.
    """
    task = asyncio.create_task(_listen(arguments, heard))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _listen(arguments: Mapping[str, Any], heard: Mapping[str, Heard]) -> None:
    while True:
        with suppress(*GONE, asyncpg.InterfaceError, asyncpg.PostgresError):
            await _listen_once(arguments, heard)
        await asyncio.sleep(AGAIN_SECONDS)


async def _listen_once(arguments: Mapping[str, Any], heard: Mapping[str, Heard]) -> None:
    connection = await asyncpg.connect(**arguments, command_timeout=COMMAND_SECONDS)
    try:
        for channel, call in heard.items():
            await connection.add_listener(channel, _pass_on(call))
            call("")
        while not connection.is_closed():
            await asyncio.sleep(PULSE_SECONDS)
            await connection.execute("select 1")
    finally:
        with suppress(*GONE, asyncpg.InterfaceError):
            await connection.close(timeout=1.0)


def _pass_on(call: Heard) -> Callable[[object, int, str, str], None]:
    return lambda _connection, _pid, _channel, payload: call(payload)
