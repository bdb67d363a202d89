"""/v1/apps and /v1/merchants: the vendor's platform credentials, and its customers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from evergrant.actions.reading import ApiKey, Merchant
from evergrant.core.app import WALL, App, Hosts
from evergrant.core.errors import InvalidRequestError, NotFoundError
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation
from evergrant.providers import dialects
from evergrant.web.access import WithScope, desk_of
from evergrant.web.api import shapes
from evergrant.web.desk import Desk
from evergrant.web.given import Text

router = APIRouter(prefix="/v1", tags=["setup"])

Reads = Annotated[ApiKey, Depends(WithScope("read"))]
Manages = Annotated[ApiKey, Depends(WithScope("manage"))]


class BaseUrls(BaseModel):
    """Where the platform is found. `sandbox` stands for all of TikTok's hosts, and for its clock."""

    model_config = ConfigDict(extra="forbid")

    sandbox: Text | None = None
    authorize: Text | None = None
    auth: Text | None = None
    api: Text | None = None


class NewApp(BaseModel):
    """Credentials from Partner Center. The secret is kept sealed and never shown again."""

    model_config = ConfigDict(extra="forbid")

    provider: Text = "tiktok-shop"
    region: Text = Field(default="ROW", description="`US`, or `ROW` for the rest of the world: two portals, two keys.")
    name: Text = Field(default="", max_length=200)
    key: Text = Field(min_length=1, max_length=200)
    secret: Text = Field(min_length=1, max_length=500)
    service_id: Text = Field(min_length=1, max_length=100, description="Shown under the app's name; not the App Key.")
    base_urls: BaseUrls = BaseUrls()
    required_scopes: list[Text] = []
    rotation: Rotation = Field(
        default=Rotation.UNKNOWN, description="What a second use of a refresh token does; TikTok does not say."
    )
    claim_url: Text | None = Field(
        default=None,
        description="Where a seller who began in TikTok's App Store logs in to you; among the hub's `return_urls`.",
    )


class AppChange(BaseModel):
    """What may change of an app: its secret, and what it requires of consents. The secret before stays accepted on notices
    until older ones are retired.
    """

    model_config = ConfigDict(extra="forbid")

    secret: Text | None = Field(default=None, min_length=1, max_length=500)
    retire_older: bool = Field(default=False, description="From now on accept notices under the secret in use only.")
    required_scopes: list[Text] | None = Field(
        default=None,
        max_length=200,
        description="All the app requires from now on. Connections that lack one are told, and ask for re-authorization.",
    )


class NewMerchant(BaseModel):
    """A customer of yours, under your own id for it."""

    model_config = ConfigDict(extra="forbid")

    external_id: Text = Field(min_length=1, max_length=200)
    name: Text = Field(min_length=1, max_length=200)
    email: Text = Field(default="", max_length=320)
    locale: Text = Field(default="en", max_length=20)


@router.post("/apps", status_code=201)
async def add_app(given: NewApp, key: Manages, request: Request) -> dict[str, Any]:
    """Keep platform credentials."""
    desk = desk_of(request)
    dialect = dialects.named(given.provider)
    everywhere = given.region == dialect.EVERYWHERE and given.base_urls.sandbox is not None
    if given.region not in dialect.REGIONS and not everywhere:
        raise InvalidRequestError(f"region has to be one of: {', '.join(dialect.REGIONS)}; ALL is for sandboxes")
    hosts, clock = _hosts(given.base_urls, dialect.HOSTS.get(given.region), desk)
    if given.claim_url is not None and given.claim_url not in desk.return_urls:
        raise InvalidRequestError("claim_url has to be one of the registered return_urls, to the letter.")
    made = App(
        tenant_id=key.tenant_id,
        id=desk.ports.dice.identifier("app"),
        provider=given.provider,
        region=given.region,
        name=given.name or given.key,
        key=given.key,
        secret=Secret(given.secret),
        service_id=given.service_id,
        hosts=hosts,
        required_scopes=frozenset(given.required_scopes) | dialect.BASIC_SCOPES,
        rotation=given.rotation,
        clock=clock,
        claim_url=given.claim_url,
    )
    await desk.apps.add(made, actor=key.id)
    answer = shapes.app(made, None)
    return answer | {
        "redirect_url": f"{desk.origin}/cb/{made.provider}/{made.id}",
        "webhook_url": f"{desk.origin}/hooks/{made.provider}/{made.id}",
    }


@router.get("/apps")
async def list_apps(key: Reads, request: Request) -> dict[str, Any]:
    """Your apps, oldest first."""
    desk = desk_of(request)
    refused = await desk.apps.refused_since(key.tenant_id)
    missed = await desk.apps.notices_missed(key.tenant_id)
    found = await desk.apps.of(key.tenant_id)
    items = [shapes.app(known, refused.get(known.id), missed.get(known.id)) for known in found]
    return {"items": items, "next_cursor": None}


@router.patch("/apps/{app_id}")
async def change_app(app_id: str, given: AppChange, key: Manages, request: Request) -> dict[str, Any]:
    """Change the secret, or the scopes that are required.

    A new secret signs at once; TikTok refusing it is told, and no older one is used instead.
    """
    if given.secret is None and not given.retire_older and given.required_scopes is None:
        raise InvalidRequestError("Give a new secret, retire_older or required_scopes.")
    desk, changed = desk_of(request), None
    if given.secret is not None or given.retire_older:
        secret = Secret(given.secret) if given.secret else None
        changed = await desk.apps.renew(key.tenant_id, app_id, secret, retire_older=given.retire_older, actor=key.id)
    if given.required_scopes is not None:
        changed = await _require(desk, key, app_id, frozenset(given.required_scopes))
    assert changed is not None
    refused = await desk.apps.refused_since(key.tenant_id)
    return shapes.app(changed, refused.get(app_id))


async def _require(desk: Desk, key: ApiKey, app_id: str, scopes: frozenset[str]) -> App:
    known = next((app for app in await desk.apps.of(key.tenant_id) if app.id == app_id), None)
    if known is None:
        raise NotFoundError("There is no such app.")
    wanted = scopes | dialects.named(known.provider).BASIC_SCOPES
    now = await desk.ports.clock.now(known.clock)
    return await desk.apps.require(key.tenant_id, app_id, wanted, now, actor=key.id)


@router.post("/merchants", status_code=201)
async def add_merchant(given: NewMerchant, key: Manages, request: Request) -> dict[str, Any]:
    """Keep a customer of yours."""
    desk = desk_of(request)
    made = await desk.merchants.add(
        Merchant(
            tenant_id=key.tenant_id,
            id=desk.ports.dice.identifier("mer"),
            external_id=given.external_id,
            name=given.name,
            email=given.email,
            locale=given.locale,
        )
    )
    return shapes.merchant(made)


@router.get("/merchants")
async def list_merchants(
    key: Reads,
    request: Request,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=shapes.MOST)] = 50,
) -> dict[str, Any]:
    """Your customers."""
    found = await desk_of(request).merchants.page(key.tenant_id, after=cursor, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].id if len(found) > limit else None
    return {"items": [shapes.merchant(known) for known in shown], "next_cursor": following}


def _hosts(given: BaseUrls, usual: Hosts | None, desk: Desk) -> tuple[Hosts, str]:
    """The hosts of a new app and the clock it lives by. Only the platform's own and registered sandboxes are reached."""
    if given.sandbox is not None:
        base = given.sandbox.rstrip("/")
        if base not in desk.sandbox_urls:
            raise InvalidRequestError(
                f"{base} is not among EVERGRANT_SANDBOX_URLS of this hub. In production there are none; "
                "for tests add it there and restart the hub."
            )
        return Hosts(authorize=base, auth=base, api=base), base
    assert usual is not None
    known = {hosts for region in dialects.DIALECTS.values() for hosts in region.HOSTS.values()}
    allowed = {url for hosts in known for url in (hosts.authorize, hosts.auth, hosts.api)}
    wanted = Hosts(
        authorize=(given.authorize or usual.authorize).rstrip("/"),
        auth=(given.auth or usual.auth).rstrip("/"),
        api=(given.api or usual.api).rstrip("/"),
    )
    foreign = {wanted.authorize, wanted.auth, wanted.api} - allowed - {"https://services.tiktokshops.us"}
    if foreign:
        raise InvalidRequestError(f"These are not hosts of the platform: {', '.join(sorted(foreign))}.")
    return wanted, WALL
