"""A disk so small that it is soon full: a tmpfs of its own, which only root can mount."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.tools.preloads import NotHereError

BLOCK = 4096
FILLER = "filler"


class SmallDisk:
    """A folder with little room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leave not one byte."""
        with (self.folder / FILLER).open("ab", buffering=0) as file:
            for size in (BLOCK, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue

    def empty(self) -> None:
        """Give back what `fill` took."""
        (self.folder / FILLER).unlink(missing_ok=True)

    @property
    def free(self) -> int:
        """How many bytes fit."""
        left = os.statvfs(self.folder)
        return left.f_bavail * left.f_frsize


@contextmanager
def small_disk(folder: Path, *, kibibytes: int = 1024) -> Iterator[SmallDisk]:
    """A disk mounted on a folder, for as long as the block lasts.

    Raises:
        NotHereError: nothing can be mounted by us.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        raise NotHereError("not available here: skipped (mounting a small tmpfs needs root)")
    command = [mount, "-t", "tmpfs", "-o", f"size={kibibytes}k,mode=0777", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHereError(f"not available here: skipped (mounting a small tmpfs: {done.stderr.strip()})")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
