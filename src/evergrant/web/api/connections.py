"""/v1/connections: what is connected, how long it lives, what it carried, and the few things a vendor does to it by hand."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from evergrant.actions import choose, steer
from evergrant.actions.reading import ApiKey, Filter, Listed
from evergrant.core import chosen, flows
from evergrant.core.authorization import State
from evergrant.web import foreseen
from evergrant.web.access import WithScope, desk_of
from evergrant.web.api import shapes
from evergrant.web.desk import Desk
from evergrant.web.given import Instant, Text

router = APIRouter(prefix="/v1", tags=["connections"])

Reads = Annotated[ApiKey, Depends(WithScope("read"))]
Manages = Annotated[ApiKey, Depends(WithScope("manage"))]
Limit = Annotated[int, Query(ge=1, le=shapes.MOST)]


class FlowChoice(BaseModel):
    """Which flows: one kind, or all of them; one shop, or all of the connection."""

    model_config = ConfigDict(extra="forbid")

    flow: flows.Kind | None = None
    shop_id: Text | None = None


class KindChoice(BaseModel):
    """Which flows: one kind of every shop, or all of them."""

    model_config = ConfigDict(extra="forbid")

    flow: flows.Kind | None = None


Minutes = Annotated[int, Field(strict=True, ge=chosen.FEWEST_MINUTES, le=chosen.MOST_MINUTES)]


class PollMinutes(BaseModel):
    """Minutes between two polls of each flow that is pulled; null goes by the plan."""

    model_config = ConfigDict(extra="forbid")

    orders: Minutes | None = None
    products: Minutes | None = None
    inventory: Minutes | None = None


class Settings(BaseModel):
    """What may be chosen for a connection; null takes a choice back, what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    poll_minutes: PollMinutes | None = None
    first_fetch_days: Annotated[int, Field(strict=True, ge=1, le=chosen.MOST_FIRST_DAYS)] | None = Field(
        default=None, description="How far back the first poll of orders looks; more than before is fetched at once."
    )
    keep_buyer_days: Annotated[int, Field(strict=True, ge=1, le=chosen.MOST_BUYER_DAYS)] | None = Field(
        default=None, description="Days after an order's last change for which its buyer is kept."
    )


class ConnectionChange(BaseModel):
    """What may change of a connection."""

    model_config = ConfigDict(extra="forbid")

    settings: Settings


@router.get("/connections")
async def list_connections(
    key: Reads,
    request: Request,
    merchant_id: str | None = None,
    status: State | None = None,
    expires_before: Instant | None = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """Your connections, filtered."""
    desk = desk_of(request)
    wanted = Filter(
        after=cursor, limit=limit + 1, merchant_id=merchant_id, state=status, ends_before=expires_before, q=q
    )
    found = await desk.connections.page(key.tenant_id, wanted)
    shown = found[:limit]
    following = shown[-1].connection.id if len(found) > limit else None
    return {"items": [await _shape(known, desk) for known in shown], "next_cursor": following}


@router.get("/connections/{connection_id}")
async def read_connection(connection_id: str, key: Reads, request: Request) -> dict[str, Any]:
    """One connection."""
    desk = desk_of(request)
    return await _shape(await desk.connections.listed(key.tenant_id, connection_id), desk)


@router.patch("/connections/{connection_id}")
async def change_connection(
    connection_id: str, given: ConnectionChange, key: Manages, request: Request
) -> dict[str, Any]:
    """Choose how its flows are pulled, and how long its buyers are kept. No renewal changes that."""
    desk, wanted = desk_of(request), given.settings.model_dump(exclude_unset=True)
    await choose.settings(key.tenant_id, connection_id, wanted, actor=key.id, ports=desk.ports)
    return await _shape(await desk.connections.listed(key.tenant_id, connection_id), desk)


@router.post("/connections/{connection_id}/refresh", status_code=202)
async def refresh(connection_id: str, key: Manages, request: Request) -> dict[str, Any]:
    """Ask for a fresh token pair; the worker does it. 409 with the reason once the authorization is over."""
    await steer.refresh_now(key.tenant_id, connection_id, desk_of(request).ports)
    return {"accepted": True}


@router.post("/connections/{connection_id}/pause")
async def pause(connection_id: str, key: Manages, request: Request, given: KindChoice | None = None) -> dict[str, Any]:
    """Pause flows by hand. No renewal undoes it; only `resume` does."""
    desk = desk_of(request)
    await steer.pause(key.tenant_id, connection_id, actor=key.id, ports=desk.ports, kind=given.flow if given else None)
    return await _shape(await desk.connections.listed(key.tenant_id, connection_id), desk)


@router.post("/connections/{connection_id}/resume")
async def resume(connection_id: str, key: Manages, request: Request, given: KindChoice | None = None) -> dict[str, Any]:
    """Undo a pause made by hand."""
    desk = desk_of(request)
    await steer.resume(key.tenant_id, connection_id, actor=key.id, ports=desk.ports, kind=given.flow if given else None)
    return await _shape(await desk.connections.listed(key.tenant_id, connection_id), desk)


@router.post("/connections/{connection_id}/disconnect")
async def disconnect(connection_id: str, key: Manages, request: Request) -> dict[str, Any]:
    """Let go: flows stop, tokens are destroyed. At the platform only the seller can cancel."""
    desk = desk_of(request)
    await steer.disconnect(key.tenant_id, connection_id, actor=key.id, ports=desk.ports)
    return await _shape(await desk.connections.listed(key.tenant_id, connection_id), desk)


@router.post("/connections/{connection_id}/syncs", status_code=202)
async def sync_now(
    connection_id: str, key: Manages, request: Request, given: FlowChoice | None = None
) -> dict[str, Any]:
    """Poll now instead of waiting for the next run. 409 with the reason while the flow is paused."""
    choice = given or FlowChoice()
    woken = await steer.sync_now(
        key.tenant_id, connection_id, desk_of(request).ports, shop_id=choice.shop_id, kind=choice.flow
    )
    return {"flows": woken}


@router.get("/connections/{connection_id}/records")
async def records(
    connection_id: str, flow: flows.Kind, key: Reads, request: Request, cursor: str = "", limit: Limit = 50
) -> Response:
    """What a flow brought, in the order in which it first came. `document` is the platform's own JSON."""
    desk = desk_of(request)
    await desk.connections.listed(key.tenant_id, connection_id)
    after = shapes.position(cursor)
    shown = await desk.records.page(key.tenant_id, connection_id, flow, after=after, limit=limit)
    items = [
        {
            "id": kept.record_id,
            "shop_id": kept.shop_id,
            "updated_at": shapes.instant(kept.updated_at),
            "document": msgspec.Raw(kept.document),
        }
        for kept in shown
    ]
    following = str(shown[-1].position) if shown and shown[-1].more else None
    body = msgspec.json.encode({"items": items, "next_cursor": following})
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})


@router.get("/connections/{connection_id}/forecast")
async def read_forecast(connection_id: str, key: Reads, request: Request) -> dict[str, Any]:
    """What stops when the authorization ends, and how many orders would then wait, at the pace of the orders that are kept."""
    desk = desk_of(request)
    known = (await desk.connections.listed(key.tenant_id, connection_id)).connection
    found = await foreseen.of(known, desk, await desk.ports.clock.now(known.clock))
    return shapes.forecast(found, connection_id)


@router.get("/connections/{connection_id}/timeline")
async def timeline(
    connection_id: str, key: Reads, request: Request, cursor: str = "", limit: Limit = 50
) -> dict[str, Any]:
    """The signed life history of one connection, oldest first: what happened, by whom and why, and where it stands in the
    audit chain. To follow it, ask again with `tail_cursor`, as for all events.

    `signature` is over this answer without it, as JSON with sorted keys and no spaces.
    """
    desk = desk_of(request)
    await desk.connections.listed(key.tenant_id, connection_id)
    page = await desk.histories.page(key.tenant_id, connection_id, after=shapes.place(cursor), limit=limit)
    told = shapes.history(connection_id, page)
    return told | {"signature": shapes.signature(await desk.signer.sign(shapes.signed_text(told)))}


@router.get("/events", tags=["events"])
async def events(key: Reads, request: Request, cursor: str = "", limit: Limit = 50) -> dict[str, Any]:
    """Everything that happened, oldest first.

    To follow the log, ask again with the last answer's `tail_cursor` as `cursor`, whether or not it brought anything:
    what comes later stands behind it, and nothing is told twice or left out. `next_cursor` is there while more is
    waiting already.
    """
    after = shapes.position(cursor)
    found = await desk_of(request).log.page(key.tenant_id, after=after, limit=limit + 1)
    shown = found[:limit]
    following = str(shown[-1].position) if len(found) > limit else None
    tail = str(shown[-1].position if shown else after)
    return {"items": [shapes.event(known) for known in shown], "next_cursor": following, "tail_cursor": tail}


async def _shape(found: Listed, desk: Desk) -> dict[str, Any]:
    now = await desk.ports.clock.now(found.connection.clock)
    app = await desk.apps.by_id(found.connection.app_id)
    return shapes.connection(found, app.required_scopes, now)
