"""What the lists of Seller Center have in common: the status filter, and pages by the last row of the one before."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from evergrant_sandbox.book.goods import Page, Place
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.seller_center.desk import Desk

ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One status to filter by."""

    label: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What of a list is asked for, by its address."""

    path: str
    # None: all.
    status: str | None
    after: Place | None

    def tabs(self, labels: dict[str, str]) -> list[Tab]:
        """All, and one tab for each status."""
        statuses = [(None, "All"), *labels.items()]
        return [
            Tab(label=label, address=self._address(status=status), is_chosen=status == self.status)
            for status, label in statuses
        ]

    def first(self) -> str:
        """Where the list begins."""
        return self._address(status=self.status)

    def here(self) -> str:
        """Where the list is now."""
        return self._address(status=self.status, after=f"{self.after.value}.{self.after.id}" if self.after else None)

    def next(self, page: Page) -> str | None:
        """Where the list goes on; None at its end."""
        if page.next is None:
            return None
        return self._address(status=self.status, after=f"{page.next.value}.{page.next.id}")

    def _address(self, **query: str | None) -> str:
        text = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self.path}?{text}" if text else self.path


def read(desk: Desk, statuses: type[StrEnum]) -> Listing:
    """What is asked for.

    Raises:
        RefusedError: there is no such status, or the place is none.
    """
    query = desk.door.request.query_params
    status, after = query.get("status") or None, query.get("after") or None
    if status is not None and status not in set(statuses):
        raise RefusedError(
            "unknown_status", "There is no such status", "Choose one of the tabs of the list.", status=404
        )
    return Listing(path=desk.here.value, status=status, after=_place(after) if after else None)


def _place(given: str) -> Place:
    value, _, number = given.partition(".")
    if not (value.isascii() and value.isdigit() and len(value) <= 13 and number.isascii() and number.isdigit()):
        raise RefusedError("unknown_place", "The list has no such page", "Begin at the first page.", status=404)
    return Place(value=int(value), id=number)
