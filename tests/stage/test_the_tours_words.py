"""The tour for people: every promise is told in a sentence, and nothing in it looks like a program's data."""

from typing import TYPE_CHECKING, Any, cast

import lxml.html
import pytest

from evergrant.stage.hands import RefusedError
from evergrant.tour import story, words
from evergrant.tour.browser import Browser
from evergrant.tour.promises import Promise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evergrant.stage.cast import Stage

ORDERS = {"at_the_platform": 12, "in_the_hub": 12, "twice": 0}
EVIDENCE: dict[str, dict[str, Any]] = {
    "a_consent_connects_the_shop": {"connection": "con_1", "shop": "Juniper Goods", "page": "Thank you"},
    "the_end_is_known_at_once": {"ends": "2027-03-01T12:00:00+00:00", "days_remaining": 90},
    "the_first_orders_arrive": ORDERS,
    "the_token_is_refreshed_once": {"refreshes": 1, "shown_twice": 0, "same_token_on_both_sides": True},
    "the_warning_comes_thirty_days_before": {"told": {"ends": "2027"}, "notices_from_tiktok": 1},
    "everything_stops_at_the_end": {"flows": {"orders": "paused", "products": "paused"}, "token": "expired"},
    "nothing_is_sent_after_the_end": {"calls_after_the_end": 0, "calls_before_it": 40},
    "the_owner_renews_through_the_pages": {
        "ends": "2027-06-01T12:00:00+00:00",
        "straight_to_consent": True,
        "told": True,
    },
    "the_flows_resume": {"flows": {"orders": "running", "products": "running"}},
    "what_was_missed_is_caught_up": ORDERS,
    "the_outage_is_closed_at_zero": {
        "cause": "authorization_expired",
        "started_at": "2027-03-01T12:00:00Z",
        "ended_at": "2027-03-01T18:00:00Z",
        "closed_at": "2027-03-01T18:01:00Z",
        "caught_up": 9,
        "open": 0,
    },
    "a_cancellation_is_noticed_and_verified": {"status": "cancelled", "reason": "cancelled_by_seller", "notices": 1},
    "its_tokens_are_destroyed": {"vault": "empty", "token": "authorization_cancelled"},
}


@pytest.mark.parametrize("name", [keep.__name__ for keep in story.PROMISES])
def test_every_promise_has_its_sentence(name: str) -> None:
    """Numbers, names and dates; no braces, quotes or True and False."""
    told = words.seen(Promise(name=name, sentence="", held=True, evidence=EVIDENCE[name]))

    assert not set("{}'\"[]") & set(told)
    assert not {"True", "False", "None"} & set(told.split())


def test_what_is_said_alike_is_said_once() -> None:
    """Instants as a date, flows by what is said of them."""
    stops, end = (
        words.seen(Promise(name=name, sentence="", held=True, evidence=EVIDENCE[name]))
        for name in ("everything_stops_at_the_end", "the_end_is_known_at_once")
    )

    assert "orders, products: paused. Whoever asks for the token is told expired." == stops
    assert "It ends on 2027-03-01 12:00 UTC, in 90 days." == end


def test_a_broken_promise_says_why() -> None:
    """The rest of what was seen is for programs."""
    evidence = {"why": "the vault still holds tokens", "seen": {"a": 1}}

    assert "The vault still holds tokens." == words.seen(
        Promise(name="its_tokens_are_destroyed", sentence="", held=False, evidence=evidence)
    )


def test_a_pages_words_are_its_heading_once() -> None:
    """The title says the same as the heading; a person reads it once, and whole."""
    page = Browser()
    page.html = lxml.html.fromstring(
        "<html><head><title>Connected</title></head><body><h1> Your shop is\n connected </h1></body></html>"
    )

    assert "Your shop is connected" == page.heading


def test_the_tour_ends_when_its_first_promise_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else rests on the connection it makes."""

    def refuse(_: story.Story) -> story.Evidence:
        raise RefusedError("no")

    refuse.__name__, refuse.__doc__ = "a_consent_connects_the_shop", "A seller consents."
    monkeypatch.setattr(story, "PROMISES", (refuse, *story.PROMISES[1:]))
    monkeypatch.setattr(story, "Hands", lambda _: None)
    told: Iterator[Promise] = story.tell(cast("Stage", None), rotation="strict")

    assert [("a_consent_connects_the_shop", False)] == [(promise.name, promise.held) for promise in told]
