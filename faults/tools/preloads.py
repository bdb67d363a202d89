"""Libraries that are put in front of a program's system calls: a clock that is off, a disk that takes nothing.

What is missing here is said, and a trial that needs it does not run; it never counts as passed.
"""

import glob
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

CLOCKS = (
    f"{sysconfig.get_path('purelib')}/libfaketime/vendor/libfaketime/src/libfaketime.so.1",
    "/usr/lib/*/faketime/libfaketime.so.1",
    "/usr/local/lib/faketime/libfaketime.so.1",
)
DISKS = ("/usr/lib/fiu/fiu_posix_preload.so", "/usr/local/lib/fiu/fiu_posix_preload.so")

ANSWER_SECONDS, LOOK_SECONDS = 1.0, 0.01

NO_SPACE, INPUT_OUTPUT = 28, 5
"""`ENOSPC` and `EIO`."""

WRITES = ("posix/io/rw/write", "posix/io/rw/pwrite", "posix/io/rw/writev")
SYNCS = ("posix/io/sync/fsync",)


class NotHereError(Exception):
    """A tool is not available on this machine. The sentence says how it would be."""


@dataclass(frozen=True, slots=True)
class Skew:
    """How far a program's clock is off. The monotonic clock stays right, so that waiting takes as long as it says."""

    by: timedelta

    def environment(self) -> Mapping[str, str]:
        """What the program has to be started with.

        Raises:
            NotHereError: there is no libfaketime.
        """
        if not self.by:
            return {}
        return {
            "LD_PRELOAD": str(_clock()),
            "FAKETIME": f"{self.by.total_seconds():+.0f}",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Skewed:
    """A clock that is moved while the program runs: `file` says how far it is off, and is read at every look."""

    file: Path

    def environment(self) -> Mapping[str, str]:
        """What the program has to be started with. Raises NotHereError."""
        known = Skew(timedelta(seconds=1)).environment()
        kept = {name: value for name, value in known.items() if name != "FAKETIME"}
        return {**kept, "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1"}

    def move(self, by: timedelta) -> None:
        """From now on it is that far off."""
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(f"{by.total_seconds():+.0f}\n", encoding="ascii")
        fresh.replace(self.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadDisk:
    """A part of all writes, or of all `fsync`, of a program fails with an error. `control` names a folder for its pipes."""

    control: Path
    calls: tuple[str, ...] = WRITES
    probability: float = 0.1
    error: int = NO_SPACE

    def environment(self, *, from_the_start: bool = True) -> Mapping[str, str]:
        """What the program has to be started with. Raises NotHereError."""
        library = _disk()
        runner = library.with_name("fiu_run_preload.so")
        self.control.mkdir(parents=True, exist_ok=True)
        given = {"LD_PRELOAD": f"{runner} {library}", "FIU_CTRL_FIFO": str(self.control / "fiu")}
        return {**given, "FIU_ENABLE": "\n".join(self._orders())} if from_the_start else given

    def begin(self, pid: int) -> None:
        """From now on writes of that process fail."""
        self._say(pid, self._orders())

    def end(self, pid: int) -> None:
        """From now on none fail any more."""
        self._say(pid, [f"disable name={name}" for name in self.calls])

    def _orders(self) -> list[str]:
        return [
            f"enable_random name={name},probability={self.probability},failinfo={self.error}" for name in self.calls
        ]

    def _say(self, pid: int, orders: list[str]) -> None:
        """The library reads orders from one pipe and answers on another: zero for each that it took.

        Neither pipe is waited for: the process may end at its first write that fails, which may be this answer.
        """
        ways = [self.control / f"fiu-{pid}.{way}" for way in ("in", "out")]
        back = os.open(ways[1], os.O_RDONLY | os.O_NONBLOCK)
        try:
            there = os.open(ways[0], os.O_WRONLY | os.O_NONBLOCK)
            os.write(there, "".join(f"{order}\n" for order in orders).encode())
            os.close(there)
            said = _heard(back, len(orders))
        finally:
            os.close(back)
        if wrong := [word for word in said if word != "0"]:
            raise RuntimeError(f"libfiu answers {wrong} to: {orders}")


def _heard(pipe: int, lines: int) -> list[str]:
    """What came back, as soon as it is so many lines, or after a while."""
    said, deadline = b"", time.monotonic() + ANSWER_SECONDS
    while said.count(b"\n") < lines and time.monotonic() < deadline:
        with suppress(BlockingIOError):
            said += os.read(pipe, 1024)
        time.sleep(LOOK_SECONDS)
    return said.decode().split()


def has_clock() -> bool:
    """Whether a clock can be moved here."""
    try:
        return bool(_clock())
    except NotHereError:
        return False


def has_disk() -> bool:
    """Whether single writes can be made to fail here."""
    return any(Path(path).exists() for path in DISKS)


def _clock() -> Path:
    """The library that moves clocks; not one whose waiting is broken, as that of Debian 12 is for Python 3.11."""
    found = [path for pattern in CLOCKS for path in glob.glob(pattern)]  # noqa: PTH207  (absolute patterns)
    for path in found:
        if _waits_well(path):
            return Path(path)
    raise NotHereError("not available here: skipped (no libfaketime that works; pip install libfaketime)")


@cache
def _waits_well(library: str) -> bool:
    surroundings = {**os.environ, "LD_PRELOAD": library, "FAKETIME": "+60", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    command = [sys.executable, "-S", "-c", "import time; time.sleep(0.01)"]
    return not subprocess.run(command, env=surroundings, capture_output=True, check=False, timeout=10).returncode


def _disk() -> Path:
    for path in DISKS:
        if Path(path).exists():
            return Path(path)
    raise NotHereError("not available here: skipped (libfiu is missing; apt-get install fiu-utils)")
