"""Where something listens: a port of this machine, or a socket in a folder."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

OURS = "127.0.0.1"
ONE_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Port:
    """A TCP port of this machine; 0, to listen on, is any that is free."""

    number: int = 0
    host: str = OURS

    async def connect(self) -> Streams:
        """A connection to it."""
        return await asyncio.open_connection(self.host, self.number)

    async def listen(self, handler: Handler) -> asyncio.Server:
        """Listen on it."""
        return await asyncio.start_server(handler, self.host, self.number)

    def bound(self, server: asyncio.Server) -> "Port":
        """The port that was really taken."""
        return Port(int(server.sockets[0].getsockname()[1]), self.host)


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket in a folder."""

    path: Path

    async def connect(self) -> Streams:
        """A connection to it."""
        return await asyncio.open_unix_connection(self.path)

    async def listen(self, handler: Handler) -> asyncio.Server:
        """Listen on it. One that a closed listener left is replaced."""
        self.path.unlink(missing_ok=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return await asyncio.start_unix_server(handler, self.path)

    def bound(self, _server: asyncio.Server) -> "Socket":
        """Itself."""
        return self


Address = Port | Socket


def of_database(dsn: str) -> Address:
    """Where the PostgreSQL of a URL listens."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    host = (query.get("host") or [parts.hostname or OURS])[0]
    port = int((query.get("port") or [str(parts.port or 5432)])[0])
    return Socket(Path(host) / f".s.PGSQL.{port}") if host.startswith("/") else Port(port, host)


def database_url(dsn: str, at: Address) -> str:
    """The URL of the same database, reached at another address. Without TLS: a proxy that reads along cannot speak it."""
    parts = urlsplit(dsn)
    where: dict[str, str] = {"sslmode": "disable"}
    if isinstance(at, Socket):
        where |= {"host": str(at.path.parent), "port": at.path.suffix.removeprefix(".")}
    else:
        where |= {"host": at.host, "port": str(at.number)}
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@", query=urlencode(where, quote_via=quote)))


async def leave(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever the other side does."""
    with suppress(OSError, RuntimeError):
        writer.close()
        await writer.wait_closed()
