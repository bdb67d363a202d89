"""A real Chromium, however much else two cores have to do."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chromium import PATIENCE, launched

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser. No longer than its module: Playwright's event loop would stand in the way of other tests'."""
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()
