"""`/_sandbox/apps`: apps as Partner Center would keep them, and how each app's tokens rotate."""

from dataclasses import replace
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.book import apps
from evergrant_sandbox.control.shapes import AppView, app_view
from evergrant_sandbox.control.steering import SteeringError, read, steer
from evergrant_sandbox.fields import Digits, Key, Seconds, Text, Url
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import app as rules
from evergrant_sandbox.world import ids
from evergrant_sandbox.world.app import App, OldAccess, Rotation, Stage, Visibility
from evergrant_sandbox.world.scopes import ORDINARY, SCOPES
from evergrant_sandbox.world.tokens import MARK
from evergrant_sandbox.world.topics import TOPICS


class GivenApp(msgspec.Struct, forbid_unknown_fields=True):
    """An app as its maker wants it; what is left out is made up, or stays as it was for a known key."""

    kind: Literal["shop"] = "shop"
    key: Key | UnsetType = UNSET
    secret: Key | UnsetType = UNSET
    service_id: Digits | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    redirect_urls: tuple[Url, ...] | UnsetType = UNSET
    scopes: tuple[str, ...] | UnsetType = UNSET
    # Of which the app-wide webhook URL hears, by number.
    topics: tuple[int, ...] | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    status: Stage | UnsetType = UNSET
    webhook_url: Url | UnsetType = UNSET
    access_token_seconds: Seconds | UnsetType = UNSET
    allowed_addresses: tuple[Text, ...] | UnsetType = UNSET


class GivenRotation(msgspec.Struct, forbid_unknown_fields=True):
    """How an app's refresh tokens behave; what is left out stays as it was."""

    mode: Rotation | UnsetType = UNSET
    old_access_token: OldAccess | UnsetType = UNSET
    grace_seconds: Seconds | UnsetType = UNSET


class Apps:
    """Apps, made and changed."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/apps", "POST", self.keep, status=201),
            steer(self._platform, "/apps/{key}/rotation", "POST", self.rotate),
        ]

    async def keep(self, request: Request) -> AppView:
        """A new app, or a change to one that is known by its key."""
        given = await read(request, GivenApp)
        known = apps.find(self._platform.book, given.key) if given.key is not UNSET else None
        made = _changed(known or self._blank(), given)
        self._check(made)
        self._platform.registrar.keep(made, now=self._platform.clock.now())
        self._platform.agenda.wake()
        return app_view(made)

    async def rotate(self, request: Request) -> AppView:
        """Another rotation, from the next refresh on."""
        given = await read(request, GivenRotation)
        app = app_of(self._platform, request.path_params["key"])
        changed = replace(
            app,
            rotation=app.rotation if given.mode is UNSET else given.mode,
            old_access=app.old_access if given.old_access_token is UNSET else given.old_access_token,
            grace=app.grace if given.grace_seconds is UNSET else given.grace_seconds,
        )
        self._platform.registrar.keep(changed, now=self._platform.clock.now())
        return app_view(changed)

    def _blank(self) -> App:
        dice = self._platform.dice
        return App(
            key=f"6{MARK}{ids.lower(dice, 8)}",
            secret=dice(20).hex(),
            service_id=ids.digits(dice, prefix="7", length=19),
            name="Unnamed app",
            redirect_urls=("http://localhost:8080/callback",),
            scopes=ORDINARY,
            visibility=Visibility.PUBLIC,
            stage=Stage.PUBLISHED,
            webhook_url="",
        )

    def _check(self, made: App) -> None:
        faults = [rules.fault_of_redirect_url(url) for url in made.redirect_urls]
        if not made.redirect_urls:
            faults.append("an app has at least one Redirect URL")
        if made.webhook_url:
            faults.append(rules.fault_of_webhook_url(made.webhook_url))
        strange = [scope for scope in made.scopes if scope not in SCOPES]
        if strange:
            faults.append(f"unknown scopes {', '.join(strange)}; there are {', '.join(SCOPES)}")
        unknown = [str(topic) for topic in made.topics if topic not in TOPICS]
        if unknown:
            faults.append(f"unknown topics {', '.join(unknown)}; there are {', '.join(map(str, TOPICS))}")
        faults.extend(rules.fault_of_address(each) for each in made.allowed_addresses)
        other = apps.find_by_service_id(self._platform.book, made.service_id)
        if other is not None and other.key != made.key:
            faults.append(f"the service_id belongs to the app {other.key}")
        for fault in faults:
            if fault:
                raise SteeringError("invalid_app", f"{fault[0].upper()}{fault[1:]}.")


def app_of(platform: Platform, key: str) -> App:
    """The app with this key.

    Raises:
        SteeringError: there is none.
    """
    app = apps.find(platform.book, key)
    if app is None:
        raise SteeringError("unknown_app", f"No app has the key {key!r}; GET /_sandbox/world lists them.", status=404)
    return app


def _changed(known: App, given: GivenApp) -> App:
    return replace(
        known,
        key=known.key if given.key is UNSET else given.key,
        secret=known.secret if given.secret is UNSET else given.secret,
        service_id=known.service_id if given.service_id is UNSET else given.service_id,
        name=known.name if given.name is UNSET else given.name,
        redirect_urls=known.redirect_urls if given.redirect_urls is UNSET else given.redirect_urls,
        scopes=known.scopes if given.scopes is UNSET else tuple(dict.fromkeys(given.scopes)),
        topics=known.topics if given.topics is UNSET else tuple(dict.fromkeys(given.topics)),
        visibility=known.visibility if given.visibility is UNSET else given.visibility,
        stage=known.stage if given.status is UNSET else given.status,
        webhook_url=known.webhook_url if given.webhook_url is UNSET else given.webhook_url,
        allowed_addresses=known.allowed_addresses if given.allowed_addresses is UNSET else given.allowed_addresses,
        access_life=known.access_life if given.access_token_seconds is UNSET else given.access_token_seconds,
    )
