"""What a seller sees: the hosted link, the way back from the platform, and how it came out."""

from contextlib import suppress
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from evergrant.actions import connect
from evergrant.core import errors, mixup
from evergrant.core.link import Callback, Mode
from evergrant.core.secret import Secret
from evergrant.web import access, arrivals, look, outcomes, problems
from evergrant.web.desk import Desk

router = APIRouter(include_in_schema=False)

NO_CODE = frozenset({"", "null"})
""""`?code=null&error=auth_denied` (literal string `null`)" (wire sheet 1.4, official)."""

LOOK_AGAIN = timedelta(seconds=2)


@router.get("/l/{handle}")
async def hosted(handle: str, request: Request) -> Response:
    """The hosted link: a page with a button. Opening it uses nothing up, since scanners open links in mails."""
    desk = access.desk_of(request)
    session = await desk.links.by_handle(Secret(handle))
    desk.walls.enter(session.tenant_id)
    visit = access.visit_of(request, desk)
    app = await desk.apps.by_id(session.app_id)
    merchant = await desk.merchants.find(session.tenant_id, session.merchant_id)
    shops = []
    if session.connection_id is not None:
        known = await desk.connections.listed(session.tenant_id, session.connection_id)
        shops = [shop.name or shop.id for shop in known.connection.shops]
    context = {"session": session, "app": app, "merchant": merchant, "shops": shops, "csrf": access.csrf_of(visit)}
    answer = look.page(request, "link.html", context)
    access.set_cookie(answer, desk, access.VISIT_COOKIE, visit)
    return answer


@router.post("/l/{handle}")
async def depart(handle: str, request: Request) -> Response:
    """The button of the hosted link: on to the platform."""
    await access.check_csrf(request, access.VISIT_COOKIE)
    desk = access.desk_of(request)
    session = await desk.links.by_handle(Secret(handle))
    desk.walls.enter(session.tenant_id)
    carried = request.cookies.get(desk.cookie(outcomes.binding_name(session.id)))
    departure = await connect.leave(session, desk.ports, Secret(carried) if carried else None)
    answer = RedirectResponse(departure.consent_url, status_code=303)
    outcomes.bind(answer, desk, departure)
    return answer


@router.get("/cb/{provider}/{app_id}")
async def come_back(provider: str, app_id: str, request: Request) -> Response:
    """Where the platform sends the seller back: spend the state, finish, and show how it came out.

    The code leaves the address bar at once: every way out is a redirect to a page without it, or a page that names it
    nowhere.
    """
    desk = access.desk_of(request)
    app = await desk.apps.by_id(app_id)
    if app.provider != provider or not mixup.is_for(app, request.query_params.multi_items()):
        raise errors.AppMismatchError
    desk.walls.enter(app.tenant_id)
    callback = _callback(request)
    if callback.state is None and callback.code is not None and callback.error is None:
        return await arrivals.arrived(callback.code, app, request)
    try:
        claimed = await connect.come_back(callback, app_id=app_id, browsers=_browsers(request, desk), ports=desk.ports)
    except errors.LinkError as error:
        if not error.session_id:
            raise
        return RedirectResponse(f"/done/{error.session_id}", status_code=303)
    with suppress(errors.PlatformError, errors.LinkError):  # the session says how it came out; a worker goes on
        await connect.finish(claimed, desk.ports)
    return RedirectResponse(f"/done/{claimed.session_id}", status_code=303)


@router.get("/done/{session_id}")
async def done(session_id: str, request: Request) -> Response:
    """How it came out, for the browser that left; a reload shows the same. A small window closes by itself."""
    desk = access.desk_of(request)
    browser = request.cookies.get(desk.cookie(outcomes.binding_name(session_id)), "")
    session = await desk.links.of_browser(session_id, Secret(browser))
    desk.walls.enter(session.tenant_id)
    told = await outcomes.told(session, desk)
    if told.succeeded and session.mode is Mode.REDIRECT and session.return_to:
        joint = "&" if "?" in session.return_to else "?"
        return RedirectResponse(f"{session.return_to}{joint}link={session.id}", status_code=303)
    headers = {"x-link-outcome": session.outcome or "open"}
    status = 200
    if told.code:
        headers |= {"x-error-code": told.code}
        status = problems.STATUSES.get(told.code, 500)
    elif told.open:
        headers |= {"refresh": str(int(LOOK_AGAIN.total_seconds()))}
        status = 202
    context = {"session": session, "told": told, "csrf": access.csrf_of(browser)}
    return look.page(request, "done.html", context, status=status, headers=headers)


@router.post("/done/{session_id}")
async def try_again(session_id: str, request: Request) -> Response:
    """Back to the platform by the same link, for the browser that chose the wrong thing there."""
    name = outcomes.binding_name(session_id)
    await access.check_csrf(request, name)
    desk = access.desk_of(request)
    browser = Secret(request.cookies[desk.cookie(name)])
    session = await desk.links.of_browser(session_id, browser)
    desk.walls.enter(session.tenant_id)
    departure = await connect.again(session, browser, desk.ports)
    answer = RedirectResponse(departure.consent_url, status_code=303)
    outcomes.bind(answer, desk, departure)
    return answer


def _callback(request: Request) -> Callback:
    code, state, error = (access.once(request, name) for name in ("code", "state", "error"))
    return Callback(
        code=None if code is None or code in NO_CODE else Secret(code),
        state=Secret(state) if state else None,
        error=error or None,
    )


def _browsers(request: Request, desk: Desk) -> list[Secret]:
    """Every binding this browser carries: one for each link it left through."""
    prefix = desk.cookie(outcomes.BINDING)
    return [Secret(value) for name, value in request.cookies.items() if name.startswith(prefix)]
