"""What was seen of a promise, in a short sentence for people; programs read the evidence itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from evergrant.tour.promises import Promise

ORDERS = "{at_the_platform} orders at TikTok, {in_the_hub} here, {twice} twice."

SENTENCES: Mapping[str, str] = {
    "a_consent_connects_the_shop": "{shop} is connected; the page says: {page}",
    "the_end_is_known_at_once": "It ends on {ends}, in {days_remaining} days.",
    "the_first_orders_arrive": ORDERS,
    "the_token_is_refreshed_once": "Refresh tokens shown: {refreshes}, twice: {shown_twice}. Both sides hold one token.",
    "the_warning_comes_thirty_days_before": "Told once. Notices from TikTok: {notices_from_tiktok}.",
    "everything_stops_at_the_end": "{flows}. Whoever asks for the token is told {token}.",
    "nothing_is_sent_after_the_end": "{calls_before_it} calls before the end, {calls_after_the_end} after it.",
    "the_owner_renews_through_the_pages": "The new end is {ends}. Straight to consent: {straight_to_consent}.",
    "the_flows_resume": "{flows}.",
    "what_was_missed_is_caught_up": ORDERS,
    "the_outage_is_closed_at_zero": "Records made good: {caught_up}, still open: {open}. It began on {started_at} and was closed on {closed_at}.",
    "a_cancellation_is_noticed_and_verified": "It is {status}: {reason}. Notices from TikTok: {notices}.",
    "its_tokens_are_destroyed": "The vault is {vault}. Whoever asks for the token is told {token}.",
}
"""One for each promise, by its name; the words in braces are of its evidence."""


def seen(promise: Promise) -> str:
    """What was seen of it; if it did not hold, why not."""
    if not promise.held:
        why = str(promise.evidence["why"])
        return f"{why[:1].upper()}{why[1:]}."
    return SENTENCES[promise.name].format_map({name: _said(value) for name, value in promise.evidence.items()})


def _said(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return _grouped(value)
        case str() if _is_instant(value):
            return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        case _:
            return str(value)


def _grouped(flows: Mapping[str, Any]) -> str:
    """Flows by what is said of them: `orders, products running`."""
    words: dict[str, list[str]] = {}
    for name, state in flows.items():
        words.setdefault(str(state), []).append(name)
    return "; ".join(f"{', '.join(names)}: {state}" for state, names in words.items())


def _is_instant(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
