"""The Connectors: each connection with its flows, when they run next, and the way to connect it to TikTok again."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from evergrant.actions import steer
from evergrant.actions.reading import Filter, Person
from evergrant.core.errors import NotFoundError
from evergrant.core.link import Mode
from evergrant.web import access, cards, connectors, departures, look
from evergrant.web.desk import Desk
from evergrant.web.given import Text

router = APIRouter(include_in_schema=False)

Reader = Annotated[Person, Depends(access.person_of)]
Watcher = Annotated[Person, Depends(access.watching_person)]
Actor = Annotated[Person, Depends(access.acting_person)]
SHOWN = 200

DONE = {
    "sync": "Evergrant is polling now. What comes is counted below by itself.",
    "connect": "Fresh credentials are asked for, and every flow is polled. What comes of it is shown below by itself.",
}
"""What a button has done, as it is told on the page it leads back to."""


@router.get("/connectors")
async def show(request: Request, person: Reader) -> Response:
    """The page. With `?link=` it says how that link came out, with `?done=` and `?of=` what a button did."""
    desk = access.desk_of(request)
    told = await departures.told(desk, person, access.once(request, "link"))
    done = await _done(desk, person, access.once(request, "done") or "", access.once(request, "of") or "")
    context = look.signed_in(request, person, told=told, done=done, **await _connectors(desk, person))
    headers = {"cross-origin-opener-policy": "same-origin-allow-popups"}
    return look.page(request, "connectors.html", context, headers=headers)


@router.get("/connectors/state")
async def state(request: Request, person: Watcher) -> Response:
    """The connectors alone, for a page that is open."""
    desk = access.desk_of(request)
    return look.page(request, "_connectors.html", look.signed_in(request, person, **await _connectors(desk, person)))


@router.post("/connectors/{connection_id}/sync")
async def sync_now(connection_id: str, request: Request, person: Actor) -> Response:
    """Poll every flow now."""
    await steer.sync_now(person.tenant_id, connection_id, access.desk_of(request).ports)
    return RedirectResponse(f"/connectors?done=sync&of={connection_id}#{connection_id}", status_code=303)


@router.post("/connectors/{connection_id}/connect")
async def connect(
    connection_id: str, request: Request, person: Actor, mode: Annotated[Text, Form()] = Mode.REDIRECT.value
) -> Response:
    """Connect to TikTok: refresh what lives from our side; what does not live leads to the seller's consent."""
    desk = access.desk_of(request)
    found = await desk.connections.listed(person.tenant_id, connection_id)
    if await steer.take_up(person.tenant_id, connection_id, desk.ports):
        return departures.elsewhere(request, f"/connectors?done=connect&of={connection_id}#{connection_id}")
    now = await desk.ports.clock.now(found.connection.clock)
    card = cards.card(found, now)
    if card.need is not None and card.need.href:
        return departures.elsewhere(request, card.need.href)
    wanted = Mode.POPUP if mode == Mode.POPUP.value else Mode.REDIRECT
    return await departures.leave(
        request, desk, departures.renewal(person, found, now, wanted, return_to="/connectors")
    )


async def _done(desk: Desk, person: Person, what: str, connection_id: str) -> tuple[str, str] | None:
    if what not in DONE:
        return None
    try:
        return cards.title(await desk.connections.listed(person.tenant_id, connection_id)), DONE[what]
    except NotFoundError:
        return None


async def _connectors(desk: Desk, person: Person) -> dict[str, Any]:
    found = await desk.connections.page(person.tenant_id, Filter(limit=SHOWN))
    shown = await connectors.of(desk, person.tenant_id, found)
    return {"connectors": connectors.in_order(shown), "apps": await desk.apps.of(person.tenant_id)}
