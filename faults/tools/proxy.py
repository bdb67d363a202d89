"""A TCP proxy that spoils what goes through it: switched at run time, no privileges, the same every time.

async with Proxy(Port(8090)) as proxy:
    await proxy.switch(Fault(mode=Mode.CUT, after_bytes=40))
"""

import asyncio
import random
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from faults.tools.addresses import ONE_READ, Address, Port, leave

SLICES_A_SECOND = 20
"""How often a slow answer goes on."""


class Mode(StrEnum):
    """What happens to a connection."""

    PASS = "pass"  # noqa: S105  (a mode)
    REFUSE = "refuse"
    """Nobody listens. Connections that are open stay open."""
    BLACK_HOLE = "black_hole"
    """Taken, and nothing gets through in either direction until the mode is another: as with a network that is gone."""
    DELAY = "delay"
    """Every piece of an answer is `seconds` late."""
    RATE = "rate"
    """Answers come at `bytes_a_second`."""
    CUT = "cut"
    """After `after_bytes` of the answer both sides are closed in good order."""
    HALF_CLOSE = "half_close"
    """After `after_bytes` of the answer the client is told that this was all, while its own words are still taken."""
    RESET = "reset"
    """After `after_bytes` of the answer the client's connection is reset."""
    GARBAGE = "garbage"
    """The answer is as long as it was, and of random bytes."""


CUTTING = (Mode.CUT, Mode.HALF_CLOSE, Mode.RESET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A mode and its measure."""

    mode: Mode = Mode.PASS
    seconds: float = 0.0
    bytes_a_second: int = 1
    after_bytes: int = 0


class Proxy:
    """Stands in front of an address. `accepted` counts connections, `spoiled` those a fault has hit."""

    def __init__(self, upstream: Address, *, at: Address | None = None, seed: int = 1) -> None:
        self.at: Address = at if at is not None else Port()
        self.accepted = 0
        self.spoiled = 0
        self._upstream = upstream
        self._fault = Fault()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._dice = random.Random(seed)

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._refuse()
        await self.cut_all()

    @property
    def url(self) -> str:
        """Its address for HTTP."""
        assert isinstance(self.at, Port)
        return f"http://{self.at.host}:{self.at.number}"

    async def switch(self, fault: Fault | Mode) -> None:
        """From now on this; connections that are open are spoiled as well, by their next bytes."""
        self._fault = Fault(mode=fault) if isinstance(fault, Mode) else fault
        self._changed.set()
        self._changed = asyncio.Event()
        if self._fault.mode is Mode.REFUSE:
            await self._refuse()
        elif self._server is None:
            await self._listen()

    async def cut_all(self) -> None:
        """Close every connection that is open."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        self._server = await self.at.listen(self._taken)
        self.at = self.at.bound(self._server)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._tasks.discard(task)
            await leave(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._through()
        behind, ahead = await self._upstream.connect()
        asked = asyncio.create_task(self._there(reader, ahead))
        try:
            await self._back(behind, writer)
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            await leave(ahead)

    async def _through(self) -> None:
        """Wait as long as nothing gets through."""
        hit = False
        while self._fault.mode is Mode.BLACK_HOLE:
            self.spoiled += not hit
            hit = True
            await self._changed.wait()

    async def _there(self, reader: asyncio.StreamReader, ahead: asyncio.StreamWriter) -> None:
        while piece := await reader.read(ONE_READ):
            await self._through()
            ahead.write(piece)
            await ahead.drain()
        with suppress(OSError):
            ahead.write_eof()

    async def _back(self, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bring the answer, spoiled as the mode says at each piece of it."""
        given = 0
        while piece := await behind.read(ONE_READ):
            await self._through()
            fault = self._fault
            if fault.mode in CUTTING:
                writer.write(piece[: max(0, fault.after_bytes - given)])
                given += len(piece)
                await writer.drain()
                if given >= fault.after_bytes:
                    self.spoiled += 1
                    await self._end(fault.mode, behind, writer)
                    return
                continue
            given += len(piece)
            await self._give(fault, piece, writer)

    async def _give(self, fault: Fault, piece: bytes, writer: asyncio.StreamWriter) -> None:
        match fault.mode:
            case Mode.DELAY:
                self.spoiled += 1
                await asyncio.sleep(fault.seconds)
            case Mode.GARBAGE:
                self.spoiled += 1
                piece = self._dice.randbytes(len(piece))
            case Mode.RATE:
                self.spoiled += 1
                await self._slowly(piece, fault.bytes_a_second, writer)
                return
            case _:
                pass
        writer.write(piece)
        await writer.drain()

    async def _slowly(self, piece: bytes, bytes_a_second: int, writer: asyncio.StreamWriter) -> None:
        at_once = max(1, bytes_a_second // SLICES_A_SECOND)
        for start in range(0, len(piece), at_once):
            writer.write(piece[start : start + at_once])
            await writer.drain()
            if self._fault.mode is Mode.RATE:
                await asyncio.sleep(at_once / bytes_a_second)

    @staticmethod
    async def _end(mode: Mode, behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if mode is Mode.HALF_CLOSE:
            writer.write_eof()
            while await behind.read(ONE_READ):
                pass
        elif mode is Mode.RESET:
            plug = writer.get_extra_info("socket")
            if plug.family != socket.AF_UNIX:  # which knows no reset
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
