"""How sellers stand with the platform, kept: who is not written down is active."""

from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.seller import Standing


def of(book: Book, seller_id: str) -> Standing:
    """How a seller stands."""
    row = book.one("SELECT standing FROM standings WHERE seller_id = ?", seller_id)
    return Standing(row[0]) if row else Standing.ACTIVE


def keep(book: Book, seller_id: str, standing: Standing) -> None:
    """Note how a seller stands from now on."""
    book.run("INSERT OR REPLACE INTO standings (seller_id, standing) VALUES (?, ?)", seller_id, standing)
