"""Every link of every page leads somewhere, and the map names every folder."""

import re
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import ROOT

PAGES = [path for path in pages.tracked() if path.suffix == ".md" and "changelog.d" not in path.parts]
MAPPED = ("src", "tests", "tools", "docs", "bench", "faults", "changelog.d")


def name_of(path: Path) -> str:
    """A page's path from the root."""
    return path.relative_to(ROOT).as_posix()


def broken(page: Path, target: str) -> bool:
    """Whether a relative link leads nowhere: no such file, or no such heading in it."""
    if re.match(r"[a-z]+:", target):
        return False
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.exists():
        return True
    return bool(anchor) and file.suffix == ".md" and anchor not in pages.anchors(file)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A link to a file, a picture or a heading finds it."""
    assert [] == [target for target in pages.links(page) if broken(page, target)]


def test_the_map_names_every_folder() -> None:
    """docs/map.md has a line for each folder of src, tests, tools, docs, bench, faults and changelog.d, and for none that is gone."""
    folders = {parent for path in pages.tracked(*MAPPED) for parent in path.relative_to(ROOT).parents} - {Path()}
    named = {Path(name) for name in pages.first_cells(pages.read("map.md")) if "/" in name}

    assert {folder.as_posix() for folder in folders} == {folder.as_posix() for folder in named}


def test_the_readme_names_every_target() -> None:
    """What `make help` lists stands in the README, and nothing else does."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert targets == {name.removeprefix("make ") for name in pages.first_cells(readme) if name.startswith("make ")}


def test_every_page_of_the_site_is_in_its_table_of_contents() -> None:
    """No page is an orphan: Sphinx would let one with that mark pass."""
    orphans = [name_of(page) for page in PAGES if page.read_text(encoding="utf-8").startswith("---\norphan")]

    assert [] == orphans
