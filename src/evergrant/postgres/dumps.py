"""Dumps and restores with the server's own programs, whichever server it is. A password never stands in a list of processes."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit, urlunsplit

from evergrant.postgres import binaries
from evergrant.postgres.failures import BinariesMissingError, PostgresError

SCHEMA = "evergrant"


class DumpFailedError(PostgresError):
    """pg_dump or pg_restore is missing, too old for the server, or failed; the sentence holds the end of what it said."""

    code: ClassVar[str] = "postgres_dump_failed"


def dump(dsn: str, file: Path, server: int) -> None:
    """Everything of ours in that database as it stands at one moment, in pg_restore's own format, for its owner's eyes only.

    `server` is the major version of the server. The file is there whole or not at all.

    Raises:
        DumpFailedError: see there.
    """
    making = file.with_name(f"{file.name}.part")
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        options = ["--format=custom", f"--schema={SCHEMA}", "--no-owner", "--no-privileges", f"--file={making}"]
        _run(_program("pg_dump", server), dsn, options)
        os.fsync(handle)
        making.replace(file)
    finally:
        os.close(handle)
        making.unlink(missing_ok=True)


def restore(dsn: str, file: Path, server: int) -> None:
    """Put a dump in the place of what is in that database: all of it, or nothing.

    Raises:
        DumpFailedError: see there.
    """
    options = ["--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-owner", "--no-privileges"]
    _run(_program("pg_restore", server), dsn, [*options, str(file)])


def _program(name: str, server: int) -> Path:
    """One that is not older than the server: the wheel's own, or the system's."""
    for found in _found(name):
        asked = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        number = re.search(r"(\d+)", asked.stdout)
        if number and int(number[1]) >= server:
            return found
    raise DumpFailedError(
        f"No {name} of PostgreSQL {server} or newer is here: install the client programs of that version."
    )


def _found(name: str) -> Iterator[Path]:
    try:
        own = binaries.find(binaries.Binaries.EMBEDDED, None) / name
    except BinariesMissingError:
        own = None
    if own is not None and own.is_file():
        yield own
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from (found for found in Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))


def _run(program: Path, dsn: str, options: list[str]) -> None:
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{parts.username}@{host}" if parts.username else host
    secret = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    where = f"--dbname={urlunsplit(parts._replace(netloc=netloc))}"
    done = subprocess.run(  # noqa: S603 - the server's own programs
        [program, "--no-password", where, *options],
        capture_output=True,
        text=True,
        check=False,
        env=binaries.environment() | secret,
    )
    if done.returncode:
        raise DumpFailedError(f"{program.name} failed: {done.stderr.strip()[-500:]}")
