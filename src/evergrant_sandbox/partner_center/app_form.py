"""The forms about an app, read: what was entered, what is wrong with it by field, and the app it makes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from evergrant_sandbox.world import app as rules
from evergrant_sandbox.world.app import App, AppMarket, Category, Stage
from evergrant_sandbox.world.scopes import SCOPES
from evergrant_sandbox.world.seller import Kind
from evergrant_sandbox.world.topics import TOPICS

CATEGORIES = {Category.CONNECTOR: "Connector", Category.OTHER: "Other"}
MARKETS = {
    AppMarket.US: "United States",
    AppMarket.UK_EU: "United Kingdom and European Union",
    AppMarket.REST: "Rest of the world",
    AppMarket.ALL: "All markets (this sandbox only)",
}
SELLER_TYPES = {Kind.LOCAL: "Local sellers", Kind.CROSS_BORDER: "Cross-border sellers"}
STAGES = {
    Stage.DRAFT: "Draft",
    Stage.IN_REVIEW: "In review",
    Stage.PUBLISHED: "Published",
    Stage.DEACTIVATED: "Deactivated",
}

_LONGEST_NAME = 100
_LONGEST_ABOUT = 2000
_LONGEST_URL = 255
_MOST_ADDRESSES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Basics:
    """What an app is called, what it does, and for whom."""

    name: str = ""
    about: str = ""
    category: str = ""
    market: str = ""
    seller_types: tuple[Kind, ...] = (Kind.LOCAL, Kind.CROSS_BORDER)
    faults: dict[str, str] = field(default_factory=dict)

    def on(self, app: App) -> App:
        """The app with these basics; there must be no faults."""
        return replace(
            app,
            name=self.name,
            about=self.about,
            category=Category(self.category),
            market=AppMarket(self.market),
            seller_types=self.seller_types,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Whether the API is enabled, and where it leads."""

    enabled: bool = True
    redirect_url: str = ""
    webhook_url: str = ""
    faults: dict[str, str] = field(default_factory=dict)

    def on(self, app: App) -> App:
        """The app with this API; there must be no faults."""
        if not self.enabled:
            return replace(app, redirect_urls=(), webhook_url="")
        return replace(app, redirect_urls=(self.redirect_url, *app.redirect_urls[1:]), webhook_url=self.webhook_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """The addresses an app may call from, as they were entered."""

    text: str = ""
    addresses: tuple[str, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)


def basics_of(app: App) -> Basics:
    """The basics as they stand."""
    return Basics(
        name=app.name, about=app.about, category=app.category, market=app.market, seller_types=app.seller_types
    )


def api_of(app: App) -> Api:
    """The API as it stands."""
    return Api(enabled=bool(app.redirect_urls), redirect_url=app.redirect_url, webhook_url=app.webhook_url)


def read_basics(fields: dict[str, str]) -> Basics:
    """The basics as they were entered."""
    name = fields.get("name", "").strip()
    about = fields.get("about", "").replace("\r\n", "\n").strip()
    kinds = tuple(kind for kind in Kind if fields.get(f"seller_type.{kind}") == "yes")
    faults = {}
    if fields.get("category", "") not in set(Category):
        faults["category"] = "Choose a service category."
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        faults["name"] = f"Enter a name of at most {_LONGEST_NAME} characters, in one line."
    if len(about) > _LONGEST_ABOUT or not about.replace("\n", "").isprintable():
        faults["about"] = f"Say what the app does in at most {_LONGEST_ABOUT} characters of plain text."
    if fields.get("market", "") not in set(AppMarket):
        faults["market"] = "Choose a market."
    if not kinds:
        faults["seller_type"] = "Choose at least one seller type."
    return Basics(
        name=name[:_LONGEST_NAME],
        about=about[:_LONGEST_ABOUT],
        category=fields.get("category", ""),
        market=fields.get("market", ""),
        seller_types=kinds,
        faults=faults,
    )


def read_api(fields: dict[str, str], *, stage: Stage = Stage.DRAFT) -> Api:
    """The API as it was entered; its addresses matter only while it is enabled."""
    enabled = fields.get("enable_api") == "yes"
    redirect_url, webhook_url = fields.get("redirect_url", "").strip(), fields.get("webhook_url", "").strip()
    faults = {}
    if not enabled and stage is not Stage.DRAFT:
        faults["enable_api"] = "An app in review or published keeps its API enabled: sellers would have nowhere to go."
    if enabled and not redirect_url:
        faults["redirect_url"] = "Enter the Redirect URL, or switch off Enable API for now."
    elif enabled:
        _note(faults, "redirect_url", redirect_url, rules.fault_of_redirect_url)
    if enabled and webhook_url:
        _note(faults, "webhook_url", webhook_url, rules.fault_of_webhook_url)
    return Api(enabled=enabled, redirect_url=redirect_url, webhook_url=webhook_url, faults=faults)


def read_scopes(fields: dict[str, str]) -> tuple[str, ...]:
    """The scopes that were checked."""
    return tuple(key for key in SCOPES if fields.get(f"scope.{key}") == "yes")


def read_topics(fields: dict[str, str]) -> tuple[int, ...]:
    """The topics that were checked."""
    return tuple(number for number in TOPICS if fields.get(f"topic.{number}") == "yes")


def read_allow_list(fields: dict[str, str]) -> AllowList:
    """The IP allow list, a line an entry; empty lines are nothing."""
    text = fields.get("addresses", "").replace("\r\n", "\n")
    addresses = tuple(dict.fromkeys(line.strip() for line in text.split("\n") if line.strip()))
    wrong = next((fault for each in addresses if (fault := rules.fault_of_address(each))), None)
    if len(addresses) > _MOST_ADDRESSES:
        wrong = f"the list holds at most {_MOST_ADDRESSES} addresses and networks; this one has {len(addresses)}"
    faults = {"addresses": _sentence(wrong)} if wrong else {}
    return AllowList(text=text, addresses=addresses, faults=faults)


def _note(faults: dict[str, str], name: str, url: str, fault_of: Callable[[str], str | None]) -> None:
    fault = fault_of(url)
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url:
        fault = f"an address has at most {_LONGEST_URL} characters, and no spaces"
    if fault:
        faults[name] = _sentence(fault)


def _sentence(fault: str) -> str:
    return f"{fault[0].upper()}{fault[1:]}."
