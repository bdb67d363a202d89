"""The Exceptions: records that failed, by cause; bulk retries with a look at what they would do; rules."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from evergrant.actions import mend
from evergrant.actions.mending import Action, Choice, Rule, Sought
from evergrant.actions.reading import Person
from evergrant.core.app import WALL
from evergrant.core.errors import InvalidRequestError
from evergrant.web import access, failures, look, named
from evergrant.web.api import shapes
from evergrant.web.desk import Desk
from evergrant.web.given import Text

router = APIRouter(include_in_schema=False)

Reader = Annotated[Person, Depends(access.person_of)]
Watcher = Annotated[Person, Depends(access.watching_person)]
Actor = Annotated[Person, Depends(access.acting_person)]
SHOWN = 50
AFTER = (60, 180, 1440, 4320, 10080)
"""After how many minutes a rule may act, as the form offers it."""


@router.get("/exceptions")
async def show(request: Request, person: Reader) -> Response:
    """What failed, grouped by cause, and the rules."""
    desk = access.desk_of(request)
    found = await desk.ports.books.outward.rules.of(person.tenant_id)
    rules = [(rule, failures.title(rule.cause), failures.rule(rule)) for rule in found]
    context = look.signed_in(
        request,
        person,
        rules=rules,
        after=AFTER,
        actions=list(Action),
        told=failures.ACTIONS,
        **await _groups(desk, person),
    )
    return look.page(request, "exceptions.html", context)


@router.get("/exceptions/state")
async def state(request: Request, person: Watcher) -> Response:
    """The groups alone, for a page that is open."""
    desk = access.desk_of(request)
    return look.page(request, "_exceptions.html", look.signed_in(request, person, **await _groups(desk, person)))


@router.get("/exceptions/records")
async def show_records(request: Request, person: Reader, cause: str = "", cursor: str = "") -> Response:
    """The records of one cause, oldest first."""
    context = await _records(access.desk_of(request), person, cause, cursor)
    return look.page(request, "exception_records.html", look.signed_in(request, person, **context))


@router.get("/exceptions/retry")
async def show_retry(request: Request, person: Reader, cause: str = "") -> Response:
    """What trying all of one cause again would do; nothing is done yet."""
    desk = access.desk_of(request)
    preview = await desk.ports.books.outward.replays.preview(person.tenant_id, Choice(cause=_given(cause)))
    names = await named.of(desk, person.tenant_id, (each.connection_id for each in preview.first))
    context = {
        "cause": cause,
        "title": failures.title(cause),
        "preview": preview,
        "first": [failures.shown(each, names.shops) for each in preview.first],
        "left_out": failures.LEFT_OUT,
        "now": await desk.ports.clock.now(WALL),
    }
    return look.page(request, "exception_retry.html", look.signed_in(request, person, **context))


@router.post("/exceptions/retry")
async def retry(request: Request, person: Actor, cause: Annotated[Text, Form()]) -> Response:
    """Try all of one cause again."""
    replays = access.desk_of(request).ports.books.outward.replays
    begun = await replays.begin(person.tenant_id, Choice(cause=_given(cause)), actor=person.id)
    return RedirectResponse(f"/replays/{begun.id}", status_code=303)


@router.get("/replays/{replay_id}")
async def show_replay(replay_id: str, request: Request, person: Reader, cursor: str = "") -> Response:
    """How far a bulk retry is, and what came of each record."""
    context = await _replay(access.desk_of(request), person, replay_id, cursor)
    return look.page(request, "replay.html", look.signed_in(request, person, **context))


@router.get("/replays/{replay_id}/state")
async def state_of_replay(replay_id: str, request: Request, person: Watcher, cursor: str = "") -> Response:
    """What changes of it, for a page that is open."""
    context = await _replay(access.desk_of(request), person, replay_id, cursor)
    return look.page(request, "_replay.html", look.signed_in(request, person, **context))


@router.post("/exceptions/{exception_id}/dismiss")
async def dismiss(exception_id: str, request: Request, person: Actor) -> Response:
    """End one by hand."""
    ended = await mend.dismiss(person.tenant_id, exception_id, actor=person.id, ports=access.desk_of(request).ports)
    return RedirectResponse(f"/exceptions/records?cause={ended.cause}", status_code=303)


@router.post("/exceptions/rules")
async def add_rule(
    request: Request,
    person: Actor,
    cause: Annotated[Text, Form()],
    action: Annotated[Action, Form()],
    after: Annotated[int, Form()],
) -> Response:
    """Have something done by itself from now on."""
    desk = access.desk_of(request)
    if after not in AFTER:
        raise InvalidRequestError("A rule acts after one of the times that are offered.")
    rule = Rule(
        tenant_id=person.tenant_id,
        id=desk.ports.dice.identifier("rul"),
        cause=_given(cause),
        connection_id=None,
        action=action,
        after_minutes=after,
        created_by=person.id,
    )
    await desk.ports.books.outward.rules.add(rule)
    return RedirectResponse("/exceptions#rules", status_code=303)


@router.post("/exceptions/rules/{exception_rule_id}/remove")
async def remove_rule(exception_rule_id: str, request: Request, person: Actor) -> Response:
    """Nothing more is done by this rule."""
    desk = access.desk_of(request)
    await desk.ports.books.outward.rules.remove(person.tenant_id, exception_rule_id, actor=person.id)
    return RedirectResponse("/exceptions#rules", status_code=303)


def _given(cause: str) -> str:
    if not 0 < len(cause) <= 100:
        raise InvalidRequestError("Say of which cause.")
    return cause


async def _groups(desk: Desk, person: Person) -> dict[str, Any]:
    causes = await desk.ports.books.outward.exceptions.causes(person.tenant_id)
    return {"groups": failures.groups(causes), "now": await desk.ports.clock.now(WALL)}


async def _records(desk: Desk, person: Person, cause: str, cursor: str) -> dict[str, Any]:
    sought = Sought(cause=_given(cause), after=shapes.position(cursor), limit=SHOWN + 1)
    found = await desk.ports.books.outward.exceptions.page(person.tenant_id, sought)
    names = await named.of(desk, person.tenant_id, (each.connection_id for each in found[:SHOWN]))
    return {
        "cause": cause,
        "title": failures.title(cause),
        "sentence": failures.sentence(cause),
        "records": [failures.shown(each, names.shops) for each in found[:SHOWN]],
        "following": found[SHOWN - 1].position if len(found) > SHOWN else None,
        "now": await desk.ports.clock.now(WALL),
    }


async def _replay(desk: Desk, person: Person, replay_id: str, cursor: str) -> dict[str, Any]:
    replays = desk.ports.books.outward.replays
    replay = await replays.find(person.tenant_id, replay_id)
    found = await replays.items(person.tenant_id, replay_id, after=shapes.position(cursor), limit=SHOWN + 1)
    names = await named.of(desk, person.tenant_id, (each.exception.connection_id for each in found[:SHOWN]))
    return {
        "replay": replay,
        "title": failures.title(replay.cause) if replay.cause else "Chosen records",
        "stages": failures.STAGES,
        "results": [failures.result(each, names.shops) for each in found[:SHOWN]],
        "cursor": cursor,
        "following": found[SHOWN - 1].position if len(found) > SHOWN else None,
        "now": await desk.ports.clock.now(WALL),
    }
