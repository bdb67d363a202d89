"""What people read: statuses, reasons and events as words and sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.lists import format_list

from evergrant.core import gate
from evergrant.core.authorization import Authorization, Reason, State
from evergrant.core.claim import Why as ClaimedWhy
from evergrant.core.cure import Cause
from evergrant.core.flows import Kind
from evergrant.core.gate import Why

LOCALE = "en"
TERRITORIES = Locale(LOCALE).territories


class Tone(StrEnum):
    """How a status looks; never the only sign of it: each has a word and a shape of its own."""

    WELL = "well"
    SOON = "soon"
    WAITING = "waiting"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A status in a word, with its shape (an icon) and tone."""

    word: str
    icon: str
    tone: Tone


ACTIVE = Status(word="Active", icon="circle-check", tone=Tone.WELL)
EXPIRING = Status(word="Expiring soon", icon="calendar-due", tone=Tone.SOON)

STATUSES: Mapping[State, Status] = {
    State.PENDING: Status(word="Not authorized yet", icon="clock", tone=Tone.WAITING),
    State.ACTIVE: ACTIVE,
    State.SUSPENDED: Status(word="Being verified", icon="clock", tone=Tone.WAITING),
    State.EXPIRED: Status(word="Expired", icon="plug-connected-x", tone=Tone.OVER),
    State.CANCELLED: Status(word="Cancelled", icon="plug-connected-x", tone=Tone.OVER),
    State.DEACTIVATED: Status(word="Deactivated", icon="ban", tone=Tone.OVER),
    State.REAUTHORIZATION_REQUIRED: Status(word="Refused by TikTok", icon="alert-triangle", tone=Tone.OVER),
    State.ERASED: Status(word="Erased", icon="eye-off", tone=Tone.OVER),
}

REASONS: Mapping[Why, str] = {
    Why.AUTHORIZATION_PENDING: "not authorized yet",
    Why.AUTHORIZATION_EXPIRED: "authorization expired",
    Why.AUTHORIZATION_CANCELLED: "authorization cancelled",
    Why.AUTHORIZATION_DEACTIVATED: "authorization deactivated",
    Why.AUTHORIZATION_SUSPENDED: "authorization being verified",
    Why.REAUTHORIZATION_REQUIRED: "authorization refused by TikTok",
    Why.CONNECTION_ERASED: "connection erased",
    Why.SHOP_NOT_AUTHORIZED: "shop not covered by the last consent",
    Why.SCOPE_MISSING: "permission missing",
    Why.PAUSED_BY_VENDOR: "by your team",
}
"""Why a flow is paused, as the words behind "Paused:"."""

REASON_OF_STATE: Mapping[State, str] = {state: REASONS[why] for state, why in gate.SHUT_BY_STATE.items()}
"""The same for a whole authorization, when the clock is ahead of the sweep."""

FLOWS: Mapping[Kind, str] = {
    Kind.ORDERS: "Orders",
    Kind.PRODUCTS: "Products",
    Kind.INVENTORY: "Inventory",
    Kind.STOCK: "Stock levels",
    Kind.PRICES: "Prices",
    Kind.SHIPMENTS: "Shipments",
}

RECORDS: Mapping[Kind, str] = {
    Kind.ORDERS: "orders",
    Kind.PRODUCTS: "products",
    Kind.INVENTORY: "counts of stock",
    Kind.STOCK: "stock levels",
    Kind.PRICES: "prices",
    Kind.SHIPMENTS: "shipments",
}
"""What goes with a flow, many of them."""

TROUBLES: Mapping[str, str] = {
    "paused_by_vendor": "paused by your team",
    "writing_is_off": "switched off",
    "nothing_to_check": "the shop sells nothing yet",
    "vendor_disconnected": "you disconnected it",
    "token_expired": "the token is being refreshed",
    "authorization_gone": "TikTok says the authorization is gone",
    "scope_missing": "a permission is missing",
    "wrong_shop": "TikTok says it is the wrong shop",
    "throttled": "TikTok asks to wait",
    "misconfigured": "TikTok refuses the app's credentials",
    "unavailable": "TikTok does not answer as it should",
    "clock_wrong": "TikTok says the clock is wrong",
    "our_mistake": "TikTok does not understand the call",
    "platform_unavailable": "TikTok does not answer as it should",
    "platform_denies_authorization": "TikTok says the authorization is gone",
    "platform_wrong_shop": "TikTok says it is the wrong shop",
    "platform_scope_missing": "a permission is missing",
    "platform_clock": "TikTok says the clock is wrong",
    "app_credentials_invalid": "TikTok refuses the app's credentials",
}
"""Why a poll, or a check, has not passed."""

EVENTS: Mapping[str, tuple[str, str]] = {
    "connection.authorized": ("shield-check", "The seller authorized this connection."),
    "connection.renewed": ("refresh", "The authorization was renewed."),
    "connection.expiring": ("calendar-due", "The authorization ends within 30 days."),
    "connection.expired": ("plug-connected-x", "The authorization expired. Everything that rests on it stopped."),
    "connection.cancelled": ("plug-connected-x", "The authorization was cancelled, by the seller or by TikTok."),
    "connection.deactivated": ("ban", "TikTok deactivated the authorization."),
    "connection.suspended": (
        "clock",
        "TikTok says the authorization is over. It is being verified; nothing flows meanwhile.",
    ),
    "connection.resumed": ("player-play", "Verified: the authorization stands."),
    "connection.in_doubt": (
        "help-circle",
        "The answer to a token refresh was lost. The current token works to its end.",
    ),
    "connection.answer_suspect": (
        "alert-triangle",
        "TikTok's answer to a token refresh has something in it that cannot be. All of it is kept; what can be used is used.",
    ),
    "connection.identity_changed": (
        "alert-triangle",
        "TikTok answered a token refresh with another seller's tokens. They are set aside; the current token works to its end.",
    ),
    "connection.reauthorization_required": ("alert-triangle", "TikTok refuses the authorization before its end."),
    "connection.scopes_changed": ("key", "The last consent gives fewer permissions than the one before."),
    "connection.scopes_missing": ("key", "New permissions are needed. The shop's owner has to authorize again."),
    "connection.shops_changed": ("building-store", "TikTok lists other shops or names for it than before."),
    "connection.erased": ("eye-off", "The connection was erased."),
    "connection.authorized_elsewhere": (
        "alert-triangle",
        "The seller authorized this app outside of this connection. Its token is refreshed early, to see whether it lives.",
    ),
    "claim.waiting": ("help-circle", "An authorization came without saying for whom. It waits for an owner."),
    "claim.claimed": ("circle-check", "An authorization that waited for an owner was claimed."),
    "claim.dismissed": ("x", "An authorization that waited for an owner was dismissed and destroyed."),
    "claim.expired": ("clock", "Nobody claimed an authorization in time. It was destroyed."),
    "flow.paused": ("player-pause", "{flow} paused: {reason}."),
    "flow.resumed": ("player-play", "{flow} resumed."),
    "exception.opened": ("alert-triangle", "{flow}: a record failed."),
    "exception.dismissed": ("x", "{flow}: a record that had failed was given up."),
    "exception.resolved": ("circle-check", "{flow}: a record that had failed is good."),
    "flow.synced": ("package", "{flow} synced, {records} new or changed."),
    "flow.record_unreadable": ("alert-triangle", "{flow}: {records} records could not be read and were left out."),
    "outage.opened": (
        "plug-connected-x",
        "Flows stopped by themselves: {cause}. What is missed meanwhile is kept in the ledger.",
    ),
    "outage.closed": ("circle-check", "The outage is closed: {missed} missed, {caught_up} caught up, nothing open."),
    "link_session.completed": ("circle-check", "A consent link was completed."),
    "link_session.failed": ("alert-triangle", "A consent link did not succeed."),
    "link_session.wrong_shop": ("alert-triangle", "A link for this shop was answered with another shop."),
    "tokens.destroyed": ("shield-lock", "Its tokens were destroyed."),
    "notices.missed": ("alert-triangle", "TikTok's notices about authorizations did not arrive."),
}

CAUSES: Mapping[Cause, tuple[str, str]] = {
    Cause.EXPIRED_CREDENTIALS: (
        "Disconnected: expired credentials",
        "Only the shop's owner can renew the authorization.",
    ),
    Cause.NEW_PERMISSIONS: (
        "New permissions needed",
        "Your app requires {missing}. The shop's owner has to authorize again to give it.",
    ),
    Cause.APP_REFUSED: (
        "TikTok does not accept your app's credentials",
        "Compare key and secret with Partner Center. The shop's owner needs to do nothing.",
    ),
    Cause.SELLER_CANCELLED: (
        "Disconnected: cancelled",
        "The seller or TikTok took the authorization back. Talk to the seller; if they want it again, connect the shop again.",
    ),
    Cause.VENDOR_DISCONNECTED: (
        "Disconnected: by your team",
        "If that was a mistake, connect the shop again. Its records are kept.",
    ),
    Cause.PLATFORM_DEACTIVATED: (
        "Disconnected: deactivated by TikTok",
        "The shop's owner has to look into Seller Center first: until TikTok lifts it, another consent changes nothing.",
    ),
    Cause.ERASED: ("Erased", "Everything of it was destroyed. Connect the shop anew if it is wanted again."),
}
"""What is wrong with a connection, and what cures it."""

CLAIMS: Mapping[ClaimedWhy, str] = {
    ClaimedWhy.UNKNOWN_SHOP: "No customer of yours is connected with this shop yet.",
    ClaimedWhy.VENDOR_DISCONNECTED: "Your team disconnected this shop before. It does not come back without your word.",
    ClaimedWhy.HELD_ELSEWHERE: "A connection of this app holds this shop already, so it can be claimed only when that one has ended.",
    ClaimedWhy.IDENTITY_CHANGED: "The shop is connected under another TikTok identity, and a connection never changes its identity.",
    ClaimedWhy.WRONG_SHOP: "It came by a link that was for another shop.",
}
"""Why an authorization waits for an owner."""

PROBLEMS: Mapping[str, str] = {
    "claim_dismissed": "This was dismissed",
    "claim_expired": "This took too long",
    "claim_other_workspace": "This belongs to another workspace",
    "claim_taken": "This is done already",
    "csrf_failed": "Please send it once more",
    "link_already_used": "This is done already",
    "link_expired": "This link does not work any more",
    "link_revoked": "This link does not work any more",
    "link_unknown": "This link does not work",
    "not_found": "There is nothing here",
    "not_permitted": "This needs another role",
    "state_already_used": "This is finished already",
    "state_browser_mismatch": "This began in another browser",
    "state_expired": "This took too long",
    "state_missing": "Please start again",
    "state_unknown": "Please start again",
    "too_many_arrivals": "Wait a minute, please",
}
"""What stands above the sentence of an error, by its code."""


def problem(code: str, status: int) -> str:
    """The heading of an error's page."""
    return PROBLEMS.get(code, "Come back in a moment" if status == 503 else "This cannot be done")


def status_of(authorization: Authorization, now: datetime) -> Status:
    """An authorization's status; one that is active and close to its end says so."""
    if authorization.is_expiring(now):
        return EXPIRING
    return STATUSES[state_of(authorization, now)]


def state_of(authorization: Authorization, now: datetime) -> State:
    """The state, with the end counted at once."""
    if authorization.state is State.ACTIVE and authorization.is_past_end(now):
        return State.EXPIRED
    return authorization.state


def event(kind: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """An event as an icon and a sentence; one nobody has words for is shown by its name."""
    icon, sentence = EVENTS.get(kind, ("history", kind))
    flow, reason, cause = (str(data.get(name) or "") for name in ("flow", "reason", "cause"))
    if (kind, reason) == ("connection.cancelled", Reason.VENDOR_DISCONNECTED):
        sentence = "Your team disconnected it."
    return icon, sentence.format(
        flow=FLOWS[Kind(flow)] if flow in list(Kind) else flow,
        reason=REASONS[Why(reason)] if reason in list(Why) else reason,
        records=data.get("records", 0),
        cause=REASONS[Why(cause)] if cause in list(Why) else cause,
        missed=data.get("missed", 0),
        caught_up=data.get("caught_up", 0),
    )


def flow(kind: str) -> str:
    """`Stock levels` for `stock`."""
    return FLOWS[Kind(kind)]


def listed(things: list[str]) -> str:
    """`Orders`, `Orders and Products`, `Orders, Products, and Inventory`."""
    return format_list(things, locale=LOCALE)


def relative(when: datetime, now: datetime) -> str:
    """`in 3 days`, `2 hours ago`; `now` within a few seconds."""
    delta = when - now
    if abs(delta.total_seconds()) < 5:
        return "now"
    return format_timedelta(delta, add_direction=True, threshold=1.2, locale=LOCALE)


def span(lasted: timedelta) -> str:
    """`2 days`, `3 hours`, `1 second`."""
    return format_timedelta(lasted, threshold=1.2, locale=LOCALE)


def minutes(count: int) -> str:
    """`1 hour`, `90 minutes`, `2 days`: minutes as people count them."""
    for size, one in ((1440, "day"), (60, "hour"), (1, "minute")):
        if count % size == 0:
            return f"{count // size} {one}{'' if count == size else 's'}"
    return f"{count} minutes"


def day(when: datetime) -> str:
    """`14 March 2027`."""
    return format_date(when, "d MMMM y", locale=LOCALE)


def exact(when: datetime) -> str:
    """`14 March 2027, 10:15:00 UTC`."""
    return f"{format_datetime(when, 'd MMMM y, HH:mm:ss', locale=LOCALE)} UTC"


def region(code: str) -> str:
    """`United Kingdom` for `GB`; a code nobody knows stays as it is."""
    return str(TERRITORIES.get(code, code))


def days(count: int) -> str:
    """`1 day`, `30 days`."""
    return f"{count} day" if count == 1 else f"{count} days"
