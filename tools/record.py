"""Pytest plugin: remembers which requirements the run proved, so that `make requirements` can say so.

A test names what it proves: `@pytest.mark.requirement("R-ECOM-8")`. The record is written only by a run started with
`--record` (as `make test` does) that was given no part of the suite and passed; a whole run that did not pass removes
it. Any other run leaves it alone.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / ".evergrant" / "requirements.json"
LIST = ROOT / "docs" / "reference" / "requirements.tsv"

PARTS = (
    "keyword",
    "markexpr",
    "lf",
    "stepwise",
    "deselect",
    "ignore",
    "ignore_glob",
    "collectonly",
    "setuponly",
    "setupplan",
)
"""Options that leave tests out."""

PROPERTY = "requirements"
"""What a report of a marked test carries."""


def known() -> dict[str, str]:
    """Every requirement: number -> sentence."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("requirements")
    group.addoption("--record", action="store_true", help="write the record of proven requirements")
    group.addoption("--no-record", action="store_true", help="leave the record of proven requirements alone")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(config), "requirement-recorder")


def is_whole(config: pytest.Config) -> bool:
    """Whether the run was given no path and nothing else that leaves tests out."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return everything and not any(config.getoption(name, None) for name in PARTS)


class Recorder:
    """Collects, per test, the requirements it is marked with and whether every phase of it passed."""

    def __init__(self, config: pytest.Config) -> None:
        asked = bool(config.getoption("--record")) and not config.getoption("--no-record")
        self.writes = asked and is_whole(config)
        self.marks: dict[str, list[str]] = {}
        self.passed: dict[str, bool] = {}

    def pytest_collection_modifyitems(self, items: Iterable[pytest.Item]) -> None:
        numbers = known()
        for item in items:
            marked = [number for mark in item.iter_markers("requirement") for number in mark.args]
            unknown = [number for number in marked if number not in numbers]
            if unknown:
                raise pytest.UsageError(f"{item.nodeid} is marked with {unknown}, which {LIST.name} does not list")
            if marked:
                # Travels with the report: with several processes the tests are collected and run in others.
                item.user_properties.append((PROPERTY, " ".join(marked)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for numbers in (numbers for name, numbers in report.user_properties if name == PROPERTY):
            self.marks[report.nodeid] = str(numbers).split()
            whole = report.passed and not hasattr(report, "wasxfail")
            self.passed[report.nodeid] = self.passed.get(report.nodeid, True) and whole

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if not self.writes or hasattr(session.config, "workerinput"):
            return
        if exitstatus != pytest.ExitCode.OK:
            RECORD.unlink(missing_ok=True)
            return
        tests = [
            {"test": test, "requirements": numbers, "passed": self.passed.get(test, False)}
            for test, numbers in sorted(self.marks.items())
        ]
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps({"tests": tests}, indent=1) + "\n", encoding="utf-8")
