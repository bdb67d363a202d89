"""/v1/claims: authorizations that came without a state and wait for an owner."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from evergrant.actions import claim
from evergrant.actions.reading import ApiKey
from evergrant.core import errors
from evergrant.core.secret import Secret
from evergrant.web.access import WithScope, desk_of
from evergrant.web.api import shapes
from evergrant.web.given import Text

router = APIRouter(prefix="/v1/claims", tags=["claims"])

Reads = Annotated[ApiKey, Depends(WithScope("read"))]
Manages = Annotated[ApiKey, Depends(WithScope("manage"))]


class Taking(BaseModel):
    """For which customer, and the token with which that customer's browser came to your `claim_url`."""

    model_config = ConfigDict(extra="forbid")

    merchant_id: Text
    claim_token: Text | None = Field(default=None, description="Without it nobody can claim: it proves who brought it.")


@router.get("")
async def list_claims(
    key: Reads,
    request: Request,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=shapes.MOST)] = 50,
) -> dict[str, Any]:
    """What waits for an owner."""
    found = await desk_of(request).claims.page(key.tenant_id, after=cursor, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].id if len(found) > limit else None
    return {"items": [shapes.claim(known) for known in shown], "next_cursor": following}


@router.get("/{claim_id}")
async def read(claim_id: str, key: Reads, request: Request) -> dict[str, Any]:
    """One claim, whatever became of it."""
    return shapes.claim(await desk_of(request).claims.find(key.tenant_id, claim_id))


@router.post("/{claim_id}")
async def take(claim_id: str, given: Taking, key: Manages, request: Request) -> dict[str, Any]:
    """Claim it for a customer of yours, whose browser brought it."""
    desk = desk_of(request)
    known = await desk.claims.find(key.tenant_id, claim_id)
    if not given.claim_token:
        raise errors.ClaimTokenMissingError
    try:
        await desk.claims.of_browser(claim_id, [Secret(given.claim_token)])
    except errors.NotFoundError as error:
        raise errors.ClaimTokenWrongError from error
    merchant = await desk.merchants.find(key.tenant_id, given.merchant_id)
    await claim.take(known, merchant.id, actor=key.id, ports=desk.ports)
    return shapes.claim(await desk.claims.find(key.tenant_id, claim_id))


@router.post("/{claim_id}/dismiss")
async def dismiss(claim_id: str, key: Manages, request: Request) -> dict[str, Any]:
    """Destroy what waits. The seller's authorization at TikTok stays; nobody here can use it."""
    desk = desk_of(request)
    known = await desk.claims.find(key.tenant_id, claim_id)
    await claim.dismiss(known, actor=key.id, ports=desk.ports)
    return shapes.claim(await desk.claims.find(key.tenant_id, claim_id))
