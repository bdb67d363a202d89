"""`/_sandbox/apps`: apps as Partner Center would keep them, and how each app's tokens rotate."""

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.book import apps, developers, reviews
from evergrant_sandbox.control.shapes_of_apps import AppView, app_view
from evergrant_sandbox.control.steering import SteeringError, read, steer
from evergrant_sandbox.fields import Digits, Email, Key, Seconds, Text, Url
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import app as rules
from evergrant_sandbox.world import seed
from evergrant_sandbox.world.app import App, AppMarket, Category, OldAccess, Rotation, Stage, Visibility
from evergrant_sandbox.world.developer import Developer
from evergrant_sandbox.world.review import LONGEST_REASON
from evergrant_sandbox.world.scopes import ORDINARY, SCOPES
from evergrant_sandbox.world.seller import Kind
from evergrant_sandbox.world.topics import TOPICS

SellerType = Literal["local", "cross_border"]
Topic = Annotated[int, Meta(ge=1, le=999)]
About = Annotated[str, Meta(max_length=2000)]
Reason = Annotated[str, Meta(min_length=1, max_length=LONGEST_REASON, pattern=r"^[^\x00-\x1f]*\Z")]


class GivenApp(msgspec.Struct, forbid_unknown_fields=True):
    """An app as its maker wants it; what is left out is made up, or stays as it was for a known key."""

    kind: Literal["shop"] = "shop"
    key: Key | UnsetType = UNSET
    secret: Key | UnsetType = UNSET
    service_id: Digits | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    redirect_urls: tuple[Url, ...] | UnsetType = UNSET
    scopes: tuple[str, ...] | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    status: Stage | UnsetType = UNSET
    webhook_url: Url | UnsetType = UNSET
    access_token_seconds: Seconds | UnsetType = UNSET
    # Whose app it is in Partner Center; somebody new is made a developer, and nobody means the seeded one.
    developer: Email | UnsetType = UNSET
    category: Category | UnsetType = UNSET
    market: AppMarket | UnsetType = UNSET
    seller_types: Annotated[tuple[SellerType, ...], Meta(min_length=1)] | UnsetType = UNSET
    about: About | UnsetType = UNSET
    allowed_addresses: Annotated[tuple[Text, ...], Meta(max_length=100)] | UnsetType = UNSET
    topics: Annotated[tuple[Topic, ...], Meta(max_length=100)] | UnsetType = UNSET


class GivenVerdict(msgspec.Struct, forbid_unknown_fields=True):
    """What the platform makes of an app in review."""

    verdict: Literal["approve", "refuse"]
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=20)] = ()


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
            steer(self._platform, "/apps/{key}/review", "POST", self.review),
        ]

    async def keep(self, request: Request) -> AppView:
        """A new app, or a change to one that is known by its key."""
        given = await read(request, GivenApp)
        known = apps.find(self._platform.book, given.key) if given.key is not UNSET else None
        made = _changed(known or self._blank(), given)
        self._check(made)
        with self._platform.book.transaction():
            if known is None or given.developer is not UNSET:
                email = seed.DEVELOPER_EMAIL if given.developer is UNSET else given.developer
                made = replace(made, developer_id=self._developer(email).id)
            self._platform.registrar.keep(made, now=self._platform.clock.now())
        self._platform.agenda.wake()
        return self._view(made)

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
        return self._view(changed)

    async def review(self, request: Request) -> AppView:
        """The verdict on an app in review; a refusal gives reasons."""
        given = await read(request, GivenVerdict)
        app = app_of(self._platform, request.path_params["key"])
        now = self._platform.clock.now()
        if given.verdict == "approve":
            return self._view(self._platform.reviewer.approve(app, now=now))
        if not given.reasons:
            raise SteeringError("no_reasons", "A refusal gives its maker at least one of `reasons`.")
        return self._view(self._platform.reviewer.refuse(app, given.reasons, now=now))

    def _view(self, app: App) -> AppView:
        book = self._platform.book
        return app_view(app, developers.find(book, app.developer_id), reviews.of_app(book, app.key))

    def _developer(self, email: str) -> Developer:
        known = developers.find_by_email(self._platform.book, email)
        if known is not None:
            return known
        number = seed.developer_id(self._platform.dice)
        maker = Developer(id=number, email=email, password=seed.PASSWORD, company=email.partition("@")[2])
        developers.add(self._platform.book, maker)
        return maker

    def _blank(self) -> App:
        given = self._platform.maker.credentials()
        return App(
            key=given.key,
            secret=given.secret,
            service_id=given.service_id,
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
        faults += [rules.fault_of_address(address) for address in made.allowed_addresses]
        strange = [scope for scope in made.scopes if scope not in SCOPES]
        if strange:
            faults.append(f"unknown scopes {', '.join(strange)}; there are {', '.join(SCOPES)}")
        unknown = [str(topic) for topic in made.topics if topic not in TOPICS]
        if unknown:
            faults.append(f"unknown topics {', '.join(unknown)}; there are {', '.join(map(str, TOPICS))}")
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
    said = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not UNSET}
    for name in ("kind", "developer"):
        said.pop(name, None)
    for theirs, ours in (("status", "stage"), ("access_token_seconds", "access_life")):
        if theirs in said:
            said[ours] = said.pop(theirs)
    for name in ("scopes", "allowed_addresses", "topics"):
        if name in said:
            said[name] = tuple(dict.fromkeys(said[name]))
    if "seller_types" in said:
        said["seller_types"] = tuple(Kind(each.upper()) for each in dict.fromkeys(said["seller_types"]))
    return replace(known, **said)
