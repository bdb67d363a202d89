"""Locks on files: a process that dies, however it dies, lets go of them by itself."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evergrant.postgres import failures, place

GLANCE = 0.005
SHARED = fcntl.LOCK_SH
ALONE = fcntl.LOCK_EX


def attempt(path: Path, kind: int) -> int | None:
    """The lock as an open descriptor, to be closed; None if it is taken."""
    descriptor = place.opened(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def free(path: Path) -> bool:
    """Whether nobody holds the lock, not even a share of it."""
    descriptor = attempt(path, ALONE)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def until(fact: Callable[[], bool], *, within: float, leaving: threading.Event | None = None) -> bool:
    """Look until something is so; False if time ran out or we are leaving."""
    leaving = leaving or threading.Event()
    end = time.monotonic() + within
    while not fact():
        if time.monotonic() > end or leaving.wait(GLANCE):
            return False
    return True


@contextmanager
def turn(path: Path, *, within: float) -> Iterator[None]:
    """One's turn at something only one process may do at a time.

    Raises:
        StartFailedError: whoever is at it does not finish.
    """
    end = time.monotonic() + within
    while (descriptor := attempt(path, ALONE)) is None:
        if time.monotonic() > end:
            raise failures.StartFailedError(
                f"Another process has been starting or stopping the database for {within:.0f} s and holds {path}. "
                "See which (`lslocks`), end it, and start again.",
            )
        time.sleep(GLANCE)
    try:
        yield
    finally:
        os.close(descriptor)
