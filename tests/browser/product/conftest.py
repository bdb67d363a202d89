"""The whole product, started once: PostgreSQL, sandbox, hub and worker as processes of their own, and a vendor on it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from evergrant.stage import cast
from evergrant.stage.cast import Login, Places, Stage
from tests.browser.product import scene as scenes
from tests.browser.product.scene import Scene


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything, running."""
    places = Places(folder=tmp_path_factory.mktemp("stage"), hub_port=cast.free_port(), sandbox_port=cast.free_port())
    login = Login(email="stage@vendor.example", password=scenes.PASSWORD)
    with cast.stage(places, told=lambda *_: None, login=login, name="The stage") as running:
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
