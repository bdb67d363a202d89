"""The rows of "My apps and incidents": one per app and shop, with the state in plain words and what can be done about it."""

from dataclasses import dataclass

from evergrant_sandbox.book import apps, grants, sellers
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.consent import form as consent_form
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.seller_center.desk import Desk
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.eligibility import hindrance
from evergrant_sandbox.world.grant import EndedBy, Grant, Status
from evergrant_sandbox.world.roles import Deed, Page, may

MOST_ROWS = 200

_STOPPED = {
    EndedBy.DEVELOPER: ("Disconnected by the app", "The app gave the authorization back."),
    EndedBy.REFRESH_REUSE: (
        "Stopped",
        "The app used a refresh token twice, and the platform stopped the authorization.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One app at one shop, or at all shops of a cross-border seller."""

    app: App
    grant: Grant
    shop: str
    # "Active", the one documented word, or a plain one of ours.
    badge: str
    # What the badge means today, as a sentence.
    words: str
    status: Status
    needs_care: bool
    may_authorize: bool
    may_cancel: bool

    @property
    def path(self) -> str:
        """Where its actions are."""
        return f"{Page.APPS}/{self.grant.id}"


def rows(desk: Desk) -> list[Row]:
    """All rows of the seller, by app and shop; at most `MOST_ROWS`."""
    found = grants.listed(desk.platform.book, grants.Filter(seller_id=desk.who.seller.id, limit=MOST_ROWS))
    made = [row for row in (_row(desk, grant) for grant in found) if row]
    return sorted(made, key=lambda row: (row.app.name, row.shop, row.grant.id))


def row(desk: Desk) -> Row:
    """The row the path names.

    Raises:
        RefusedError: it is not this seller's.
    """
    given = desk.door.request.path_params["id"]
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else -1
    grant = grants.find(desk.platform.book, number)
    found = _row(desk, grant) if grant and grant.seller_id == desk.who.seller.id else None
    if found is None:
        raise RefusedError(
            "unknown_app_row",
            "This app is not in your list",
            "It belongs to another seller, or the sandbox was reset since. Go back to the list.",
            status=404,
            way_on=("My apps and incidents", Page.APPS),
        )
    desk.door.entry.app_key = found.app.key
    desk.door.entry.grant_id = found.grant.id
    return found


def _row(desk: Desk, grant: Grant) -> Row | None:
    app = apps.find(desk.platform.book, grant.app_key)
    if app is None:
        return None
    badge, words, needs_care = _state(app, grant, now=desk.now)
    is_owner = may(desk.who.account.role, Deed.AUTHORIZE_APPS)
    return Row(
        app=app,
        grant=grant,
        shop=_shop(desk, grant),
        badge=badge,
        words=words,
        status=grant.status(desk.now),
        needs_care=needs_care,
        may_authorize=is_owner and hindrance(app, desk.who.seller, desk.shops) is None,
        may_cancel=is_owner and grant.is_alive(desk.now),
    )


def _shop(desk: Desk, grant: Grant) -> str:
    shops = sellers.shops_covered(desk.platform.book, seller_id=grant.seller_id, shop_id=grant.shop_id)
    if grant.shop_id is None:
        return consent_form.label_of_all(shops)
    return consent_form.label_of(shops[0]) if shops else grant.shop_id


def _state(app: App, grant: Grant, *, now: int) -> tuple[str, str, bool]:
    """The badge, the sentence beside it, and whether somebody should do something."""
    status = grant.status(now)
    if status is Status.EXPIRED:
        return "Expired", "The app can no longer reach the shop. Authorize it again to go on.", True
    if status is Status.CANCELLED:
        return "Cancelled by you", "You ended it. The app can no longer reach the shop.", False
    if status is Status.DEACTIVATED:
        badge, sentence = _STOPPED.get(grant.ended_by, ("Stopped", "The platform stopped it."))
        return badge, f"{sentence} The app can no longer reach the shop.", True
    if not set(app.scopes) <= set(grant.scopes):
        return "Active", "The app asks for more data than it was given. Authorize it again to share it.", True
    if grant.ends_soon(now):
        return "Active", f"Ends in {_days(grant.ends_at - now)}. Authorize it again before that.", True
    return "Active", "Not about to end. Nothing has to be done.", False


def _days(seconds: int) -> str:
    count = -(-seconds // DAY)
    return f"{count} day{'' if count == 1 else 's'}"
