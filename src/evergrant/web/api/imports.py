"""POST /v1/connections/import: tokens the vendor already holds, row by row. What was given is not repeated, whatever comes of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from evergrant.actions import bring
from evergrant.actions.reading import ApiKey
from evergrant.core.secret import Secret
from evergrant.web.access import WithScope, desk_of
from evergrant.web.given import Instant, Text

router = APIRouter(prefix="/v1", tags=["connections"])

Manages = Annotated[ApiKey, Depends(WithScope("manage"))]
Token = Annotated[Text, Field(min_length=1, max_length=4000)]


class Row(BaseModel):
    """One authorization as your books have it. `refresh_expires_at` is its end, the day the seller chose."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    merchant_id: Text
    app_id: Text
    access_token: Token
    access_expires_at: Instant
    refresh_token: Token | None = None
    refresh_expires_at: Instant
    open_id: Text = Field(
        min_length=1, max_length=200, description="As the token answer said it: compared at the refresh."
    )
    scopes: list[Text] = Field(
        default=[], max_length=200, description="`granted_scopes`; without it known after a refresh."
    )


class Rows(BaseModel):
    """Up to 100 of them."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    items: list[Row] = Field(min_length=1, max_length=bring.MOST)


@router.post("/connections/import")
async def import_connections(given: Rows, key: Manages, request: Request) -> dict[str, Any]:
    """Take over tokens you hold. Stop refreshing them on your side first: from now on the hub does, beginning at once.

    Each row is checked with TikTok by its access token, and stands for itself: `imported`, `already_held`, or `refused` with
    an error. Send the same again whenever you are not sure.
    """
    came = await bring.rows(
        key.tenant_id, [_given(row) for row in given.items], actor=key.id, ports=desk_of(request).ports
    )
    return {"items": [_shape(each) for each in came]}


def _given(row: Row) -> bring.Given:
    return bring.Given(
        merchant_id=row.merchant_id,
        app_id=row.app_id,
        access=Secret(row.access_token),
        access_ends=row.access_expires_at,
        refresh=Secret(row.refresh_token) if row.refresh_token else None,
        refresh_ends=row.refresh_expires_at,
        open_id=row.open_id,
        scopes=frozenset(row.scopes),
    )


def _shape(came: bring.Came) -> dict[str, Any]:
    told = {"result": came.result, "connection_id": came.connection_id}
    return told | ({"error": {"code": came.error.code, "message": came.error.sentence}} if came.error else {})
