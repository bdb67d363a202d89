"""DELETE of connections and merchants, and the signed records that stay of it."""

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from evergrant.actions import erase
from evergrant.actions.custody import Erasure, Subject
from evergrant.actions.reading import ApiKey
from evergrant.web.access import WithScope, desk_of
from evergrant.web.api import shapes

router = APIRouter(prefix="/v1", tags=["erasures"])

Reads = Annotated[ApiKey, Depends(WithScope("read"))]
Manages = Annotated[ApiKey, Depends(WithScope("manage"))]


@router.delete("/connections/{connection_id}", status_code=202)
async def erase_connection(connection_id: str, key: Manages, request: Request) -> dict[str, Any]:
    """Erase a connection: its data key is destroyed before this answers, then everything kept of it. There is no way back."""
    return await _erased(key, Subject.CONNECTION, connection_id, request)


@router.delete("/merchants/{merchant_id}", status_code=202)
async def erase_merchant(merchant_id: str, key: Manages, request: Request) -> dict[str, Any]:
    """Erase a customer with all connections: no key opens their tokens when this answers; a worker removes the rest."""
    return await _erased(key, Subject.MERCHANT, merchant_id, request)


@router.get("/erasures")
async def list_erasures(
    key: Reads, request: Request, cursor: str = "", limit: Annotated[int, Query(ge=1, le=shapes.MOST)] = 50
) -> dict[str, Any]:
    """What was erased, and how far that is."""
    found = await desk_of(request).erasures.page(key.tenant_id, after=cursor, limit=limit + 1)
    shown = found[:limit]
    return {"items": [_shape(each) for each in shown], "next_cursor": shown[-1].id if len(found) > limit else None}


@router.get("/erasures/{erasure_id}")
async def read_erasure(erasure_id: str, key: Reads, request: Request) -> dict[str, Any]:
    """One erasure. Once it is done, `statement` is the deletion record: the Ed25519 signature is over its UTF-8 bytes."""
    return _shape(await desk_of(request).erasures.find(key.tenant_id, erasure_id))


async def _erased(key: ApiKey, kind: Subject, subject_id: str, request: Request) -> dict[str, Any]:
    return _shape(await erase.ask(key.tenant_id, kind, subject_id, actor=key.id, ports=desk_of(request).ports))


def _shape(found: Erasure) -> dict[str, Any]:
    return {
        "id": found.id,
        "subject": {"kind": found.kind, "id": found.subject_id},
        "status": "done" if found.finished_at else "running",
        "asked_at": shapes.instant(found.asked_at),
        "finished_at": shapes.instant(found.finished_at),
        "statement": found.statement,
        "signature": b64encode(found.signature).decode() if found.signature else None,
        "public_key": b64encode(found.public_key).decode() if found.public_key else None,
    }
