"""Answers of the platform on disk before they are in the database: one fsynced file each, sealed, gone when committed.

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


PROBE = ".probe"
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


class Spool:
    """A folder of slips."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
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
        path = self._folder / name
        with suppress(FileNotFoundError):  # another process of this machine was quicker
            await asyncio.to_thread(path.rename, path.with_suffix(STRAY))

    def left(self) -> Iterator[tuple[str, Slip]]:
        """Slips nobody dropped in time, oldest first. A torn file is skipped: its answer never counted as kept."""
        oldest_first = sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda path: path.name)
        for path in oldest_first:
            try:
                if time.time() - path.stat().st_mtime < SETTLED_SECONDS:  # noqa: TID251  (a file's age, by the disk's own clock)
                    continue
                yield path.name, msgspec.msgpack.decode(path.read_bytes(), type=Slip)
            except (FileNotFoundError, msgspec.MsgspecError):
                continue

    def _probe(self) -> None:
        path = self._folder / f"{token_hex(6)}{PROBE}"
        path.write_bytes(ROOM)
        path.unlink()

    def _put(self, slips: Sequence[Slip]) -> Sequence[str]:
        """One file for each slip; the folder, which all of them wait for, is brought to the disk once."""
        names = [f"{time.time_ns()}-{token_hex(6)}{SUFFIX}" for _ in slips]
        for name, slip in zip(names, slips, strict=True):
            fresh = self._folder / f"{name}.part"
            with fresh.open("wb") as file:
                file.write(msgspec.msgpack.encode(slip))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return names

    def _drop(self, names: Sequence[str]) -> Sequence[None]:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
        return [None] * len(names)
