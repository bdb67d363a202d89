"""Who gets in, and what is told to whom: one role, one socket, no secrets in logs or in the server's environment."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from evergrant import postgres
from tests.postgres import programs
from tests.postgres.programs import Program

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def shared(prepared: Path) -> Iterator[tuple[Path, postgres.Server]]:
    """A running server and its folder, for tests that only look."""
    with programs.nothing_left(prepared), postgres.running(prepared) as server:
        yield prepared, server


async def test_one_role_gets_in_and_it_is_no_superuser(shared: tuple[Path, postgres.Server]) -> None:
    """The password is asked for, the superuser and other roles find no door, the role has no powers over the machine."""
    _, server = shared
    at = {"host": str(server.socket), "port": server.port, "database": server.database}
    for refused in (
        {"user": server.user, "password": "guessed"},
        {"user": server.user},
        {"user": "postgres", "password": server.password},
        {"user": "nobody", "password": server.password},
    ):
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(**at, **refused)
    powers = await programs.ask(
        server.dsn,
        "SELECT array[rolsuper, rolcreaterole, rolreplication, rolbypassrls] FROM pg_roles WHERE rolname = $1",
        server.user,
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await programs.ask(server.dsn, "COPY (SELECT 1) TO PROGRAM 'true'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await programs.ask(server.dsn, "SELECT pg_read_file('postgresql.conf')")
    await programs.ask(server.dsn, "CREATE EXTENSION pg_trgm")

    assert [False, False, False, False] == powers


def test_nothing_listens_on_the_network(shared: tuple[Path, postgres.Server]) -> None:
    """The Unix socket is the only door."""
    home, server = shared
    links = [str(entry.readlink()) for pid in programs.processes(home) for entry in Path(f"/proc/{pid}/fd").glob("*")]
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}
    tables = [Path(f"/proc/net/{name}").read_text(encoding="ascii") for name in ("tcp", "tcp6", "udp", "udp6")]
    on_the_network = {line.split()[9] for table in tables for line in table.splitlines()[1:]} & inodes
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(server.socket / ".s.PGSQL.5432"))

    assert inodes
    assert set() == on_the_network


def test_files_are_for_their_owner_alone(shared: tuple[Path, postgres.Server]) -> None:
    """Nobody else reads the password, the log or the data, or reaches the socket."""
    home, server = shared
    open_to_others = [
        path
        for path in (home, *home.rglob("*"))
        if not path.is_symlink() and not path.is_socket() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    door = stat.S_IMODE((server.socket / ".s.PGSQL.5432").stat().st_mode)

    assert [] == open_to_others
    assert 0o700 == door


async def test_what_a_statement_carries_is_not_in_the_log(shared: tuple[Path, postgres.Server]) -> None:
    """Neither values nor statements nor rows that a constraint refused; that something failed is."""
    home, server = shared
    await programs.keep(server.dsn, "sealed-4711")
    with pytest.raises(asyncpg.UniqueViolationError):
        await programs.keep(server.dsn, "sealed-4711")
    with pytest.raises(asyncpg.UndefinedTableError):
        await programs.ask(server.dsn, "SELECT 'sealed-4711' FROM nowhere")
    await programs.ask(server.dsn, "CREATE TABLE pair (a text, b int NOT NULL)")
    with pytest.raises(asyncpg.NotNullViolationError):
        await programs.ask(server.dsn, "INSERT INTO pair VALUES ($1, NULL)", "sealed-4711")
    log = (home / "server" / "server.log").read_text(encoding="utf-8")

    assert "duplicate key value" in log
    assert "violates not-null constraint" in log
    assert "sealed-4711" not in log


def test_the_server_sees_nothing_of_our_environment(home: Path) -> None:
    """Our settings hold keys; what a server does not have, nobody gets out of it."""
    with Program(home) as program:
        program.running()
        environment = Path(f"/proc/{programs.postmaster(home)}/environ").read_text(encoding="utf-8")
        assert program.leave() == 0

    assert "PATH=" in environment
    assert "never-hand-me-down" not in environment


async def test_the_password_is_shown_only_in_the_address(shared: tuple[Path, postgres.Server]) -> None:
    """Printing a server does not print the password, and no log or process list has it."""
    home, server = shared
    arguments = programs.command_lines(home)

    assert server.password in server.dsn
    assert server.password not in repr(server)
    assert not any(server.password in line for line in arguments)
    assert server.password not in (home / "server" / "server.log").read_text(encoding="utf-8")
    assert (home / "password").read_text(encoding="ascii").strip() == server.password
