"""A promise of the tour: its name, whether it held, and the evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any, TypeVar

Found = TypeVar("Found")

PATIENCE_SECONDS = 90.0
"""Longer than any lease, so that what a killed worker had begun is taken over and finished."""
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One thing Evergrant promises, and what was seen of it."""

    name: str
    sentence: str
    held: bool
    evidence: Mapping[str, Any] = field(default_factory=dict)


class BrokenError(Exception):
    """A promise did not hold. The evidence says what was seen instead."""

    def __init__(self, why: str, **evidence: Any) -> None:
        super().__init__(why)
        self.evidence = evidence | {"why": why}


def patiently(look: Callable[[], Found], settled: Callable[[Found], bool], why: str) -> Found:
    """Look again and again until what is seen is settled.

    Raises:
        BrokenError: it does not settle in time.
    """
    deadline = monotonic() + PATIENCE_SECONDS
    while True:
        seen = look()
        if settled(seen):
            return seen
        if monotonic() > deadline:
            raise BrokenError(why, seen=seen)
        sleep(LOOK_SECONDS)


def must(condition: object, why: str, **evidence: Any) -> None:
    """Raises BrokenError with the evidence unless the condition holds."""
    if not condition:
        raise BrokenError(why, **evidence)
