"""A tunnel for clients with hosts built in and no hosts file to change: an HTTPS proxy that knows only the platform's names."""

import asyncio
import contextlib
import logging

from evergrant_sandbox.addresses import Address
from evergrant_sandbox.world.hosts import house_of

_log = logging.getLogger(__name__)

_LONGEST_HEAD = 16_384
_HEAD_SECONDS = 10.0
_AT_ONCE = 65_536

_OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def _refusal(status: bytes, sentence: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(sentence)) + sentence


_NO_CONNECT = _refusal(
    b"501 Not Implemented", b"This proxy is for HTTPS: it opens tunnels (CONNECT) and nothing else.\n"
)
_NOT_A_NAME = _refusal(
    b"403 Forbidden", b"This proxy leads to the platform's host names at port 443 and nowhere else.\n"
)
_NO_HEAD = _refusal(b"400 Bad Request", b"This is no request to a proxy.\n")


class Tunnel:
    """Leads every name of the platform to one address."""

    def __init__(self, to: Address) -> None:
        self._to = to
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self, at: Address) -> asyncio.Server:
        """Listen; whoever starts it closes it."""
        return await asyncio.start_server(self._enter, at.host, at.port, limit=_LONGEST_HEAD)

    async def close(self, server: asyncio.Server) -> None:
        """Stop listening, and cut what is open."""
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            await self._lead(reader, writer)
        except (OSError, asyncio.IncompleteReadError) as error:
            _log.info("tunnel.cut reason=%s", type(error).__name__)
        finally:
            self._open.discard(task)
            writer.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        refusal = await _read_head(reader)
        if refusal:
            writer.write(refusal)
            await writer.drain()
            return
        there, back = await asyncio.open_connection(self._to.host, self._to.port)
        try:
            writer.write(_OPENED)
            await asyncio.gather(_carry(reader, back), _carry(there, writer))
        finally:
            back.close()


async def _read_head(reader: asyncio.StreamReader) -> bytes | None:
    """What is wrong with a request; None when it may pass."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
    except (TimeoutError, asyncio.LimitOverrunError):
        return _NO_HEAD
    method, _, rest = head.partition(b" ")
    target = rest.partition(b" ")[0].decode("latin-1")
    if method != b"CONNECT":
        return _NO_CONNECT
    name, _, port = target.rpartition(":")
    return None if port == "443" and house_of(name) else _NOT_A_NAME


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on bytes until there are no more, then say so."""
    while part := await reader.read(_AT_ONCE):
        writer.write(part)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
