"""Developers and where they are signed in, kept."""

from evergrant_sandbox.book.database import Book, Row
from evergrant_sandbox.world.developer import Developer

_COLUMNS = "id, email, password, company"


def _developer(row: Row) -> Developer:
    number, email, password, company = row
    return Developer(id=number, email=email, password=password, company=company)


def add(book: Book, developer: Developer) -> None:
    """Keep a new developer."""
    book.run(
        "INSERT INTO developers (id, email, password, company) VALUES (?, ?, ?, ?)",
        developer.id,
        developer.email,
        developer.password,
        developer.company,
    )


def find(book: Book, developer_id: str) -> Developer | None:
    """A developer by its id."""
    row = book.one(f"SELECT {_COLUMNS} FROM developers WHERE id = ?", developer_id)  # noqa: S608  (column names)
    return _developer(row) if row else None


def find_by_email(book: Book, email: str) -> Developer | None:
    """A developer by the e-mail address that signs in, in any letter case."""
    row = book.one(f"SELECT {_COLUMNS} FROM developers WHERE email = ?", email)  # noqa: S608  (column names)
    return _developer(row) if row else None


def everyone(book: Book) -> list[Developer]:
    """All developers, in the order in which they were added: the seeded one first."""
    return [_developer(row) for row in book.all(f"SELECT {_COLUMNS} FROM developers ORDER BY rowid")]  # noqa: S608  (column names)


def adopt_apps(book: Book, developer_id: str) -> None:
    """Give a developer all apps that are nobody's."""
    book.run("UPDATE apps SET developer_id = ? WHERE developer_id = ''", developer_id)


def sign_in(book: Book, *, sha256: bytes, developer_id: str) -> None:
    """Keep a session."""
    book.run("INSERT OR REPLACE INTO developer_sessions (sha256, developer_id) VALUES (?, ?)", sha256, developer_id)


def who(book: Book, sha256: bytes) -> Developer | None:
    """Whose session it is."""
    row = book.one("SELECT developer_id FROM developer_sessions WHERE sha256 = ?", sha256)
    return find(book, row[0]) if row else None


def sign_out(book: Book, sha256: bytes) -> None:
    """Forget a session."""
    book.run("DELETE FROM developer_sessions WHERE sha256 = ?", sha256)
