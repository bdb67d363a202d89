"""Every architecture rule is seen to fail: violations are planted one at a time, and the rule meant for them says so."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture import test_house

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"
TREE = ("evergrant", "evergrant_sandbox", "evergrant_sdk")


@dataclass(frozen=True, slots=True)
class Plant:
    """A violation: which file gets which line, and the rule that has to notice."""

    rule: str
    path: str
    line: str


PLANTS = (
    Plant("R1", "evergrant_sandbox/signing.py", "from evergrant.providers.tiktok_shop import signing"),
    Plant("R1", "evergrant/stage/cast.py", "from evergrant_sandbox import signing"),
    Plant("R1", "evergrant_sdk/client.py", '"""A client."""\n\nfrom evergrant.core import secret'),
    Plant("R2", "evergrant/core/gate.py", "from evergrant.actions import lend"),
    Plant("R2", "evergrant/providers/wire.py", "from evergrant.store import values"),
    Plant("R2", "evergrant/actions/sync.py", "from evergrant.store import flows as stored"),
    Plant("R2", "evergrant/web/health.py", "from evergrant.store import database"),
    Plant("R2", "evergrant/store/events.py", "from evergrant.web import words"),
    Plant("R2", "evergrant/jobs/worker.py", "from evergrant.net import platform"),
    Plant("R2", "evergrant/newcomer/__init__.py", '"""A package without a place."""'),
    Plant("R3a only net", "evergrant/jobs/worker.py", "import aiohttp"),
    Plant("R3a only demo", "evergrant/web/health.py", "import httpx2"),
    Plant("R3b", "evergrant/jobs/worker.py", "import asyncpg"),
    Plant("R3c", "evergrant/net/platform.py", "import fastapi"),
    Plant("R4", "evergrant/core/gate.py", "import os"),
    Plant("R4", "evergrant/providers/wire.py", "import time"),
    Plant("R4", "evergrant/actions/refresh.py", "import asyncio"),
    Plant("R4", "evergrant/actions/connect.py", "import secrets"),
    Plant("R5", "evergrant/providers/tiktok_shop/requests.py", "from evergrant.providers import dialects"),
    Plant("R5", "evergrant/providers/newcomer.py", '"""A dialect without a place."""'),
    Plant("R6", "evergrant/actions/refresh.py", "from evergrant.actions import verify"),
    Plant("R6", "evergrant/actions/newcomer.py", '"""An action without a place."""'),
    Plant("R7", "evergrant/store/tokens.py", "from evergrant.store import vault"),
    Plant("R7", "evergrant/web/health.py", "from evergrant.store import vault"),
    Plant("R8", "evergrant/core/authorization.py", "from evergrant.core import lifecycle"),
)

HOUSE_PLANTS = (
    ("purity: a module the inner ring may not use", "evergrant/core/gate.py", "import json"),
    ("purity: a call through a submodule", "evergrant/providers/wire.py", "import urllib.request"),
    ("allow-list: a package no room was given", "evergrant/web/health.py", "import requests"),
    ("allow-list: another room's package", "evergrant/core/gate.py", "import msgspec"),
    ("states: one, through its name", "evergrant/actions/sync.py", "BAD = lambda x: x is State.ACTIVE"),
    ("states: one, through its module", "evergrant/actions/sync.py", "BAD = lambda x: x != authorization.State.ACTIVE"),
    ("states: one of several", "evergrant/web/health.py", "BAD = lambda x: x in (State.ACTIVE, State.EXPIRED)"),
    ("states: one of a set", "evergrant/store/events.py", "BAD = lambda x: x not in frozenset({State.ACTIVE})"),
    ("states: a case", "evergrant/web/live.py", "match BAD:\n    case State.ACTIVE | State.EXPIRED:\n        pass"),
    ("secrets: revealed", "evergrant/actions/sync.py", "BAD = lambda x: x.reveal()"),
    ("secrets: revealed by a function passed on", "evergrant/web/health.py", "BAD = [x.reveal for x in ()]"),
    ("secrets: a folder that begins alike", "evergrant/storekeeper/new.py", "BAD = lambda x: x.reveal()"),
)
HOUSE_RULES = {
    "purity": test_house.test_the_inner_rings_are_pure,
    "allow-list": test_house.test_a_room_uses_only_the_packages_it_is_allowed,
    "states": test_house.test_states_are_compared_only_in_core_and_where_they_are_shown,
    "secrets": test_house.test_secrets_are_revealed_only_where_they_are_used,
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code to plant in."""
    folder = tmp_path_factory.mktemp("planted")
    for package in TREE:
        shutil.copytree(
            ROOT / "src" / package, folder / "src" / package, ignore=shutil.ignore_patterns("static", "__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def planted(tree: Path, request: pytest.FixtureRequest) -> Iterator[Plant]:
    """The violation, in place for one test."""
    plant: Plant = request.param
    target = tree / "src" / plant.path
    before = target.read_text(encoding="utf-8") if target.exists() else None
    target.parent.mkdir(exist_ok=True)
    target.write_text(f"{before or ''}\n{plant.line}\n", encoding="utf-8")
    yield plant
    if before is None:
        target.unlink()
        if not list(target.parent.iterdir()):
            target.parent.rmdir()
    else:
        target.write_text(before, encoding="utf-8")


def judged(tree: Path) -> str:
    """What the linter says of the copy."""
    done = subprocess.run(
        [LINTER, "--no-cache"],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.processes
def test_the_unplanted_copy_keeps_every_rule(tree: Path) -> None:
    """Otherwise the tests below would prove nothing."""
    assert "0 broken" in judged(tree)


@pytest.mark.processes
@pytest.mark.parametrize("planted", PLANTS, ids=lambda plant: f"{plant.rule}-{plant.path}", indirect=True)
def test_a_planted_violation_is_caught_by_its_own_rule(tree: Path, planted: Plant) -> None:
    """The rule named in the plant is broken; the message names the file."""
    said = judged(tree)
    broken = [line for line in said.splitlines() if line.endswith("BROKEN")]

    assert any(line.startswith(planted.rule) for line in broken), said


@pytest.mark.parametrize(("rule", "path", "line"), HOUSE_PLANTS, ids=[plant[0] for plant in HOUSE_PLANTS])
def test_the_house_rules_catch_what_the_linter_cannot_see(
    rule: str, path: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rule passes over the file as it is, and fails with the line planted in it."""
    target, source = tmp_path / path, ROOT / "src" / path
    target.parent.mkdir(parents=True)
    before = source.read_text(encoding="utf-8") if source.exists() else ""
    monkeypatch.setattr(test_house, "SRC", tmp_path)
    check = HOUSE_RULES[rule.split(":", maxsplit=1)[0]]
    if before:
        target.write_text(before, encoding="utf-8")
        check(target)
    target.write_text(f"{before}\n{line}\n", encoding="utf-8")

    with pytest.raises(AssertionError):
        check(target)


def test_sizes_and_names_are_seen_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of 401 lines, a function of 61, a first line that is no sentence, a file called utils."""
    monkeypatch.setattr(test_house, "SRC", tmp_path)
    large, long, mute, utils = (tmp_path / f"{name}.py" for name in ("large", "long", "mute", "utils"))
    large.write_text('"""A module."""\n' + "x = 1\n" * 400, encoding="utf-8")
    long.write_text('"""A module."""\n\n\ndef long():\n' + "    x = 1\n" * 60, encoding="utf-8")
    mute.write_text('"""no sentence"""\n', encoding="utf-8")
    utils.write_text('"""A module."""\n', encoding="utf-8")

    for check, path in (
        (test_house.test_a_module_is_small_and_opens_with_a_sentence, large),
        (test_house.test_a_module_is_small_and_opens_with_a_sentence, mute),
        (test_house.test_a_function_fits_on_a_page, long),
        (test_house.test_a_module_is_named_after_what_it_holds, utils),
    ):
        with pytest.raises(AssertionError):
            check(path)
