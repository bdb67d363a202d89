"""A claim: a grant that came without a proven owner. It waits in quarantine until somebody claims it, or it is destroyed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evergrant.core import errors
from evergrant.core.authorization import Reason, State
from evergrant.core.connection import Connection, Shop


class Stage(StrEnum):
    """How far a claim has come."""

    ARRIVING = "arriving"
    """Its code is being exchanged."""
    ADOPTED = "adopted"
    """It renewed the connection whose shop it proved; nobody had to claim it."""
    FAILED = "failed"
    """It brought no grant; `reason` is the code of the error."""
    WAITING = "waiting"
    CLAIMED = "claimed"
    DISMISSED = "dismissed"
    EXPIRED = "expired"


class Why(StrEnum):
    """Why a grant waits for an owner."""

    UNKNOWN_SHOP = "unknown_shop"
    """No connection of this app holds the shop."""
    VENDOR_DISCONNECTED = "vendor_disconnected"
    """The vendor let go of the connection: it does not come back without somebody's word."""
    HELD_ELSEWHERE = "shop_already_connected"
    """Another connection of the same app at the platform holds the shop, or several do."""
    IDENTITY_CHANGED = "identity_changed"
    """The shop is held under another identity, and a connection's identity never changes."""
    WRONG_SHOP = "wrong_shop"
    """A link for another shop brought it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is known of it: shops and seller are those the grant itself proves. `reason` says why it waits or failed."""

    tenant_id: str
    id: str
    app_id: str
    clock: str
    stage: Stage
    reason: str | None
    connection_id: str | None
    seller_name: str
    shops: tuple[Shop, ...]
    scopes: frozenset[str]
    authorization_ends: datetime | None
    arrived_at: datetime
    expires_at: datetime | None

    def refusal(self) -> errors.EvergrantError | None:
        """Why nobody can claim or dismiss it, if nobody can."""
        match self.stage:
            case Stage.WAITING:
                return None
            case Stage.CLAIMED:
                return errors.ClaimTakenError()
            case Stage.EXPIRED:
                return errors.ClaimExpiredError()
            case Stage.DISMISSED:
                return errors.ClaimDismissedError()
            case _:
                return errors.ConflictError("This authorization does not wait for an owner.")


def holds(known: Connection) -> bool:
    """Whether a connection keeps its shop from strangers: what the vendor let go of, or erased, holds nothing."""
    state, reason = known.authorization.state, known.authorization.reason
    return state is not State.ERASED and not (state is State.CANCELLED and reason is Reason.VENDOR_DISCONNECTED)
