"""Whether a page is clean: axe finds nothing, on a desk and on a phone, light and dark, and nothing is too wide."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
Shown = tuple[str, Page]
"""A page as it stands, with its name."""

SCHEMES: tuple[Scheme, ...] = ("light", "dark")
DESK, PHONE, NARROW = 1280, 375, 320
HEIGHT = 800
AXE = Path(__file__).resolve().parents[2] / "build" / "assets" / "axe.min.js"
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules whose answer depends on the colour scheme; every other sees the same page in both."""

_RUN = """
async rules => {
  const {violations} = await axe.run(document, {resultTypes: ["violations"], ...(rules ? {runOnly: rules} : {})});
  return violations.map(({id, nodes}) => [id, nodes[0].html.slice(0, 160), nodes[0].failureSummary]);
}
"""
_OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def all_clean(shown: Iterator[Shown]) -> list[str]:
    """The names of the pages; every one of them was looked at."""
    names = []
    for name, page in shown:
        page.wait_for_load_state()
        found = faults(page)
        assert [] == found, f"{name}: {found}"
        names.append(name)
    return names


def faults(page: Page) -> list[Any]:
    """What is wrong with a page, at every width and in both schemes."""
    page.emulate_media(reduced_motion="reduce")
    found: list[Any] = []
    for width in (NARROW, PHONE, DESK):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        wider = page.evaluate(_OVERHANG)
        found += [(width, "too wide by", wider)] if wider else []
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        found += faults_as_it_stands(page)
    page.set_viewport_size({"width": DESK, "height": HEIGHT})
    return found


def faults_as_it_stands(page: Page) -> list[Any]:
    """What axe finds at the window's own width, in both schemes."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    width = page.viewport_size["width"] if page.viewport_size else None
    found: list[Any] = []
    for scheme, rules in zip(SCHEMES, (None, COLOURS), strict=True):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [(width, scheme, *violation) for violation in page.evaluate(_RUN, rules)]
    return found
