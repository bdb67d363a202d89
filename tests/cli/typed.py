"""Commands as a person types them: in a process of their own, to their end, with nothing of this machine's settings."""

import atexit
import functools
import json
import os
import re
import select
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 60


def evergrant(
    *arguments: str, environment: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a new process that found everything imported."""
    warm = _warm()
    assert warm.stdin
    assert warm.stdout
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        asked = {"arguments": arguments, "environment": _clean(environment), "cwd": str(cwd or Path.cwd())}
        warm.stdin.write(json.dumps(asked | {"out": str(out), "err": str(err)}) + "\n")
        warm.stdin.flush()
        assert select.select([warm.stdout], [], [], SECONDS)[0], f"{arguments} does not end"
        code = int(warm.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, stdout=out.read_text(), stderr=err.read_text())


def from_nothing(
    *arguments: str, environment: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The same, by an interpreter that has to import it all."""
    return subprocess.run(
        [sys.executable, "-m", "evergrant", *arguments],
        env=_clean(environment),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """Exit code and stable code of a command that cannot go on; it says so in a sentence, without a traceback."""
    assert "Traceback" not in done.stderr, done.stderr
    found = re.search(r"^evergrant: (\w+): (.+)", done.stderr, re.MULTILINE)
    assert found, done.stderr
    return done.returncode, found[1]


@functools.cache
def _warm() -> subprocess.Popen[str]:
    """Started once per process of the run, at the first command."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "tests.cli.warm"]
    warm = subprocess.Popen(
        command, cwd=root, env=_clean(None), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, warm)
    return warm


def _end(warm: subprocess.Popen[str]) -> None:
    warm.kill()
    warm.communicate()


def _clean(more: dict[str, str] | None) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("EVERGRANT_")}
    return own | {"COLUMNS": "200", "NO_COLOR": "1"} | (more or {})
