"""Webhook Log: every notice to the developer's apps, with its attempts, the last answer, and when it is tried again."""

import json
from dataclasses import dataclass
from enum import StrEnum

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox.book import sellers, sent_notices
from evergrant_sandbox.book.sent_notices import Sent
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.partner_center import sample_notices
from evergrant_sandbox.partner_center.desk import Desk, at_desk, missing
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import topics
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.seller import Shop

PATH = "/partner/webhook-log"

_PAGE = 25
_LARGEST = 2**62


class State(StrEnum):
    """Where a notice stands, in the words of the page."""

    WAITING = "Waiting"
    RETRYING = "Retrying"
    DELIVERED = "Delivered"
    DROPPED = "Dropped"


# Which colour a state has.
_BADGES = {
    State.WAITING: "unknown",
    State.RETRYING: "expired",
    State.DELIVERED: "active",
    State.DROPPED: "cancelled",
}
# What the courier notes where no receiver answered, in words.
_ANSWERS = {
    "": "none yet",
    "timeout": "no answer within 3 seconds",
    "unreachable": "not reachable",
    "assumed_silent": "not asked again while the clock was turned",
    "dropped_by_fault": "lost on the way by a fault",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One notice as the page shows it."""

    sent: Sent
    app: App
    shop: Shop | None
    topic: str
    at: int
    state: State
    badge: str
    answer: str
    body: str


class WebhookLog:
    """The log."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        return [at_desk(self._platform, self._pages, PATH, ("GET",), self.show)]

    async def show(self, desk: Desk) -> Response:
        """One page of it, the newest first."""
        given, mine = desk.door.request.query_params, {app.key: app for app in desk.apps()}
        chosen, topic = given.get("app", ""), given.get("topic", "")
        if chosen and chosen not in mine:
            raise missing()
        found = sent_notices.of_apps(
            self._platform.book,
            keys=(chosen,) if chosen else tuple(mine),
            kind=_number(topic),
            before=_number(given.get("before", "")) or _LARGEST,
            limit=_PAGE + 1,
        )
        return desk.page(
            "partner_center/webhook_log.html",
            lines=[self._line(sent, mine[sent.app_key]) for sent in found[:_PAGE]],
            older=found[_PAGE - 1].n if len(found) > _PAGE else None,
            is_first="before" not in given,
            apps=list(mine.values()),
            topics=list(topics.TOPICS.values()),
            chosen=chosen,
            topic=topic,
            shops=sample_notices.shops_of(desk),
            said="The test notification is on its way." if given.get("done") == "sent" else "",
        )

    def _line(self, sent: Sent, app: App) -> Line:
        state = _state(sent)
        envelope = json.loads(sent.body)
        return Line(
            sent=sent,
            app=app,
            shop=sellers.shop(self._platform.book, sent.shop_id),
            topic=topics.name_of(sent.type),
            at=envelope["timestamp"],
            state=state,
            badge=_BADGES[state],
            answer=_ANSWERS.get(sent.answer, sent.answer),
            body=json.dumps(envelope, indent=2, ensure_ascii=False),
        )


def _state(sent: Sent) -> State:
    if sent.next_at is not None:
        return State.RETRYING if sent.attempts else State.WAITING
    return State.DELIVERED if sent.answer == "200" else State.DROPPED


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
