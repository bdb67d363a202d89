"""/v1/link-sessions: hosted links, to connect a shop or to renew its authorization."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from evergrant.actions import connect
from evergrant.actions.reading import ApiKey
from evergrant.core.errors import InvalidRequestError
from evergrant.core.link import DEFAULT_LINK, LONGEST_LINK, Mode, Purpose
from evergrant.web import outcomes
from evergrant.web.access import WithScope, desk_of
from evergrant.web.api import shapes
from evergrant.web.given import Text

router = APIRouter(prefix="/v1/link-sessions", tags=["link sessions"])

Reads = Annotated[ApiKey, Depends(WithScope("read"))]
Manages = Annotated[ApiKey, Depends(WithScope("manage"))]


class NewLinkSession(BaseModel):
    """What the link is for. `renew` and `rescope` name the connection, and only its own shop is accepted."""

    model_config = ConfigDict(extra="forbid")

    merchant_id: Text
    app_id: Text
    purpose: Purpose = Purpose.LINK
    connection_id: Text | None = None
    return_to: Text | None = None
    mode: Mode = Mode.REDIRECT
    expires_in: int = Field(
        default=int(DEFAULT_LINK.total_seconds()),
        ge=60,
        le=int(LONGEST_LINK.total_seconds()),
        description="Seconds until the link ends.",
    )


@router.post("", status_code=201)
async def create(given: NewLinkSession, key: Manages, request: Request) -> dict[str, Any]:
    """Make a hosted link; its address is in this answer and nowhere else."""
    desk = desk_of(request)
    if (given.purpose is Purpose.LINK) != (given.connection_id is None):
        raise InvalidRequestError("connection_id goes with the purposes `renew` and `rescope`, and only with them.")
    wanted = connect.Wanted(
        tenant_id=key.tenant_id,
        merchant_id=given.merchant_id,
        app_id=given.app_id,
        purpose=given.purpose,
        connection_id=given.connection_id,
        mode=given.mode,
        return_to=desk.checked_return(given.return_to),
        life=timedelta(seconds=given.expires_in),
        created_by=key.id,
    )
    session, handle = await connect.invite(wanted, desk.ports)
    return shapes.link_session(session, f"{desk.origin}/l/{handle.reveal()}")


@router.get("/{session_id}")
async def read(session_id: str, key: Reads, request: Request) -> dict[str, Any]:
    """How far a link has come; with `wrong_shop`, which shops it is for and which were authorized instead."""
    desk = desk_of(request)
    session = await desk.links.find(key.tenant_id, session_id)
    named = await outcomes.mismatch(session, desk)
    return shapes.link_session(session) | {"mismatch": shapes.mismatch(named) if named else None}


@router.post("/{session_id}/revoke")
async def revoke(session_id: str, key: Manages, request: Request) -> dict[str, Any]:
    """Withdraw a link; one that was used stays used."""
    desk = desk_of(request)
    await desk.links.find(key.tenant_id, session_id)
    return shapes.link_session(await desk.links.revoke(key.tenant_id, session_id, actor=key.id))
