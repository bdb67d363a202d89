"""Going through a page by keyboard alone; wherever the focus is, it can be seen."""

from typing import Any

from playwright.sync_api import Page

MOST_STOPS = 60

FOCUS = """
() => {
  const at = document.activeElement, style = getComputedStyle(at);
  return {
    name: at.getAttribute("name") || "",
    words: at.textContent.trim().replace(/\\s+/g, " "),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    shadow: style.boxShadow !== "none",
  };
}
"""


def reach(page: Page, name: str) -> None:
    """Tab until the focus is on the control with this name or these words; each stop shows where it is."""
    for _ in range(MOST_STOPS):
        focus: Any = page.evaluate(FOCUS)
        if name in {focus["name"], focus["words"]}:
            assert focus["outline"] >= 2 or focus["shadow"], focus
            return
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["outline"] >= 2 or focus["shadow"], focus
    raise AssertionError(f"the keyboard never reaches {name!r}")
