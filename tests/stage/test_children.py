"""The programs of a stage: started again whoever kills them, and given up only when they cannot stay up by themselves."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import pytest

from evergrant.stage.children import MOST_QUICK_DEATHS, Children

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
DIES = [sys.executable, "-c", "raise SystemExit('cannot')"]


def soon(look: Callable[[], object]) -> None:
    """Wait for something to become so."""
    end = monotonic() + 20
    while not look():
        assert monotonic() < end
        sleep(0.02)


def is_another(path: Path, before: str) -> bool:
    """Whether another process runs under that name."""
    return path.read_text(encoding="ascii") not in ("", before)


@pytest.mark.processes
def test_whoever_is_killed_however_often_comes_back(tmp_path: Path) -> None:
    """Kill -9 says nothing of the program."""
    children, path = Children(tmp_path, lambda *_: None), tmp_path / "run" / "sleeper.pid"
    try:
        children.start("sleeper", SLEEPS, {})
        for _ in range(MOST_QUICK_DEATHS + 2):
            before = path.read_text(encoding="ascii")
            os.kill(int(before), signal.SIGKILL)
            soon(partial(is_another, path, before))
        assert children.failure is None
    finally:
        children.stop()


@pytest.mark.processes
def test_who_cannot_stay_up_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    """Not started for ever."""
    children = Children(tmp_path, lambda *_: None)
    try:
        children.start("dier", DIES, {})
        soon(lambda: children.failure)
        assert "cannot" in str(children.failure)
    finally:
        children.stop()
