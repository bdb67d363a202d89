"""The Dashboard: every shop with both its clocks, what stops if nobody acts, and the way to renew."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from evergrant.actions.reading import Filter, Listed, Merchant, Person
from evergrant.core.errors import DatabaseUnavailableError, NotFoundError
from evergrant.core.link import Mode, Purpose
from evergrant.web import access, alarms, cards, connectors, departures, look, outcomes, words
from evergrant.web.desk import Desk
from evergrant.web.given import Text

router = APIRouter(include_in_schema=False)

Reader = Annotated[Person, Depends(access.person_of)]
Watcher = Annotated[Person, Depends(access.watching_person)]
Actor = Annotated[Person, Depends(access.acting_person)]
SHOWN = 200


@router.get("/dashboard")
async def show(request: Request, person: Reader) -> Response:
    """The Dashboard. With `?link=` it says how that link came out, for who comes back without JavaScript."""
    desk = access.desk_of(request)
    told = await departures.told(desk, person, access.once(request, "link"))
    context = look.signed_in(request, person, told=told, **await _shops(desk, person))
    return look.page(
        request, "dashboard.html", context, headers={"cross-origin-opener-policy": "same-origin-allow-popups"}
    )


@router.get("/dashboard/shops")
async def shops(request: Request, person: Watcher) -> Response:
    """The shops alone, for a page that is open."""
    desk = access.desk_of(request)
    return look.page(request, "_shops.html", look.signed_in(request, person, **await _shops(desk, person)))


@router.get("/dashboard/links/{session_id}")
async def link_outcome(session_id: str, request: Request, person: Watcher) -> Response:
    """How a link that was opened from here came out: rendered, with the outcome in a header for the script."""
    desk = access.desk_of(request)
    session = await desk.links.find(person.tenant_id, session_id)
    told = await outcomes.told(session, desk)
    headers = {"x-link-outcome": session.outcome or "open"}
    return look.page(request, "_told.html", look.signed_in(request, person, told=told), headers=headers)


@router.post("/dashboard/renew")
async def renew(
    request: Request,
    person: Actor,
    connection_id: Annotated[Text, Form()],
    mode: Annotated[Mode, Form()] = Mode.REDIRECT,
) -> Response:
    """Make a renewal link for one connection, and send this browser straight on to the platform."""
    desk = access.desk_of(request)
    found = await desk.connections.listed(person.tenant_id, connection_id)
    now = await desk.ports.clock.now(found.connection.clock)
    return await departures.leave(request, desk, departures.renewal(person, found, now, mode))


@router.get("/connect")
async def show_connect(request: Request, person: Reader, merchant_id: str = "") -> Response:
    """The form that connects a shop; with a customer chosen already where a page leads here for one."""
    desk = access.desk_of(request)
    context = {
        "apps": await desk.apps.of(person.tenant_id),
        "merchants": await desk.merchants.page(person.tenant_id, after="", limit=SHOWN),
        "chosen": merchant_id,
    }
    return look.page(request, "connect.html", look.signed_in(request, person, **context))


@router.post("/connect")
async def connect_shop(
    request: Request,
    person: Actor,
    app_id: Annotated[Text, Form()],
    merchant_id: Annotated[Text, Form()] = "",
    new_merchant: Annotated[Text, Form(max_length=200)] = "",
    mode: Annotated[Mode, Form()] = Mode.REDIRECT,
) -> Response:
    """Make a link for a customer, new or known, and send this browser straight on to the platform."""
    desk = access.desk_of(request)
    if app_id not in {app.id for app in await desk.apps.of(person.tenant_id)}:
        raise NotFoundError("There is no such app.")
    if new_merchant.strip():
        merchant = await desk.merchants.add(_merchant(person, new_merchant.strip(), desk))
    else:
        merchant = await desk.merchants.find(person.tenant_id, merchant_id)
    return await departures.leave(
        request, desk, departures.wanted(person, merchant.id, app_id, mode, Purpose.LINK, None)
    )


@router.get("/live")
async def live(request: Request, person: Watcher) -> Response:
    """Server-sent events: `changed`, whenever something of the tenant's changed; until the login ends."""
    desk = access.desk_of(request)

    async def stream() -> AsyncIterator[ServerSentEvent]:
        async for changed in desk.live.changes(person.tenant_id):
            if not changed and not await _is_still_here(request):
                return
            yield ServerSentEvent(event="changed" if changed else "beat", data="-")

    return EventSourceResponse(stream(), ping=60, headers={"cache-control": "no-store"})


async def _is_still_here(request: Request) -> bool:
    """Whether the login lasts. Without the database nobody knows, and nothing is told that could matter."""
    try:
        await access.watching_person(request)
    except access.LoginRequiredError:
        return False
    except DatabaseUnavailableError:
        return True
    return True


async def _shops(desk: Desk, person: Person) -> dict[str, Any]:
    found = await desk.connections.page(person.tenant_id, Filter(limit=SHOWN))
    shown = cards.in_order([cards.card(known, await _now(desk, known)) for known in found])
    behind = await connectors.of(desk, person.tenant_id, found)
    return {
        "cards": shown,
        "connectors": {each.id: each for each in behind},
        "summary": cards.summary(shown),
        "apps": await desk.apps.of(person.tenant_id),
        "alarms": await alarms.of(desk, person.tenant_id),
        "waiting": len(await desk.claims.page(person.tenant_id, after="", limit=SHOWN)),
        "held": await desk.recovery.held(person.tenant_id),
    }


async def _now(desk: Desk, known: Listed) -> datetime:
    return await desk.ports.clock.now(known.connection.clock)


def _merchant(person: Person, name: str, desk: Desk) -> Merchant:
    made = desk.ports.dice.identifier("mer")
    return Merchant(tenant_id=person.tenant_id, id=made, external_id=made, name=name, email="", locale=words.LOCALE)
