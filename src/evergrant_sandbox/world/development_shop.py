"""Development shops: test accounts of Seller Center that belong to a developer (wire sheet 5.7, requirements 3.4)."""

from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox.clock import DAY
from evergrant_sandbox.world.order import OrderStatus

# "Up to 10 test accounts"; those that have expired count, because the binding is permanent.
MOST = 10
# "They expire after 180 days and can be reactivated."
LIFE = 180 * DAY
# "Markets: US, UK, JP, MY, PH, SG, TH, VN, ID." Page of 2025-11.
MARKETS = ("US", "GB", "JP", "MY", "PH", "SG", "TH", "VN", "ID")

# Where a test order may begin, and what follows what when its status is stepped.
FIRST_STATUSES = (OrderStatus.AWAITING_SHIPMENT, OrderStatus.UNPAID, OrderStatus.ON_HOLD)
NEXT_STATUS = {
    OrderStatus.UNPAID: OrderStatus.ON_HOLD,
    OrderStatus.ON_HOLD: OrderStatus.AWAITING_SHIPMENT,
    OrderStatus.AWAITING_SHIPMENT: OrderStatus.AWAITING_COLLECTION,
    OrderStatus.PARTIALLY_SHIPPING: OrderStatus.AWAITING_COLLECTION,
    OrderStatus.AWAITING_COLLECTION: OrderStatus.IN_TRANSIT,
    OrderStatus.IN_TRANSIT: OrderStatus.DELIVERED,
    OrderStatus.DELIVERED: OrderStatus.COMPLETED,
}


class Function(StrEnum):
    """How much a test account can do, in the words of the page. Core needs no business papers, Full is verified (KYC)."""

    CORE = "Core Function"
    FULL = "Full Function"


class Onboarding(StrEnum):
    """How the test seller came onto the platform. The field is documented, its choices are not: these describe."""

    WITHOUT_PAPERS = "Without business documents"
    VERIFIED = "With business verification"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentShop:
    """One test account: which test seller, whose it is for good, and how long it lives."""

    seller_id: str
    developer_id: str
    function: Function
    onboarding: Onboarding
    made_at: int
    ends_at: int

    def has_expired(self, now: int) -> bool:
        """Whether it has to be reactivated before anybody signs in again."""
        return self.ends_at <= now
