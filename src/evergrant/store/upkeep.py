"""What the hub does for its own sake, in one hand."""

from dataclasses import dataclass

from evergrant.store.chain import Chain
from evergrant.store.epochs import Epochs
from evergrant.store.recovery import Recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The audit chain, how new the database is, and what is held after it was put back."""

    chain: Chain
    epochs: Epochs
    recovery: Recovery
