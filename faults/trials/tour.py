"""The tour under kill -9: every program killed at random moments while one authorization's whole life is lived."""

import asyncio
import os
import sys
from pathlib import Path

from bench.ground import ROOT
from faults.stand import Stand, Trial

TEST_FILE = Path("tests") / "faults" / "test_kill_nine.py"
WORDS = 400


async def run(stand: Stand) -> None:
    """One tour for each seed, ten kills in each; it is the test of the same name, which counts the promises."""
    tally = stand.tally("ten kills a tour")
    for number in range(stand.times(1, 25)):
        seed = str(stand.seed + number)
        with tally.trial():
            running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", str(TEST_FILE)),
                cwd=ROOT,
                env={**os.environ, "FAULT_SEEDS": seed},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await running.communicate()
        tally.holds(running.returncode == 0, f"seed {seed}: {said.decode(errors='replace')[-WORDS:]}")
        stand.told(f"TOUR: seed {seed}")


TEST = Trial(id="TOUR", proves="ten kills of any program during the tour: every promise is kept", run=run)
