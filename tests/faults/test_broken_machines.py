"""What breaks disks and clocks does what it says, where this machine has it; where not, it says so."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from time import time  # noqa: TID251  (compared with a clock that is off)

import pytest

from faults.tools import preloads
from faults.tools.preloads import BadDisk, NotHereError, Skew, Skewed
from faults.tools.small_disk import small_disk

CLOCK = "import time; a = time.monotonic(); time.sleep(0.05); print(time.time(), time.monotonic() - a)"
WRITER = """
import os, sys
failed = 0
for _ in range(200):
    file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
    try:
        os.write(file, b"x")
    except OSError as error:
        failed += error.errno == 28
    os.close(file)
sys.exit(failed)
"""


def said(source: str, environment: Mapping[str, str], *arguments: str) -> str:
    """What a program prints that runs in such surroundings."""
    command = [sys.executable, "-S", "-c", source, *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.skipif(not preloads.has_clock(), reason="libfaketime is not here (pip install libfaketime)")
def test_a_clock_is_off_by_so_much_and_waiting_takes_as_long_as_it_says(tmp_path: Path) -> None:
    """Eight days ahead, ten minutes behind; and moved while it runs."""
    for off in (timedelta(days=8), -timedelta(minutes=10), timedelta(0)):
        now, waited = map(float, said(CLOCK, Skew(off).environment()).split())
        assert abs(now - time() - off.total_seconds()) < 5
        assert 0.04 < waited < 2
    moved = Skewed(file=tmp_path / "clock")
    moved.move(timedelta(hours=1))
    now, _ = map(float, said(CLOCK, moved.environment()).split())
    assert abs(now - time() - 3600) < 5


@pytest.mark.skipif(not preloads.has_disk(), reason="libfiu is not here (apt-get install fiu-utils)")
def test_a_part_of_all_writes_fails(tmp_path: Path) -> None:
    """About half of them with `ENOSPC`, and none without the tool."""
    bad = BadDisk(control=tmp_path / "pipes", probability=0.5, calls=("posix/io/rw/write",))
    command = [sys.executable, "-S", "-c", WRITER, str(tmp_path / "file")]
    failed = [
        subprocess.run(command, env={**os.environ, **more}, check=False, capture_output=True).returncode
        for more in ({}, bad.environment())
    ]
    assert failed[0] == 0
    assert 50 < failed[1] < 150


def test_a_small_disk_is_full_and_has_room_again(tmp_path: Path) -> None:
    """Not one byte fits; then the same file does. Without root it says that it cannot be had."""
    try:
        with small_disk(tmp_path / "small", kibibytes=256) as disk:
            disk.fill()
            with pytest.raises(OSError, match="No space left"):
                (disk.folder / "slip").write_bytes(b"x" * 5000)
            disk.empty()
            (disk.folder / "slip").write_bytes(b"x" * 5000)
            assert disk.free > 100_000
        assert not (tmp_path / "small" / "slip").exists()
    except NotHereError as missing:
        assert "skipped" in str(missing)  # noqa: PT017  (the one sentence that counts)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial counts as passed that could not run."""
    monkeypatch.setattr(preloads, "CLOCKS", ())
    monkeypatch.setattr(preloads, "DISKS", ())
    for tool in (Skew(timedelta(1)), BadDisk(control=Path("nowhere"))):
        with pytest.raises(NotHereError, match="not available here: skipped"):
            tool.environment()
