"""The record of proven requirements: written by a run of the whole suite that passed, and by no other."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SUITE = """
import os
import pytest

@pytest.mark.requirement("R-1")
def test_one() -> None:
    assert not os.environ.get("BROKEN")

def test_two() -> None:
    pass
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A repository with one requirement and two tests."""
    for folder in ("tools", "tests", "docs/reference"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "record.py", tmp_path / "tools")
    (tmp_path / "tests" / "test_some.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "docs" / "reference" / "requirements.tsv").write_text("R-1\tSomething holds.\n", encoding="utf-8")
    ini = "[pytest]\naddopts = -p tools.record\npythonpath = .\ntestpaths = tests\nmarkers = requirement(*ids): x\n"
    (tmp_path / "pytest.ini").write_text(ini, encoding="utf-8")
    return tmp_path


def run(suite: Path, *arguments: str, **environment: str) -> int:
    """Run it; gives the exit code."""
    path = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(suite)}
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=suite, env=path | environment, capture_output=True, check=False).returncode


def record(suite: Path) -> Path:
    """Where it is written."""
    return suite / ".evergrant" / "requirements.json"


@pytest.mark.processes
def test_a_whole_run_that_passes_is_recorded(suite: Path) -> None:
    """Which tests, what they prove, and that they passed."""
    code = run(suite, "--record")
    tests = json.loads(record(suite).read_text(encoding="utf-8"))["tests"]

    assert 0 == code
    assert [{"test": "tests/test_some.py::test_one", "requirements": ["R-1"], "passed": True}] == tests


@pytest.mark.processes
@pytest.mark.parametrize(
    "part",
    [
        ("tests/test_some.py",),
        ("tests",),
        ("-k", "one"),
        ("-m", "requirement"),
        ("--lf",),
        ("--deselect", "tests/test_some.py::test_two"),
        ("--ignore", "tests/other"),
        ("--collect-only",),
    ],
    ids=" ".join,
)
def test_a_run_of_a_part_leaves_the_record_alone(suite: Path, part: tuple[str, ...]) -> None:
    """It would say of the rest that it is open, or of the part that everything is proven."""
    code = run(suite, "--record", *part)

    assert 0 == code
    assert not record(suite).exists()


@pytest.mark.processes
def test_a_whole_run_that_fails_leaves_no_record(suite: Path) -> None:
    """What was proven before may not be so any more."""
    run(suite, "--record")
    code = run(suite, "--record", BROKEN="1")

    assert 1 == code
    assert not record(suite).exists()
