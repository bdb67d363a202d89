"""Answers of the platform on disk before they are in the database: one fsynced file each, sealed, gone when committed.

A process keeps nothing but this folder. What a killed process left here, the next one brings to the database.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from secrets import token_hex

import msgspec

from evergrant.store.together import Together

SUFFIX = ".slip"
STRAY = ".stray"
SETTLED_SECONDS = 5.0
"""A slip younger than this may still belong to a living process that is about to drop it."""

WRITERS = 4
"""Groups of slips on their way to the disk at the same time."""


class SpoolError(Exception):
    """The spool cannot be written, so nothing may be shown to the platform."""


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: for whom, under which fence, and the sealed bytes. `at` is platform time, ISO 8601."""

    kind: str
    tenant_id: str
    owner_id: str
    fence: int
    sealed: bytes
    at: str
    due_at: str = ""


class Spool:
    """A folder of slips."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._puts: Together[Slip, str] = Together(lambda slips: asyncio.to_thread(self._put, slips), writers=WRITERS)
        self._drops: Together[str, None] = Together(lambda names: asyncio.to_thread(self._drop, names))

    async def put(self, slip: Slip) -> str:
        """Write a slip so that it survives a crash; gives its name.

        Raises:
            SpoolError: the disk does not take it.
        """
        return await self._puts.put(slip)

    async def drop(self, name: str) -> None:
        """Forget a slip whose content is committed."""
        await self._drops.put(name)

    async def set_aside(self, name: str) -> None:
        """Keep a slip that no longer fits what the database holds: it may carry the only living pair of its grant."""
        await asyncio.to_thread((self._folder / name).rename, (self._folder / name).with_suffix(STRAY))

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

    def _put(self, slips: Sequence[Slip]) -> Sequence[str]:
        """One file for each slip; the folder, which all of them wait for, is brought to the disk once."""
        names = [f"{time.time_ns()}-{token_hex(6)}{SUFFIX}" for _ in slips]
        try:
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
        except OSError as error:
            raise SpoolError("the spool cannot be written") from error
        return names

    def _drop(self, names: Sequence[str]) -> Sequence[None]:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
        return [None] * len(names)
