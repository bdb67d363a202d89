"""The book itself: one SQLite file in WAL mode, held by one process, changed in transactions.

kill -9 loses nothing that was committed: SQLite's log is with the operating system by then. A power cut may lose the
last moments, which is fair for test equipment and saves a disk flush with every call.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evergrant_sandbox.book import tables

Row = tuple[Any, ...]

FILE = "sandbox.sqlite3"


class BookInUseError(Exception):
    """Another process holds this folder."""


class UnknownBookError(Exception):
    """The file is not a book of this version."""


class Book:
    """A connection that hands out rows. Everything runs on the event loop's thread, so a transaction is never mixed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # The calls that share the open transaction: done when it is on disk. None: there are none.
        self._group: asyncio.Future[None] | None = None
        # Whether somebody is in the middle of a transaction.
        self._inside = False

    def one(self, sql: str, *values: object) -> Row | None:
        """The first row, or None."""
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[Row]:
        """All rows."""
        return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Execute a statement and give the number of rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: object) -> int:
        """Execute an INSERT and give the new row's number."""
        return self._connection.execute(sql, values).lastrowid or 0

    def many(self, sql: str, rows: Iterable[Row]) -> None:
        """Execute a statement once per row."""
        self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing; a transaction inside another is part of it. Never await in one."""
        if self._inside:
            yield
            return
        self._commit_group()
        self._connection.execute("BEGIN IMMEDIATE")
        self._inside = True
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        finally:
            self._inside = False

    @contextmanager
    def shared_transaction(self) -> Iterator[asyncio.Future[None]]:
        """As above, but one commit for all calls that lie side by side in the event loop: it costs as much as all else
        a call does. What is given is done when it is on disk; await it after the block and only then answer.

        If one of the calls fails, all of them are undone, and whoever awaits learns of it.
        """
        group = self._group or self._open_group()
        self._inside = True
        try:
            yield group
        except BaseException as error:
            self._group = None
            self._undo()
            _fail(group, error)
            raise
        finally:
            self._inside = False

    def _open_group(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        self._connection.execute("BEGIN IMMEDIATE")
        self._group = loop.create_future()
        loop.call_soon(self._commit_group)
        return self._group

    def _commit_group(self) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            _fail(group, error)
        else:
            group.set_result(None)

    def _undo(self) -> None:
        # A full disk has SQLite undo some transactions by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Write the log back into the file and let go of it."""
        self._connection.close()


def _fail(group: asyncio.Future[None], error: BaseException) -> None:
    """Tell whoever awaits; that nobody may is no error of its own."""
    group.set_exception(error)
    group.exception()


def open_book(folder: Path) -> Book:
    """The book in the folder, made if it is not there.

    Raises:
        BookInUseError: another process holds it.
        UnknownBookError: the file is of another version, or no book at all.
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / FILE, isolation_level=None, timeout=0.2, cached_statements=512)
    try:
        _prepare(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise BookInUseError(f"{folder} is in use by another sandbox") from error
        raise OSError(f"{folder / FILE}: {error}") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise UnknownBookError(f"{folder / FILE} is not a sandbox's book: {error}") from error
    return Book(connection)


def _prepare(connection: sqlite3.Connection) -> None:
    # Exclusive: no shared-memory index to keep, and a second process is turned away instead of let in.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -64000")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    strange = version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    newest = len(tables.VERSIONS)
    if strange or version > newest:
        connection.execute("ROLLBACK")
        raise sqlite3.DatabaseError(f"version {version}, expected {newest} or older")
    for statements in tables.VERSIONS[version:]:
        for statement in ";\n".join(statements).split(";\n"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {newest}")
    connection.execute("COMMIT")
