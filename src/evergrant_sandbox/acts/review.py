"""An app is submitted, ruled on and published, goes back to review when its listing is edited, or is deactivated for good."""

from dataclasses import dataclass, replace

from evergrant_sandbox import switches
from evergrant_sandbox.book import apps, grants, reviews
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.reviews import Past
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world import review
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.review import Criterion, Event


class UnmetError(Exception):
    """The app does not meet what it has to meet before anybody looks at it."""

    def __init__(self, unmet: tuple[Criterion, ...]) -> None:
        self.unmet = unmet
        super().__init__(" ".join(each.sentence for each in unmet))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """Moves apps through their review and writes down what happened."""

    book: Book
    switches: Switches

    def submit(self, app: App, *, now: int) -> App:
        """Its maker hands it in: it waits for a verdict, or is published if nobody has to look at it.

        Raises:
            UnmetError: naming everything it lacks.
            OutOfTurnError: it is in review already, or deactivated.
        """
        unmet = review.unmet(app)
        if unmet:
            raise UnmetError(unmet)
        if not self.must_look_at(app, now=now):
            return self._move(app, Event.ENROLLED, now=now)
        submitted = self._move(app, Event.SUBMITTED, now=now)
        if self.switches.of(switches.REVIEW_TAKES) == "at_once":
            return self.approve(submitted, now=now)
        return submitted

    def approve(self, app: App, *, now: int) -> App:
        """The platform approves: the app is published.

        Raises:
            OutOfTurnError: it is not in review.
        """
        return self._move(app, Event.APPROVED, now=now)

    def refuse(self, app: App, reasons: tuple[str, ...], *, now: int) -> App:
        """The platform refuses: the app is a draft again, and its maker reads why.

        Raises:
            OutOfTurnError: it is not in review.
        """
        return self._move(app, Event.REFUSED, reasons, now=now)

    def edited(self, app: App, *, now: int) -> App:
        """The listing of a published public app was changed: it goes back to review."""
        edited = self._move(app, Event.EDITED, now=now)
        if self.switches.of(switches.REVIEW_TAKES) == "at_once":
            return self.approve(edited, now=now)
        return edited

    def deactivate(self, app: App, *, now: int) -> App:
        """For good: "Apps cannot be deleted" (wire sheet 5.2). What its grants hold is left as it is.

        Raises:
            OutOfTurnError: it is deactivated already.
        """
        return self._move(app, Event.DEACTIVATED, now=now)

    def must_look_at(self, app: App, *, now: int) -> bool:
        """Whether the app is one that is reviewed."""
        return review.needs_review(app, authorizations=self.authorizations(app, now=now))

    def is_full(self, app: App, *, seller_id: str, now: int) -> bool:
        """Whether an unapproved connector may not have another authorization; one that renews adds none."""
        most = int(self.switches.of(switches.CONNECTOR_BETA))
        # Asked with every consent: an app that may have any number is not counted.
        if not review.is_full(app, authorizations=most, most=most):
            return False
        mine = grants.of_seller(self.book, app_key=app.key, seller_id=seller_id)
        renews = any(grant.is_alive(now) for grant in mine)
        return not renews and review.is_full(app, authorizations=self.authorizations(app, now=now), most=most)

    def authorizations(self, app: App, *, now: int) -> int:
        """How many authorizations the app has that are not over."""
        return grants.count_alive(self.book, app_key=app.key, now=now)

    def _move(self, app: App, event: Event, reasons: tuple[str, ...] = (), *, now: int) -> App:
        moved = replace(app, stage=review.after(app.stage, event))
        with self.book.transaction():
            apps.keep(self.book, moved)
            reviews.note(self.book, Past(app_key=app.key, at=now, event=event, reasons=reasons))
        return moved
