"""How programs log: events with fields, and tracebacks that show no variables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CRASH = """
from evergrant import logs
import structlog

logs.configure(level="debug", form="{form}")

def crash(headers):
    token = "CNRY-" + "local"
    raise RuntimeError("something nobody thought of")

try:
    crash({{"authorization": "Bearer CNRY-header"}})
except RuntimeError:
    structlog.get_logger("web").exception("request.crashed", path="/v1/x")
"""


def logged(form: str) -> str:
    """What a program that crashes writes to its log."""
    done = subprocess.run([sys.executable, "-c", CRASH.format(form=form)], capture_output=True, text=True, check=True)
    return done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_crash_shows_its_way_but_no_variables(form: str) -> None:
    """Headers and tokens stand in local variables: a traceback with locals would print them."""
    said = logged(form)

    assert "something nobody thought of" in said
    assert 'raise RuntimeError("something' in said or "crash" in said
    assert "CNRY" not in said


@pytest.mark.processes
def test_a_line_for_machines_is_one_event_with_fields() -> None:
    """One JSON object a line: event, level, time, fields."""
    (line,) = logged("json").splitlines()
    found = json.loads(line)

    assert ("request.crashed", "error", "/v1/x") == (found["event"], found["level"], found["path"])
    assert found["timestamp"].endswith("Z")


@pytest.mark.processes
def test_a_log_nobody_can_write_stops_no_work() -> None:
    """A full disk takes no lines; the program goes on."""
    program = CRASH.format(form="json") + '\nprint("went on")'
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, check=False)

    assert b"went on\n" == done.stdout
