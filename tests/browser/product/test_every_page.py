"""Every page of the hub: axe finds nothing in light and dark, on a desk and on a phone, and nothing is too wide."""

import pytest
from playwright.sync_api import Browser, Page

from evergrant.stage.cast import Stage
from tests.browser.clean_page import all_clean
from tests.browser.product import pages
from tests.browser.product import scene as scenes
from tests.browser.product.scene import Scene

pytestmark = pytest.mark.browser


def test_the_pages_before_the_first_shop_are_clean(scene: Scene, stage: Stage, chromium: Browser) -> None:
    """Login, refused login, too many tries, the empty Dashboard with an app and without, connecting."""
    other = scenes.vendor(stage, chromium, with_app=False)
    scene.contexts.append(context := other.browser())

    assert 5 == len(all_clean(pages.before_the_first_shop(scene)))
    assert 3 == len(all_clean(pages.before_the_first_app(other.dashboard(context))))
    other.hands.close()
    assert [] == other.complaints


def test_the_pages_of_shops_are_clean(scene: Scene, page: Page) -> None:
    """The Dashboard with a shop of each kind, each of their pages, the activity, what is not found."""
    assert 20 == len(all_clean(pages.with_shops(scene, page)))


def test_the_pages_around_the_small_window_are_clean(scene: Scene, page: Page) -> None:
    """Waiting, closed, discarded, renewed, blocked; on the Dashboard and in the window."""
    assert 7 == len(all_clean(pages.around_the_window(scene, page)))


def test_the_pages_of_a_seller_are_clean(scene: Scene) -> None:
    """The hosted link, each of its ends, and each refusal."""
    assert 11 == len(all_clean(pages.for_sellers(scene)))
