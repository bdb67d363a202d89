"""The programs a trial is about, each a process of its own: started, killed, frozen, let go on, stopped."""

import os
import signal
import subprocess
from asyncio import sleep
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from evergrant.stage import children
from evergrant.stage.cast import StageError

LOOK_SECONDS = 0.02
STOP_SECONDS = 30.0


@dataclass(slots=True)
class Program:
    """One process, and where its output goes. `frozen` as long as it stands still."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0
    frozen: bool = False

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it here and now (kill -9), and wait until the kernel has."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """Let it stand still (SIGSTOP): its sockets and its sessions at the database stay open."""
        os.kill(self.pid, signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)
        self.frozen = False

    def ask_to_stop(self) -> None:
        """SIGTERM, as a deployment does."""
        self.process.terminate()

    async def over(self) -> None:
        """Wait until it has ended, however long that takes."""
        while await self.ended() is None:
            continue

    async def ended(self, seconds: float = STOP_SECONDS) -> float | None:
        """Seconds until it ended; None if it has not in time."""
        begun = monotonic()
        while self.lives:
            if monotonic() - begun > seconds:
                return None
            await sleep(LOOK_SECONDS)
        return monotonic() - begun

    def words(self, lines: int = 15) -> str:
        """The last lines it wrote."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    async def says(self, words: str, seconds: float = 60.0) -> None:
        """Wait until it has written this.

        Raises:
            StageError: it ends before, or takes too long.
        """
        deadline = monotonic() + seconds
        while words not in self.log.read_text(encoding="utf-8", errors="replace"):
            if not self.lives or monotonic() > deadline:
                raise StageError(f"{self.name} never said {words!r}. Its last words:\n{self.words()}")
            await sleep(LOOK_SECONDS)


@dataclass(slots=True)
class Programs:
    """All programs of one world. They do not outlive it."""

    folder: Path
    started: list[Program] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], *, port: int = 0) -> Program:
        """Start one; its output goes to a file of its own, `logs/<name>-<number>.log`."""
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        path = logs / f"{name}-{len(self.started)}.log"
        with path.open("ab") as log:
            process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=children._die_with_parent,  # noqa: PLW1509, SLF001  (one system call; the stage's own)
            )
        program = Program(name=f"{name}-{len(self.started)}", process=process, log=path, port=port)
        self.started.append(program)
        return program

    def stop(self) -> None:
        """End all that are left."""
        for program in reversed(self.started):
            if program.lives:
                program.kill()
