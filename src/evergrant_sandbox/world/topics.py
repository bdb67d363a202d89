"""Topics: what notices there are, by the number on the wire (wire sheet 4.5)."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Topic(IntEnum):
    """The topics the world itself has something to say about; `TOPICS` has all there are."""

    ORDER_STATUS_CHANGE = 1
    RECIPIENT_ADDRESS_UPDATE = 3
    PACKAGE_UPDATE = 4
    PRODUCT_STATUS_CHANGE = 5
    SELLER_DEAUTHORIZATION = 6
    UPCOMING_AUTHORIZATION_EXPIRATION = 7
    CANCELLATION_STATUS_CHANGE = 11
    RETURN_STATUS_CHANGE = 12
    PRODUCT_INFORMATION_CHANGE = 15
    PRODUCT_CREATION = 16
    INVENTORY_STATUS_CHANGE = 27
    PRODUCT_AUDIT_STATUS_CHANGE = 37


class Weight(StrEnum):
    """How well a number is attested."""

    OFFICIAL = "official documentation, 2025-12"
    DERIVED = "read from official documentation by an SDK, 2026-10"
    ENUM = "an SDK, and the enum of the Event API, 2026-09"


class Owner(StrEnum):
    """The field of the envelope that says whom the notice is about."""

    SHOP = "shop_id"
    CREATOR = "creator_open_id"
    SELLER = "seller_open_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFacts:
    """One topic. `event_type` is its string in the Event API; empty: it can be set in Partner Center only."""

    number: int
    name: str
    event_type: str
    weight: Weight
    owner: Owner
    # The scope the app needs to hear of it, where the topic's page names one.
    scope: str


# The sheet writes in capitals what has a string in the Event API; the others have a description only.
_ALL = (
    (1, "ORDER_STATUS_CHANGE"),
    (2, "REVERSE_STATUS_UPDATE"),
    (3, "RECIPIENT_ADDRESS_UPDATE"),
    (4, "PACKAGE_UPDATE"),
    (5, "PRODUCT_STATUS_CHANGE"),
    (6, "SELLER_DEAUTHORIZATION"),
    (7, "UPCOMING_AUTHORIZATION_EXPIRATION"),
    (11, "CANCELLATION_STATUS_CHANGE"),
    (12, "RETURN_STATUS_CHANGE"),
    (13, "NEW_CONVERSATION"),
    (14, "NEW_MESSAGE"),
    (15, "PRODUCT_INFORMATION_CHANGE"),
    (16, "PRODUCT_CREATION"),
    (17, "shoppable content posting"),
    (18, "PRODUCT_CATEGORY_CHANGE"),
    (19, "size chart change"),
    (20, "creator deauthorization"),
    (21, "inbound FBT order status"),
    (22, "FBT merchant onboarding"),
    (23, "goods match"),
    (24, "FBT inventory update"),
    (25, "opportunity matching"),
    (27, "inventory status change"),
    (33, "NEW_MESSAGE_LISTENER"),
    (35, "Tokopedia mirror status"),
    (36, "INVOICE_STATUS_CHANGE"),
    (37, "PRODUCT_AUDIT_STATUS_CHANGE"),
    (38, "strikethrough price expired"),
    (39, "activity status"),
    (42, "combined listing"),
    (46, "image translation"),
    (50, "SKU status"),
    (51, "global replication status"),
    (52, "global listing method"),
    (55, "video precheck"),
    (56, "sample application status"),
    (58, "FBT MCF order status"),
    (59, "shoppable video precheck"),
    (62, "product package recommended"),
    (63, "activity change"),
    (64, "aftersales request status"),
    (65, "RMA status"),
    (66, "appeal completed"),
    (67, "refund success"),
    (71, "inventory changed by shop"),
)
_OFFICIAL = frozenset({1, 3, 4, 5, 6, 7, 11, 12, 20, 21})
_LEGACY = 2
# As the samples on the topics' own pages have it, captured 2025-12-03; all others carry the shop's id.
_OWNERS = {
    **dict.fromkeys((17, 20, 55), Owner.CREATOR),
    **dict.fromkeys((19, 21, 22, 23, 24, 35), Owner.SELLER),
}
# "The Product Basic API scope is enabled in Partner Center."
_SCOPES = {
    **dict.fromkeys((15, 19, 37), "seller.product.basic"),
    35: "seller.authorization.info",
}


def _weight(number: int) -> Weight:
    if number == _LEGACY:
        return Weight.ENUM
    return Weight.OFFICIAL if number in _OFFICIAL else Weight.DERIVED


TOPICS = {
    number: TopicFacts(
        number=number,
        name=name,
        event_type=name if name.isupper() else "",
        weight=_weight(number),
        owner=_OWNERS.get(number, Owner.SHOP),
        scope=_SCOPES.get(number, ""),
    )
    for number, name in _ALL
}

# The strings the Event API knows: 17, as in the newest primary source.
EVENT_TYPES = {facts.event_type: facts.number for facts in TOPICS.values() if facts.event_type}


def name_of(number: int) -> str:
    """What a topic is called; the number itself for the gaps in the table, which nobody has explained."""
    facts = TOPICS.get(number)
    return facts.name if facts else str(number)
