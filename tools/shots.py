"""Takes a picture of every page of hub and sandbox, light and dark, desk and phone: `python -m tools.shots FOLDER`."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from evergrant.stage import cast
from evergrant.stage.cast import Login, Places, Stage
from tests.browser.chromium import launched
from tests.browser.clean_page import Shown
from tests.browser.platform import (
    test_link_and_control_room,
    test_partner_apps,
    test_partner_center,
    test_seller_center_menus,
)
from tests.browser.platform.window import window
from tests.browser.product import pages
from tests.browser.product.scene import PASSWORD, vendor
from tests.sandbox.program import started

WIDTHS = {"desk": 1280, "phone": 375}
ROOMS = {
    "sandbox": test_link_and_control_room.every_page,
    "seller center": test_seller_center_menus.every_page,
    "partner center": test_partner_center.every_page,
    "partner center apps": test_partner_apps.every_page,
}


def of_the_hub(stage: Stage, chromium: Browser) -> Iterator[Shown]:
    empty = vendor(stage, chromium, with_app=False)
    yield from pages.before_the_first_app(empty.dashboard(empty.browser()))
    scene = vendor(stage, chromium)
    team = scene.browser()
    yield from pages.before_the_first_shop(scene)
    yield from pages.with_shops(scene, scene.dashboard(team))
    for walk in (pages.around_the_window, lambda made, _: pages.for_sellers(made)):
        other = vendor(stage, chromium)
        yield from walk(other, other.dashboard(other.browser()))


def everything(stage: Stage, place: Path, chromium: Browser) -> Iterator[Shown]:
    yield from of_the_hub(stage, chromium)
    yield from of_the_sandbox(place, chromium)


def of_the_sandbox(place: Path, chromium: Browser) -> Iterator[Shown]:
    with started(place) as program:
        for room, every_page in ROOMS.items():
            program.steer("reset")
            program.steer("apps", name="Parcel Pilot", status="draft", redirect_urls=[f"{program.base}/limits"])
            with window(chromium, program) as page:
                yield from ((f"{room} {name}", page) for name in every_page(program, page))


def take(page: Page, folder: Path, name: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    for where, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.screenshot(path=folder / f"{name}.{where}.{scheme}.png", full_page=True)
    page.set_viewport_size({"width": WIDTHS["desk"], "height": 800})


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.shots",
        description="Takes a picture of every page, light and dark, at the desk and on a phone.",
        epilog="Example: python -m tools.shots build/shots",
    )
    parser.add_argument("folder", type=Path, help="where the pictures are put")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    login = Login(email="stage@vendor.example", password=PASSWORD)
    with TemporaryDirectory() as place:
        places = Places(folder=Path(place), hub_port=cast.free_port(), sandbox_port=cast.free_port())
        with (
            cast.stage(places, told=lambda *_: None, login=login, name="The stage") as stage,
            sync_playwright() as made,
        ):
            chromium = launched(made)
            for number, (name, page) in enumerate(everything(stage, Path(place) / "alone", chromium), 1):
                take(page, folder, f"{number:02} {re.sub('[^a-z ]', '', name.lower())}".replace(" ", "-"))
                print(name, flush=True)
            chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
