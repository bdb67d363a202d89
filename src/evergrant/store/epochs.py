"""Knows when the database is older than its tokens: a count that rises in it and on this machine's disk, before any is shown.

The file on disk is small and rises once for each batch of due rows, not for each refresh; every machine has its own.
"""

import asyncio
import fcntl
import os
from pathlib import Path
from secrets import token_hex

import msgspec
import structlog

from evergrant.store import locks, recovery
from evergrant.store.database import Database

NAME = "generation"

NEWEST = "select epoch, counter from epochs order by number desc limit 1"
RISE = """
update epochs set counter = counter + 1 where number = (select max(number) from epochs) returning epoch, counter
"""

log = structlog.get_logger("recovery")


class Seen(msgspec.Struct, frozen=True, order=True):
    """The newest state of the database this disk knows of."""

    epoch: str
    counter: int


class Epochs:
    """The count, in the database and on disk."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._path = folder / NAME

    async def rise(self) -> bool:
        """Count on, here and there, before something is shown; False if that cannot be, or the database is an old one."""
        try:
            if await self.compare():
                return False
            async with self._database.connection() as connection:
                row = await connection.fetchrow(RISE)
            await asyncio.to_thread(self._write, Seen(row["epoch"], row["counter"]))
        except OSError as error:
            log.critical("recovery.unwritable", file=str(self._path), why=error.strerror)
            return False
        return True

    async def compare(self) -> bool:
        """Hold the database against the disk; True if it turned out to be older, and everything in it is held since.

        Raises:
            OSError: the file cannot be read or written.
        """
        seen = await asyncio.to_thread(self._read)
        async with self._database.connection() as connection:
            row = await connection.fetchrow(NEWEST)
        now = Seen(row["epoch"], row["counter"])
        if seen == now:
            return False
        older = seen is not None and await self._is_older(seen, now)
        if older and seen is not None:
            now = await self._hold(seen)
        await asyncio.to_thread(self._write, now)
        return older

    async def _is_older(self, seen: Seen, now: Seen) -> bool:
        """Whether the database does not know what the disk has seen. An epoch that ended in a recovery is settled."""
        if seen.epoch == now.epoch:
            return now.counter < seen.counter
        async with self._database.connection() as connection:
            return not await connection.fetchval("select true from epochs where epoch = $1", seen.epoch)

    async def _hold(self, seen: Seen) -> Seen:
        """Begin a new epoch and hold every pair, unless another machine was quicker."""
        async with self._database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", locks.EPOCHS)
            now = await connection.fetchrow(NEWEST)
            known = await connection.fetchval("select true from epochs where epoch = $1", seen.epoch)
            if known and (now["epoch"] != seen.epoch or now["counter"] >= seen.counter):
                return Seen(now["epoch"], now["counter"])
            if known is None:  # so that the other machines of that epoch know that it is settled
                await connection.execute(
                    "insert into epochs (epoch, counter, why) values ($1, $2, 'restored')", seen.epoch, seen.counter
                )
            epoch = token_hex(16)
            await connection.execute("insert into epochs (epoch, why) values ($1, 'restored')", epoch)
            held = await recovery.hold_all(connection)
        log.critical("recovery.hold", held=held, disk=seen.counter, database=now["counter"])
        return Seen(epoch, 0)

    def _read(self) -> Seen | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Seen)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            log.critical("recovery.unreadable", file=str(self._path))
            return None

    def _write(self, now: Seen) -> None:
        """Keep the newest: another process of this machine may have seen more."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.with_suffix(".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            seen = self._read()
            if seen is not None and seen.epoch == now.epoch and seen.counter >= now.counter:
                return
            fresh = self._path.with_suffix(".part")
            with fresh.open("wb") as file:
                file.write(msgspec.json.encode(now))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
