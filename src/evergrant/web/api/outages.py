"""Outages: the gaps of a connection, and their balance."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from evergrant.actions.ledger import Line, Outage
from evergrant.actions.reading import ApiKey
from evergrant.web.access import WithScope, desk_of
from evergrant.web.api import shapes

router = APIRouter(prefix="/v1", tags=["outages"])

Reads = Annotated[ApiKey, Depends(WithScope("read"))]
Limit = Annotated[int, Query(ge=1, le=shapes.MOST)]


@router.get("/connections/{connection_id}/outages")
async def list_outages(
    connection_id: str, key: Reads, request: Request, cursor: str = "", limit: Limit = 50
) -> dict[str, Any]:
    """The outages of one connection, the newest first: when flows stopped and why, what was missed, what is still open."""
    desk = desk_of(request)
    await desk.connections.listed(key.tenant_id, connection_id)
    before = shapes.position(cursor)
    found = await desk.outages.page(key.tenant_id, connection_id, before=before, limit=limit + 1)
    shown = found[:limit]
    following = str(shown[-1].position) if len(found) > limit else None
    return {"items": [_outage(each) for each in shown], "next_cursor": following}


@router.get("/outages/{outage_id}")
async def read_outage(outage_id: str, key: Reads, request: Request) -> dict[str, Any]:
    """One outage, with the ledger of each flow that stopped."""
    return _outage(await desk_of(request).outages.find(key.tenant_id, outage_id))


def _outage(found: Outage) -> dict[str, Any]:
    return {
        "id": found.id,
        "connection_id": found.connection_id,
        "status": _status(found),
        "cause": found.cause,
        "started_at": shapes.instant(found.started_at),
        "ended_at": shapes.instant(found.ended_at),
        "closed_at": shapes.instant(found.closed_at),
        "missed": sum(line.missed for line in found.lines),
        "caught_up": sum(line.caught_up for line in found.lines),
        "superseded": sum(line.superseded for line in found.lines),
        "given_up": sum(line.given_up for line in found.lines),
        "open": sum(line.open for line in found.lines),
        "counted": all(line.is_known for line in found.lines),
        "flows": [_line(line) for line in found.lines],
    }


def _status(found: Outage) -> str:
    """`closed`, `catching_up` (nothing is stopped any more), or `open`."""
    if found.closed_at:
        return "closed"
    return "catching_up" if found.ended_at else "open"


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.kind,
        "shop_id": line.shop_id,
        "state": line.state,
        "why": line.why,
        "stopped_at": shapes.instant(line.stopped_at),
        "reopened_at": shapes.instant(line.reopened_at),
        "expected": line.expected,
        "missed": line.missed,
        "caught_up": line.caught_up,
        "superseded": line.superseded,
        "given_up": line.given_up,
        "open": line.open,
        "counted": line.is_known,
        "checks": {
            "read_at": shapes.instant(line.read_at),
            "written_at": shapes.instant(line.written_at),
            "trouble": line.trouble,
        },
        "balanced_at": shapes.instant(line.balanced_at),
    }
