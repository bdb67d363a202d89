"""Seller Center's left navigation: which menu path a market shows on a day, as far as anybody has written it down.

Four sources describe the way to the same list of apps with four different paths, and none says for which markets or since
when. So each path is kept with its source and its day, a rule decides which holds, and the switch `seller_center_menu`
puts any of them in its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from evergrant_sandbox.world.regions import TRADING
from evergrant_sandbox.world.roles import Page

SEPARATOR = " > "


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way through the menu, as one source has it."""

    labels: tuple[str, ...]
    page: Page
    source: str
    # What the source says of its own age.
    dated: str
    # From when on it is taken to hold: the source's day, or the day after the newest dated source that says otherwise.
    since: date
    # The markets the source is about; none where it names none, and then it is taken for all.
    markets: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The path in one line."""
        return SEPARATOR.join(self.labels)


STORE = Path(
    labels=("Growth", "App store"),
    page=Page.APP_STORE,
    source='Partner Center, authorization page (S2): "Growth > App store"',
    dated="captured 2025-12-03, no older source differs",
    since=date.min,
)
# The ways to "My apps and incidents".
APP_LIST = (
    Path(
        labels=("Growth", "Apps & Services"),
        page=Page.APPS,
        source="AfterShip Feed, How to Reauthorize (P-5)",
        dated="January 2024",
        since=date.min,
    ),
    Path(
        labels=("Growth", "My Apps & Services"),
        page=Page.APPS,
        source="Pipe17, Re-authorize the TikTok app (S1)",
        dated="undated; taken to follow P-5",
        since=date(2024, 2, 1),
    ),
    Path(
        labels=("Apps & services",),
        page=Page.APPS,
        source="Seller University US, About the App Store (P-1)",
        dated="undated, no older source differs",
        since=date.min,
        markets=("US",),
    ),
)
# Nobody says whether this one begins in the menu or on the page of the store. By default the page of the store leads on to
# the list of apps; in the switch's position of this name the menu does too.
VIA_THE_STORE = Path(
    labels=("App Store", "My apps and incidents"),
    page=Page.APPS,
    source='Partner Center, authorization page (S2): "App Store > My apps and incidents"',
    dated="captured 2025-12-03",
    since=date.min,
)

PATHS = {path.words: path for path in (*APP_LIST, VIA_THE_STORE)}
MARKETS = tuple(region.code for region in TRADING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the navigation: it leads to a page, or it opens to what is below it."""

    label: str
    page: Page | None
    below: tuple["Entry", ...] = ()
    path: Path | None = None


def paths(market: str, on: date, *, only: str | None = None) -> tuple[Path, ...]:
    """The menu paths a market shows on a day; `only` names the one way to the list of apps that is wanted instead."""
    if only is not None:
        return (STORE, PATHS[only])
    everywhere = [path for path in APP_LIST if not path.markets and path.since <= on]
    here = [path for path in APP_LIST if market in path.markets and path.since <= on]
    return (STORE, max(everywhere, key=lambda path: path.since), *here)


def navigation(shown: Iterable[Path], pages: frozenset[Page]) -> tuple[Entry, ...]:
    """The left navigation, cut down to the pages somebody may see; a menu with nothing below it is left out."""
    entries = (
        Entry(label="Home", page=Page.HOME),
        Entry(label="Orders", page=Page.ORDERS),
        Entry(label="Products", page=Page.PRODUCTS),
        *_menus(path for path in shown if path.page in pages),
        Entry(label="Account settings", page=None, below=(Entry(label="Users", page=Page.USERS),)),
        Entry(label="Help", page=Page.HELP),
    )
    return tuple(entry for entry in entries if entry.page in pages or any(each.page in pages for each in entry.below))


def _menus(shown: Iterable[Path]) -> Iterable[Entry]:
    """One entry for each first label, with the second labels below it."""
    menus: dict[str, list[Entry]] = {}
    for path in shown:
        first, *rest = path.labels
        below = menus.setdefault(first, [])
        below.extend(Entry(label=label, page=path.page, path=path) for label in rest)
        if not rest:
            yield Entry(label=first, page=path.page, path=path)
            del menus[first]
    for label, below in menus.items():
        yield Entry(label=label, page=None, below=tuple(below))
