"""The sandbox's rooms keep to themselves: who may speak SQL, hold sockets, read a clock or throw dice."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "src" / "evergrant_sandbox"
MODULES = sorted(ROOT.rglob("*.py"))

# What only these modules may import.
RESERVED = {
    "sqlite3": {"book/database.py"},
    "secrets": {"app.py"},
    "uuid": set[str](),
    "aiohttp": {"app.py", "notices/courier.py"},
    "granian": {"server.py"},
    "uvloop": {"__main__.py"},
    "jinja2": {"pages/rendering.py"},
    "cryptography": {"certificates.py"},
    "socket": {"addresses.py", "mischief.py"},
    "threading": set[str](),
    "subprocess": set[str](),
}
# What the inner rooms may not use at all: they are given the time and the dice.
OUTSIDE = {"os", "io", "pathlib", "time", "asyncio", "logging", "http", "starlette", "evergrant", "evergrant_sdk"}
PURE = ("world/", "acts/")


def name_of(path: Path) -> str:
    """A module's path below the package."""
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> set[str]:
    """The top-level names of everything a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_room_uses_only_what_is_its_own(path: Path) -> None:
    """SQL in the book, dice and wall clock in the assembly, sockets at the rim."""
    taken = {name for name, owners in RESERVED.items() if name in imported(path) and name_of(path) not in owners}

    assert set() == taken


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path).startswith(PURE)], ids=name_of)
def test_the_inner_rooms_are_given_the_time_and_the_dice(path: Path) -> None:
    """World and acts read no clock, touch no disk and wait for nothing."""
    assert set() == imported(path) & OUTSIDE
