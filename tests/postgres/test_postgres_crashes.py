"""Whatever is killed, and whenever: the server comes back and every acknowledged commit is there."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from evergrant import postgres
from tests.postgres import programs
from tests.postgres.programs import Program

pytestmark = pytest.mark.processes


async def test_a_killed_server_is_started_again(home: Path) -> None:
    """Kill -9 of the server alone: whoever uses it notices and revives it, and says so."""
    with Program(home) as program:
        dsn = program.running()
        await programs.keep(dsn, "before")
        os.kill(programs.postmaster(home), signal.SIGKILL)

        program.event("postgres.restarted")

        await programs.keep(dsn, "later")
        assert ["before", "later"] == await programs.kept(dsn)
        assert program.leave() == 0
        assert not programs.lives(home)


async def test_a_killed_server_is_started_again_by_one_of_many(home: Path) -> None:
    """Of all who notice, one revives it; the address stays the same."""
    with Program(home) as a, Program(home) as b, Program(home) as c:
        together = (a, b, c)
        (dsn,) = {program.running() for program in together}
        for turn in range(3):
            dead = programs.postmaster(home)
            os.kill(dead, signal.SIGKILL)
            programs.wait_until(_is_back(home, dead))
            await programs.keep(dsn, f"after {turn}")
        codes = [program.leave() for program in together]
        restarted = sum(program.said().count("postgres.restarted") for program in together)

    assert [0, 0, 0] == codes
    assert 3 == restarted
    assert not programs.lives(home)


async def test_a_server_is_started_again_although_a_backend_goes_on_computing(home: Path) -> None:
    """A backend deep in a computation does not notice that its server died; it must not block the next one."""
    with Program(home) as program:
        dsn = program.running()
        await programs.keep(dsn, "before")
        busy = await asyncpg.connect(dsn)
        # One call of one function: no moment at which the backend would look around.
        deaf = asyncio.create_task(
            busy.execute("SELECT sum(a * b) FROM generate_series(1, 1e6) a, generate_series(1, 1e6) b")
        )
        await asyncio.sleep(0.2)
        os.kill(programs.postmaster(home), signal.SIGKILL)

        program.event("postgres.restarted")

        with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
            await deaf
        assert ["before"] == await programs.kept(dsn)
        assert program.leave() == 0


async def test_a_listener_that_fails_does_not_end_the_watch(home: Path) -> None:
    """Whoever is told may fail, for want of a terminal for example: the server is revived all the same."""

    def deaf(event: str, **_: object) -> None:
        raise BrokenPipeError(event)

    with postgres.running(home, tell=deaf) as server:
        for _ in range(2):
            dead = programs.postmaster(home)
            os.kill(dead, signal.SIGKILL)
            programs.wait_until(_is_back(home, dead))
            await programs.ask(server.dsn, "SELECT 1")


async def test_the_server_outlives_the_process_that_started_it(home: Path) -> None:
    """Kill -9 of the starter: the server runs on, the next start joins, and the last to leave stops it."""
    with Program(home) as starter:
        dsn = starter.running()
        await programs.keep(dsn, "by the dead")
        starter.kill()

        server = programs.postmaster(home)
        assert ["by the dead"] == await programs.kept(dsn)
        with Program(home) as heir:
            assert dsn == heir.running()
            assert ["postgres.joined", "running"] == heir.said()
            assert server == programs.postmaster(home)

            os.kill(server, signal.SIGKILL)
            heir.event("postgres.restarted")
            assert ["by the dead"] == await programs.kept(dsn)

            assert heir.leave() == 0
            assert "postgres.stopped" in heir.said()
        assert not programs.lives(home)


async def test_a_process_killed_while_others_use_the_server_changes_nothing_for_them(home: Path) -> None:
    """Kill -9 of one of two, then the other leaves: it is the last, so it stops the server."""
    with Program(home) as one, Program(home) as other:
        dsn = one.running()
        other.running()
        one.kill()

        await programs.keep(dsn, "still here")
        assert other.leave() == 0
        assert "postgres.stopped" in other.said()
        assert not programs.lives(home)


async def test_every_acknowledged_commit_survives_the_death_of_everything(home: Path) -> None:
    """Kill -9 of program, server and backends while four writers commit: what they were told is kept is kept."""
    acknowledged: list[str] = []

    async def write(dsn: str, writer: int) -> None:
        connection = await asyncpg.connect(dsn)
        for number in range(1_000_000):
            await connection.execute("INSERT INTO word VALUES ($1)", f"{writer}-{number}")
            acknowledged.append(f"{writer}-{number}")

    with Program(home) as program:
        dsn = program.running()
        await programs.keep(dsn)
        writers = [asyncio.create_task(write(dsn, writer)) for writer in range(4)]
        await asyncio.sleep(0.5)
        program.kill()
        programs.kill_all(home)
        for ended in await asyncio.gather(*writers, return_exceptions=True):
            assert isinstance(ended, asyncpg.PostgresError | OSError | asyncpg.InterfaceError)

    with postgres.running(home) as server:
        words = await programs.kept(server.dsn)
    assert len(acknowledged) > 100
    assert set() == set(acknowledged) - set(words)


async def test_a_database_half_made_is_made_anew(new_home: Path) -> None:
    """Kill -9 of the first start, again and again: initdb goes on without it, or is killed with it; the next heals."""
    for delay, initdb_too in ((0.0, False), (0.4, False), (0.4, True)):
        with Program(new_home) as program:
            program.event("postgres.preparing")
            await asyncio.sleep(delay)
            program.kill()
            if initdb_too:
                programs.kill(programs.named(new_home))
        assert not (new_home / "server" / "data").exists()

    with Program(new_home) as program:
        dsn = program.running()
        await programs.keep(dsn, "whole")
        assert ["whole"] == await programs.kept(dsn)
        assert not (new_home / "server" / "data.making").exists()
        assert program.leave() == 0


async def test_a_long_recovery_is_told_of_and_not_begun_again(home: Path) -> None:
    """Who does not want to wait is told so, the server goes on recovering, and the next start joins it."""
    with postgres.running(home) as server:
        await programs.keep(server.dsn, "before")
    slow = home / "server" / "local.conf"
    slow.write_text("hot_standby = off\nrestore_command = 'sleep 0.9; false'\n", encoding="utf-8")
    (home / "server" / "data" / "recovery.signal").touch(0o600)

    with Program(home, patience=2.5) as hasty:
        assert "postgres_not_ready" == hasty.event("failed")["code"]
        assert "postgres.recovering" in hasty.said()
        assert "postgres.stopped" not in hasty.said()
    slow.unlink()

    with Program(home) as program:
        dsn = program.running()
        assert ["postgres.joined", "running"] == program.said()
        assert ["before"] == await programs.kept(dsn)
        assert program.leave() == 0
        assert not programs.lives(home)


async def test_a_number_that_is_now_somebody_elses_does_not_block_the_start(home: Path) -> None:
    """After a reboot the number in the server's files may be any process's: here it is this test's own."""
    with postgres.running(home) as server:
        await programs.keep(server.dsn, "before")
        left_behind = home / "server" / "data" / "postmaster.pid"
        lines = left_behind.read_text(encoding="utf-8").splitlines()
    lines[0] = str(os.getpid())
    left_behind.write_text("\n".join(lines) + "\n", encoding="utf-8")
    lock = server.socket / ".s.PGSQL.5432.lock"
    lock.write_text("\n".join(lines) + "\n", encoding="utf-8")

    with Program(home) as program:
        dsn = program.running()
        assert ["before"] == await programs.kept(dsn)
        assert "postgres.started" in program.said()
        assert program.leave() == 0


async def test_a_lost_socket_is_made_good(home: Path) -> None:
    """Somebody cleans up too much: the server lives and cannot be reached, so it is started again."""
    with Program(home) as program:
        dsn = program.running()
        await programs.keep(dsn, "before")
        (home / "server" / "socket" / ".s.PGSQL.5432").unlink()

        program.event("postgres.stopped")
        program.event("postgres.restarted")

        assert ["before"] == await programs.kept(dsn)
        assert program.leave() == 0


async def test_a_lost_password_is_renewed_by_the_next_start(home: Path) -> None:
    """The file is gone: while the server runs, joining is refused with what to do; the next start heals it."""
    with postgres.running(home) as server:
        await programs.keep(server.dsn, "before")
        (home / "password").unlink()
        with pytest.raises(postgres.StartFailedError, match="password file"), postgres.running(home):
            pass
        assert programs.lives(home)

    with postgres.running(home) as again:
        assert server.password != again.password
        assert ["before"] == await programs.kept(again.dsn)


async def test_a_removed_folder_is_not_replaced_by_an_empty_database(copied_home: Path) -> None:
    """The data is deleted under a running server: it is said, and no empty database appears in its place."""
    with Program(copied_home) as program:
        program.running()
        server = programs.processes(copied_home)
        shutil.rmtree(copied_home / "server" / "data", ignore_errors=True)
        programs.kill(server)  # it would notice by itself, within a minute
        shutil.rmtree(copied_home / "server" / "data", ignore_errors=True)

        failed = program.event("postgres.restart_failed")
        assert "postgres_start_failed" == failed["code"]
        assert not (copied_home / "server" / "data").exists()

        shutil.rmtree(copied_home)
        assert program.leave() == 0
        assert "postgres.folder_gone" in program.said()


def _is_back(home: Path, dead: int) -> Callable[[], bool]:
    """Whether another server has taken the dead one's place."""

    def look() -> bool:
        try:
            lines = (programs.data_of(home) / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        # PostgreSQL writes the file bit by bit: it may be empty, or not yet say how things stand.
        return len(lines) > 7 and int(lines[0]) != dead and lines[7].strip() == "ready"

    return look
