"""The life history of one connection, for people: everything that happened to it, who did it, and its place in the chain."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from evergrant.actions.history import Step
from evergrant.actions.reading import Person
from evergrant.web import access, cards, look, told_of
from evergrant.web.api import shapes

router = APIRouter(include_in_schema=False)

Reader = Annotated[Person, Depends(access.person_of)]
SHOWN = 50


@router.get("/connections/{connection_id}/history")
async def show(connection_id: str, request: Request, person: Reader, before: str = "") -> Response:
    """The newest steps first, or those before a place."""
    desk = access.desk_of(request)
    found = await desk.connections.listed(person.tenant_id, connection_id)
    page = await desk.histories.page(
        person.tenant_id, connection_id, after=shapes.place(before), limit=SHOWN, newest_first=True
    )
    context = look.signed_in(
        request,
        person,
        title=cards.title(found),
        connection_id=connection_id,
        now=await desk.ports.clock.now(found.connection.clock),
        days=_by_day([_line(step, person) for step in page.steps]),
        earlier=f"{page.place.event}.{page.place.audit}" if page.more else None,
        is_newest=not before,
    )
    return look.page(request, "life.html", context)


def _line(step: Step, person: Person) -> dict[str, Any]:
    icon, sentence, tone = told_of.step(step.type, step.data)
    return {
        "icon": icon,
        "sentence": sentence,
        "tone": tone,
        "by": told_of.actor(step.actor, you=person.id),
        "code": told_of.code(step.type, step.data),
        "at": step.happened_at,
        "proof": step.proof,
    }


def _by_day(lines: list[dict[str, Any]]) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Lines under their days, in their order."""
    days: list[tuple[Any, list[dict[str, Any]]]] = []
    for line in lines:
        if not days or days[-1][0].date() != line["at"].date():
            days.append((line["at"], []))
        days[-1][1].append(line)
    return days
