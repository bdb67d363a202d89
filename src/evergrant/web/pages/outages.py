"""The Outages: what stopped and why, what was missed, what is made good, and a picture of it."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from evergrant.actions.ledger import Outage
from evergrant.actions.reading import Person
from evergrant.web import access, ledgers, look, named
from evergrant.web.api import shapes
from evergrant.web.desk import Desk

router = APIRouter(include_in_schema=False)

Reader = Annotated[Person, Depends(access.person_of)]
Watcher = Annotated[Person, Depends(access.watching_person)]
OPEN, SHOWN = 200, 50


@router.get("/outages")
async def show(request: Request, person: Reader, cursor: str = "") -> Response:
    """Those that are not closed first, then the others, newest first."""
    context = look.signed_in(request, person, **await _all(access.desk_of(request), person, cursor))
    return look.page(request, "outages.html", context)


@router.get("/outages/state")
async def state(request: Request, person: Watcher, cursor: str = "") -> Response:
    """The lists alone, for a page that is open."""
    context = look.signed_in(request, person, **await _all(access.desk_of(request), person, cursor))
    return look.page(request, "_outages.html", context)


@router.get("/outages/{outage_id}")
async def show_one(outage_id: str, request: Request, person: Reader) -> Response:
    """One outage: its picture, its ledger, its checks."""
    outage = await _one(access.desk_of(request), person, outage_id)
    return look.page(request, "outage.html", look.signed_in(request, person, outage=outage))


@router.get("/outages/{outage_id}/state")
async def state_of_one(outage_id: str, request: Request, person: Watcher) -> Response:
    """What changes of it, for a page that is open."""
    outage = await _one(access.desk_of(request), person, outage_id)
    return look.page(request, "_outage.html", look.signed_in(request, person, outage=outage))


async def _all(desk: Desk, person: Person, cursor: str) -> dict[str, Any]:
    before = shapes.position(cursor)
    lasting = [] if before else await desk.outages.all(person.tenant_id, is_open=True, before=0, limit=OPEN)
    closed = await desk.outages.all(person.tenant_id, is_open=False, before=before, limit=SHOWN + 1)
    return {
        "lasting": await _shown(desk, person, lasting),
        "closed": await _shown(desk, person, closed[:SHOWN]),
        "cursor": cursor,
        "following": closed[SHOWN - 1].position if len(closed) > SHOWN else None,
    }


async def _one(desk: Desk, person: Person, outage_id: str) -> ledgers.Shown:
    (shown,) = await _shown(desk, person, [await desk.outages.find(person.tenant_id, outage_id)])
    return shown


async def _shown(desk: Desk, person: Person, found: Sequence[Outage]) -> list[ledgers.Shown]:
    names = await named.of(desk, person.tenant_id, (each.connection_id for each in found))
    return [
        ledgers.shown(each, names.titles[each.connection_id], names.shops, names.nows[each.connection_id])
        for each in found
    ]
