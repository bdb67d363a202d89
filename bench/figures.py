"""The arithmetic of the bench: medians with their spread, ratios taken round by round, and goals that hold or are missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Several measurements of one thing."""

    middle: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Median, smallest and largest of at least one value."""
    return Spread(middle=median(values), least=min(values), most=max(values))


def ratios(values: Sequence[float], bases: Sequence[float]) -> tuple[float, ...]:
    """Each value against the base of the same round: what slowed the machine in that round slowed both."""
    return tuple(value / base for value, base in zip(values, bases, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure is held against: at least, or at most, this much. The median decides."""

    bound: float
    at_most: bool = False
    of_ratio: bool = True

    def holds(self, value: float) -> bool:
        """Whether the value reaches the goal."""
        return value <= self.bound if self.at_most else value >= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the report: a thing measured in several rounds, beside what it is compared with."""

    name: str
    unit: str
    values: tuple[float, ...]
    against: str = ""
    ratios: tuple[float, ...] = ()
    goal: Goal | None = None
    notes: str = ""
    troubles: tuple[str, ...] = ()
    """What makes the figure void: wrong answers, rows that are not there."""

    @property
    def judged(self) -> float | None:
        """The number the goal speaks of; None without one."""
        if self.goal is None:
            return None
        return spread(self.ratios if self.goal.of_ratio else self.values).middle

    @property
    def held(self) -> bool:
        """Whether nothing is wrong with the figure and its goal, if it has one, is reached."""
        if self.troubles:
            return False
        return self.goal is None or (self.judged is not None and self.goal.holds(self.judged))

    def plain(self) -> dict[str, Any]:
        """The line as it stands in the JSON file."""
        goal = self.goal
        return {
            "name": self.name,
            "unit": self.unit,
            "values": list(self.values),
            "median": spread(self.values).middle,
            "against": self.against or None,
            "ratios": list(self.ratios),
            "ratio_median": spread(self.ratios).middle if self.ratios else None,
            "goal": None
            if goal is None
            else {
                "bound": goal.bound,
                "is": "at most" if goal.at_most else "at least",
                "of": "ratio" if goal.of_ratio else "value",
            },
            "held": self.held,
            "notes": self.notes,
            "troubles": list(self.troubles),
        }


def missed(lines: Sequence[Line]) -> tuple[str, ...]:
    """Names of the lines whose goal is not reached, or whose figure is void."""
    return tuple(line.name for line in lines if not line.held)


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies; 0 for none."""
    if not sorted_values:
        return 0.0
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]
