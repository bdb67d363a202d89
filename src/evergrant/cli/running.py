"""The long-running commands: read settings, find the database, serve or work until a signal, stop in order."""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from evergrant import logs, settings
from evergrant.settings import Settings

Program = Callable[[Settings, Mapping[str, Any], asyncio.Event, Callable[[], None]], Awaitable[None]]

USAGE = 2
"""Exit code for what the person who started it has to put right."""

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def fail(code: str, sentence: str) -> NoReturn:
    """Say what is wrong in one line with its stable code, and end."""
    print(f"evergrant: {code}: {sentence}", file=sys.stderr)
    sys.exit(USAGE)


def read_settings(**given: Any) -> Settings:
    """The settings; ends the program with a clear line when they cannot be used."""
    try:
        read = settings.read(**given)
    except settings.SettingsError as error:
        fail(error.code, str(error))
    logs.configure(level=read.log_level, form=read.log_format)
    return read


def serve(chosen: Settings) -> None:
    """Serve the hub."""
    check_port(chosen.host, chosen.port)
    from evergrant.assembly import programs

    _run(programs.serve, chosen, told="hub.started")


def work(chosen: Settings) -> None:
    """Work."""
    from evergrant.assembly import programs

    _run(programs.work, chosen, told="worker.ready")


def migrate(chosen: Settings) -> None:
    """Bring the database to the schema this version needs."""
    from evergrant.assembly import database

    with reported(), database.ready(chosen, migrates=True):
        print(f"The schema is at revision {database.newest_revision()}.")


@contextmanager
def reported() -> Iterator[None]:
    """What stops a program from starting is one clear line with a stable code, not a traceback."""
    from evergrant.assembly.house import StartError
    from evergrant.core.errors import EvergrantError
    from evergrant.postgres import PostgresError

    try:
        yield
    except (PostgresError, StartError) as error:
        fail(error.code, str(error))
    except EvergrantError as error:
        fail(error.code, error.sentence)


def check_port(host: str, port: int, *, otherwise: str = "Choose another with --port.") -> None:
    """End with a clear line if the port is taken: the server itself would silently share it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fail("port_in_use", f"{host}:{port} cannot be used ({error.strerror}). {otherwise}")


def _run(program: Program, chosen: Settings, *, told: str) -> None:
    """Run a program until a signal; `told` is logged when it is ready."""
    import uvloop

    from evergrant.assembly import database

    with reported(), database.ready(chosen) as arguments:
        uvloop.run(_until_signal(program, chosen, arguments, told))


async def _until_signal(program: Program, chosen: Settings, arguments: Mapping[str, Any], told: str) -> None:
    import structlog

    stop = asyncio.Event()
    for number in STOPS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log = structlog.get_logger("evergrant")
    await program(chosen, arguments, stop, lambda: log.info(told, address=chosen.origin))
