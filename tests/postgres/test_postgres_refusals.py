"""What cannot be done is refused with a stable code and a sentence that says what to do; nothing is lost by it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evergrant import postgres
from evergrant.postgres import binaries, place
from tests.postgres import programs
from tests.postgres.programs import Program


@pytest.mark.parametrize(
    ("number", "usable"),
    [(90624, False), (140013, False), (149999, False), (150000, True), (150018, True), (180006, True), (200001, True)],
)
def test_a_server_from_15_on_is_usable(number: int, usable: bool) -> None:  # noqa: FBT001 - a table's column
    """By the number the server itself gives."""
    if usable:
        postgres.check_version(number)
    else:
        with pytest.raises(postgres.TooOldError, match="15 or newer"):
            postgres.check_version(number)


@pytest.mark.parametrize(
    ("answer", "version", "major"),
    [
        ("postgres (PostgreSQL) 18.6\n", "18.6", 18),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "15.18", 15),
        ("postgres (PostgreSQL) 19beta1\n", "19beta1", 19),
        ("postgres (PostgreSQL) 20devel\n", "20devel", 20),
        ("postgres: command not found\n", None, 0),
        ("", None, 0),
    ],
)
def test_a_version_is_read_from_what_the_program_says(answer: str, version: str | None, major: int) -> None:
    """As `postgres --version` prints it, on Debian and elsewhere."""
    assert version == binaries.version_in(answer)
    assert major == binaries.major(version or "")


def test_every_failure_has_a_code_of_its_own() -> None:
    """Codes are for programs: stable, and one for each."""
    family = postgres.PostgresError.__subclasses__()

    assert 8 == len({failure.code for failure in family}) == len(family)
    assert all(failure.code.startswith("postgres_") for failure in family)


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    """A setting that points somewhere else."""
    with (
        pytest.raises(postgres.BinariesMissingError, match="leave the setting out"),
        postgres.running(tmp_path / "db", programs=tmp_path),
    ):
        pass


@pytest.mark.processes
def test_a_missing_wheel_is_told(tmp_path: Path) -> None:
    """Without the package that brings the server's programs."""
    with Program(tmp_path / "db", python=[sys.executable, "-S"], site=programs.ROOT / "src") as program:
        failed = program.event("failed")

    assert "postgres_binaries_missing" == failed["code"]
    assert "requirements.lock" in failed["sentence"]


@pytest.mark.processes
async def test_data_of_another_major_version_is_refused_and_left_alone(home: Path) -> None:
    """An upgrade of the server's programs must not touch the data of the version before."""
    with postgres.running(home) as server:
        await programs.keep(server.dsn, "before")
    mark = home / "server" / "data" / "PG_VERSION"
    made_by = mark.read_text(encoding="ascii")
    mark.write_text("16\n", encoding="ascii")

    with pytest.raises(postgres.OtherMajorError, match=r"made by PostgreSQL 16.*pg_dump"), postgres.running(home):
        pass

    mark.write_text(made_by, encoding="ascii")
    with postgres.running(home) as server:
        assert ["before"] == await programs.kept(server.dsn)


@pytest.mark.processes
def test_a_start_that_fails_shows_the_end_of_the_log(home: Path) -> None:
    """A mistake in the operator's own settings."""
    own = home / "server" / "local.conf"
    own.write_text("shared_buffers = 'much'\n", encoding="utf-8")

    with pytest.raises(postgres.StartFailedError, match="invalid value for parameter"), postgres.running(home):
        pass

    own.unlink()
    with postgres.running(home):
        pass


@pytest.mark.processes
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a small disk")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """No room at the first start, for our files or for initdb, nor at a later one; with room made, the folder works."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)], check=True)

    def refused(home: Path) -> str:
        with Program(home) as program:
            failed = program.event("failed")
        assert not programs.lives(home)
        assert "postgres_disk_full" == failed["code"]
        assert "Make room" in failed["sentence"]
        return str(failed["sentence"]).split(":", maxsplit=1)[0]

    def room(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)

    try:
        with programs.nothing_left(disk / "db") as home:
            room("nr_inodes=3")
            assert "No room for the database" == refused(home)
            room("nr_inodes=10k,size=5m")
            assert "The database could not be made" == refused(home)
            room("size=200m")
            with Program(home) as program:
                program.running()
                assert program.leave() == 0

            ballast = disk / "ballast"
            subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=4k"], check=False, stderr=subprocess.DEVNULL)
            assert "No room for the database" == refused(home)
            ballast.unlink()
            with Program(home) as program:
                program.running()
                assert program.leave() == 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.processes
def test_a_folder_that_is_a_file_or_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A data folder that cannot be used is not a crash."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(postgres.NotPermittedError), postgres.running(tmp_path / "file" / "db"):
        pass
    with pytest.raises(postgres.NotPermittedError), postgres.running(Path("/proc/db")):
        pass


@pytest.mark.processes
def test_a_socket_folder_that_others_may_enter_is_refused(home: Path) -> None:
    """In /tmp anybody can be there before us: what is not ours alone is not used."""
    (home / "server" / "socket").chmod(0o755)
    try:
        with pytest.raises(postgres.NotPermittedError, match="Look who made it"), postgres.running(home):
            pass
        assert not programs.lives(home)
    finally:
        (home / "server" / "socket").chmod(0o700)


@pytest.mark.processes
def test_waiting_for_ones_turn_ends(home: Path) -> None:
    """Another process holds the start lock and does not let go: it is said which lock."""
    holder = subprocess.Popen(["flock", str(home / "start.lock"), "sleep", "60"], start_new_session=True)
    try:
        programs.wait_until(lambda: not _free(home / "start.lock"))
        with pytest.raises(postgres.StartFailedError, match=r"start\.lock"), postgres.running(home, patience=0.1):
            pass
    finally:
        os.killpg(holder.pid, 9)
        holder.wait()


def test_the_log_keeps_its_size(tmp_path: Path) -> None:
    """Past its limit it becomes the older log, and the one before that goes."""
    log, older = tmp_path / "server.log", tmp_path / "server.log.1"
    older.write_text("oldest", encoding="utf-8")
    log.write_text("small", encoding="utf-8")
    place.rotate(log)
    assert ("small", "oldest") == (log.read_text(encoding="utf-8"), older.read_text(encoding="utf-8"))

    os.truncate(log, place.LOG_LIMIT + 1)
    place.rotate(log)
    assert (0, place.LOG_LIMIT + 1) == (log.stat().st_size, older.stat().st_size)


def test_statements_are_left_out_of_what_is_shown_of_a_log() -> None:
    """A statement may carry what nobody should read; the lines around it tell what went wrong."""
    log = "FATAL:  no such role\n2026 [1] STATEMENT:  ALTER ROLE x\n\tPASSWORD 'sealed';\n\t\nLOG:  over\n"

    assert "FATAL:  no such role\nLOG:  over\n" == place.redacted(log)


def _free(lock: Path) -> bool:
    return subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode == 0
