"""Exceptions as people see them: a cause in a few words, its records, and what a bulk retry would do and did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evergrant.actions.mending import Broken, Cause, Retried, Rule
from evergrant.core.gate import REMEDIES, Why
from evergrant.web import words
from evergrant.web.words import Status, Tone

TITLES: Mapping[str, tuple[str, str]] = {
    "sku_not_mapped": (
        "The shop sells nothing under this SKU",
        "Map the SKU, or give it to a variant in Seller Center; then it goes out by itself.",
    ),
    "sku_ambiguous": ("More than one variant has this SKU", "Map the SKU to the variant that is meant."),
    "warehouse_missing": (
        "A level has to be told for each warehouse",
        "Send a level with `warehouse_id` for each of them.",
    ),
    "unreadable_record": (
        "TikTok sent a record nobody can read",
        "Its flow went on. It is read again with the next change.",
    ),
    "platform_unavailable": ("TikTok did not answer as it should", "It is tried again by itself."),
    "platform_scope_missing": (
        "TikTok says that a permission is missing",
        "Ask the seller to renew with every permission on.",
    ),
    "app_credentials_invalid": (
        "TikTok does not accept your app's credentials",
        "Compare key and secret with Partner Center.",
    ),
    "platform_clock": ("TikTok says that this machine's clock is wrong", "Set the clock; it is tried again by itself."),
}
"""What stands above the records of a cause, and what cures it. Reasons of a gate have words of their own."""

STAGES: Mapping[str, Status] = {
    "succeeded": Status(word="Succeeded", icon="circle-check", tone=Tone.WELL),
    "failed": Status(word="Failed again", icon="alert-triangle", tone=Tone.OVER),
    "superseded": Status(word="Superseded", icon="player-track-next", tone=Tone.WAITING),
    "skipped": Status(word="Left out", icon="x", tone=Tone.WAITING),
    "waiting": Status(word="Waits", icon="clock", tone=Tone.WAITING),
}
"""What came of a record of a bulk retry."""

LEFT_OUT: Mapping[str, str] = {
    "already_tried": "another bulk retry is at them already",
    "not_open": "they are not open any more",
}
ACTIONS: Mapping[str, str] = {"dismiss": "dismissed", "resolve": "marked as resolved", "retry": "tried again"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Open exceptions of one cause."""

    cause: str
    title: str
    sentence: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One record that failed."""

    id: str
    connection_id: str
    record: str
    shop: str
    flow: str
    message: str
    attempts: int
    parked: bool
    outage_id: str | None
    opened_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One record of a bulk retry, and what came of it."""

    shown: Shown
    status: Status
    message: str


def title(cause: str) -> str:
    """A cause in a few words; one nobody has words for by its code."""
    if cause in list(Why):
        return words.REASONS[Why(cause)].capitalize()
    if cause.startswith("refused_"):
        return f"TikTok refused it, code {cause.removeprefix('refused_')}"
    return TITLES[cause][0] if cause in TITLES else cause.replace("_", " ").capitalize()


def sentence(cause: str) -> str:
    """What cures it."""
    if cause in list(Why):
        return REMEDIES[Why(cause)].replace(": POST /v1/link-sessions with purpose `renew`", "")
    return TITLES.get(cause, ("", "What TikTok says of it stands beside each record."))[1]


def groups(causes: Sequence[Cause]) -> list[Group]:
    """The causes, the most frequent first."""
    return [
        Group(
            cause=each.cause,
            title=title(each.cause),
            sentence=sentence(each.cause),
            count=each.count,
            oldest=each.oldest,
        )
        for each in causes
    ]


def shown(found: Broken, shops: Mapping[str, str]) -> Shown:
    """A record that failed; `shops` are names by id."""
    return Shown(
        id=found.id,
        connection_id=found.connection_id,
        record=found.entity,
        shop=shops.get(found.shop_id, found.shop_id),
        flow=words.FLOWS[found.kind],
        message=sentence(found.cause) if found.cause in list(Why) else found.message,
        attempts=found.attempts,
        parked=found.parked,
        outage_id=found.outage_id,
        opened_at=found.opened_at,
        last_at=found.last_at,
    )


def result(found: Retried, shops: Mapping[str, str]) -> Result:
    """What came of one record of a bulk retry."""
    outcome = found.outcome or "waiting"
    status = STAGES.get(outcome, Status(word=outcome, icon="clock", tone=Tone.WAITING))
    return Result(shown=shown(found.exception, shops), status=status, message=found.message or "")


def rule(found: Rule) -> str:
    """A rule as a sentence."""
    return f"What is open for {words.minutes(found.after_minutes)} is {ACTIONS[found.action]} by itself."
