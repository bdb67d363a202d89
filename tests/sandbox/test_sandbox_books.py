"""A book of an older version is brought up to date when it is opened; one of a newer version is left alone."""

import sqlite3
from pathlib import Path

import pytest

from evergrant_sandbox.book import tables
from evergrant_sandbox.book.database import FILE, UnknownBookError, open_book
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
