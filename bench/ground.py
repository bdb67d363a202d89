"""What the bench stands on: a folder, the embedded PostgreSQL with all its durability, and programs beside it."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from evergrant import postgres, settings
from evergrant.assembly import database
from evergrant.settings import Settings
from evergrant.stage.cast import await_answer, free_port
from evergrant.stage.children import Children

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A folder on the disk of the repository, a server in it, and the programs started for the bench."""

    folder: Path
    server: postgres.Server
    children: Children
    told: Told

    def data_dir_of(self, dsn: str) -> Path:
        """The data directory of one database: it remembers which database it has seen, so no two may share one."""
        return self.folder / ("data" if dsn == self.server.dsn else f"data-{urlsplit(dsn).path.strip('/')}")

    def settings_of(self, dsn: str) -> Settings:
        """The settings a database is opened with: the defaults, in a folder of its own."""
        return settings.read(data_dir=self.data_dir_of(dsn), log_format="json")

    def new_database(self, name: str) -> str:
        """A fresh database with the schema; gives its address."""
        asyncio.run(self._create(name))
        dsn = self.server.dsn_of(name)
        database.migrate({"dsn": dsn})
        return dsn

    def start(self, name: str, module: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
        """Start a program of ours as a process of its own; its output goes to a file."""
        self.children.start(name, command(module, *arguments), environment or {})

    def await_program(self, address: str) -> None:
        """Wait until a program that was started answers."""
        await_answer(address, READY_SECONDS, failed=lambda: self.children.failure)

    def hub(self) -> int:
        """Start the hub program on the database the embedded server gives it by default; gives its port."""
        port = free_port()
        own = {"EVERGRANT_DATA_DIR": str(self.folder / "data"), "EVERGRANT_LOG_FORMAT": "json"}
        self.start("hub", "evergrant", "serve", environment={**own, "EVERGRANT_PORT": str(port)})
        self.await_program(f"http://127.0.0.1:{port}/readyz")
        return port

    def bare(self) -> int:
        """Start the bare program; gives its port."""
        port = free_port()
        self.start("bare", "bench.bare", "--port", str(port), "--dsn", self.server.dsn)
        self.await_program(f"http://127.0.0.1:{port}/")
        return port

    async def _create(self, name: str) -> None:
        connection = await asyncpg.connect(self.server.dsn)
        try:
            await connection.execute(f'create database "{name}"')
        finally:
            await connection.close()


def command(module: str, *arguments: str) -> Sequence[str]:
    """How a program of ours is started."""
    return [sys.executable, "-m", module, *arguments]


@contextmanager
def ground(told: Told) -> Iterator[Ground]:
    """Make a ground, and leave nothing of it behind.

    It lies under `build/` and not among the temporary files, which may be in memory, where `fsync` costs nothing.
    """
    for name in [name for name in os.environ if name.startswith("EVERGRANT_")]:
        del os.environ[name]
    folder = ROOT / "build" / f"bench-{os.getpid()}"
    folder.mkdir(parents=True, mode=0o700)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = stack.enter_context(postgres.running(folder / "data" / "postgres"))
        database.migrate({"dsn": server.dsn})
        children = Children(folder, lambda what, who: told(f"{what}: {who}"))
        stack.callback(children.stop)
        yield Ground(folder=folder, server=server, children=children, told=told)
