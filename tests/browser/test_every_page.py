"""Every page of the hub: axe finds nothing in light and dark, on a desk and on a phone, and nothing is too wide."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from evergrant.stage.cast import Stage
from tests.browser import pages
from tests.browser import scene as scenes
from tests.browser.pages import Shown
from tests.browser.scene import Scene, Scheme

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "build" / "assets" / "axe.min.js"
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
DESK, PHONE, NARROW = 1280, 375, 320
RUN_AXE = """
async () => {
  const {violations} = await axe.run(document, {resultTypes: ["violations"]});
  return violations.map(({id, nodes}) => [id, nodes[0].html.slice(0, 160), nodes[0].failureSummary]);
}
"""


def faults(page: Page) -> list[Any]:
    """What is wrong with a page as it stands."""
    found: list[Any] = []
    axe = AXE.read_text(encoding="utf-8")
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(axe)
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found += [(width, scheme, *violation) for violation in page.evaluate(RUN_AXE)]
    for width in (NARROW, PHONE, DESK):
        page.set_viewport_size({"width": width, "height": 800})
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [(width, "too wide by", wider)] if wider else []
    return found


def all_clean(shown: Iterator[Shown]) -> list[str]:
    """The names of the pages; every one of them was looked at."""
    names = []
    for name, page in shown:
        page.wait_for_load_state()
        assert [] == faults(page), name
        names.append(name)
    return names


def test_the_pages_before_the_first_shop_are_clean(scene: Scene, stage: Stage, chromium: Browser) -> None:
    """Login, refused login, the empty Dashboard with an app and without, connecting."""
    other = scenes.vendor(stage, chromium, with_app=False)
    scene.contexts.append(context := other.browser())

    assert 4 == len(all_clean(pages.before_the_first_shop(scene)))
    assert 3 == len(all_clean(pages.before_the_first_app(other.dashboard(context))))
    other.hands.close()
    assert [] == other.complaints


def test_the_pages_of_shops_are_clean(scene: Scene, page: Page) -> None:
    """The Dashboard with a shop of each kind, each of their pages, the activity, what is not found."""
    assert 12 == len(all_clean(pages.with_shops(scene, page)))


def test_the_pages_around_the_small_window_are_clean(scene: Scene, page: Page) -> None:
    """Waiting, closed, discarded, renewed, blocked; on the Dashboard and in the window."""
    assert 7 == len(all_clean(pages.around_the_window(scene, page)))


def test_the_pages_of_a_seller_are_clean(scene: Scene) -> None:
    """The hosted link, each of its ends, and each refusal."""
    assert 11 == len(all_clean(pages.for_sellers(scene)))


def test_the_pages_of_the_sandbox_are_clean(scene: Scene) -> None:
    """Front page, limits, control room, and a consent from the prompt to the way back."""
    assert 19 == len(all_clean(pages.of_the_sandbox(scene)))
