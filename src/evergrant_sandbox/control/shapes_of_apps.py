"""The JSON of an app, as the steering routes answer it."""

import msgspec

from evergrant_sandbox.book.reviews import Past
from evergrant_sandbox.clock import rfc3339
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.developer import Developer


class PastView(msgspec.Struct, frozen=True):
    """One thing that happened on the way of an app's review."""

    at: str
    event: str
    reasons: tuple[str, ...]


class AppView(msgspec.Struct, frozen=True):
    """An app, its secret included."""

    kind: str
    key: str
    secret: str
    service_id: str
    name: str
    redirect_urls: tuple[str, ...]
    scopes: tuple[str, ...]
    visibility: str
    status: str
    webhook_url: str
    rotation: str
    old_access_token: str
    grace_seconds: int
    access_token_seconds: int
    authorize_path: str
    developer: str
    category: str
    market: str
    seller_types: tuple[str, ...]
    about: str
    allowed_addresses: tuple[str, ...]
    topics: tuple[int, ...]
    old_secret: str | None
    old_secret_ends_at: str | None
    history: list[PastView]


def app_view(app: App, maker: Developer | None, history: list[Past]) -> AppView:
    """An app as JSON."""
    old = app.old_secret_ends_at > 0
    return AppView(
        kind="shop",
        key=app.key,
        secret=app.secret,
        service_id=app.service_id,
        name=app.name,
        redirect_urls=app.redirect_urls,
        scopes=app.scopes,
        visibility=app.visibility,
        status=app.stage,
        webhook_url=app.webhook_url,
        rotation=app.rotation,
        old_access_token=app.old_access,
        grace_seconds=app.grace,
        access_token_seconds=app.access_life,
        authorize_path=f"/open/authorize?service_id={app.service_id}",
        developer=maker.email if maker else "",
        category=app.category,
        market=app.market,
        seller_types=tuple(kind.lower() for kind in app.seller_types),
        about=app.about,
        allowed_addresses=app.allowed_addresses,
        topics=app.topics,
        old_secret=app.old_secret if old else None,
        old_secret_ends_at=rfc3339(app.old_secret_ends_at) if old else None,
        history=[PastView(at=rfc3339(past.at), event=past.event, reasons=past.reasons) for past in history],
    )
