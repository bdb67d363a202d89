"""Answers of the platform on disk before they are in the database: sealed, fsynced, gone when committed.

Answers that come together share a file, and so the wait for the disk; it goes when the last of them is committed.

A process keeps nothing but this folder. What a killed process left here, the next one brings to the database.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import msgspec
import structlog

from evergrant.store.together import Together

SUFFIX = ".slip"
STRAY = ".stray"
SETTLED_SECONDS = 5.0
"""A slip younger than this may still belong to a living process that is about to drop it."""

WRITERS = 4
"""Groups of slips on their way to the disk at the same time."""


PROBE, PART = ".probe", ".part"
HALF_DONE_SECONDS = 60.0
"""What is older than this and was never finished belongs to no living process."""
ROOM = bytes(64 * 1024)
"""What must fit before a token is shown to the platform; an answer is a few KiB."""

log = structlog.get_logger("spool")


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: for whom, under which fence, and the sealed bytes. `at` is platform time, ISO 8601.

    A refresh's answer also says under which app, and which version of the pair it replaces.
    """

    kind: str
    tenant_id: str
    owner_id: str
    sealed: bytes
    at: str
    app_id: str = ""
    fence: int = 0
    version: int = 0
    due_at: str = ""
    note: str = ""


FORGOTTEN = Slip(kind="", tenant_id="", owner_id="", sealed=b"", at="")
"""What stands in the place of a slip whose owner was erased."""


def read(path: Path) -> list[Slip]:
    """The slips in a file.

    Raises:
        FileNotFoundError: they were brought to the database meanwhile.
        MsgspecError: the file is torn.
    """
    slips = msgspec.msgpack.decode(path.read_bytes(), type=list[Slip] | Slip)
    return slips if isinstance(slips, list) else [slips]


class Spool:
    """A folder of slips."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._tidy()
        self._inside: dict[str, set[str]] = {}
        self._puts: Together[Slip, str] = Together(lambda slips: asyncio.to_thread(self._put, slips), writers=WRITERS)
        self._drops: Together[str, None] = Together(lambda names: asyncio.to_thread(self._drop, names))

    async def put(self, slip: Slip) -> str:
        """Write a slip so that it survives a crash; gives its name, or nothing if the disk does not take it.

        That is no error of the caller's: the answer is in hand, and the database may still take it.
        """
        try:
            return await self._puts.put(slip)
        except OSError as error:
            log.critical("spool.unwritable", folder=str(self._folder), why=error.strerror)
            return ""

    async def takes(self) -> bool:
        """Whether there is room for an answer: asked before a token is shown that only an answer replaces."""
        try:
            await asyncio.to_thread(self._probe)
        except OSError as error:
            log.critical("spool.unwritable", folder=str(self._folder), why=error.strerror)
            return False
        return True

    async def drop(self, name: str) -> None:
        """Forget a slip whose content is committed."""
        if name:
            await self._drops.put(name)

    async def set_aside(self, name: str) -> None:
        """Keep a slip that no longer fits what the database holds: it may carry the only living pair of its grant."""
        await asyncio.to_thread(self._set_aside, name)
        await self.drop(name)

    async def forget(self, owner_id: str) -> None:
        """Remove every slip of an owner that is on this machine, those set aside too."""
        await asyncio.to_thread(self._forget, owner_id)

    def left(self) -> Iterator[tuple[str, Slip]]:
        """Slips nobody dropped in time, oldest first. A torn file is skipped: its answer never counted as kept."""
        oldest_first = sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda path: path.name)
        for path in oldest_first:
            try:
                if time.time() - path.stat().st_mtime < SETTLED_SECONDS:  # noqa: TID251  (a file's age, by the disk's own clock)
                    continue
                whole = read(path)
            except (FileNotFoundError, msgspec.MsgspecError):
                continue
            names = [f"{path.name}#{number}" for number in range(len(whole))]
            here = self._inside.setdefault(path.name, set(names))
            here -= {name for name, slip in zip(names, whole, strict=True) if slip == FORGOTTEN}
            yield from ((name, slip) for name, slip in zip(names, whole, strict=True) if name in here)

    def _forget(self, owner_id: str) -> None:
        """What others have in the same file stays where it is: their names count it."""
        for path in (*self._folder.glob(f"*{SUFFIX}"), *self._folder.glob(f"*{STRAY}")):
            with suppress(FileNotFoundError, msgspec.MsgspecError):
                whole = read(path)
                kept = [FORGOTTEN if slip.owner_id == owner_id else slip for slip in whole]
                if not any(slip.kind for slip in kept):
                    path.unlink()
                elif kept != whole:
                    self._write(path, kept)

    def _tidy(self) -> None:
        """Take away what killed processes never finished: it never counted as kept, and it takes room."""
        for path in (*self._folder.glob(f"*{PART}"), *self._folder.glob(f"*{PROBE}")):
            with suppress(OSError):  # another process of this machine was quicker
                if time.time() - path.stat().st_mtime > HALF_DONE_SECONDS:  # noqa: TID251  (a file's age)
                    path.unlink()

    def _probe(self) -> None:
        path = self._folder / f"{token_hex(6)}{PROBE}"
        try:
            path.write_bytes(ROOM)
        finally:
            path.unlink(missing_ok=True)

    def _set_aside(self, name: str) -> None:
        """A file of its own for one slip."""
        whole, _, number = name.partition("#")
        with suppress(FileNotFoundError, msgspec.MsgspecError):  # another process of this machine was quicker
            slip = read(self._folder / whole)[int(number)]
            aside = self._folder / f"{whole.removesuffix(SUFFIX)}{f'-{number}' if int(number) else ''}{STRAY}"
            self._write(aside, [slip])

    def _put(self, slips: Sequence[Slip]) -> Sequence[str]:
        """One file for all; it and its folder, for which all of them wait, are brought to the disk once."""
        whole = f"{time.time_ns()}-{token_hex(6)}{SUFFIX}"
        names = [f"{whole}#{number}" for number in range(len(slips))]
        self._inside[whole] = set(names)
        try:
            self._write(self._folder / whole, slips)
        except OSError:
            self._inside.pop(whole)
            raise
        return names

    def _write(self, path: Path, slips: Sequence[Slip]) -> None:
        """Write a file whole or not at all, so that it survives a crash."""
        fresh = path.with_name(f"{path.name}{PART}")
        try:
            with fresh.open("wb") as file:
                file.write(msgspec.msgpack.encode(slips))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _drop(self, names: Sequence[str]) -> Sequence[None]:
        for name in names:
            whole = name.partition("#")[0]
            here = self._inside.get(whole, set())
            here.discard(name)
            if not here:
                (self._folder / whole).unlink(missing_ok=True)
                self._inside.pop(whole, None)
        return [None] * len(names)
