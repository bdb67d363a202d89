"""/v1/exceptions, /v1/replays, /v1/exception-rules: what failed and why, and what makes many of them good at once."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from evergrant.actions import mend
from evergrant.actions.mending import Action, Broken, Cause, Choice, Preview, Replay, Retried, Rule, Sought, Stage
from evergrant.actions.reading import ApiKey
from evergrant.core.errors import InvalidRequestError
from evergrant.web.access import WithScope, desk_of
from evergrant.web.api import shapes
from evergrant.web.given import Text

router = APIRouter(prefix="/v1", tags=["exceptions"])

MOST_IDS = 500
LONGEST_MINUTES = 525_600

Reads = Annotated[ApiKey, Depends(WithScope("read"))]
Manages = Annotated[ApiKey, Depends(WithScope("manage"))]
Limit = Annotated[int, Query(ge=1, le=shapes.MOST)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]


class ReplayChoice(BaseModel):
    """Which open exceptions: by cause, by connection, by their ids; where more than one is said, all have to hold."""

    model_config = ConfigDict(extra="forbid")

    cause: Name | None = None
    connection_id: Name | None = None
    ids: list[Name] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    dry_run: bool = False


class GivenRule(BaseModel):
    """What is done by itself with exceptions of a cause that are open for so long; minutes of the wall clock."""

    model_config = ConfigDict(extra="forbid")

    cause: Name
    connection_id: Name | None = None
    action: Action
    after_minutes: int = Field(ge=1, le=LONGEST_MINUTES, strict=True)


@router.get("/exceptions")
async def list_exceptions(
    key: Reads,
    request: Request,
    cause: str | None = None,
    connection_id: str | None = None,
    state: Stage | None = Stage.OPEN,
    cursor: str = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """Records that failed, in the order in which they did; open ones, unless `state` says otherwise."""
    sought = Sought(
        cause=cause, connection_id=connection_id, stage=state, after=shapes.position(cursor), limit=limit + 1
    )
    found = await desk_of(request).ports.books.outward.exceptions.page(key.tenant_id, sought)
    shown = found[:limit]
    following = str(shown[-1].position) if len(found) > limit else None
    return {"items": [broken(each) for each in shown], "next_cursor": following}


@router.get("/exceptions/causes")
async def list_causes(key: Reads, request: Request, connection_id: str | None = None) -> dict[str, Any]:
    """Open exceptions by cause, the most frequent first."""
    found = await desk_of(request).ports.books.outward.exceptions.causes(key.tenant_id, connection_id)
    return {"items": [_cause(each) for each in found]}


@router.post("/exceptions/{exception_id}/dismiss")
async def dismiss(exception_id: str, key: Manages, request: Request) -> dict[str, Any]:
    """End one by hand: its record is not sent, or looked for, any more. One that has ended stays as it did."""
    return broken(await mend.dismiss(key.tenant_id, exception_id, actor=key.id, ports=desk_of(request).ports))


@router.post("/replays", status_code=202)
async def begin_replay(given: ReplayChoice, key: Manages, request: Request) -> Response:
    """Try many again, in their order. With `dry_run` nothing is done, and 200 tells what would be.

    What another bulk retry is at already is left out, and what is more than one takes is left for a next one. While a flow is paused its records wait on.
    """
    replays = desk_of(request).ports.books.outward.replays
    if given.cause is None and given.connection_id is None and given.ids is None:
        raise InvalidRequestError("Say which: cause, connection_id or ids.")
    choice = Choice(cause=given.cause, connection_id=given.connection_id, ids=given.ids)
    if given.dry_run:
        return JSONResponse(_preview(await replays.preview(key.tenant_id, choice)))
    return JSONResponse(_replay(await replays.begin(key.tenant_id, choice, actor=key.id)), status_code=202)


@router.get("/replays/{replay_id}")
async def read_replay(
    replay_id: str, key: Reads, request: Request, cursor: str = "", limit: Limit = 50
) -> dict[str, Any]:
    """How far a bulk retry is, and what came of each record, in their order."""
    replays = desk_of(request).ports.books.outward.replays
    found = await replays.find(key.tenant_id, replay_id)
    items = await replays.items(key.tenant_id, replay_id, after=shapes.position(cursor), limit=limit + 1)
    shown = items[:limit]
    following = str(shown[-1].position) if len(items) > limit else None
    return _replay(found) | {"items": [_retried(each) for each in shown], "next_cursor": following}


@router.get("/exception-rules")
async def list_rules(key: Reads, request: Request) -> dict[str, Any]:
    """Your rules, oldest first."""
    return {"items": [_rule(each) for each in await desk_of(request).ports.books.outward.rules.of(key.tenant_id)]}


@router.post("/exception-rules", status_code=201)
async def add_rule(given: GivenRule, key: Manages, request: Request) -> dict[str, Any]:
    """From now on what is open for so long is dismissed, resolved, or tried again, by itself."""
    desk = desk_of(request)
    rule = Rule(
        tenant_id=key.tenant_id,
        id=desk.ports.dice.identifier("rul"),
        cause=given.cause,
        connection_id=given.connection_id,
        action=given.action,
        after_minutes=given.after_minutes,
        created_by=key.id,
    )
    return _rule(await desk.ports.books.outward.rules.add(rule))


@router.delete("/exception-rules/{exception_rule_id}", status_code=204)
async def remove_rule(exception_rule_id: str, key: Manages, request: Request) -> Response:
    """Nothing more is done by this rule; what it did stays done."""
    await desk_of(request).ports.books.outward.rules.remove(key.tenant_id, exception_rule_id, actor=key.id)
    return Response(status_code=204)


def broken(found: Broken) -> dict[str, Any]:
    """An exception. What the platform or the vendor wrote into it is text, and nothing else."""
    return {
        "id": found.id,
        "connection_id": found.connection_id,
        "shop_id": found.shop_id,
        "flow": found.kind,
        "record_id": found.entity,
        "cause": found.cause,
        "message": found.message,
        "state": found.stage,
        "how": found.how,
        "attempts": found.attempts,
        "parked": found.parked,
        "outage_id": found.outage_id,
        "opened_at": shapes.instant(found.opened_at),
        "last_at": shapes.instant(found.last_at),
        "ended_at": shapes.instant(found.ended_at),
    }


def _cause(found: Cause) -> dict[str, Any]:
    return {"cause": found.cause, "count": found.count, "oldest": shapes.instant(found.oldest)}


def _preview(found: Preview) -> dict[str, Any]:
    return {
        "dry_run": True,
        "total": found.total,
        "remaining": found.remaining,
        "by_flow": dict(found.by_flow),
        "first": [broken(each) for each in found.first],
        "skipped": dict(found.skipped),
    }


def _replay(found: Replay) -> dict[str, Any]:
    outcomes = ("succeeded", "failed", "superseded", "skipped", "waiting")
    return {
        "id": found.id,
        "cause": found.cause,
        "connection_id": found.connection_id,
        "created_by": found.created_by,
        "created_at": shapes.instant(found.created_at),
        "ended_at": shapes.instant(found.ended_at),
        "total": found.total,
        "remaining": found.remaining,
        **{outcome: found.outcomes.get(outcome, 0) for outcome in outcomes},
    }


def _retried(found: Retried) -> dict[str, Any]:
    return {
        "exception": broken(found.exception),
        "outcome": found.outcome or "waiting",
        "message": found.message,
        "ended_at": shapes.instant(found.ended_at),
    }


def _rule(found: Rule) -> dict[str, Any]:
    return {
        "id": found.id,
        "cause": found.cause,
        "connection_id": found.connection_id,
        "action": found.action,
        "after_minutes": found.after_minutes,
        "created_by": found.created_by,
        "created_at": shapes.instant(found.created_at),
        "ran_at": shapes.instant(found.ran_at),
    }
