"""What the world itself must remember: its clock, its secret, its seed and the switches."""

from evergrant_sandbox.book.database import Book

SEED = "world.seed"
SECRET = "world.secret"  # noqa: S105  (the name of a setting)

_OFFSET = "clock.offset"
_SWITCH = "switch."


def read(book: Book, name: str) -> str | None:
    """A setting, or None if it was never written."""
    row = book.one("SELECT value FROM settings WHERE name = ?", name)
    return row[0] if row else None


def write(book: Book, name: str, value: str) -> None:
    """Keep a setting."""
    book.run(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        value,
    )


def read_offset(book: Book) -> float:
    """The clock's offset in seconds."""
    return float(read(book, _OFFSET) or 0)


def write_offset(book: Book, offset: float) -> None:
    """Keep the clock's offset."""
    write(book, _OFFSET, repr(offset))


def switches(book: Book) -> dict[str, str]:
    """The switches that were set."""
    rows = book.all("SELECT name, value FROM settings WHERE name LIKE 'switch.%'")
    return {name.removeprefix(_SWITCH): value for name, value in rows}


def write_switch(book: Book, name: str, position: str) -> None:
    """Keep a switch's position."""
    write(book, _SWITCH + name, position)


def empty(book: Book) -> None:
    """Forget everything in every table, for a reset."""
    tables = [
        row[0] for row in book.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    ]
    for table in tables:
        book.run(f'DELETE FROM "{table}"')  # noqa: S608  (a name out of the schema)


def read_secret(book: Book) -> bytes:
    """The secret of this world's tokens; nothing before the world is founded."""
    return bytes.fromhex(read(book, SECRET) or "")
