"""The demo as a program of its own: interrupted, started again, stopped; and its world has no trap in it."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from evergrant.stage.cast import free_port


class Demo:
    """A running demo and what it says."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def until(self, words: str) -> None:
        """Wait until it says this."""
        while words not in "\n".join(self.said):
            line = self._lines.get(timeout=90)
            assert line is not None, "\n".join(self.said)
            self.said.append(line.rstrip())

    def end(self, number: signal.Signals) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        self.until("Stopped.")
        return self.process.wait(timeout=60)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)


@contextmanager
def demo(folder: Path, ports: tuple[int, int]) -> Iterator[Demo]:
    """A demo in a folder; what is left of it at the end is ended."""
    where = ["--folder", str(folder), "--port", str(ports[0]), "--sandbox-port", str(ports[1]), "--no-browser"]
    with subprocess.Popen(
        [sys.executable, "-m", "evergrant", "demo", *where],
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Demo(process)
        finally:
            if process.poll() is None:
                process.terminate()


def world(port: int) -> dict[str, Any]:
    """The demo's sandbox."""
    with urlopen(f"http://127.0.0.1:{port}/_sandbox/world") as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def core_limits(pid: str) -> tuple[str, str]:
    """How large a core dump of a process may become, and how large it could let it become."""
    said = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    found = re.search(r"^Max core file size +(\S+) +(\S+)", said, re.MULTILINE)
    assert found
    return found[1], found[2]


@pytest.mark.processes
def test_a_demo_that_was_interrupted_is_whole_at_its_next_start(tmp_path: Path) -> None:
    """Interrupted while its world is made, it says so at the next start and makes it again; each time it ends well."""
    ports = (free_port(), free_port())
    with demo(tmp_path, ports) as first:
        first.until("making a world")
        assert 0 == first.end(signal.SIGTERM)
    with demo(tmp_path, ports) as second:
        second.until("Ctrl-C stops everything")
        known = world(ports[1])
        programs = {"demo": str(second.process.pid)} | {
            path.stem: path.read_text(encoding="ascii").strip() for path in tmp_path.rglob("run/*.pid")
        }
        cores = {name: core_limits(pid) for name, pid in programs.items()}
        assert 0 == second.end(signal.SIGINT)
    told = "\n".join(second.said)

    assert {"demo", "hub", "worker", "sandbox"} <= cores.keys()
    assert {("0", "0")} == set(cores.values()), "a program that dies would write its memory to a disk"
    assert "beginning afresh" in told
    assert "press Renew now beside Cedar Ridge Outfitters" in told
    assert "ten_" in told
    assert 3 == known["grants"]
    assert 1 == len(known["apps"]), "another app's consent would lead nowhere"
    (redirect,) = known["apps"][0]["redirect_urls"]
    assert redirect.startswith(f"http://localhost:{ports[0]}/cb/tiktok-shop/app_")
