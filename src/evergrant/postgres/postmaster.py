"""The server process: whether it lives, how it is started, how it is stopped, and what an ended one leaves behind."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evergrant.postgres import cluster, failures, locks, place
from evergrant.postgres.account import Runner
from evergrant.postgres.cluster import Durability
from evergrant.postgres.place import Place

# A fast stop writes everything down first, a quick one leaves that to the next start, the last resort asks nobody.
STOPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0))
# What is left of a dead server usually goes at once; a backend deep in a computation has to be told.
LEFTOVERS = ((None, 1.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 10.0))
TELL_EVERY = 2.0
READY = "ready"

Listener = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Everything a start needs to know."""

    where: Place
    runner: Runner
    durability: Durability
    patience: float
    leaving: threading.Event
    tell: Listener


def pid_of(where: Place) -> int | None:
    """The server's process, if it lives; read from the file it writes, and held against the process table."""
    pid, _ = _noted(where.data)
    return pid if pid and _is_server(pid, where.data) else None


def is_well(where: Place) -> bool:
    """Whether the server lives and can be reached."""
    return pid_of(where) is not None and where.socket_file.exists()


def is_ready(where: Place) -> bool:
    """Whether it takes connections."""
    return _noted(where.data)[1] == READY


@contextlib.contextmanager
def end_of(where: Place) -> Iterator[list[int]]:
    """What becomes readable when the server ends, where the system has such a thing; nothing if it does not live."""
    pid, found = pid_of(where), []
    if pid is not None and hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            found.append(os.pidfd_open(pid))
    try:
        yield found
    finally:
        for descriptor in found:
            os.close(descriptor)


def _noted(data: Path) -> tuple[int | None, str]:
    """Process and state as the server notes them: its number on line 1, its state on line 8 of `postmaster.pid`."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    pid = int(lines[0]) if lines and lines[0].strip().isdigit() else None
    return pid, lines[7].strip() if len(lines) > 7 else ""


def _is_server(pid: int, data: Path) -> bool:
    """Whether a process is this cluster's server: its number alone may by now be somebody else's."""
    arguments = _arguments(pid)
    if arguments is None:
        return not Path("/proc/self").exists() and _exists(pid)
    return os.fsencode(data) in arguments


def _arguments(pid: int) -> list[bytes] | None:
    """A process's command line, which every account may read; empty if it is a zombie, None if there is no process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def reap(pid: int) -> bool:
    """Whether a child of ours has ended; its entry in the process table goes."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False  # not ours: whoever started it, or process 1, does it


def start(order: Start) -> None:
    """Start the server and return when it takes connections. The caller has its turn at starting.

    Raises:
        NotReadyError: it takes longer than one wants to wait; it is left alone.
        StartFailedError: it ended.
        DiskFullError: it ended for want of room.
    """
    where, account = order.where, order.runner.account
    begun = time.monotonic()
    held = alone(where)
    try:
        cluster.check_major(where.data, order.runner.version)
        cluster.complete(where, order.runner, keeps=held)
        cluster.write_settings(where)
        _clear_leftovers(where)
        place.private(where.socket, account.uid, account.gid)
        place.rotate(where.log)
        place.write(where.version, order.runner.version + "\n")
        log = place.opened(where.log, os.O_WRONLY | os.O_APPEND)
        try:
            offset = os.fstat(log).st_size
            pid = account.begin(
                [order.runner.programs / "postgres", *cluster.command_line(where, order.durability)],
                log=log,
                keeps=(held,),
            )
        finally:
            os.close(log)
    finally:
        os.close(held)
    _await_ready(order, pid, offset)
    order.tell("postgres.started", version=order.runner.version, run_as=account.name, seconds=_since(begun))


def alone(where: Place) -> int:
    """The lock the server's processes hold, once none is left of an earlier server or an interrupted initdb.

    Raises:
        StartFailedError: something holds on to it.
    """
    taken: list[int] = []

    def take() -> bool:
        if (descriptor := locks.attempt(where.server_lock, locks.ALONE)) is not None:
            taken.append(descriptor)
        return bool(taken)

    for number, patience in LEFTOVERS:
        for orphan in orphans(where) if number else ():
            _send(orphan, number)
        if locks.until(take, within=patience):
            return taken[0]
    raise failures.StartFailedError(
        f"The database's server is gone, and a process of it still holds {where.server_lock}. See which (`lslocks`) "
        "and end it. If another machine or container uses this folder: the embedded server is for one machine only.",
    )


def orphans(where: Place) -> list[int]:
    """The server's processes, by the names they give themselves; without a server, they are what is left of one."""
    owner, title = where.server.stat().st_uid, f"postgres: {cluster.name(where)}: ".encode()
    folders, found = {os.fsencode(where.data), os.fsencode(where.making)}, []
    for entry in Path("/proc").glob("[0-9]*"):
        arguments = _arguments(int(entry.name)) or [b""]
        if arguments[0].startswith(title) or not folders.isdisjoint(arguments):
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == owner:
                    found.append(int(entry.name))
    return found


def _send(pid: int, number: signal.Signals | None) -> None:
    if number is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _clear_leftovers(where: Place) -> None:
    """Files in which an ended server notes its number: by now it may be another process's, and block the start."""
    pid, _ = _noted(where.data)
    if pid is not None:
        reap(pid)
    if pid is not None and not _is_server(pid, where.data):
        (where.data / "postmaster.pid").unlink(missing_ok=True)
    where.socket_file.unlink(missing_ok=True)
    where.socket_file.with_name(f"{where.socket_file.name}.lock").unlink(missing_ok=True)


def _await_ready(order: Start, pid: int, offset: int) -> None:
    begun = told = time.monotonic()
    ended = False

    def settled() -> bool:
        nonlocal told, ended
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            order.tell("postgres.recovering", seconds=_since(begun))
        ended = reap(pid)
        return ended or _noted(order.where.data) == (pid, READY)

    in_time = locks.until(settled, within=order.patience, leaving=order.leaving)
    if ended:
        raise failures.from_log("The database's server ended while starting", place.log_since(order.where.log, offset))
    if not in_time and not order.leaving.is_set():
        raise not_ready(order.where, order.patience)


def not_ready(where: Place, patience: float) -> failures.NotReadyError:
    """The failure to wait long enough."""
    return failures.NotReadyError(
        f"The database's server is not ready after {patience:.0f} s. It goes on recovering by itself: start Evergrant "
        f"again later, and see {where.log}.",
    )


def stop(where: Place, tell: Listener) -> None:
    """Stop the server, in order if it lets us. The caller has its turn at stopping.

    Raises:
        StartFailedError: not even force ended it.
    """
    begun = time.monotonic()
    for number, patience in STOPS:
        pid = pid_of(where)
        if pid is not None:
            _send(pid, number)
            locks.until(lambda: locks.free(where.server_lock), within=patience)
            reap(pid)
    os.close(alone(where))
    if where.socket.parent == place.SHORT:
        with contextlib.suppress(OSError):
            where.socket.rmdir()
    tell("postgres.stopped", seconds=_since(begun))


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 3)
