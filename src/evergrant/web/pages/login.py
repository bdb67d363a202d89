"""Logging in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from evergrant.core import errors
from evergrant.core.secret import Secret
from evergrant.web import access, look, problems
from evergrant.web.desk import is_own_path
from evergrant.web.given import Text

router = APIRouter(include_in_schema=False)

HOME = "/dashboard"
LONGEST_PASSWORD = 1000


@router.get("/")
async def home() -> Response:
    """The Dashboard is where everything begins."""
    return RedirectResponse(HOME, status_code=303)


@router.get("/login")
async def show(request: Request, following: Annotated[str, Query(alias="next")] = HOME) -> Response:
    """The login form."""
    return _form(request, following if is_own_path(following) else HOME)


@router.post("/login")
async def log_in(
    request: Request,
    email: Annotated[Text, Form()] = "",
    password: Annotated[Text, Form()] = "",
    following: Annotated[Text, Form(alias="next")] = HOME,
) -> Response:
    """Check address and password; begin a login under a fresh token."""
    await access.check_csrf(request, access.VISIT_COOKIE)
    desk = access.desk_of(request)
    following = following if is_own_path(following) else HOME
    whence = access.whence_of(request)
    try:
        person = await desk.people.by_password(email.strip(), Secret(password[:LONGEST_PASSWORD]), whence)
    except (errors.TooManyTriesError, errors.PasswordsBusyError) as error:
        return _form(request, following, email=email, failed=error)
    if person is None:
        return _form(request, following, email=email, failed=problems.LoginFailedError())
    token, browser = desk.ports.dice.secret(), whence.browser or desk.ports.dice.secret()
    earlier = request.cookies.get(desk.cookie(access.LOGIN_COOKIE))
    desk.walls.enter(person.tenant_id)
    await desk.people.log_in(person, token, browser=browser, instead_of=Secret(earlier) if earlier else None)
    answer = RedirectResponse(following, status_code=303)
    life = int(access.BROWSER_LIFE.total_seconds())
    access.set_cookie(answer, desk, access.BROWSER_COOKIE, browser.reveal(), seconds=life)
    access.set_cookie(answer, desk, access.LOGIN_COOKIE, token.reveal())
    access.drop_cookie(answer, desk, access.VISIT_COOKIE)
    return answer


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End the login."""
    await access.check_csrf(request, access.LOGIN_COOKIE)
    desk = access.desk_of(request)
    token = request.cookies.get(desk.cookie(access.LOGIN_COOKIE))
    if token:
        await desk.people.log_out(Secret(token))
    answer = RedirectResponse("/login", status_code=303)
    access.drop_cookie(answer, desk, access.LOGIN_COOKIE)
    return answer


def _form(
    request: Request, following: str, *, email: str = "", failed: errors.EvergrantError | None = None
) -> Response:
    desk = access.desk_of(request)
    visit = access.visit_of(request, desk)
    answer = look.page(
        request,
        "login.html",
        {"csrf": access.csrf_of(visit), "next": following, "email": email, "failed": failed},
        status=problems.status_of(failed) if failed else 200,
        headers=problems.headers_of(failed) if failed else None,
    )
    access.set_cookie(answer, desk, access.VISIT_COOKIE, visit)
    return answer
