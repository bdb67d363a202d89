"""Review: what an app has to meet, who looks at it, and how it moves between draft, in review and published (wire sheet 5.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.world.app import App, AppMarket, Category, Stage, Visibility

# "Custom apps need review at 25 or more seller authorizations." Wire sheet 5.2, captured 2025-12-03.
CUSTOM_APPS_MANY = 25
# Connectors "use the upcoming-expiration webhook to tell sellers" (SHOP-MAN-WHOOK).
WARNING_TOPIC = 7
LONGEST_REASON = 200


class Event(StrEnum):
    """What happens to an app on its way."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    # A custom app that needs no review passes its enrollment and is published.
    ENROLLED = "enrolled"
    # "Editing a live listing sends it back to review."
    EDITED = "edited"
    DEACTIVATED = "deactivated"


class OutOfTurnError(Exception):
    """Nothing of the kind can happen to an app that stands where this one stands."""


_MOVES = {
    (Stage.DRAFT, Event.SUBMITTED): Stage.IN_REVIEW,
    (Stage.DRAFT, Event.ENROLLED): Stage.PUBLISHED,
    (Stage.IN_REVIEW, Event.APPROVED): Stage.PUBLISHED,
    (Stage.IN_REVIEW, Event.REFUSED): Stage.DRAFT,
    (Stage.PUBLISHED, Event.EDITED): Stage.IN_REVIEW,
    # A custom app that has outgrown what goes without a review.
    (Stage.PUBLISHED, Event.SUBMITTED): Stage.IN_REVIEW,
    (Stage.DRAFT, Event.DEACTIVATED): Stage.DEACTIVATED,
    (Stage.IN_REVIEW, Event.DEACTIVATED): Stage.DEACTIVATED,
    (Stage.PUBLISHED, Event.DEACTIVATED): Stage.DEACTIVATED,
}


def after(stage: Stage, event: Event) -> Stage:
    """Where an app stands after something has happened to it.

    Raises:
        OutOfTurnError: that cannot happen to it now.
    """
    moved = _MOVES.get((stage, event))
    if moved is None:
        raise OutOfTurnError(f"the app is {stage.replace('_', ' ')}, so it cannot be {event}")
    return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """Something an app has to meet before anybody looks at it."""

    name: str
    title: str
    # What its maker reads when it is not met.
    sentence: str
    concerns: Callable[[App], bool]
    is_met: Callable[[App], bool]


CRITERIA = (
    Criterion(
        name="redirect_url",
        title="Redirect URL",
        sentence="Enable the API and enter the Redirect URL: sellers are sent there after they have authorized.",
        concerns=lambda _: True,
        is_met=lambda app: bool(app.redirect_urls),
    ),
    Criterion(
        name="scopes",
        title="At least one scope",
        sentence="Choose at least one scope: without any there is nothing to authorize.",
        concerns=lambda _: True,
        is_met=lambda app: bool(app.scopes),
    ),
    Criterion(
        name="about",
        title="Description for the App store",
        sentence="Say what the app does: a public app is listed in the App store, and sellers read it there.",
        concerns=lambda app: app.visibility is Visibility.PUBLIC,
        is_met=lambda app: bool(app.about.strip()),
    ),
    Criterion(
        name="warning_topic",
        title="Notices of upcoming authorization expiration",
        sentence="Enter a Webhook URL and subscribe to topic 7, Upcoming authorization expiration: a connector tells its"
        " sellers before their authorization ends (SHOP-MAN-WHOOK).",
        concerns=lambda app: app.category is Category.CONNECTOR,
        is_met=lambda app: bool(app.webhook_url) and WARNING_TOPIC in app.topics,
    ),
)


def concerning(app: App) -> tuple[Criterion, ...]:
    """What this app has to meet."""
    return tuple(each for each in CRITERIA if each.concerns(app))


def unmet(app: App) -> tuple[Criterion, ...]:
    """What this app does not meet."""
    return tuple(each for each in concerning(app) if not each.is_met(app))


def needs_review(app: App, *, authorizations: int) -> bool:
    """Whether somebody has to look at it: at every public app and connector, and at a custom app that many use."""
    return (
        app.visibility is Visibility.PUBLIC or app.category is Category.CONNECTOR or authorizations >= CUSTOM_APPS_MANY
    )


def has_outgrown(app: App, *, authorizations: int) -> bool:
    """Whether a custom app was published without a review and is now used by so many that it needs one."""
    goes_without = not needs_review(app, authorizations=0)
    return app.stage is Stage.PUBLISHED and goes_without and needs_review(app, authorizations=authorizations)


def parts(app: App, *, authorizations: int) -> tuple[str, ...]:
    """What the platform looks at, in the words of its pages; one verdict covers all of it here."""
    public = app.visibility is Visibility.PUBLIC
    reviewed = needs_review(app, authorizations=authorizations)
    market = app.market
    table = (
        ("Enrollment review", True),
        ("App review", reviewed),
        ("Listing review", public),
        ("US data security review", public and market in {AppMarket.US, AppMarket.ALL}),
        ("Beta test", app.category is Category.CONNECTOR and market is not AppMarket.REST),
    )
    return tuple(name for name, due in table if due)


def is_full(app: App, *, authorizations: int, most: int) -> bool:
    """Whether a connector that is not approved has all the authorizations it may have until then."""
    unapproved = app.stage in {Stage.DRAFT, Stage.IN_REVIEW}
    return app.category is Category.CONNECTOR and unapproved and authorizations >= most


def relists(before: App, changed: App) -> bool:
    """Whether a change is one to a live listing: what the App store shows of a public app."""
    if before.visibility is not Visibility.PUBLIC or before.stage is not Stage.PUBLISHED:
        return False
    return _listing(before) != _listing(changed)


def offers_link(app: App) -> bool:
    """Whether Partner Center offers "Copy authorization link": it "is missing while a custom app is a draft" (source G-2)."""
    return app.stage is Stage.PUBLISHED and bool(app.redirect_urls)


def _listing(app: App) -> tuple[object, ...]:
    return app.name, app.about, app.category, app.market, app.seller_types
