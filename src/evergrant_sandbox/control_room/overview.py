"""The control room's first page: the clock and how to turn it, what falls due, and what was seen last."""

from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.book import ahead, grants, log, notices
from evergrant_sandbox.book.ahead import Ahead, Sort
from evergrant_sandbox.clock import DAY, HOUR, checked, read_instant
from evergrant_sandbox.control_room import desk
from evergrant_sandbox.control_room.calls import KINDS, SEARCHED
from evergrant_sandbox.control_room.desk import Names
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.pages.rendering import Pages, roughly
from evergrant_sandbox.platform import Platform

_STEPS = {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 30 * DAY}
_NOTICE_LEAD = 30 * DAY
_DUE_SHOWN = 12
_CALLS_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that falls due, in words."""

    at: int
    what: str
    about: str
    grant_id: int | None


class Overview:
    """Clock, what falls due, what was seen."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (("/control", "GET", self.show), ("/control/clock", "POST", self.turn))
        return [desk.control(self._platform, self._pages, *entry) for entry in table]

    async def show(self, door: Door) -> Response:
        """The page."""
        book, offset = self._platform.book, round(self._platform.clock.offset)
        names = Names(book)
        due = [_in_words(each, names) for each in ahead.upcoming(book, now=door.now, limit=_DUE_SHOWN)]
        latest = log.Filter(kinds=KINDS, after=log.last(book) - SEARCHED, before=log.last(book) + 1, limit=_CALLS_SHOWN)
        return desk.show(
            door,
            "overview.html",
            offset=offset,
            offset_words=roughly(abs(offset)),
            due=due,
            steps=_steps(),
            jumps=self._jumps(door.now),
            calls=log.read(book, latest)[::-1],
            names=names,
            counts=self._counts(),
        )

    async def turn(self, door: Door) -> Response:
        """Turn the clock on, by a step, to what falls due, or to an instant."""
        fields = await door.browser.form()
        try:
            await self._platform.agenda.turn_to(self._wanted(fields, door.now))
        except ValueError as error:
            raise RefusedError(
                "invalid_time", "The clock was not turned", f"{str(error).capitalize()}.", status=422
            ) from error
        return desk.back("/control", "turn")

    def _wanted(self, fields: dict[str, str], now: int) -> int:
        by = fields.get("by", "")
        if by in _STEPS:
            return checked(now + _STEPS[by])
        if by == "instant":
            return max(now, checked(desk.number(fields.get("at")) or 0))
        if by == "moment":
            return read_instant(fields.get("to", "") + "Z")
        jump = self._jumps(now).get(by)
        if jump is None:
            raise ValueError("there is no such moment: nothing is due")
        return checked(max(now, jump[1]))

    def _jumps(self, now: int) -> dict[str, tuple[str, int]]:
        """Moments worth turning to: their labels, and when they are."""
        book = self._platform.book
        due = ahead.upcoming(book, now=now, limit=1)
        early, end = ahead.next_end(book, after=now + _NOTICE_LEAD), ahead.next_end(book, after=now)
        moments = {
            "next": ("To the next thing due", due[0].at if due else None),
            "before_end": ("To 30 days before the next end", early - _NOTICE_LEAD if early else None),
            "end": ("To the next end", end),
        }
        return {by: (label, at) for by, (label, at) in moments.items() if at is not None}

    def _counts(self) -> dict[str, int]:
        platform = self._platform
        turned = [each for each in switches.SWITCHES.values() if platform.switches.of(each) != each.default]
        faults = [fault for fault in platform.faults if not fault.is_over]
        return {
            "grants": grants.count(platform.book),
            "waiting": len(notices.waiting(platform.book, 1000)),
            "faults": len(faults),
            "held": sum(len(fault.waiting) for fault in faults),
            "switches": len(turned),
        }


def _steps() -> list[tuple[str, str]]:
    labels = {"hour": "+1 hour", "day": "+1 day", "week": "+7 days", "month": "+30 days"}
    return [(by, labels[by]) for by in _STEPS]


def _in_words(each: Ahead, names: Names) -> Due:
    if each.notice is not None:
        what = f"Notice {each.notice.type} to {names.app(each.notice.app_key)}, attempt {each.notice.attempts + 1}"
        return Due(at=each.at, what=what, about=each.notice.url, grant_id=each.notice.grant_id)
    if each.grant is None:
        return Due(at=each.at, what=each.sort, about="", grant_id=None)
    app, shops = names.app(each.grant.app_key), names.shops(each.grant)
    what = f"Notice 7 to {app}: ends soon" if each.sort is Sort.WARNING else f"The authorization of {app} ends"
    return Due(at=each.at, what=what, about=shops, grant_id=each.grant.id)
