"""Kill -9 of every program at random moments of the tour: each comes back, and every promise still holds at the end."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

KILLS = 10
LONGEST_SECONDS = 240.0
BETWEEN_SECONDS = (0.2, 1.2)
VICTIMS = ("hub", "worker", "sandbox", "postgres")
SEEDS = [int(seed) for seed in os.environ.get("FAULT_SEEDS", "20261121").split(",")]


def victim_of(folder: Path, name: str) -> int | None:
    """The process to kill; None while it is not there."""
    path = folder / "run" / f"{name}.pid"
    if name == "postgres":
        path = folder / "data" / "postgres" / "server" / "data" / "postmaster.pid"
    with suppress(FileNotFoundError, IndexError, ValueError):
        return int(path.read_text(encoding="ascii").split("\n")[0])
    return None


def killed(folder: Path, dice: random.Random, tour: "subprocess.Popen[str]") -> Iterator[tuple[str, float]]:
    """Kill ten of them, one after the other, as long as the tour lasts; gives whom and when."""
    begun = monotonic()
    while not (folder / "tenant").exists() and tour.poll() is None:
        sleep(0.05)
    made = 0
    while made < KILLS and tour.poll() is None:
        sleep(dice.uniform(*BETWEEN_SECONDS))
        name = dice.choice(VICTIMS)
        pid = victim_of(folder, name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                made += 1
                yield name, round(monotonic() - begun, 2)


@pytest.mark.processes
@pytest.mark.timeout(LONGEST_SECONDS + 30)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_through_ten_kills(seed: int, tmp_path: Path) -> None:
    """Hub, worker, sandbox or PostgreSQL, killed ten times; the platform forgives a lost answer (`retry_safe`).

    Against a platform that forgives nothing no client can promise this: whoever is killed between the platform's answer
    and the disk has lost it (docs/explanation; proven apart in test_the_reply_to_a_refresh_is_lost).
    """
    folder = tmp_path / "stage"
    command = [sys.executable, "-m", "evergrant", "tour", "--json", "--rotation", "retry_safe", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tour:
        victims = list(killed(folder, random.Random(seed), tour))
        said, complaints = tour.communicate(timeout=LONGEST_SECONDS)
    promises = [json.loads(line) for line in said.splitlines()]
    broken = [promise for promise in promises if not promise["held"]]

    assert [] == broken, f"{broken}\nkilled: {victims}\n{complaints[-2000:]}"
    assert 0 == tour.returncode, f"killed: {victims}\n{complaints[-2000:]}"
    assert 13 == len(promises)
    assert KILLS == len(victims), victims
