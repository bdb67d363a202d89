"""The server: takes its port or says why not, runs the application and the agenda, and stops on a signal."""

import asyncio
import errno
import ipaddress
import logging
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from evergrant_sandbox import app
from evergrant_sandbox.app import Application
from evergrant_sandbox.book.database import BookInUseError, UnknownBookError
from evergrant_sandbox.clock import rfc3339

_log = logging.getLogger(__name__)


class CannotStartError(Exception):
    """The sandbox cannot start; carries a stable code and a sentence that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sandbox listens and where it keeps its book."""

    host: str
    port: int
    folder: Path

    @property
    def address(self) -> str:
        """The base address for clients."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def check_loopback(host: str) -> None:
    """Make sure that a host name means this machine only.

    Raises:
        CannotStartError: it does not.
    """
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise CannotStartError("unknown_host", f"{host} is no address of this machine: {error}.") from error
    if not all(ipaddress.ip_address(address).is_loopback for address in found):
        raise CannotStartError(
            "beyond_loopback",
            f"{host} can be reached from other machines, and whoever reaches the sandbox can turn its clock."
            " Use 127.0.0.1, or add --allow-remote if that is what you want.",
        )


def check_port(place: Place) -> None:
    """Make sure that nobody else listens there.

    Granian binds with SO_REUSEPORT, so a second start on the same port would silently share the calls with the first.

    Raises:
        CannotStartError: somebody does, or the port cannot be used.
    """
    if not 1 <= place.port <= 65_535:
        raise CannotStartError("port_unusable", "A port is a number from 1 to 65535; choose one with --port.")
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((place.host, place.port))
            trial.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sentence = f"Another program listens at {place.address}. Stop it, or choose another port with --port."
                raise CannotStartError("port_in_use", sentence) from error
            raise CannotStartError("port_unusable", f"{place.address} cannot be used: {error.strerror}.") from error


async def serve(place: Place) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        CannotStartError: the port or the folder cannot be had.
    """
    check_port(place)
    try:
        async with app.opened(place.folder) as application:
            await _run(application, place)
    except BookInUseError as error:
        raise CannotStartError("data_in_use", f"{error}. Stop it, or choose another folder with --data.") from error
    except UnknownBookError as error:
        raise CannotStartError("data_unknown", f"{error}. Choose another folder with --data.") from error
    except OSError as error:
        raise CannotStartError("data_unusable", f"{place.folder} cannot be used: {error}.") from error


async def _run(application: Application, place: Place) -> None:
    server = Server(
        application,
        address=place.host,
        port=place.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    agenda = asyncio.create_task(application.platform.agenda.run())
    greeting = asyncio.create_task(_greet(application, place))
    try:
        await server.serve()
    finally:
        application.platform.faults.clear()
        for task in (agenda, greeting):
            task.cancel()
        await asyncio.gather(agenda, greeting, return_exceptions=True)
    _log.info("sandbox.stopped address=%s", place.address)


async def _greet(application: Application, place: Place) -> None:
    """Say that it is ready once a connection is accepted, not before."""
    while True:
        try:
            _, writer = await asyncio.open_connection(place.host, place.port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        break
    now = rfc3339(application.platform.clock.now())
    print(f"Sandbox ready at {place.address} (platform time {now}, data in {place.folder})", flush=True)  # noqa: T201  (what the command says)
    _log.info("sandbox.started address=%s data=%s", place.address, place.folder)
