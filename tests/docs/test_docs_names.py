"""What pages name in the repository is there: files, tests, targets and commands."""

import re
from pathlib import Path

import pytest
import typer.main

from evergrant.cli import main
from tests.docs import pages
from tests.docs.pages import ROOT

PAGES = [path for path in pages.tracked("docs", "README.md") if path.suffix == ".md"]
PATH = re.compile(r"^(?:src/|tests/|tools/|docs/|\w+/)[\w./-]*(?:\.(?:py|md|sql|json|js|html|toml|sh)|/?)$")
HOMES = (ROOT, ROOT / "src" / "evergrant", ROOT / "src" / "evergrant_sandbox", ROOT / "docs")
RUN = re.compile(r"^\$ (?:export \S+ )?(make|evergrant) ([a-z]+)(?: ([a-z]+)\b)?", re.MULTILINE)


def name_of(path: Path) -> str:
    """A page's path from the root."""
    return path.relative_to(ROOT).as_posix()


def quoted(page: Path) -> set[str]:
    """Everything a page has in code quotes, blocks of code left out."""
    text = pages.FENCE.sub("", page.read_text(encoding="utf-8"))
    return {found.strip("`") for found in pages.CODE.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_a_page_names_is_there(page: Path) -> None:
    """A path of a module or page, from the root or from the package it belongs to, is a file."""
    named = {word for word in quoted(page) if PATH.match(word) and word.endswith((".py", ".md", ".sql", ".js"))}

    assert set() == {word for word in named if not any((home / word).exists() for home in HOMES)}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_test_a_page_names_is_there(page: Path) -> None:
    """A decision that says which test enforces it names one that exists."""
    sources = "".join(path.read_text(encoding="utf-8") for path in pages.tracked("tests") if path.suffix == ".py")
    named = {word for word in quoted(page) if re.fullmatch(r"test_\w+", word)}

    assert set() == {word for word in named if f"def {word}(" not in sources}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_a_page_runs_is_there(page: Path) -> None:
    """`$ make …` and `$ evergrant …` in a block of code call a target or a command that exists."""
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    known = typer.main.get_command(main.app).commands  # type: ignore[attr-defined]
    wrong = []
    for program, first, second in RUN.findall(page.read_text(encoding="utf-8")):
        group = getattr(known.get(first), "commands", {second: None})
        if first not in (targets if program == "make" else known) or (program == "evergrant" and second not in group):
            wrong.append((program, first, second))

    assert [] == wrong
