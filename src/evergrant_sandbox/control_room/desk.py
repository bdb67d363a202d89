"""How every page of the control room is entered: from this machine only, its forms from its own pages only."""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox import origin
from evergrant_sandbox.book import apps, sellers
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.origin import ForeignCallError
from evergrant_sandbox.pages.door import Door, RefusedError, Visited, visit
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.grant import Grant


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation."""

    path: str
    label: str
    icon: str


SECTIONS = (
    Section("/control", "Overview", "layout-dashboard"),
    Section("/control/calls", "Calls and notices", "history"),
    Section("/control/grants", "Authorizations", "key"),
    Section("/control/faults", "Break things", "bug"),
    Section("/control/switches", "Switches", "adjustments-horizontal"),
    Section("/control/world", "Apps, sellers, reset", "world"),
)

# What a page says after one of its forms was used.
_SAID = {
    "turn": "The clock was turned. What fell due on the way has happened.",
    "cancel": "The authorization was cancelled.",
    "deactivate": "The authorization was deactivated.",
    "renew": "The authorization was renewed.",
    "set": "It is set. The next call it fits is hit.",
    "release": "What was held goes on.",
    "cut": "The connections of what was held were cut.",
    "remove": "It was removed; what it held goes on.",
    "clear": "All were removed; what they held goes on.",
    "switch": "The switch was turned.",
    "rotation": "The app's tokens behave like that from the next refresh on.",
    "orders": "The orders came in. Apps that listen are told.",
    "reset": "A new world has begun.",
}

_LONGEST = 18


def control(platform: Platform, pages: Pages, path: str, method: str, visited: Visited) -> Route:
    """A route to a page of the control room."""

    async def entered(door: Door) -> Response:
        try:
            look = origin.check_machine if method == "GET" else origin.check
            look(door.request)
        except ForeignCallError as error:
            raise RefusedError(error.code, "Not from here", str(error)) from error
        return await visited(door)

    return visit(platform, pages, path, (method,), entered)


def show(door: Door, template: str, *, status: int = 200, leads_to: Iterable[str] = (), **what: object) -> Response:
    """A page of the control room, with its navigation and what was done before."""
    return door.page(
        f"control_room/{template}",
        status=status,
        leads_to=tuple(leads_to),
        sections=SECTIONS,
        path=door.request.url.path,
        said=_SAID.get(door.request.query_params.get("done", ""), ""),
        **what,
    )


def back(path: str, done: str) -> Response:
    """Back to a page, which says what was done."""
    return RedirectResponse(f"{path}?done={done}", 303)


def number(text: str | None) -> int | None:
    """A number somebody typed or a link carries; None if it is none the book could hold."""
    given = (text or "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) <= _LONGEST else None


def asked_number(request: Request, name: str) -> int | None:
    """A number in the query."""
    return number(request.query_params.get(name))


class Names:
    """What apps and authorizations are called on a page."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._apps = {app.key: app.name for app in apps.everyone(book)}

    def app(self, key: str) -> str:
        """An app's name, or its key if nobody knows it."""
        return self._apps.get(key, key)

    def shops(self, grant: Grant) -> str:
        """The shops an authorization covers, or its seller where they are many."""
        covered = sellers.shops_covered(self._book, seller_id=grant.seller_id, shop_id=grant.shop_id)
        return ", ".join(shop.name for shop in covered) or grant.seller_id
