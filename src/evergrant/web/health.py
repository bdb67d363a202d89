"""Is it alive, is it ready, and how is it doing: for the machines that watch it."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from evergrant.core.errors import DatabaseUnavailableError
from evergrant.web.access import desk_of

router = APIRouter(include_in_schema=False)


class SchemaOutdatedError(DatabaseUnavailableError):
    """The database has not the schema this version needs. Run `evergrant migrate`."""


@router.get("/healthz")
async def alive() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """The database answers and has the schema this code needs.

    Raises:
        DatabaseUnavailableError: it does not.
    """
    desk = desk_of(request)
    if await desk.health.revision() != desk.schema_revision:
        raise SchemaOutdatedError
    return JSONResponse({"status": "ok"})


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
