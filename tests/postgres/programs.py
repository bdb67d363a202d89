"""What the tests of the embedded server share: programs that use it, started, watched and killed; rows to prove it by."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import asyncpg

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("user_of_the_server.py")
SITE = next(Path(path) for path in sys.path if path.endswith("site-packages"))
PATIENCE = 20.0


class Program:
    """A running `user_of_the_server.py`; as a block it is killed at its end if it is still there."""

    def __init__(
        self,
        home: Path,
        *,
        before: Sequence[str] = (),
        python: Sequence[str] = (sys.executable,),
        site: Path = SITE,
        stdin: int = subprocess.PIPE,
        program: Path = PROGRAM,
        **options: object,
    ) -> None:
        self.home = home
        self.events: list[dict[str, Any]] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [*before, *python, str(program), json.dumps({"home": str(home), **options})],
            stdin=stdin,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT / 'src'}:{site}" if site == SITE else str(site),
                "EVERGRANT_SECRET": "never-hand-me-down",
            },
            start_new_session="setsid" not in before,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def event(self, name: str, within: float = PATIENCE) -> dict[str, Any]:
        """Wait until the program says this; what it said before is passed over."""
        end = time.monotonic() + within
        while True:
            line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            assert line is not None, f"the program ended without saying {name}: {self.events}"
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == name:
                return self.events[-1]

    def said(self) -> list[str]:
        """The names of everything it has said so far."""
        with contextlib.suppress(queue.Empty):
            while (line := self._lines.get_nowait()) is not None:
                self.events.append(json.loads(line))
            self._lines.put(None)
        return [event["event"] for event in self.events]

    def running(self) -> str:
        """Wait until it uses the server; the address of the database."""
        return str(self.event("running")["dsn"])

    def leave(self) -> int:
        """Let it go in order; its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.ended()

    def ended(self) -> int:
        """Wait for its end and for its last words; its exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        while (line := self._lines.get()) is not None:
            self.events.append(json.loads(line))
        return code

    def kill(self) -> None:
        """Kill it as the system does: without a word."""
        self.process.kill()
        self.process.wait()


def data_of(home: Path) -> Path:
    """The cluster's folder."""
    return (home / "server").resolve() / "data"


def postmaster(home: Path) -> int:
    """The server's process, as its own file names it."""
    return int((data_of(home) / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])


def processes(home: Path) -> list[int]:
    """Every process that works in the cluster's folder: the server and all its backends."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == data_of(home):
                found.append(int(entry.name))
    return found


def named(home: Path) -> list[int]:
    """Every process whose command line names the folder: initdb, the server, whoever looks after them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.fsencode(home) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def command_lines(home: Path) -> list[str]:
    """How the server's processes appear to everybody on the machine."""
    return [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in processes(home)]


def lives(home: Path) -> bool:
    """Whether any process of the server is left."""
    return processes(home) != []


def kill_all(home: Path) -> None:
    """Kill the server and its backends at one stroke, as a power cut would."""
    kill(processes(home))
    wait_until(lambda: not lives(home))


def kill(victims: Sequence[int]) -> None:
    """Kill processes at one stroke: none sees another die."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def wait_until(fact: Callable[[], bool], within: float = PATIENCE) -> None:
    """Look until something is so."""
    end = time.monotonic() + within
    while not fact():
        assert time.monotonic() < end, "it did not become so in time"
        time.sleep(0.005)


@contextlib.contextmanager
def nothing_left(home: Path) -> Iterator[Path]:
    """Whatever a test does, no server of its folder survives it."""
    try:
        yield home
    finally:
        if (home / "server").exists():
            kill_all(home)


async def keep(dsn: str, *words: str) -> None:
    """Commit a row for each word."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS word (word text PRIMARY KEY)")
        await connection.executemany("INSERT INTO word VALUES ($1)", [(word,) for word in words])
    finally:
        await connection.close()


async def kept(dsn: str) -> list[str]:
    """The words that are there."""
    connection = await asyncpg.connect(dsn)
    try:
        return [row["word"] for row in await connection.fetch("SELECT word FROM word ORDER BY word")]
    finally:
        await connection.close()


async def ask(dsn: str, question: str, *arguments: object) -> Any:
    """One value from the database."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question, *arguments)
    finally:
        await connection.close()


@cache
def python_of_everybody() -> str | None:
    """An interpreter that other accounts can run too; the one of this run may lie in a folder of its own."""
    ask_version = "import sys; sys.exit(sys.version_info < (3, 11))"
    for candidate in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            done = subprocess.run([candidate, "-c", ask_version], user=65534, group=65534, extra_groups=[], check=False)
            if done.returncode == 0:
                return candidate
    return None
