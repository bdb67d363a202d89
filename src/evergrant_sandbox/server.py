"""The server: takes its ports or says why not, runs the application and the agenda, and stops on a signal."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.server.embed import Server
from starlette.types import ASGIApp

from evergrant_sandbox import addresses, app
from evergrant_sandbox.addresses import Address, CannotStartError
from evergrant_sandbox.app import Application
from evergrant_sandbox.book.database import BookInUseError, UnknownBookError
from evergrant_sandbox.clock import rfc3339
from evergrant_sandbox.tunnel import Tunnel
from evergrant_sandbox.world.hosts import NAMES

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sandbox listens and where it keeps its book."""

    at: Address
    folder: Path
    # Where the platform's real host names are served over TLS, and where a proxy that leads there listens.
    hosts: Address | None = None
    tunnel: Address | None = None

    @property
    def address(self) -> str:
        """The base address for clients."""
        return f"http://{self.at}"


@dataclass(slots=True, kw_only=True)
class _Running:
    """The servers of one process, and what is said once all of them answer."""

    servers: list[Server] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, application: ASGIApp, at: Address, certificate: Path | None = None, key: Path | None = None) -> None:
        """One more server."""
        server = Server(
            application,
            address=at.host,
            port=at.port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=1024,
            log_enabled=False,
            ssl_cert=certificate,
            ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
        )
        self.servers.append(server)
        self.addresses.append(at)

    def stop(self) -> None:
        """Stop all of them."""
        for server in self.servers:
            server.stop()  # type: ignore[no-untyped-call]


async def serve(place: Place) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        CannotStartError: a port or the folder cannot be had.
    """
    for each in (place.at, place.hosts, place.tunnel):
        if each:
            addresses.check_port(each)
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
    running = _Running()
    running.add(application, place.at)
    if place.hosts:
        _add_hosts(running, application, place, place.hosts)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.stop)
    agenda = asyncio.create_task(application.platform.agenda.run())
    greeting = asyncio.create_task(_greet(application, place, running))
    try:
        async with _tunnel(place):
            await asyncio.gather(*(server.serve() for server in running.servers))
    finally:
        application.platform.faults.clear()
        for task in (agenda, greeting):
            task.cancel()
        await asyncio.gather(agenda, greeting, return_exceptions=True)
    _log.info("sandbox.stopped address=%s", place.address)


def _add_hosts(running: _Running, application: Application, place: Place, at: Address) -> None:
    from evergrant_sandbox import certificates  # noqa: PLC0415  (a tenth of a start's time, which few starts need)

    platform = application.platform
    # Certificates are for clients' clocks, so they go by the wall and not by the platform's time.
    papers = certificates.issue(
        place.folder / certificates.FOLDER, NAMES, now=platform.clock.wall(), dice=platform.dice
    )
    running.add(application.by_name(), at, papers.certificate, papers.key)
    running.lines = _advice(at, papers.authority.resolve(), place.tunnel)


@asynccontextmanager
async def _tunnel(place: Place) -> AsyncIterator[None]:
    if not place.tunnel or not place.hosts:
        yield
        return
    tunnel = Tunnel(place.hosts)
    server = await tunnel.serve(place.tunnel)
    try:
        yield
    finally:
        await tunnel.close(server)


async def _greet(application: Application, place: Place, running: _Running) -> None:
    """Say that it is ready once a connection is accepted, not before."""
    for each in running.addresses:
        await _answers(each)
    now = rfc3339(application.platform.clock.now())
    ready = f"Sandbox ready at {place.address} (platform time {now}, data in {place.folder})"
    print("\n".join((ready, *running.lines)), flush=True)  # noqa: T201  (what the command says)
    _log.info("sandbox.started address=%s data=%s", place.address, place.folder)


async def _answers(at: Address) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(at.host, at.port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        return


def _advice(at: Address, authority: Path, tunnel: Address | None) -> list[str]:
    """What a person has to do so that a client comes here; the sandbox itself changes nothing on the machine."""
    by_tunnel = [f"  or without a hosts file: HTTPS_PROXY=http://{tunnel}"] if tunnel else []
    return [
        f"Real host names at https://{at} (TLS). For one process that is to take them for TikTok's:",
        f"  Python, Go, OpenSSL: SSL_CERT_FILE={authority}",
        f"  Python requests: REQUESTS_CA_BUNDLE={authority}",
        f"  Node: NODE_EXTRA_CA_CERTS={authority}",
        f"  curl: --cacert {authority}",
        *by_tunnel,
        "Lines for a hosts file (add and remove them yourself; while they are there, TikTok's are not reached):",
        *(f"{at.host} {name}" for name in NAMES),
    ]
