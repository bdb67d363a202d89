"""The folder a demo stands on: whether it is one, for which ports its world was made, and whether that world is whole."""

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from evergrant.postgres import locks
from evergrant.postgres.place import Place
from evergrant.stage.cast import Places, StageError

MARK, LOCK = "demo.json", "demo.lock"
OURS = ("data", "sandbox", "logs", "run", "tenant")
"""What a stage makes in its folder; nothing else is ever removed from it."""

LEAVE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is written into the folder about its world."""

    hub_port: int
    sandbox_port: int
    seeded: bool


class Ground:
    """A demo's folder, for as long as nobody else has it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._file = places.folder / MARK

    def fits(self) -> None:
        """Whether the world in it, if it is whole, is for these ports: addresses stand in its database.

        Raises:
            StageError: it was made for other ports.
        """
        known = self._known()
        made_for = (known.hub_port, known.sandbox_port) if known else self._ports
        if known and known.seeded and made_for != self._ports:
            hub, sandbox = made_for
            raise StageError(
                f"This world was made for ports {hub} and {sandbox}; use them (--port {hub} --sandbox-port {sandbox}), "
                "or another --folder."
            )

    def clear(self, told: Callable[[str], None]) -> None:
        """Begin afresh if the last start was interrupted before its world was whole; from now on the folder is a demo's.

        Raises:
            StageError: programs of the last start still use it.
        """
        known = self._known()
        if known and known.seeded:
            return
        left = [self._places.folder / name for name in OURS if (self._places.folder / name).exists()]
        if left:
            told("the last start was interrupted before its world was whole: beginning afresh")
            _remove(left, database=Place(self._places.folder / "data" / "postgres"))
        self._write(Known(hub_port=self._places.hub_port, sandbox_port=self._places.sandbox_port, seeded=False))

    @property
    def is_seeded(self) -> bool:
        """Whether its world is whole."""
        known = self._known()
        return known is not None and known.seeded

    def keep_seeded(self) -> None:
        """Note that its world is whole."""
        known = self._known()
        assert known is not None
        self._write(replace(known, seeded=True))

    @property
    def _ports(self) -> tuple[int, int]:
        return self._places.hub_port, self._places.sandbox_port

    def _known(self) -> Known | None:
        if not self._file.exists():
            return None
        try:
            return Known(**json.loads(self._file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise StageError(f"{self._file} cannot be read. Remove the folder, or take another --folder.") from error

    def _write(self, known: Known) -> None:
        fresh = self._file.with_suffix(".fresh")
        fresh.write_text(json.dumps(asdict(known)) + "\n", encoding="utf-8")
        fresh.replace(self._file)


@contextmanager
def taken(places: Places) -> Iterator[Ground]:
    """The folder as this demo's own; made if it is missing.

    Raises:
        StageError: it cannot be used, holds something else than a demo's world, or another demo runs in it.
    """
    folder = places.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / MARK).exists() and {each.name for each in folder.iterdir()} - {LOCK}:
            raise StageError(f"{folder} holds something else than a demo's world. Take another --folder.")
        lock = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise StageError(f"{folder} cannot be used: {error.strerror}. Take another --folder.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            address = lock.read().strip()
            raise StageError(
                f"A demo runs in {folder} already: {address}. Use it, or take another --folder."
            ) from error
        lock.truncate(0)
        lock.write(places.hub)
        lock.flush()
        yield Ground(places)


def _remove(left: list[Path], *, database: Place) -> None:
    """Remove what a stage made, once the last program that uses its database is gone."""
    if database.home.exists():
        users = (database.users_lock, database.server_lock)
        if not locks.until(lambda: all(map(locks.free, users)), within=LEAVE_SECONDS):
            raise StageError(f"Programs of the last start still use {database.home}. End them, and start again.")
        if database.link.is_symlink():
            shutil.rmtree(database.server, ignore_errors=True)
    for each in left:
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()


def check_empty(folder: Path) -> None:
    """Make the folder of a tour if it is missing.

    Raises:
        StageError: it cannot be used, or holds something: a tour begins with nothing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = any(folder.iterdir())
    except OSError as error:
        raise StageError(f"{folder} cannot be used: {error.strerror}. Take another --folder.") from error
    if held:
        raise StageError(f"{folder} holds something already, and a tour begins with nothing. Take another --folder.")
