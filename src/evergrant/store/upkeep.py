"""What the hub does for its own sake, in one hand."""

from dataclasses import dataclass

from evergrant.store.chain import Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The audit chain."""

    chain: Chain
