"""Apps, kept."""

from functools import lru_cache

from evergrant_sandbox.book.database import Book, Row
from evergrant_sandbox.world.app import App, OldAccess, Rotation, Stage, Visibility

_COLUMNS = (
    "key, secret, service_id, name, redirect_urls, scopes, visibility, stage, webhook_url,"
    " rotation, old_access, grace, access_life"
)


@lru_cache(maxsize=1024)
def _app(row: Row) -> App:
    # An app is read with every call and hardly ever changes: equal rows are the same app.
    key, secret, service_id, name, redirect_urls, scopes, visibility, stage, webhook_url, *turns = row
    rotation, old_access, grace, access_life = turns
    return App(
        key=key,
        secret=secret,
        service_id=service_id,
        name=name,
        redirect_urls=tuple(redirect_urls.split()),
        scopes=tuple(scopes.split()),
        visibility=Visibility(visibility),
        stage=Stage(stage),
        webhook_url=webhook_url,
        rotation=Rotation(rotation),
        old_access=OldAccess(old_access),
        grace=grace,
        access_life=access_life,
    )


def keep(book: Book, app: App) -> None:
    """Keep an app, new or changed."""
    book.run(
        f"INSERT OR REPLACE INTO apps ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  (column names)
        app.key,
        app.secret,
        app.service_id,
        app.name,
        " ".join(app.redirect_urls),
        " ".join(app.scopes),
        app.visibility,
        app.stage,
        app.webhook_url,
        app.rotation,
        app.old_access,
        app.grace,
        app.access_life,
    )


def find(book: Book, key: str) -> App | None:
    """An app by its key."""
    row = book.one(f"SELECT {_COLUMNS} FROM apps WHERE key = ?", key)  # noqa: S608  (column names)
    return _app(row) if row else None


def find_by_service_id(book: Book, service_id: str) -> App | None:
    """An app by the id that stands in its authorization link."""
    row = book.one(f"SELECT {_COLUMNS} FROM apps WHERE service_id = ?", service_id)  # noqa: S608  (column names)
    return _app(row) if row else None


def everyone(book: Book) -> list[App]:
    """All apps."""
    return [_app(row) for row in book.all(f"SELECT {_COLUMNS} FROM apps ORDER BY name, key")]  # noqa: S608  (column names)
