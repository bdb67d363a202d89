"""The platform's real host names, and which of its houses each is; served over TLS by `--hosts`.

Sources: wire sheet 1.1 (links), 2.1 (token host), 3.1 (API), 5.1 (centers).
"""

from dataclasses import dataclass
from enum import Enum

from evergrant_sandbox.world.regions import TRADING


class House(Enum):
    """What lives at a host name."""

    TOKENS = "tokens"
    API = "API"
    CONSENT = "authorization link"
    SELLER_CENTER = "Seller Center"
    PARTNER_CENTER = "Partner Center"


@dataclass(frozen=True, slots=True)
class Host:
    """One name, and the page it is taken from."""

    name: str
    house: House
    source: str


# "Seller Center hosts are `seller-{cc}.tiktok.com`": one for each market. Whether the United Kingdom is `gb` or `uk`
# there is in none of our sources, so both are served.
_COUNTRIES = (*(region.code.lower() for region in TRADING), "uk")
_SELLER_CENTERS = tuple(
    Host(f"seller-{country}.tiktok.com", House.SELLER_CENTER, "seller-{cc}.tiktok.com (5.1)") for country in _COUNTRIES
)

HOSTS = (
    Host("auth.tiktok-shops.com", House.TOKENS, "one host for all markets (2.1); /oauth/authorize of three SDKs (1.1)"),
    Host("open-api.tiktokglobalshop.com", House.API, "one base for every market (3.1)"),
    Host("services.tiktokshop.com", House.CONSENT, "authorization-overview-202407, rest of world (1.1)"),
    Host("services.us.tiktokshop.com", House.CONSENT, "authorization-guide-202309, United States (1.1)"),
    Host("services.tiktokshops.us", House.CONSENT, "authorization-overview-202407, United States, older (1.1)"),
    *_SELLER_CENTERS,
    Host("partner.tiktokshop.com", House.PARTNER_CENTER, "rest of world (5.1)"),
    Host("partner.us.tiktokshop.com", House.PARTNER_CENTER, "United States (5.1)"),
    Host("partner.eu.tiktokshop.com", House.PARTNER_CENTER, "known to TikTok's own tool (5.1)"),
)

NAMES = tuple(host.name for host in HOSTS)

_HOUSES = {host.name: host.house for host in HOSTS}


def house_of(host: str) -> House | None:
    """The house a Host header names, its port and letter case left aside; None for a name that is not the platform's."""
    return _HOUSES.get(host.partition(":")[0].rstrip(".").lower())
