"""The hub as one ASGI application: guard, fast lane, then FastAPI with the API and the pages."""

import re
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from evergrant.core.errors import EvergrantError, InvalidRequestError, NotFoundError
from evergrant.providers import dialects
from evergrant.web import access, health, look, problems, words
from evergrant.web.access import LoginRequiredError
from evergrant.web.api import claims as claims_api
from evergrant.web.api import (
    connections,
    described,
    erasures,
    exceptions,
    imports,
    link_sessions,
    outages,
    setup,
    stock,
)
from evergrant.web.desk import Desk
from evergrant.web.guard import Guard
from evergrant.web.lanes import Lanes
from evergrant.web.pages import claims, connection, connectors, dashboard, guides, hosted, life, login, reference
from evergrant.web.pages import exceptions as exception_pages
from evergrant.web.pages import outages as outage_pages
from evergrant.web.repeats import Repeats

FOR_PROGRAMS = ("/v1/", "/hooks/", "/healthz", "/readyz", "/metrics", "/openapi.json")
"""Paths whose errors are JSON; everywhere else a person reads."""


FOR_API = (setup, link_sessions, connections, claims_api, erasures, imports, stock, exceptions, outages)
FOR_PEOPLE = (
    login,
    dashboard,
    connectors,
    connection,
    life,
    exception_pages,
    outage_pages,
    claims,
    hosted,
    guides,
    reference,
)
PLAIN_NAME = re.compile(r"[A-Za-z_]{1,24}|\d+")
"""What a field or a place in a list is called, and no token is."""


def build(desk: Desk) -> ASGIApp:
    """The application."""
    app = FastAPI(title="Evergrant", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.openapi = lambda: described.openapi(app)  # type: ignore[method-assign]
    app.router.redirect_slashes = False  # a redirect to a Host header is a redirect to anywhere
    app.state.desk = desk
    app.state.templates = look.environment()
    for room in (*FOR_API, health, *FOR_PEOPLE):
        app.include_router(room.router)
    app.mount("/static", StaticFiles(directory=look.STATIC), name="static")
    app.add_middleware(Repeats, desk=desk)
    app.add_exception_handler(EvergrantError, _evergrant_error)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(LoginRequiredError, _to_login)
    app.add_exception_handler(Exception, _broken)

    async def say_no(scope: Scope, receive: Receive, send: Send, error: EvergrantError) -> None:
        request = Request({**scope, "app": app})
        await (await _evergrant_error(request, error))(scope, receive, send)

    return Guard(
        Lanes(app, desk),
        say_no=say_no,
        request_id=lambda: desk.ports.dice.identifier("req"),
        visited=desk.walls.visited,
        form_targets=consent_origins(desk.sandbox_urls),
        is_https=desk.is_https,
    )


def consent_origins(sandbox_urls: tuple[str, ...]) -> tuple[str, ...]:
    """Where a form of ours may end up by a redirect: the platform's consent pages."""
    known = {hosts.authorize for dialect in dialects.DIALECTS.values() for hosts in dialect.HOSTS.values()}
    addresses = (*sorted(known), *sandbox_urls)
    return tuple(f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, addresses))


async def _evergrant_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, EvergrantError)
    status, headers = problems.status_of(error), problems.headers_of(error)
    request_id = request.scope["state"]["request_id"]
    if request.scope["path"].startswith(FOR_PROGRAMS):
        return JSONResponse(problems.body_of(error, request_id), status_code=status, headers=headers)
    for_team = access.LOGIN_COOKIE in {name.removeprefix("__Host-") for name in request.cookies}
    context = {
        "error": error,
        "title": words.problem(error.code, status),
        "request_id": request_id,
        "for_team": for_team,
    }
    return look.page(request, "problem.html", context, status=status, headers=headers)


async def _not_understood(request: Request, error: Exception) -> Response:
    """A field is missing or of the wrong kind: say which, and never repeat its value."""
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{'.'.join(map(_named, found['loc'][1:]))}: {found['msg']}" for found in error.errors())
    return await _evergrant_error(request, InvalidRequestError(said.encode(errors="replace").decode()))


def _named(part: object) -> str:
    """A part of where a fault lies. A name of the sender's own may be anything, a secret put in the wrong place too."""
    return str(part) if PLAIN_NAME.fullmatch(str(part)) else "(a name nobody knows)"


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = {404: NotFoundError(), 405: problems.MethodNotAllowedError(), 413: problems.TooLargeError()}
    return await _evergrant_error(request, known.get(error.status_code, InvalidRequestError(str(error.detail))))


async def _broken(request: Request, _error: Exception) -> Response:
    """Nobody thought of this. The Guard notes it; whoever asked gets the same kind of answer as for any other error."""
    return await _evergrant_error(request, EvergrantError())


async def _to_login(request: Request, _error: Exception) -> Response:
    """Send to the login and back. A fragment of an open page is told by its status instead."""
    wanted = request.headers.get("accept", "")
    if request.headers.get("hx-request") or "application/json" in wanted or "text/event-stream" in wanted:
        return Response(status_code=401, headers={"x-error-code": "login_required", "hx-refresh": "true"})
    following = request.scope["path"] if request.method == "GET" else "/dashboard"
    return RedirectResponse(f"/login?next={quote(following)}", status_code=303)
