"""Apps, kept."""

from functools import lru_cache

from evergrant_sandbox.book.database import Book, Row
from evergrant_sandbox.world.app import App, AppMarket, Category, OldAccess, Rotation, Stage, Visibility
from evergrant_sandbox.world.seller import Kind

_COLUMNS = (
    "key, secret, service_id, name, redirect_urls, scopes, visibility, stage, webhook_url,"
    " rotation, old_access, grace, access_life,"
    " developer_id, category, market, seller_types, about, allowed_addresses, topics, old_secret, old_secret_ends_at"
)
_NAMES = _COLUMNS.split(", ")
# Not INSERT OR REPLACE: a changed app keeps its place among its maker's.
_KEEP = (
    f"INSERT INTO apps ({_COLUMNS}) VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608  (column names)
    f" ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _NAMES)}"
)


@lru_cache(maxsize=1024)
def _app(row: Row) -> App:
    # An app is read with every call and hardly ever changes: equal rows are the same app.
    key, secret, service_id, name, redirect_urls, scopes, visibility, stage, webhook_url, *turns = row
    rotation, old_access, grace, access_life, *made = turns
    developer_id, category, market, seller_types, about, allowed_addresses, topics, *old = made
    old_secret, old_secret_ends_at = old
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
        developer_id=developer_id,
        category=Category(category),
        market=AppMarket(market),
        seller_types=tuple(Kind(each) for each in seller_types.split()),
        about=about,
        allowed_addresses=tuple(allowed_addresses.split()),
        topics=tuple(int(each) for each in topics.split()),
        old_secret=old_secret,
        old_secret_ends_at=old_secret_ends_at,
    )


def keep(book: Book, app: App) -> None:
    """Keep an app, new or changed."""
    book.run(
        _KEEP,
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
        app.developer_id,
        app.category,
        app.market,
        " ".join(app.seller_types),
        app.about,
        " ".join(app.allowed_addresses),
        " ".join(str(topic) for topic in app.topics),
        app.old_secret,
        app.old_secret_ends_at,
    )


def find(book: Book, key: str) -> App | None:
    """An app by its key."""
    row = book.one(f"SELECT {_COLUMNS} FROM apps WHERE key = ?", key)  # noqa: S608  (column names)
    return _app(row) if row else None


def find_by_service_id(book: Book, service_id: str) -> App | None:
    """An app by the id that stands in its authorization link."""
    row = book.one(f"SELECT {_COLUMNS} FROM apps WHERE service_id = ?", service_id)  # noqa: S608  (column names)
    return _app(row) if row else None


def of_developer(book: Book, developer_id: str) -> list[App]:
    """The apps one developer has made, oldest first."""
    rows = book.all(f"SELECT {_COLUMNS} FROM apps WHERE developer_id = ? ORDER BY rowid", developer_id)  # noqa: S608  (column names)
    return [_app(row) for row in rows]


def in_review(book: Book) -> list[App]:
    """The apps whose review nobody has ruled on, by name."""
    rows = book.all(f"SELECT {_COLUMNS} FROM apps WHERE stage = ? ORDER BY name, key", Stage.IN_REVIEW)  # noqa: S608  (column names)
    return [_app(row) for row in rows]


def everyone(book: Book) -> list[App]:
    """All apps."""
    return [_app(row) for row in book.all(f"SELECT {_COLUMNS} FROM apps ORDER BY name, key")]  # noqa: S608  (column names)
