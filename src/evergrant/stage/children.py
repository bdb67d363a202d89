"""Programs of ours as processes of their own: started, watched, started again when they die, stopped in order."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

TICK_SECONDS = 0.1
STOP_SECONDS = 30.0
QUICK_DEATH_SECONDS = 2.0
MOST_QUICK_DEATHS = 5
SET_PARENT_DEATH_SIGNAL = 1

Told = Callable[[str, str], None]


class ChildDiedError(Exception):
    """A program keeps dying right after its start. The sentence holds the last lines of its log."""


@dataclass(slots=True)
class Child:
    """One program: how it is started, and the process it is now."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0


class Children:
    """The programs of one stage. They do not outlive it, whatever happens to it."""

    def __init__(self, folder: Path, told: Told) -> None:
        self._folder = folder
        self._told = told
        self._children: list[Child] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="stage", daemon=True)
        self.failure: ChildDiedError | None = None

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program. Its output goes to `logs/<name>.log`, its process id stands in `run/<name>.pid`."""
        for room in ("logs", "run"):
            (self._folder / room).mkdir(parents=True, exist_ok=True)
        child = Child(name=name, command=command, environment=environment, log=self._folder / "logs" / f"{name}.log")
        with self._lock:
            self._spawn(child)
            self._children.append(child)
        if not self._watching.is_alive():
            self._watching.start()

    def stop(self) -> None:
        """Stop all, the last one started first: SIGTERM, then, after half a minute, SIGKILL."""
        self._stopping.set()
        if self._watching.is_alive():
            self._watching.join()
        for child in reversed(self._children):
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = monotonic() + STOP_SECONDS
        for child in reversed(self._children):
            if child.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(timeout=max(0.1, deadline - monotonic()))
                if child.process.poll() is None:
                    child.process.kill()
                    child.process.wait()
                (self._folder / "run" / f"{child.name}.pid").unlink(missing_ok=True)

    def log_of(self, name: str, lines: int = 20) -> str:
        """The last lines a program wrote."""
        path = self._folder / "logs" / f"{name}.log"
        return (
            "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]) if path.exists() else ""
        )

    def _watch(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            with self._lock:
                for child in self._children:
                    if child.process is not None and child.process.poll() is not None:
                        self._again(child)

    def _again(self, child: Child) -> None:
        assert child.process is not None
        killed = child.process.returncode == -signal.SIGKILL  # by somebody else: it says nothing of the program
        if monotonic() - child.started_at < QUICK_DEATH_SECONDS:
            child.quick_deaths += not killed
        else:
            child.quick_deaths = 0
        if child.quick_deaths >= MOST_QUICK_DEATHS:
            self.failure = ChildDiedError(
                f"The {child.name} does not stay up. Its last words:\n{self.log_of(child.name)}"
            )
            child.process = None
            return
        self._told("restarted", child.name)
        self._spawn(child)

    def _spawn(self, child: Child) -> None:
        with child.log.open("ab") as log:
            child.process = subprocess.Popen(  # noqa: S603  (our own programs)
                child.command,
                env={**os.environ, **child.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (one system call)
            )
        child.started_at = monotonic()
        (self._folder / "run" / f"{child.name}.pid").write_text(f"{child.process.pid}\n", encoding="ascii")


def _die_with_parent() -> None:
    """Ask the kernel to stop this process when its parent dies, even by kill -9 (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
