"""Who comes back without a state: the browser is given a secret of its own, and led to its claim.

Only what the browser that brought the code proves is ever believed of it, and that is only that it brought the code.
"""

import hashlib
from contextlib import suppress
from datetime import timedelta

from fastapi import Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from evergrant.actions import adopt
from evergrant.core import errors
from evergrant.core.app import App
from evergrant.core.link import Unasked
from evergrant.core.secret import Secret
from evergrant.web import access, outcomes
from evergrant.web.desk import Desk

COOKIE = "eg_claim_"
COOKIE_LIFE = timedelta(days=7)
"""At least as long as anything waits."""
MOST_COOKIES = 8
"""Of so many claims a browser keeps the proof; beyond, the oldest is forgotten. Any page can lead a browser here."""


async def arrived(code: Secret, app: App, request: Request) -> Response:
    """Keep the code, give the browser its cookie, and lead it to its claim; the code is exchanged behind its back.

    The cookie is there before anybody waits for the platform, so a reload meanwhile is still the same browser. The code
    leaves the address bar at once.

    Raises:
        StateMissingError: a picture or a frame of some page asked for this, and no person.
        StateUsedError: another browser brought the code before.
        TooManyArrivalsError: too many came within a minute. The address works again then.
    """
    if request.headers.get("sec-fetch-dest", "document") != "document":
        raise errors.StateMissingError
    desk = access.desk_of(request)
    known = await desk.claims.kept_as(app, code)
    carried = request.cookies.get(desk.cookie(cookie_name(known))) if known else None
    browser = Secret(carried) if carried else desk.ports.dice.secret()
    unasked = await adopt.arrive(code, app, token_of(browser), desk.ports)
    if unasked is None:
        return RedirectResponse(f"/claims/{known}", status_code=303)
    answer = RedirectResponse(f"/claims/{unasked.claim_id}", status_code=303)
    answer.background = BackgroundTask(_finish, unasked, desk)
    access.set_cookie(
        answer, desk, cookie_name(unasked.claim_id), browser.reveal(), seconds=int(COOKIE_LIFE.total_seconds())
    )
    first = desk.cookie(COOKIE)
    carried_before = [name for name in request.cookies if name.startswith(first)]  # browsers send the oldest first
    for name in carried_before[: -(MOST_COOKIES - 1)]:
        access.drop_cookie(answer, desk, f"{COOKIE}{name.removeprefix(first)}")
    return answer


def cookie_name(claim_id: str) -> str:
    """The cookie of one claim, so that several tabs do not disturb each other."""
    return f"{COOKIE}{claim_id.removeprefix('clm_')}"


def token_of(browser: Secret) -> Secret:
    """What a browser proves its claim with, here and where the vendor's own pages claim: made of the secret it carries,
    which cannot be found from it.
    """
    return Secret(hashlib.sha256(f"evergrant claim token|{browser.reveal()}".encode()).hexdigest())


def proofs_of(request: Request, desk: Desk) -> list[Secret]:
    """Everything this browser can prove: codes it brought without a state, and links it left through."""
    brought, left = desk.cookie(COOKIE), desk.cookie(outcomes.BINDING)
    found = [token_of(Secret(value)) for name, value in request.cookies.items() if name.startswith(brought)]
    return found + [Secret(value) for name, value in request.cookies.items() if name.startswith(left)]


async def _finish(unasked: Unasked, desk: Desk) -> None:
    with suppress(errors.PlatformError, errors.LinkError):  # the claim says how it came out; a worker goes on
        await adopt.finish(unasked, desk.ports)
