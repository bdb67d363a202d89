"""From a page of the team's to the platform's consent: in the same tab, or in the window a script has opened."""

from datetime import datetime

from fastapi import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from evergrant.actions import connect
from evergrant.actions.reading import Listed, Person
from evergrant.core import cure
from evergrant.core.errors import NotFoundError
from evergrant.core.link import DASHBOARD_LINK, Mode, Purpose
from evergrant.web import outcomes
from evergrant.web.desk import Desk


def wanted(
    person: Person,
    merchant_id: str,
    app_id: str,
    mode: Mode,
    purpose: Purpose,
    connection_id: str | None,
    *,
    return_to: str = "/dashboard",
) -> connect.Wanted:
    """A link for whoever is logged in, to be used at once."""
    return connect.Wanted(
        tenant_id=person.tenant_id,
        merchant_id=merchant_id,
        app_id=app_id,
        purpose=purpose,
        connection_id=connection_id,
        mode=mode,
        return_to=return_to,
        life=DASHBOARD_LINK,
        created_by=person.id,
    )


def renewal(
    person: Person, found: Listed, now: datetime, mode: Mode, *, return_to: str = "/dashboard"
) -> connect.Wanted:
    """A link that renews a connection, for what it needs just now."""
    known = found.connection
    cause = cure.reauthorization(known.authorization, required=found.required_scopes, now=now)
    purpose = cure.REAUTHORIZES[cause] if cause else Purpose.RENEW
    return wanted(person, known.merchant_id, known.app_id, mode, purpose, known.id, return_to=return_to)


async def leave(request: Request, desk: Desk, asked: connect.Wanted) -> Response:
    """Send the browser to the platform. A script gets the address instead, for the window it has opened."""
    session, _handle = await connect.invite(asked, desk.ports)
    departure = await connect.leave(session, desk.ports)
    answer: Response
    if for_script(request):
        content = {"link_session_id": session.id, "consent_url": departure.consent_url}
        answer = JSONResponse(content, headers={"cache-control": "no-store"})
    else:
        answer = RedirectResponse(departure.consent_url, status_code=303)
    outcomes.bind(answer, desk, departure)
    return answer


def elsewhere(request: Request, path: str) -> Response:
    """No consent is needed: on to a page of ours, by whichever way the browser came."""
    if for_script(request):
        return JSONResponse({"next": path}, headers={"cache-control": "no-store"})
    return RedirectResponse(path, status_code=303)


def for_script(request: Request) -> bool:
    """Whether a script asks, which has opened a window."""
    return "application/json" in request.headers.get("accept", "")


async def told(desk: Desk, person: Person, session_id: str | None) -> outcomes.Told | None:
    """How a link came out, for who comes back without JavaScript; None for a link that is none of theirs."""
    if session_id is None:
        return None
    try:
        return await outcomes.told(await desk.links.find(person.tenant_id, session_id), desk)
    except NotFoundError:
        return None
