"""The API's own reference: the OpenAPI document as a page."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from evergrant.web import access, look

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def show(request: Request) -> Response:
    """Every route with what it takes. It holds no secret, so nobody has to log in."""
    document = request.app.openapi()
    context = {"rooms": _rooms(document), "origin": access.desk_of(request).origin}
    return look.page(request, "reference.html", context)


def _rooms(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Routes by their first tag, in the order of the document."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = {
                "method": method.upper(),
                "path": path,
                "told": operation.get("description", ""),
                "fields": [*_parameters(operation), *_body(operation, document)],
            }
            rooms.setdefault(operation.get("tags", ["health"])[0], []).append(route)
    return rooms


def _parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": found["name"], "place": found["in"], "required": found.get("required", False)}
        for found in operation.get("parameters", [])
    ]


def _body(operation: dict[str, Any], document: dict[str, Any]) -> list[dict[str, Any]]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    names = [found.get("$ref", "") for found in (content, *content.get("anyOf", ()))]
    found = next((name.rpartition("/")[2] for name in names if name), None)
    if found is None:
        return []
    schema = document["components"]["schemas"][found]
    required = set(schema.get("required", ()))
    return [{"name": name, "place": "body", "required": name in required} for name in schema.get("properties", {})]
