"""What came of an attempt to deliver a notice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heard:
    """The receiver's status, or why there is none; and whether its answer had a body."""

    answer: str
    has_body: bool = False
