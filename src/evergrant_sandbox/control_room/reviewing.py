"""The review queue: apps that wait for the platform's verdict, which here is yours."""

from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox.book import apps, developers, reviews
from evergrant_sandbox.book.reviews import Past
from evergrant_sandbox.control_room import desk
from evergrant_sandbox.pages.door import Door, RefusedError
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import review
from evergrant_sandbox.world.app import App, Stage
from evergrant_sandbox.world.review import LONGEST_REASON, OutOfTurnError

_PATH = "/control/reviews"
_MOST_REASONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """An app that waits, whose it is, what is looked at, and what happened before."""

    app: App
    company: str
    parts: tuple[str, ...]
    past: list[Past]


class Reviewing:
    """The queue and the verdicts."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = ((_PATH, "GET", self.show), (f"{_PATH}/{{key}}/{{verdict}}", "POST", self.decide))
        return [desk.control(self._platform, self._pages, *entry) for entry in table]

    async def show(self, door: Door) -> Response:
        """All that wait."""
        book = self._platform.book
        makers = {maker.id: maker.company for maker in developers.everyone(book)}
        waiting = [
            Submitted(
                app=app,
                company=makers.get(app.developer_id, ""),
                parts=review.parts(app, authorizations=self._platform.reviewer.authorizations(app, now=door.now)),
                past=reviews.of_app(book, app.key),
            )
            for app in apps.everyone(book)
            if app.stage is Stage.IN_REVIEW
        ]
        return desk.show(door, "reviews.html", waiting=waiting)

    async def decide(self, door: Door) -> Response:
        """Approve, or refuse with reasons."""
        fields = await door.browser.form()
        app = apps.find(self._platform.book, door.request.path_params["key"])
        if app is None:
            raise RefusedError("unknown_app", "There is no such app", "Go back and reload.", status=404)
        door.entry.app_key = app.key
        reviewer, verdict = self._platform.reviewer, door.request.path_params["verdict"]
        try:
            match verdict:
                case "approve":
                    reviewer.approve(app, now=door.now)
                case "refuse":
                    reviewer.refuse(app, _reasons(fields.get("reasons", "")), now=door.now)
                case _:
                    raise RefusedError("unknown_verdict", "There is no such verdict", "Go back and reload.", status=404)
        except OutOfTurnError as error:
            raise RefusedError("not_in_review", "It was decided already", f"{error}.", status=409) from error
        return desk.back(_PATH, verdict)


def _reasons(text: str) -> tuple[str, ...]:
    """One a line.

    Raises:
        RefusedError: there is none, or more or longer ones than its maker could be shown.
    """
    given = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not given or len(given) > _MOST_REASONS or any(len(each) > LONGEST_REASON for each in given):
        raise RefusedError(
            "invalid_reasons",
            "The app was not refused",
            f"Give its maker a reason a line: up to {_MOST_REASONS}, each up to {LONGEST_REASON} characters.",
            status=422,
        )
    return given
