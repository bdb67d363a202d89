"""The embedded server's ordinary life: the first starts it, others join, the last to leave stops it."""

import contextlib
import os
import pty
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import pytest

from evergrant import postgres
from evergrant.postgres import place
from tests.postgres import programs
from tests.postgres.programs import Program

pytestmark = pytest.mark.processes


def press_ctrl_c(terminal: int, *, until: Callable[[], bool]) -> None:
    """Press Ctrl-C until it is heard: Python misses one that comes just before it begins to wait for input."""
    end = time.monotonic() + programs.PATIENCE
    while not until():
        assert time.monotonic() < end
        os.write(terminal, b"\x03")
        with contextlib.suppress(AssertionError):
            programs.wait_until(until, within=2.0)


async def test_what_was_committed_is_there_after_a_restart(home: Path) -> None:
    """Started, stopped, started: the data is there, and nothing is made anew."""
    told: list[str] = []
    with postgres.running(home, tell=lambda event, **_: told.append(event)) as server:
        await programs.keep(server.dsn, "lasting")
    assert not programs.lives(home)

    with postgres.running(home, tell=lambda event, **_: told.append(event)) as server:
        words = await programs.kept(server.dsn)

    assert ["lasting"] == words
    assert not programs.lives(home)
    assert 2 * ["postgres.started", "postgres.stopped"] == told


async def test_nothing_acknowledged_may_be_lost_and_text_sorts_the_same_everywhere(home: Path) -> None:
    """The server runs with every guard of durability on, checksums included, in UTF-8 sorted by code point."""
    with postgres.running(home) as server:
        connection = await asyncpg.connect(server.dsn)
        names = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")
        settings = [await connection.fetchval("SELECT current_setting($1)", name) for name in names]
        sorted_words = await connection.fetchval(
            "SELECT array_agg(word ORDER BY word) FROM unnest($1::text[]) AS word",
            ["é", "b", "Z", "a"],
        )
        upper = await connection.fetchval("SELECT upper('é')")
        encoding = await connection.fetchval("SHOW server_encoding")
        await connection.close()

    assert ["on", "on", "on", "on"] == settings
    assert ["Z", "a", "b", "é"] == sorted_words
    assert ("É", "UTF8") == (upper, encoding)


async def test_a_second_process_joins_and_the_last_to_leave_stops_the_server(home: Path) -> None:
    """Whoever leaves first, starter or not, leaves the server to the others."""
    with Program(home) as first, Program(home) as second:
        dsn = first.running()
        await programs.keep(dsn, "by the first")

        assert dsn == second.running()
        assert ["by the first"] == await programs.kept(dsn)
        started = "postgres.started"
        joined = second if started in first.said() else first
        assert "postgres.joined" in joined.said()
        assert started not in joined.said()

        assert first.leave() == 0
        assert "postgres.left" in first.said()
        assert ["by the first"] == await programs.kept(dsn)

        assert second.leave() == 0
        assert "postgres.stopped" in second.said()
        assert not programs.lives(home)


async def test_many_first_starts_at_once_make_one_server(new_home: Path) -> None:
    """On an empty folder one of them makes the database; the others wait and join."""
    with Program(new_home) as a, Program(new_home) as b, Program(new_home) as c, Program(new_home) as d:
        together = (a, b, c, d)
        addresses = {program.running() for program in together}
        prepared = sum(program.said().count("postgres.preparing") for program in together)
        started = sum(program.said().count("postgres.started") for program in together)
        codes = [program.leave() for program in together]
        stopped = sum(program.said().count("postgres.stopped") for program in together)

    assert 1 == len(addresses)
    assert (1, 1, 1) == (prepared, started, stopped)
    assert [0, 0, 0, 0] == codes
    assert not programs.lives(new_home)


async def test_ctrl_c_reaches_us_and_we_stop_the_server_in_order(home: Path) -> None:
    """A Ctrl-C at the terminal interrupts the program, not the server, which works until the program lets it go."""
    terminal, end_of_program = pty.openpty()
    try:
        with Program(home, before=["setsid", "--ctty"], stdin=end_of_program) as program:
            dsn = program.running()
            press_ctrl_c(terminal, until=lambda: "interrupted" in program.said())

            await programs.keep(dsn, "after Ctrl-C")
            os.write(terminal, b"\n")

            assert program.ended() == 130
            assert "postgres.stopped" in program.said()
            assert not programs.lives(home)
    finally:
        os.close(terminal)
        os.close(end_of_program)

    log = (home / "server" / "server.log").read_text(encoding="utf-8")
    assert "database system is shut down" in log
    with postgres.running(home) as server:
        assert ["after Ctrl-C"] == await programs.kept(server.dsn)


def test_ctrl_c_during_the_start_leaves_nothing_running(new_home: Path) -> None:
    """Interrupted while the database is made, or before the start is over: no process stays, and the next one works."""
    for moment in ("postgres.preparing", "postgres.started"):
        terminal, end_of_program = pty.openpty()
        try:
            with Program(
                new_home, before=["setsid", "--ctty"], stdin=end_of_program, stall_at="postgres.started"
            ) as program:
                program.event(moment)
                press_ctrl_c(terminal, until=lambda: program.process.poll() is not None)

                assert program.ended() == 130
                assert "running" not in program.said()
                assert not programs.lives(new_home)
        finally:
            os.close(terminal)
            os.close(end_of_program)

    with postgres.running(new_home):
        assert programs.lives(new_home)
    assert not programs.lives(new_home)


@pytest.mark.parametrize(
    ("home", "near"),
    [
        (Path("/srv/evergrant/postgres"), True),
        (Path("/srv") / ("d" * 70), True),
        (Path("/srv") / ("d" * 71), False),
        (Path("/srv") / ("\u00e9" * 36), False),
        (Path("/srv/a, b"), False),
    ],
    ids=["short", "just short enough", "too long", "too long in bytes", "comma"],
)
def test_a_long_or_odd_path_has_its_socket_elsewhere(home: Path, near: bool) -> None:  # noqa: FBT001 - a column
    """A socket's path has at most 103 bytes (on macOS; Linux takes 107), and a comma in it would end the host's name."""
    socket = place.Place(home).socket

    assert near == (socket == home / "server" / "socket")
    assert near or socket.parent == place.SHORT
    assert len(os.fsencode(socket / ".s.PGSQL.5432")) <= 103


def test_an_address_holds_any_path_password_and_name() -> None:
    """What has a meaning in an address is escaped."""
    server = postgres.Server(
        socket=Path("/srv/a & b=%20\u00e9"),
        port=5432,
        user="evergrant",
        database="evergrant",
        version="18.6",
        password="p@ss/w:rd",
    )
    read = urlsplit(server.dsn_of("a/b?c"))

    assert {"host": ["/srv/a & b=%20\u00e9"], "port": ["5432"]} == parse_qs(read.query)
    assert ("evergrant", "p@ss/w:rd") == (read.username, unquote(read.password or ""))
    assert "/a/b?c" == unquote(read.path)


async def test_a_socket_elsewhere_is_in_a_private_folder(home: Path, tmp_path: Path) -> None:
    """Made and removed with the server, always at the same place; other odd letters do no harm."""
    far = tmp_path / ("deep, " * 20) / 'it\'s "db"'
    with programs.nothing_left(far):
        shutil.copytree(home, far)
        with postgres.running(far) as server:
            await programs.keep(server.dsn, "far away")
            folder = server.socket.stat()

            assert place.SHORT == server.socket.parent
            assert 0o700 == stat.S_IMODE(folder.st_mode)
            assert os.geteuid() == folder.st_uid
        with postgres.running(far) as again:
            assert server.socket == again.socket
            assert ["far away"] == await programs.kept(again.dsn)
        assert not server.socket.exists()
    shutil.rmtree(far)


async def test_a_system_server_is_used_if_asked_for(new_home: Path) -> None:
    """Any PostgreSQL from 15 on will do, if the system has one."""
    try:
        with postgres.running(new_home, programs=postgres.Binaries.SYSTEM) as server:
            number = await programs.ask(server.dsn, "SELECT current_setting('server_version_num')::int")
            locale = await programs.ask(
                server.dsn, "SELECT array_agg(w ORDER BY w) FROM unnest('{b,Z,a}'::text[]) AS w"
            )
    except postgres.BinariesMissingError:
        pytest.skip("this system has no PostgreSQL server of its own")

    postgres.check_version(number)
    assert str(number // 10_000) == server.version.split(".")[0]
    assert ["Z", "a", "b"] == locale


async def test_the_operators_settings_win_but_not_over_durability(home: Path) -> None:
    """`local.conf` may change how the server is tuned; what must hold stands on its command line."""
    with postgres.running(home):
        pass
    own = home / "server" / "local.conf"
    own.write_text("max_connections = 42\nfsync = off\nlisten_addresses = '127.0.0.1'\n", encoding="utf-8")

    with postgres.running(home) as server:
        found = [
            await programs.ask(server.dsn, "SELECT current_setting($1)", name)
            for name in ("max_connections", "fsync", "listen_addresses")
        ]

    own.unlink()
    assert ["42", "on", ""] == found
