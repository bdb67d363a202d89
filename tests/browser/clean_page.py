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
async ({rules, within}) => {
  const options = {resultTypes: ["violations"], ...(rules ? {runOnly: rules} : {})};
  const {violations} = await axe.run(within || document, options);
  return violations.map(({id, nodes}) => [id, nodes[0].html.slice(0, 160), nodes[0].failureSummary]);
}
"""
_LOOK = """
const look = element => {
  const style = getComputedStyle(element);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  return [style.color, style.backgroundColor, style.backgroundImage, style.opacity, large, style.fontWeight,
    style.textDecorationLine].join();
};
const shown = [...document.body.querySelectorAll("*")].filter(element => element.checkVisibility());
"""
"""What the colour rules go by (large letters need less contrast), and the elements that are to be seen."""
_REMEMBER = f"() => {{ {_LOOK} window.looks = new WeakMap(shown.map(element => [element, look(element)])); }}"
_RUN_CHANGED = f"""
async rules => {{
  {_LOOK}
  const changed = shown.filter(element => window.looks.get(element) !== look(element));
  return changed.length ? await ({_RUN.strip()})({{rules, within: {{include: changed}}}}) : [];
}}
"""
"""The rules for what looks otherwise than it did when it was remembered, or was not to be seen then."""
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
    """What is wrong with a page, at every width and in both schemes.

    Every rule runs at both widths, once; the colours are looked at in both schemes at both widths, but not twice
    where the phone shows an element exactly as the desk did. The walks are long: no width and no scheme is set twice.
    """
    found = _too_wide(page, DESK) + faults_as_it_stands(page, remember=True)
    found += _too_wide(page, PHONE) + _violations(page, "dark")
    _turn(page, "light")
    found += [(PHONE, "light", *violation) for violation in page.evaluate(_RUN_CHANGED, COLOURS)]
    found += _too_wide(page, NARROW)
    page.set_viewport_size({"width": DESK, "height": HEIGHT})
    return found


def faults_as_it_stands(page: Page, *, remember: bool = False) -> list[Any]:
    """What axe finds at the window's own width, in both schemes; how it looks in light may be remembered."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = []
    for scheme, rules in zip(SCHEMES, (None, COLOURS), strict=True):
        _turn(page, scheme)
        if remember and scheme == "light":
            page.evaluate(_REMEMBER)
        found += _violations(page, scheme, rules)
    return found


def _turn(page: Page, scheme: Scheme) -> None:
    """Show a page in a scheme; until its next frame it still has the colours of the other."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("() => new Promise(requestAnimationFrame)")


def _too_wide(page: Page, width: int) -> list[Any]:
    """By how much a page is wider than a window, which stays that wide."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    wider = page.evaluate(_OVERHANG)
    return [(width, "too wide by", wider)] if wider else []


def _violations(page: Page, scheme: Scheme, rules: list[str] | None = None) -> list[Any]:
    """What some rules say, or all, of a page as it stands."""
    width = page.viewport_size["width"] if page.viewport_size else None
    return [(width, scheme, *violation) for violation in page.evaluate(_RUN, {"rules": rules, "within": None})]
