"""The whole product, started once: PostgreSQL, sandbox, hub and worker as processes of their own, and a real Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from evergrant.stage import cast
from evergrant.stage.cast import Login, Places, Stage
from tests.browser import scene as scenes
from tests.browser.scene import Scene
from tests.chromium import launched
from tests.sandbox.program import Program, started

# Two cores may be busy with other things.
expect.set_options(timeout=scenes.PATIENCE * 1000)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything, running."""
    places = Places(folder=tmp_path_factory.mktemp("stage"), hub_port=cast.free_port(), sandbox_port=cast.free_port())
    login = Login(email="stage@vendor.example", password=scenes.PASSWORD)
    with cast.stage(places, told=lambda *_: None, login=login, name="The stage") as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser. No longer than its module: Playwright's event loop would stand in the way of other tests'."""
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A sandbox and nothing else, running."""
    with started(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def scene(stage: Stage, chromium: Browser) -> Iterator[Scene]:
    """A vendor of this test's own; at the end no browser may have complained of a script or a policy."""
    made = scenes.vendor(stage, chromium)
    yield made
    for context in made.contexts:
        context.close()
    made.hands.close()
    assert [] == made.complaints


@pytest.fixture
def page(scene: Scene) -> Page:
    """The vendor's Dashboard, in a browser of its own."""
    return scene.dashboard(scene.browser())
