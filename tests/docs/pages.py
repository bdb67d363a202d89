"""Reads the documentation as text: tables, routes, links. Shared by the tests that hold it to the code."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

FENCE = re.compile(r"^(\s*)(```|~~~).*?^\1\2\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(<?([^)\s>]+)>?[^)]*\)")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)


def read(name: str) -> str:
    """A page below docs/, by its path."""
    return (DOCS / name).read_text(encoding="utf-8")


def first_cells(text: str) -> list[str]:
    """What stands in code quotes in the first cell of each row of every table."""
    return [found[1] for line in text.splitlines() if (found := re.match(r"\s*\| `([^`]+)` \|", line))]


def rows(text: str) -> dict[str, list[str]]:
    """Every table row whose first cell is in code quotes: that name -> the other cells."""
    split = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in text.splitlines()]
    return {cells[0].strip("| `"): cells[1:] for cells in split if cells[0].lstrip("| ").startswith("`")}


def tracked(*folders: str) -> list[Path]:
    """Files git knows or would add, below these folders (none: everywhere)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted({path for name in listed if (path := ROOT / name).is_file()})


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links, code left out."""
    text = CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    for found in LINK.finditer(text):
        yield found[1]


def anchors(page: Path) -> set[str]:
    """The names by which headings of a page can be linked to."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}
