"""Exceptions: records that failed, each with its cause, until something makes it good."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evergrant.core import flows


class How(StrEnum):
    """What ended an exception."""

    RETRIED = "retried"
    BY_ITSELF = "by_itself"
    SUPERSEDED = "superseded"
    BY_HAND = "by_hand"
    BY_RULE = "by_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A record that failed. `entity` is the record's own id in its flow: an order's, a vendor's SKU.

    `cause` is a stable code, `message` a sentence that says what to do. `outage_id`: it failed because flows had stopped.
    `parked`: nothing but a person, or a rule, tries it again.
    """

    tenant_id: str
    connection_id: str
    shop_id: str
    kind: flows.Kind
    entity: str
    cause: str
    message: str
    outage_id: str | None = None
    push_id: str | None = None
    parked: bool = False
    since: datetime | None = None
    """Platform time from which on a pulled record is to be looked for again."""
