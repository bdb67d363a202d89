"""Who the server runs as: root, also where only root can enter; an ordinary user; root where namespaces are refused."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evergrant import postgres
from tests.postgres import programs
from tests.postgres.programs import Program

pytestmark = [pytest.mark.processes]

NOBODY = 65534
NAMELESS = 54321
REFUSED = [sys.executable, str(Path(__file__).with_name("without_namespaces.py"))]
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def become(uid: int) -> list[str]:
    """The beginning of a command line that runs the rest as another account."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def make_for(uid: int, folder: Path) -> None:
    """A folder that belongs to another account."""
    folder.mkdir(mode=0o700)
    os.chown(folder, uid, uid)


def may_make_namespaces(uid: int) -> bool:
    """Whether this machine allows an account user namespaces."""
    return subprocess.run([*become(uid), "unshare", "--user", "true"], check=False).returncode == 0


def owners(folder: Path) -> set[int]:
    """Whose the files below a folder are."""
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


def uids_of(home: Path) -> set[int]:
    """Who the server's processes are, seen from outside."""
    return {Path(f"/proc/{pid}").stat().st_uid for pid in programs.processes(home)}


@pytest.fixture
def everybodys_python() -> str:
    """An interpreter that every account can run."""
    found = programs.python_of_everybody()
    if found is None:
        pytest.skip("no Python >= 3.11 that other accounts can run")
    return found


@pytest.fixture
def house_of_another(open_house: Path, everybodys_python: str, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that belongs to another account."""
    assert everybodys_python
    folder = open_house / "home"
    make_for(request.param, folder)
    with programs.nothing_left(folder / "db"):
        yield folder / "db"
    shutil.rmtree(folder)


@pytest.fixture
def open_home(open_house: Path) -> Iterator[Path]:
    """A folder of root's that every account can reach."""
    folder = open_house / "home"
    with programs.nothing_left(folder / "db"):
        yield folder / "db"
    shutil.rmtree(folder)


@only_root
async def test_root_runs_it_in_a_folder_only_root_can_enter(closed_house: Path) -> None:
    """In /root, 0700: nothing is opened to others, nothing changes hands."""
    home = closed_house / "db"
    with programs.nothing_left(home), Program(home) as program:
        dsn = program.running()
        started = next(event for event in program.events if event["event"] == "postgres.started")
        await programs.keep(dsn, "root's")

        assert "user namespace" == started["run_as"]
        assert {0} == owners(home)
        assert {0o700} == {stat.S_IMODE(folder.stat().st_mode) for folder in (closed_house, home, home / "server")}
        assert program.leave() == 0
        with postgres.running(home) as again:
            assert ["root's"] == await programs.kept(again.dsn)


@only_root
@pytest.mark.parametrize("house_of_another", [NOBODY], indirect=True)
async def test_an_ordinary_user_runs_it_as_itself(
    house_of_another: Path,
    open_house: Path,
    everybodys_python: str,
) -> None:
    """And it heals and stops as it does for root."""
    with Program(
        house_of_another,
        before=become(NOBODY),
        python=[everybodys_python],
        site=open_house / "site",
        program=open_house / "site" / "user_of_the_server.py",
    ) as program:
        dsn = program.running()
        await programs.keep(dsn, "an ordinary user's")
        assert {NOBODY} == uids_of(house_of_another)
        assert {NOBODY} == owners(house_of_another)

        programs.kill([programs.postmaster(house_of_another)])
        program.event("postgres.restarted")
        assert ["an ordinary user's"] == await programs.kept(dsn)
        assert program.leave() == 0
        assert not programs.lives(house_of_another)


@only_root
@pytest.mark.parametrize("house_of_another", [NAMELESS], indirect=True)
async def test_a_user_without_a_name_runs_it_too(
    house_of_another: Path,
    open_house: Path,
    everybodys_python: str,
) -> None:
    """A container started with a bare number as its user: initdb wants a name and gets one."""
    if not may_make_namespaces(NAMELESS):
        pytest.skip("this machine allows user namespaces to root alone")
    with Program(
        house_of_another,
        before=become(NAMELESS),
        python=[everybodys_python],
        site=open_house / "site",
        program=open_house / "site" / "user_of_the_server.py",
    ) as program:
        await programs.keep(program.running(), "nameless")
        assert {NAMELESS} == uids_of(house_of_another)
        assert {NAMELESS} == owners(house_of_another)
        assert program.leave() == 0


@only_root
@pytest.mark.parametrize("house_of_another", [NOBODY], indirect=True)
async def test_root_may_use_the_folder_of_an_ordinary_user_and_spoils_nothing(
    house_of_another: Path,
    open_house: Path,
    everybodys_python: str,
) -> None:
    """What root makes there belongs to the user, who can start the server again afterwards."""
    make_for(NOBODY, house_of_another)
    with Program(house_of_another, site=open_house / "site") as by_root:
        await programs.keep(by_root.running(), "root's visit")
        assert {NOBODY} == uids_of(house_of_another)
        assert {NOBODY} == owners(house_of_another)
        assert by_root.leave() == 0

    with Program(
        house_of_another,
        before=become(NOBODY),
        python=[everybodys_python],
        site=open_house / "site",
        program=open_house / "site" / "user_of_the_server.py",
    ) as by_user:
        assert ["root's visit"] == await programs.kept(by_user.running())
        assert by_user.leave() == 0


@only_root
async def test_root_steps_down_where_namespaces_are_refused(open_home: Path, open_house: Path) -> None:
    """As in most containers: the server runs as `nobody`, in the same folder, so that a mounted volume holds it."""
    with Program(open_home, before=REFUSED, site=open_house / "site") as program:
        dsn = program.running()
        await programs.keep(dsn, "in a container")
        started = next(event for event in program.events if event["event"] == "postgres.started")

        assert "nobody" == started["run_as"]
        assert {NOBODY} == uids_of(open_home)
        assert not (open_home / "server").is_symlink()
        assert {NOBODY} == owners(open_home / "server") - {0}
        assert 0o700 == stat.S_IMODE((open_home / "server").stat().st_mode)
        assert 0o600 == stat.S_IMODE((open_home / "password").stat().st_mode)

        programs.kill([programs.postmaster(open_home)])
        program.event("postgres.restarted")
        assert ["in a container"] == await programs.kept(dsn)
        assert program.leave() == 0
        assert not programs.lives(open_home)

    # The choice is remembered: where namespaces are allowed again, the same account goes on.
    with Program(open_home, site=open_house / "site") as program:
        assert ["in a container"] == await programs.kept(program.running())
        assert {NOBODY} == uids_of(open_home)
        assert program.leave() == 0


@only_root
async def test_root_moves_what_only_root_could_reach(closed_house: Path, open_house: Path) -> None:
    """Namespaces refused, and both folder and programs in /root: the server lives elsewhere, the folder links to it."""
    home, spare = closed_house / "db", open_house / "var" / "evergrant"
    site = closed_house / "site"
    shutil.copytree(open_house / "site", site, symlinks=True)
    try:
        with programs.nothing_left(home), Program(home, before=REFUSED, site=site, spare=str(spare)) as program:
            await programs.keep(program.running(), "moved")

            assert {NOBODY} == uids_of(home)
            assert spare == (home / "server").readlink().parent
            assert [0o700, 0o700] == [stat.S_IMODE(folder.stat().st_mode) for folder in (home, home / "server")]
            assert program.leave() == 0

            with Program(home, before=REFUSED, site=site, spare=str(spare)) as again:
                assert ["moved"] == await programs.kept(again.running())
                assert again.leave() == 0

            (home / "server").readlink().rename(spare / "away")
            with Program(home, before=REFUSED, site=site, spare=str(spare)) as lost:
                failed = lost.event("failed")
            assert "postgres_start_failed" == failed["code"]
            assert "Bring it back" in failed["sentence"]
            (spare / "away").rename((home / "server").readlink())
    finally:
        shutil.rmtree(spare.parent, ignore_errors=True)


@only_root
def test_data_of_root_is_refused_to_who_cannot_run_it(
    open_home: Path,
    home: Path,
    open_house: Path,
    everybodys_python: str,
) -> None:
    """To another user, and to root where namespaces are refused: nothing is touched, and what root is told helps."""
    shutil.copytree(home, open_home)
    with Program(
        open_home,
        before=become(NOBODY),
        python=[everybodys_python],
        site=open_house / "site",
        program=open_house / "site" / "user_of_the_server.py",
    ) as program:
        assert "postgres_not_permitted" == program.event("failed")["code"]

    with Program(open_home, before=REFUSED, site=open_house / "site") as program:
        failed = program.event("failed")
    assert "postgres_not_permitted" == failed["code"]
    assert {0} == owners(open_home)

    (advice,) = re.findall(r"(chown .*)\. Tried", failed["sentence"])
    subprocess.run(["sh", "-c", advice], check=True)
    with Program(open_home, before=REFUSED, site=open_house / "site") as program:
        program.running()
        assert {NOBODY} == uids_of(open_home)
        assert program.leave() == 0
