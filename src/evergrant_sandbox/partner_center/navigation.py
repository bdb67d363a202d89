"""Partner Center's left navigation, in its own words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the navigation."""

    label: str
    path: str

    def is_open(self, here: str) -> bool:
        """Whether the page in front of the developer is below this line."""
        return here == self.path or here.startswith(f"{self.path}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines that belong together. One without a name of its own has a single line."""

    icon: str
    entries: tuple[Entry, ...]
    label: str = ""


NAVIGATION = (
    Section(icon="layout-dashboard", entries=(Entry(label="App & Service", path="/partner/apps"),)),
    Section(
        icon="tool",
        label="Development Kits",
        entries=(
            Entry(label="Development Shops", path="/partner/development-shops"),
            Entry(label="API Testing Tool", path="/partner/api-testing-tool"),
            Entry(label="Webhook Log", path="/partner/webhook-log"),
        ),
    ),
    Section(icon="help-circle", entries=(Entry(label="Help", path="/partner/help"),)),
)
