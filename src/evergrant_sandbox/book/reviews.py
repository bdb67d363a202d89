"""Reviews, kept: what happened on an app's way to being published, with the reasons given."""

from dataclasses import dataclass

from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.review import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One thing that happened to an app."""

    app_key: str
    at: int
    event: Event
    reasons: tuple[str, ...] = ()


def note(book: Book, past: Past) -> None:
    """Keep what happened."""
    book.run(
        "INSERT INTO reviews (app_key, at, event, reasons) VALUES (?, ?, ?, ?)",
        past.app_key,
        past.at,
        past.event,
        "\n".join(past.reasons),
    )


def of_app(book: Book, app_key: str) -> list[Past]:
    """Everything that happened to an app, the newest first."""
    rows = book.all("SELECT app_key, at, event, reasons FROM reviews WHERE app_key = ? ORDER BY id DESC", app_key)
    return [
        Past(app_key=key, at=at, event=Event(event), reasons=tuple(reasons.split("\n")) if reasons else ())
        for key, at, event, reasons in rows
    ]
