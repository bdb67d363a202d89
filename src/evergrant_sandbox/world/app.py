"""Apps: one set of credentials each, with the Redirect URL and scopes fixed in Partner Center."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from evergrant_sandbox.clock import DAY
from evergrant_sandbox.world.seller import Kind, Origin

# "The access token is valid for 7 days." Authorization guide (202309), captured 2025-12-03.
ACCESS_LIFE = 7 * DAY
# How long a rotated refresh token may be retried in `retry_safe` mode; Cognito allows up to 60 s.
GRACE = 60


class Visibility(StrEnum):
    """Public apps are listed in the App Store, custom ones are shared by link."""

    PUBLIC = "public"
    CUSTOM = "custom"


class Stage(StrEnum):
    """How far an app's review has come."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    # "Apps cannot be deleted, only deactivated for good" (wire sheet 5.2).
    DEACTIVATED = "deactivated"


class Category(StrEnum):
    """What kind of app it is; connectors are reviewed more strictly (wire sheet 5.2)."""

    CONNECTOR = "connector"
    OTHER = "other"


class AppMarket(StrEnum):
    """The market group an app is for: "TikTok requires a separate app per market group" (wire sheet 5.1).

    ALL is the sandbox's own, so that a test needs one app only.
    """

    ALL = "ALL"
    US = "US"
    UK_EU = "UK_EU"
    REST = "REST"


# The topics a new app hears of on its app-wide webhook URL; the real default list is not documented.
DEFAULT_TOPICS = (1, 6, 7)


class Rotation(StrEnum):
    """What a second use of a refresh token gives; the platform does not say which of the four it is."""

    STABLE = "stable"
    RETRY_SAFE = "retry_safe"
    STRICT = "strict"
    FAMILY = "family"


class OldAccess(StrEnum):
    """What becomes of the access token at hand when the pair is refreshed; unknown, so crossed with the rotation."""

    LIVES = "lives"
    DIES = "dies"


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One app as its maker entered it in Partner Center, with the sandbox's own settings beside it."""

    key: str
    secret: str
    service_id: str
    name: str
    redirect_urls: tuple[str, ...]
    scopes: tuple[str, ...]
    visibility: Visibility
    stage: Stage
    webhook_url: str
    rotation: Rotation = Rotation.STRICT
    old_access: OldAccess = OldAccess.LIVES
    grace: int = GRACE
    access_life: int = ACCESS_LIFE
    # Empty: made by steering, nobody's in Partner Center.
    developer_id: str = ""
    category: Category = Category.CONNECTOR
    market: AppMarket = AppMarket.ALL
    seller_types: tuple[Kind, ...] = (Kind.LOCAL, Kind.CROSS_BORDER)
    # What the App store says about it.
    about: str = ""
    # Addresses and networks it may call from; empty: from anywhere.
    allowed_addresses: tuple[str, ...] = ()
    topics: tuple[int, ...] = DEFAULT_TOPICS

    @property
    def redirect_url(self) -> str:
        """The one configured Redirect URL: Partner Center has a single field, so the first counts."""
        return self.redirect_urls[0]


def may_be_authorized_by(app: App, origin: Origin) -> bool:
    """An app that "is still in development can't be authorized by online sellers" (source S2)."""
    return app.stage is Stage.PUBLISHED or origin is Origin.TEST


def is_loopback(host: str | None) -> bool:
    """Whether a host name means this machine."""
    return host is not None and (host in {"localhost", "::1"} or host.startswith("127."))


def fault_of_redirect_url(url: str) -> str | None:
    """What is wrong with a Redirect URL, as a sentence, or None."""
    parts = _read(url)
    if parts is None or parts.scheme not in {"http", "https"}:
        return "a Redirect URL is an absolute http or https address"
    return "a Redirect URL has no fragment" if parts.fragment else None


def fault_of_webhook_url(url: str) -> str | None:
    """What is wrong with a webhook URL, as a sentence, or None.

    The platform wants https, a domain name and no port (wire sheet 4.1). Loopback is let off: nothing else could be
    reached from a test.
    """
    parts = _read(url)
    if parts is None or parts.scheme not in {"http", "https"}:
        return "a webhook URL is an http or https address"
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    if parts.scheme != "https" or "." not in host or parts.port is not None:
        return "beyond loopback a webhook URL is https, with a domain name and without a port"
    if ":" in host or host.replace(".", "").isdigit():
        return "a webhook URL has a domain name, not an IP address"
    return None


def fault_of_address(address: str) -> str | None:
    """What is wrong with a line of an IP allow list, as a sentence, or None."""
    try:
        ipaddress.ip_network(address, strict=False)
    except ValueError:
        return f"{address!r} is no IP address and no network"
    return None


def _read(url: str) -> SplitResult | None:
    """The parts of an address with a host; None if it is none, down to its port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and port != 0 else None
