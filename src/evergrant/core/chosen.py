"""What a vendor chose for one connection: how often its flows are pulled, how far back at first, how long buyers are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from evergrant.core import flows

FEWEST_MINUTES, MOST_MINUTES = 1, 1440
MOST_FIRST_DAYS = 365
MOST_BUYER_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Only what was chosen; None, or a flow that is not named, goes by the plan (core/flows.py) or the hub's setting."""

    poll_minutes: Mapping[flows.Kind, int] = field(default_factory=dict)
    first_fetch_days: int | None = None
    """How far back the first poll of orders looks."""
    keep_buyer_days: int | None = None
    """For how long after an order's last change its buyer is kept."""


def merged(known: Chosen, given: Mapping[str, Any]) -> Chosen:
    """What stands after a change that names some of it. None takes a choice back."""
    minutes: dict[flows.Kind, int] = dict(known.poll_minutes)
    if "poll_minutes" in given:
        named = given["poll_minutes"]
        wanted = dict.fromkeys(minutes) if named is None else {flows.Kind(kind): named[kind] for kind in named}
        minutes = {kind: value for kind, value in (minutes | wanted).items() if value is not None}
    return Chosen(
        poll_minutes=minutes,
        first_fetch_days=given.get("first_fetch_days", known.first_fetch_days),
        keep_buyer_days=given.get("keep_buyer_days", known.keep_buyer_days),
    )


def read(kept: Mapping[str, Any]) -> Chosen:
    """What was chosen, from the form in which it is kept."""
    return merged(Chosen(), kept)


def written(known: Chosen) -> dict[str, Any]:
    """The form in which it is kept."""
    whole = {
        "poll_minutes": {kind.value: minutes for kind, minutes in known.poll_minutes.items()} or None,
        "first_fetch_days": known.first_fetch_days,
        "keep_buyer_days": known.keep_buyer_days,
    }
    return {name: value for name, value in whole.items() if value is not None}


def plan(kind: flows.Kind, known: Chosen) -> flows.Plan:
    """How a flow of this connection is pulled."""
    found = flows.PLANS[kind]
    if kind in known.poll_minutes:
        found = replace(found, every=timedelta(minutes=known.poll_minutes[kind]))
    if kind is flows.Kind.ORDERS and known.first_fetch_days is not None:
        found = replace(found, first_reach=timedelta(days=known.first_fetch_days))
    return found
