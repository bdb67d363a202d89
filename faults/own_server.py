"""A PostgreSQL of a trial's own, to be killed: as an operator stops it, as a power cut does, one session alone.

It is brought back by who started it, as a machine's init system would: without anybody's hands.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import asyncpg

from evergrant import postgres
from faults.stand import Stand

LOOK_SECONDS = 0.02
BACK_SECONDS = 60.0
STOPS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "kill -9": signal.SIGKILL}
KINDS = (*STOPS, "kill -9 of a backend")


@dataclass(frozen=True, slots=True)
class OwnServer:
    """The server and where it lives."""

    server: postgres.Server
    home: Path

    async def strike(self, kind: str) -> tuple[float, float]:
        """Stop it in one of these ways; gives when it was gone and when it answered again."""
        gone = monotonic()
        if kind in STOPS:
            before = self._postmaster()
            os.kill(before, STOPS[kind])
            await self._is_another(before)
        else:
            await self._kill_a_backend()
        await self._answers()
        return gone, monotonic()

    async def _is_another(self, before: int) -> None:
        deadline = monotonic() + BACK_SECONDS
        while True:
            if self._postmaster() not in (before, 0) or monotonic() > deadline:
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _postmaster(self) -> int:
        with suppress(FileNotFoundError, IndexError, ValueError):
            path = self.home / "server" / "data" / "postmaster.pid"
            return int(path.read_text(encoding="ascii").split("\n")[0])
        return 0

    async def _kill_a_backend(self) -> None:
        """The server takes one session's violent end for damaged memory, and throws all of them out."""
        connection = await asyncpg.connect(self.server.dsn)
        try:
            pid = await connection.fetchval(
                "select pid from pg_stat_activity where application_name = 'evergrant' order by random() limit 1"
            )
        finally:
            await connection.close()
        if pid:
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(LOOK_SECONDS)

    async def _answers(self) -> None:
        deadline = monotonic() + BACK_SECONDS
        while monotonic() < deadline:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await asyncpg.connect(self.server.dsn, timeout=2.0)
                await connection.close()
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise TimeoutError("PostgreSQL did not come back by itself")


@asynccontextmanager
async def own_server(stand: Stand) -> AsyncIterator[tuple[Stand, OwnServer]]:
    """The same stand on a server of its own, which ends with the block."""
    logging.getLogger("asyncpg").setLevel(logging.ERROR)  # our own pool's complaints while the server is away
    home = stand.folder / f"postgres-{stand.test.lower()}"
    running = postgres.running(home)
    server = await asyncio.to_thread(running.__enter__)
    try:
        yield replace(stand, server=server), OwnServer(server, home)
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)
