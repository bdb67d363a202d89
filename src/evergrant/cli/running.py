"""What every long-running command does: read settings, find the database, stop in order on Ctrl-C."""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog
import uvloop

from evergrant import logs, postgres, settings
from evergrant.assembly import programs
from evergrant.assembly.house import StartError
from evergrant.core.errors import DatabaseUnavailableError
from evergrant.settings import Settings

Program = Callable[[Settings, Mapping[str, Any], asyncio.Event, Callable[[], None]], Awaitable[None]]

USAGE = 2
"""Exit code for what the person who started it has to put right."""


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


def run(program: Program, chosen: Settings, *, told: str) -> None:
    """Run a program until Ctrl-C or SIGTERM; `told` is logged when it is ready."""
    with reported(), programs.database(chosen) as arguments:
        uvloop.run(_until_signal(program, chosen, arguments, told))


@contextmanager
def reported() -> Iterator[None]:
    """What stops a program from starting is one clear line with a stable code, not a traceback."""
    try:
        yield
    except postgres.PostgresError as error:
        fail(error.code, str(error))
    except DatabaseUnavailableError as error:
        fail(error.code, f"{error.sentence} (EVERGRANT_DATABASE_URL)")
    except StartError as error:
        fail(error.code, str(error))


def check_port(host: str, port: int) -> None:
    """End with a clear line if the port is taken: the server itself would silently share it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fail("port_in_use", f"{host}:{port} cannot be used ({error.strerror}). Choose another with --port.")


async def _until_signal(program: Program, chosen: Settings, arguments: Mapping[str, Any], told: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log = structlog.get_logger("evergrant")
    await program(chosen, arguments, stop, lambda: log.info(told, address=chosen.origin))
