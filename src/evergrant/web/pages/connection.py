"""One connection: its clocks, its flows with what each is doing, its life so far, and what can be done by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from evergrant.actions import steer
from evergrant.actions.reading import Happened, Person
from evergrant.core import flows
from evergrant.web import access, cards, connectors, foreseen, look, words
from evergrant.web.desk import Desk

router = APIRouter(include_in_schema=False)

Reader = Annotated[Person, Depends(access.person_of)]
Watcher = Annotated[Person, Depends(access.watching_person)]
Actor = Annotated[Person, Depends(access.acting_person)]
SHOWN = 100


@router.get("/connections/{connection_id}")
async def show(connection_id: str, request: Request, person: Reader) -> Response:
    """The page."""
    return look.page(request, "connection.html", await _context(connection_id, request, person))


@router.get("/connections/{connection_id}/state")
async def state(connection_id: str, request: Request, person: Watcher) -> Response:
    """The part of the page that changes, for a page that is open."""
    return look.page(request, "_connection.html", await _context(connection_id, request, person))


@router.post("/connections/{connection_id}/sync")
async def sync_now(
    connection_id: str, request: Request, person: Actor, flow: Annotated[flows.Kind | None, Form()] = None
) -> Response:
    """Poll now."""
    await steer.sync_now(person.tenant_id, connection_id, access.desk_of(request).ports, kind=flow)
    return _back(connection_id)


@router.post("/connections/{connection_id}/pause")
async def pause(
    connection_id: str, request: Request, person: Actor, flow: Annotated[flows.Kind | None, Form()] = None
) -> Response:
    """Pause flows until somebody resumes them."""
    desk = access.desk_of(request)
    await steer.pause(person.tenant_id, connection_id, actor=person.id, ports=desk.ports, kind=flow)
    return _back(connection_id)


@router.post("/connections/{connection_id}/resume")
async def resume(
    connection_id: str, request: Request, person: Actor, flow: Annotated[flows.Kind | None, Form()] = None
) -> Response:
    """Undo a pause made by hand."""
    desk = access.desk_of(request)
    await steer.resume(person.tenant_id, connection_id, actor=person.id, ports=desk.ports, kind=flow)
    return _back(connection_id)


@router.get("/activity")
async def activity(request: Request, person: Reader) -> Response:
    """Everything that happened, newest first."""
    desk = access.desk_of(request)
    found = await desk.log.page(person.tenant_id, after=0, limit=SHOWN, newest_first=True)
    ids = {known.connection_id for known in found if known.connection_id}
    told = {name: await _title(name, person, desk) for name in ids}
    lines = [_line(known) | _of_whom(known, told) for known in found]
    return look.page(request, "activity.html", look.signed_in(request, person, happened=lines))


async def _title(connection_id: str, person: Person, desk: Desk) -> tuple[str, datetime]:
    """What a connection is called, and the time on its clock."""
    found = await desk.connections.listed(person.tenant_id, connection_id)
    return cards.title(found), await desk.ports.clock.now(found.connection.clock)


def _of_whom(known: Happened, told: Mapping[str, tuple[str, datetime]]) -> dict[str, Any]:
    shop, now = told.get(known.connection_id or "", ("", known.happened_at))
    return {"shop": shop, "now": now}


async def _context(connection_id: str, request: Request, person: Person) -> dict[str, Any]:
    desk = access.desk_of(request)
    found = await desk.connections.listed(person.tenant_id, connection_id)
    counts = await desk.records.counts(person.tenant_id, connection_id)
    now = await desk.ports.clock.now(found.connection.clock)
    happened = await desk.log.page(
        person.tenant_id, after=0, limit=SHOWN, connection_id=connection_id, newest_first=True
    )
    lasting = await desk.outages.all(person.tenant_id, is_open=True, before=0, limit=SHOWN, connection_id=connection_id)
    return look.signed_in(
        request,
        person,
        connector=connectors.connector(found, now, lasting),
        card=cards.card(found, now, dict(counts)),
        foreseen=foreseen.sentence(await foreseen.of(found.connection, desk, now)),
        connection=found.connection,
        app_name=found.app_name,
        happened=[_line(known) for known in happened],
    )


def _line(known: Happened) -> dict[str, Any]:
    icon, sentence = words.event(known.type, known.data)
    return {"icon": icon, "sentence": sentence, "at": known.happened_at, "type": known.type, "to": known.connection_id}


def _back(connection_id: str) -> Response:
    return RedirectResponse(f"/connections/{connection_id}", status_code=303)
