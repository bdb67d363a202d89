"""A book of an older version is brought up to date when it is opened; one of a newer version is left alone."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from evergrant_sandbox.book import tables
from evergrant_sandbox.book.database import FILE, Book, UnknownBookError, open_book
from evergrant_sandbox.book.tables import first


def written(folder: Path, *statements: str) -> None:
    """A book made by hand."""
    folder.mkdir()
    with sqlite3.connect(folder / FILE) as connection:
        for statement in statements:
            connection.executescript(statement)


def test_a_book_of_the_first_version_gets_what_came_later(tmp_path: Path) -> None:
    """The app it holds is still there, with what is new about apps filled in."""
    folder = tmp_path / "old"
    written(
        folder,
        first.STATEMENTS,
        "INSERT INTO apps VALUES ('6k', 's', '7', 'Old', 'http://localhost/', '', 'public', 'published', '', 'strict', 'lives', 60, 1)",
        "PRAGMA user_version = 1",
    )

    book = open_book(folder)

    assert book.one("PRAGMA user_version") == (len(tables.VERSIONS),)
    assert book.one("SELECT name, category, topics FROM apps") == ("Old", "connector", "1 6 7")
    book.close()


@pytest.mark.parametrize("made", ["PRAGMA user_version = 999", "CREATE TABLE somebody_elses (n INTEGER)"])
def test_a_book_nobody_here_wrote_is_not_touched(tmp_path: Path, made: str) -> None:
    """Neither a newer version nor a stranger's file."""
    folder = tmp_path / "strange"
    written(folder, made)

    with pytest.raises(UnknownBookError):
        open_book(folder)


class FullDisk(sqlite3.Connection):
    """A connection that can be without room for what is to be written down."""

    is_full = False

    def execute(self, sql: str, /, *values: Any) -> sqlite3.Cursor:
        """As any other, but for a COMMIT on a full disk."""
        if self.is_full and sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *values)


@pytest.fixture
def disk() -> FullDisk:
    """A book's connection, with a table."""
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=FullDisk)
    connection.execute("CREATE TABLE things (n INTEGER)")
    return connection


async def test_calls_whose_common_commit_fails_learn_of_it(disk: FullDisk) -> None:
    """None waits for ever; what they wrote is undone, and the next ones are taken as soon as there is room."""
    book = Book(disk)
    disk.is_full = True
    with book.shared_transaction() as first:
        book.run("INSERT INTO things VALUES (1)")
    async with asyncio.timeout(5):
        with pytest.raises(sqlite3.OperationalError, match="disk is full"):
            await first
    disk.is_full = False
    with book.shared_transaction() as second:
        book.run("INSERT INTO things VALUES (2)")
    await second

    assert [(2,)] == book.all("SELECT n FROM things")


def test_a_change_that_cannot_be_written_down_is_undone(disk: FullDisk) -> None:
    """And the next one begins as if nothing had been."""
    book = Book(disk)
    disk.is_full = True
    with pytest.raises(sqlite3.OperationalError, match="disk is full"), book.transaction():
        book.run("INSERT INTO things VALUES (1)")
    disk.is_full = False
    with book.transaction():
        book.run("INSERT INTO things VALUES (2)")

    assert [(2,)] == book.all("SELECT n FROM things")
