"""The tour as a program of its own: in under a minute, with every promise held; and with the gate broken it says which is not."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "token or cipher of the platform": r"[A-Z]{3}_sbx",
    "app secret": "tour_secret",
    "API key": r"eg_[A-Za-z0-9_-]{20}",
    "state or code in an address": r"(state|code|auth_code|refresh_token|sign)=[A-Za-z0-9]",
    "handle of a hosted link": r"/l/[A-Za-z0-9_-]{20}",
    "password": "evergreen",
}
"""What must not stand in any log, whatever is logged."""

OPEN_GATE = """

def for_token(authorization: Authorization, now: datetime) -> Gate:  # type: ignore[no-redef]
    return OPEN


def for_flow(*_: object, **__: object) -> Gate:  # type: ignore[no-redef]
    return OPEN
"""


def tour(folder: Path, **environment: str) -> tuple[int, list[dict[str, object]], float]:
    """Exit code, promises, seconds; everything it wrote stays in the folder."""
    begun = monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "evergrant", "tour", "--json", "--folder", str(folder)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], monotonic() - begun


@pytest.mark.processes
def test_every_promise_of_the_tour_holds_in_under_a_minute_and_no_secret_is_logged(tmp_path: Path) -> None:
    """Thirteen promises, exit 0; and in every log of hub, worker and PostgreSQL, at DEBUG, not one secret."""
    code, promises, seconds = tour(tmp_path, EVERGRANT_LOG_LEVEL="debug")

    assert (0, []) == (code, [promise for promise in promises if not promise["held"]])
    assert 13 == len(promises)
    assert all(promise["evidence"] for promise in promises)
    assert seconds < 60
    logs = [
        tmp_path / "logs" / "hub.log",
        tmp_path / "logs" / "worker.log",
        tmp_path / "data/postgres/server/server.log",
    ]
    for log in logs:
        assert {} == leaks(log), log


def leaks(log: Path) -> dict[str, str]:
    """Secrets found in a log, by their kind."""
    text = log.read_text(encoding="utf-8")
    assert len(text.splitlines()) > 5
    return {kind: found[0] for kind, pattern in SECRETS.items() if (found := re.search(pattern, text))}


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_with_the_gate_broken_it_exits_1_and_names_the_promise(tmp_path: Path) -> None:
    """A copy of the code whose gate is always open: what must not flow flows, and the tour sees it at the platform."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    gate = tmp_path / "src" / "evergrant" / "core" / "gate.py"
    gate.write_text(gate.read_text(encoding="utf-8") + OPEN_GATE, encoding="utf-8")
    code, promises, _ = tour(tmp_path / "stage", PYTHONPATH=str(tmp_path / "src"))
    broken = {promise["name"] for promise in promises if not promise["held"]}

    assert code == 1
    assert {"everything_stops_at_the_end", "nothing_is_sent_after_the_end"} & broken
