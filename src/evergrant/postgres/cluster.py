"""A cluster of one's own: made once, aside, and moved into place whole; its settings; its roles and the one password."""

import base64
import hashlib
import hmac
import os
import secrets
import shutil
from enum import Enum
from pathlib import Path

from evergrant.postgres import binaries, failures, place
from evergrant.postgres.account import Runner
from evergrant.postgres.place import Place

ROLE = "evergrant"
DATABASE = "evergrant"
DOORS_ROLE = "evergrant_web"
"""What the doors work as, so that the database shows them one tenant's rows at a time. Nobody logs in with it."""

# A statement a line: that is how a server without doors reads.
GRANT_DOORS_ROLE = (
    f"DO $$ BEGIN CREATE ROLE {DOORS_ROLE} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;\n"
    f"GRANT {DOORS_ROLE} TO {ROLE};\n"
)
BUILTIN_LOCALE_SINCE = 17

# The superuser is let in by no door: what is left is `postgres --single` by the owner of the files.
DOORS = f"# Written by Evergrant at every start.\nlocal all {ROLE} scram-sha-256\n"

# The operator may change these, in local.conf.
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}

# Nobody may change these: they stand on the command line, which outranks every file.
FIXED = {
    "listen_addresses": "",
    "port": str(place.PORT),
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",  # the long form quotes the row a constraint refused
    "log_min_error_statement": "panic",  # a refused statement may carry what nobody should read
}


class Durability(Enum):
    """What a committed transaction survives. Only tests choose otherwise than FULL."""

    FULL = "on"
    NONE = "off"


def name(where: Place) -> str:
    """What the server's processes are called, so that they can be told from those of other servers."""
    return f"evergrant-{hashlib.sha256(os.fsencode(where.data)).hexdigest()[:12]}"


def command_line(where: Place, durability: Durability) -> list[str]:
    """How the server is started: what must hold whatever the files say."""
    folder = str(where.socket).replace('"', '""')
    must = {
        **FIXED,
        "cluster_name": name(where),
        "unix_socket_directories": f'"{folder}"',
        "fsync": durability.value,
        "full_page_writes": durability.value,
        "synchronous_commit": durability.value,
        "autovacuum": durability.value,  # a short-lived database needs none, and cannot be dropped while it is at work
    }
    return ["-D", str(where.data), *(part for setting, value in must.items() for part in ("-c", f"{setting}={value}"))]


def major_of(data: Path) -> int | None:
    """The major version that made a cluster; None if there is no cluster."""
    try:
        return binaries.major((data / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def check_major(data: Path, version: str) -> None:
    """Whether a server of this version can open the cluster, if there is one.

    Raises:
        OtherMajorError: it cannot.
    """
    made_by = major_of(data)
    if made_by is not None and made_by != binaries.major(version):
        raise failures.OtherMajorError(
            f"The data in {data} was made by PostgreSQL {made_by}, and the server here is {version}. Start it with "
            f"programs of version {made_by}, or carry the data over with pg_dump and an empty data folder "
            "(docs/how-to/choose-a-database.md).",
        )


def make(where: Place, runner: Runner, *, durability: Durability, keeps: int) -> None:
    """Make the cluster with its role and its database; it stands in its place only once it is whole.

    Raises:
        StartFailedError: initdb failed.
        DiskFullError: there was no room.
    """
    making = where.making
    password = secrets.token_urlsafe(32)
    shutil.rmtree(making, ignore_errors=True)
    _initdb(making, runner, durability, keeps)
    _single(
        making,
        runner,
        keeps,
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{_verifier(password)}';\n"
        f"CREATE DATABASE {DATABASE} OWNER {ROLE};\n{GRANT_DOORS_ROLE}",
    )
    place.write(_has_roles(making), f"{DOORS_ROLE}\n")
    place.write(where.password, password + "\n")
    making.rename(where.data)
    place.settle(where.server)


def _initdb(data: Path, runner: Runner, durability: Durability, keeps: int) -> None:
    builtin = binaries.major(runner.version) >= BUILTIN_LOCALE_SINCE
    made = runner.account.run(
        [
            runner.programs / "initdb",
            *("-D", data),
            *("-U", "postgres"),
            *("-E", "UTF8"),
            "--locale=C.UTF-8",
            *(["--locale-provider=builtin"] if builtin else []),
            "--auth=reject",
            "--data-checksums",
            "--no-instructions",
            *(["--no-sync"] if durability is Durability.NONE else []),
        ],
        keeps=(keeps,),
    )
    if made.returncode != 0:
        raise failures.from_log("The database could not be made", made.stdout)


def _single(data: Path, runner: Runner, keeps: int, statements: str) -> None:
    ran = runner.account.run(
        [runner.programs / "postgres", "--single", "-D", data, "-c", "exit_on_error=on", "postgres"],
        said=statements,
        keeps=(keeps,),
    )
    if ran.returncode != 0:
        raise failures.from_log("The database's role could not be made", place.redacted(ran.stdout))


def password_of(where: Place) -> str:
    """The password of the role.

    Raises:
        StartFailedError: its file is gone while the server runs.
    """
    try:
        return where.password.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise failures.StartFailedError(
            f"The database runs, and its password file {where.password} is gone. Stop every Evergrant process and "
            "start again: the start makes a new password.",
        ) from None


def complete(where: Place, runner: Runner, *, keeps: int) -> None:
    """Make what is missing: the doors' role in a cluster of an earlier version, a new password if the file of the old one
    is gone. The server must not be running.
    """
    marker = _has_roles(where.data)
    if not marker.exists():
        _single(where.data, runner, keeps, GRANT_DOORS_ROLE)
        place.write(marker, f"{DOORS_ROLE}\n")
    if not where.password.exists():
        password = secrets.token_urlsafe(32)
        _single(where.data, runner, keeps, f"ALTER ROLE {ROLE} PASSWORD '{_verifier(password)}';\n")
        place.write(where.password, password + "\n")


def _has_roles(data: Path) -> Path:
    """A mark beside the server's own files: it goes wherever they go."""
    return data / "evergrant.roles"


def _verifier(password: str) -> str:
    """What the server keeps of the password (RFC 5803): the password itself is never shown to it.

    One iteration: iterations slow down guessing, and 256 random bits are not guessed; each connection would pay.
    """
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    told = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return "SCRAM-SHA-256$1:{}${}:{}".format(*told)


def write_settings(where: Place) -> None:
    """Write the files the server reads at its start; what the operator set in local.conf stands last and wins."""
    own = where.server / "local.conf"
    lines = [f"{setting} = '{value}'\n" for setting, value in SETTINGS.items()]
    last = f"include '../{own.name}'\n" if own.exists() else ""
    place.write(
        where.data / "postgresql.conf",
        f"# Written by Evergrant at every start: put your own settings into {own}\n{''.join(lines)}{last}",
    )
    place.write(where.data / "pg_hba.conf", DOORS)
