"""Apps: one set of credentials each, with the Redirect URL and scopes fixed in Partner Center."""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from evergrant_sandbox.clock import DAY
from evergrant_sandbox.world.seller import Kind

# "The access token is valid for 7 days." Authorization guide (202309), captured 2025-12-03.
ACCESS_LIFE = 7 * DAY
# How long a rotated refresh token may be retried in `retry_safe` mode; Cognito allows up to 60 s.
GRACE = 60

# Names of other alphabets are written in ASCII (`xn--`): a host also stands in headers. Without a dot is for loopback.
_HOST = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?|[0-9a-f]*:[0-9a-f:.]+")


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
    # The secret before the newest, and until when it is taken beside it.
    old_secret: str = ""
    old_secret_ends_at: int = 0

    @property
    def redirect_url(self) -> str:
        """The one configured Redirect URL: Partner Center has a single field, so the first counts. Empty: no API yet."""
        return self.redirect_urls[0] if self.redirect_urls else ""

    @property
    def is_deactivated(self) -> bool:
        """Whether it was deactivated for good; its key is then as invalid as one that never was."""
        return self.stage is Stage.DEACTIVATED

    def secrets(self, now: int) -> tuple[str, ...]:
        """The secrets it may use, newest first; notices are signed with the newest."""
        return (self.secret, self.old_secret) if now < self.old_secret_ends_at else (self.secret,)


def is_loopback(host: str | None) -> bool:
    """Whether a host means this machine. A name that only begins like such an address is anybody's, and may lead here too."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def fault_of_redirect_url(url: str) -> str | None:
    """What is wrong with a Redirect URL, as a sentence, or None."""
    parts = _read(url)
    if parts is None or parts.scheme not in {"http", "https"}:
        return "a Redirect URL is an absolute http or https address"
    if not _has_plain_host(parts):
        return "a Redirect URL has a host in ASCII letters, and no user name before it"
    return "a Redirect URL has no fragment" if parts.fragment else None


def fault_of_webhook_url(url: str) -> str | None:
    """What is wrong with a webhook URL, as a sentence, or None.

    The platform wants https, a domain name and no port (wire sheet 4.1). Loopback is let off: nothing else could be
    reached from a test.
    """
    parts = _read(url)
    if parts is None or parts.scheme not in {"http", "https"}:
        return "a webhook URL is an http or https address"
    if not _has_plain_host(parts):
        return "a webhook URL has a host in ASCII letters, and no user name before it"
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    if parts.scheme != "https" or "." not in host or parts.port is not None:
        return "beyond loopback a webhook URL is https, with a domain name and without a port"
    if ":" in host or host.replace(".", "").isdigit():
        return "a webhook URL has a domain name, not an IP address"
    return None


def fault_of_address(address: str) -> str | None:
    """What is wrong with a line of the IP allow list, as a sentence, or None."""
    try:
        ip_network(address, strict=False)
    except ValueError:
        return f"{address!r} is neither an IP address nor a network such as 203.0.113.0/24"
    return None


def _read(url: str) -> SplitResult | None:
    """The parts of an address with a host; None if it is none, down to its port."""
    if not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and port != 0 else None


def _has_plain_host(parts: SplitResult) -> bool:
    return bool(_HOST.fullmatch(parts.hostname or "")) and "@" not in parts.netloc
