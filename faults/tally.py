"""What is counted: trials, violations and seconds, one tally for each test and mode."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

KEPT = 20
"""Violations told in words; the others are only counted."""

Told = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Tally:
    """One test in one mode."""

    test: str
    mode: str
    trials: int = 0
    violations: int = 0
    seconds: float = 0.0
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def violated(self, what: str) -> None:
        """Count a violation, and keep what it was."""
        self.violations += 1
        if len(self.words) < KEPT:
            self.words.append(what)

    def holds(self, held: object, otherwise: str) -> bool:
        """Count a violation unless something holds."""
        if not held:
            self.violated(otherwise)
        return bool(held)

    def add(self, violations: list[str]) -> None:
        """Count all of these."""
        for each in violations:
            self.violated(each)

    def note(self, what: str) -> None:
        """Something worth a line in the report that is no violation."""
        self.notes.append(what)

    @contextmanager
    def trial(self, times: int = 1) -> Iterator[None]:
        """One trial, or as many as run at once: counted, and timed."""
        begun = monotonic()
        try:
            yield
        finally:
            self.trials += times
            self.seconds += monotonic() - begun

    def plain(self) -> dict[str, object]:
        """As JSON."""
        return {
            "test": self.test,
            "mode": self.mode,
            "trials": self.trials,
            "violations": self.violations,
            "seconds": round(self.seconds, 1),
            "words": self.words,
            "notes": self.notes,
        }
