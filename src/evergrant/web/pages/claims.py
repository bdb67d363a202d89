"""Authorizations without an owner: how one came out for the browser that brought it, how staff claim it, and the list."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from evergrant.actions import claim as claiming
from evergrant.actions.reading import Merchant, Person
from evergrant.core import errors
from evergrant.core.app import WALL
from evergrant.core.claim import Claim, Stage
from evergrant.core.secret import Secret
from evergrant.web import access, arrivals, look, outcomes, problems, words
from evergrant.web.desk import Desk
from evergrant.web.given import Text

router = APIRouter(include_in_schema=False)

Reader = Annotated[Person, Depends(access.person_of)]
Actor = Annotated[Person, Depends(access.acting_person)]
SHOWN = 200
LONGEST_PASSWORD = 1000
LOOK_AGAIN = timedelta(seconds=2)


@router.get("/claims")
async def everything(request: Request, person: Reader) -> Response:
    """What waits for an owner, and what can be done about each."""
    desk = access.desk_of(request)
    found = await desk.claims.page(person.tenant_id, after="", limit=SHOWN)
    brought = await desk.claims.brought(person.tenant_id, arrivals.proofs_of(request, desk))
    apps = {app.id: app.name for app in await desk.apps.of(person.tenant_id)}
    names = {known.id: _names(known) for known in found}
    now = await desk.ports.clock.now(WALL)
    context = look.signed_in(request, person, claims=found, brought=brought, apps=apps, names=names, now=now)
    return look.page(request, "claims.html", context)


@router.get("/claims/{claim_id}")
async def show(claim_id: str, request: Request) -> Response:
    """How it came out, for the browser that brought it; where it waits, the first of two steps to claim it."""
    desk = access.desk_of(request)
    known = await desk.claims.of_browser(claim_id, arrivals.proofs_of(request, desk))
    desk.walls.enter(known.tenant_id)
    if known.stage in (Stage.ARRIVING, Stage.ADOPTED, Stage.FAILED):
        return await _came_out(request, desk, known)
    app = await desk.apps.by_id(known.app_id)
    browser = request.cookies.get(desk.cookie(arrivals.cookie_name(known.id)))
    if known.stage is Stage.WAITING and app.claim_url in desk.return_urls and browser:
        joint = "&" if "?" in app.claim_url else "?"
        token = arrivals.token_of(Secret(browser)).reveal()
        return RedirectResponse(f"{app.claim_url}{joint}claim={known.id}&claim_token={token}", status_code=303)
    person = await access.person_of(request)
    _of_theirs(known, person)
    return await _choice(request, desk, known, person)


@router.get("/claims/{claim_id}/confirm")
async def confirm(
    claim_id: str, request: Request, person: Reader, merchant_id: str = "", new_merchant: str = ""
) -> Response:
    """The second step: what is about to happen, in a sentence. Nothing is changed before its button is pressed."""
    desk = access.desk_of(request)
    known = await desk.claims.of_browser(claim_id, arrivals.proofs_of(request, desk))
    _of_theirs(known, person)
    if not merchant_id and not new_merchant.strip():
        return await _choice(request, desk, known, person, missing=True)
    customer = await _customer(desk, person, merchant_id, new_merchant)
    return await _confirmation(request, desk, known, person, customer, new_merchant=new_merchant.strip())


@router.post("/claims/{claim_id}")
async def take(
    claim_id: str,
    request: Request,
    person: Reader,
    workspace: Annotated[Text, Form()] = "",
    merchant_id: Annotated[Text, Form()] = "",
    new_merchant: Annotated[Text, Form(max_length=200)] = "",
    password: Annotated[Text, Form()] = "",
) -> Response:
    """Claim it: by the browser that brought it, for the workspace the page named, by somebody who is there just now."""
    desk = access.desk_of(request)
    known = await desk.claims.of_browser(claim_id, arrivals.proofs_of(request, desk))
    _of_theirs(known, person, named=workspace)
    await access.acting_person(request)
    login = Secret(request.cookies[desk.cookie(access.LOGIN_COOKIE)])
    customer = await _customer(desk, person, merchant_id, new_merchant)
    if not await desk.people.is_confirmed(login):
        failed = await _unconfirmed(request, desk, person, login, password)
        if failed or not password:
            return await _confirmation(request, desk, known, person, customer, new_merchant=new_merchant, failed=failed)
    if new_merchant.strip():
        await desk.merchants.add(customer)
    connection_id = await claiming.take(known, customer.id, actor=person.id, ports=desk.ports)
    return RedirectResponse(f"/connections/{connection_id}", status_code=303)


async def _unconfirmed(
    request: Request, desk: Desk, person: Person, login: Secret, password: str
) -> errors.EvergrantError | None:
    """What is wrong with the password that was entered, if one was and something is."""
    given, whence = Secret(password[:LONGEST_PASSWORD]), access.whence_of(request)
    try:
        if not password or await desk.people.confirm(person, login, given, whence):
            return None
    except (errors.TooManyTriesError, errors.PasswordsBusyError) as error:
        return error
    return problems.LoginFailedError("This is not your password. Enter it once more.")


@router.post("/claims/{claim_id}/dismiss")
async def dismiss(claim_id: str, request: Request, person: Actor) -> Response:
    """Destroy what waits."""
    desk = access.desk_of(request)
    known = await desk.claims.find(person.tenant_id, claim_id)
    await claiming.dismiss(known, actor=person.id, ports=desk.ports)
    return RedirectResponse("/claims", status_code=303)


def _of_theirs(known: Claim, person: Person, *, named: str | None = None) -> None:
    """Raises ClaimElsewhereError unless it is this person's workspace that gets it, and that the page named.

    Raises:
        ClaimError: it waits no more.
    """
    if person.tenant_id != known.tenant_id or named not in (None, known.tenant_id):
        raise errors.ClaimElsewhereError
    refusal = known.refusal()
    if refusal:
        raise refusal


async def _customer(desk: Desk, person: Person, merchant_id: str, new_merchant: str) -> Merchant:
    """Whoever was chosen; a new one is not kept yet."""
    name = new_merchant.strip()
    if not name:
        return await desk.merchants.find(person.tenant_id, merchant_id)
    made = desk.ports.dice.identifier("mer")
    return Merchant(tenant_id=person.tenant_id, id=made, external_id=made, name=name, email="", locale=words.LOCALE)


async def _came_out(request: Request, desk: Desk, known: Claim) -> Response:
    """A page for who brought it, logged in or not, while nobody has to claim it."""
    match known.stage:
        case Stage.ADOPTED:
            assert known.connection_id is not None
            found = await desk.connections.listed(known.tenant_id, known.connection_id)
            told = outcomes.of_connection(found, renewed=True)
            return look.page(request, "arrival.html", {"told": told})
        case Stage.FAILED:
            told = outcomes.failed(known.reason or errors.EvergrantError.code)
            status, headers = problems.STATUSES.get(told.code, 500), {"x-error-code": told.code}
            return look.page(request, "arrival.html", {"told": told}, status=status, headers=headers)
        case _:
            headers = {"refresh": str(int(LOOK_AGAIN.total_seconds()))}
            return look.page(request, "arrival.html", {"told": outcomes.FINISHING}, status=202, headers=headers)


async def _choice(request: Request, desk: Desk, known: Claim, person: Person, *, missing: bool = False) -> Response:
    refusal = known.refusal()
    if refusal:
        raise refusal
    merchants = await desk.merchants.page(person.tenant_id, after="", limit=SHOWN)
    context = {"merchants": merchants, "missing": missing, **await _facts(desk, known)}
    status, headers = (422, {"x-error-code": errors.InvalidRequestError.code}) if missing else (200, {})
    return look.page(request, "claim.html", look.signed_in(request, person, **context), status=status, headers=headers)


async def _confirmation(
    request: Request,
    desk: Desk,
    known: Claim,
    person: Person,
    customer: Merchant,
    *,
    new_merchant: str,
    failed: errors.EvergrantError | None = None,
) -> Response:
    login = Secret(request.cookies[desk.cookie(access.LOGIN_COOKIE)])
    context = {
        "customer": customer,
        "new_merchant": new_merchant,
        "asks_password": not await desk.people.is_confirmed(login),
        "failed": failed,
        **await _facts(desk, known),
    }
    status = problems.status_of(failed) if failed else 200
    headers = problems.headers_of(failed) if failed else {}
    page = look.signed_in(request, person, **context)
    return look.page(request, "claim_confirm.html", page, status=status, headers=headers)


async def _facts(desk: Desk, known: Claim) -> dict[str, Any]:
    return {
        "claim": known,
        "app": await desk.apps.by_id(known.app_id),
        "names": _names(known),
        "now": await desk.ports.clock.now(WALL),
    }


def _names(known: Claim) -> list[str]:
    return [shop.name or shop.id for shop in known.shops]
