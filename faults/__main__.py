"""`python -m faults`: run the fault tests, show the table, write the JSON; exit 1 if anything was violated."""

import argparse
import asyncio
import os
import shutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from rich.console import Console

from bench import machine
from bench.ground import ROOT
from evergrant import logs, postgres
from faults import report
from faults.stand import Stand, Trial
from faults.tally import Tally, Told
from faults.trials import TRIALS

INTERRUPTED = 130
WIDTH = 140
"""Columns where there is no terminal to ask."""
EXAMPLE = "Example: python -m faults --only TF-03,TF-06 --few 2 --seed 7"


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m faults",
        description="Kills, freezes and cuts off the hub's programs on purpose, and counts what does not hold.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--only", metavar="IDS", help="these tests alone, with commas between them")
    parser.add_argument("--full", action="store_true", help="the counts of the reference, for hours (also FULL=1)")
    parser.add_argument("--few", type=int, metavar="N", help="at most so many trials each, to try a test out")
    parser.add_argument("--seed", type=int, default=20261121, help="throws the dice; the same seed throws the same")
    parser.add_argument(
        "--json",
        type=Path,
        default=ROOT / "build" / "faults.json",
        metavar="FILE",
        help="where every line is written (default: build/faults.json)",
    )
    return parser


def wanted(only: str | None) -> Sequence[Trial]:
    """The tests that are to be run.

    Raises:
        ValueError: there is no such test.
    """
    if not only:
        return TRIALS
    names = {name.strip().upper() for name in only.split(",")}
    if unknown := names - {trial.id for trial in TRIALS}:
        there_are = ", ".join(trial.id for trial in TRIALS)
        raise ValueError(f"There is no {', '.join(sorted(unknown))}. There are {there_are}.")
    return [trial for trial in TRIALS if trial.id in names]


def in_turn(trials: Sequence[Trial]) -> list[list[Trial]]:
    """The patient ones all at once, then the others one after the other."""
    patient = [trial for trial in trials if trial.patient]
    return [*([patient] if patient else []), *([trial] for trial in trials if not trial.patient)]


async def together(trials: Sequence[Trial], stands: Sequence[Stand]) -> None:
    """Run these at once. One that breaks off counts as violated, and the others are run all the same."""

    async def one(trial: Trial, stand: Stand) -> None:
        stand.told(f"{trial.id}: {trial.proves}")
        try:
            await trial.run(stand)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is told)
            stand.tally("broke off").violated(f"{type(error).__name__}: {error}")
            stand.told(traceback.format_exc())

    await asyncio.gather(*(one(trial, stand) for trial, stand in zip(trials, stands, strict=True)))


def run(
    trials: Sequence[Trial], given: argparse.Namespace, told: Told, show: Told, facts: dict[str, object]
) -> list[Tally]:
    """Run them on one server with all its durability.

    Its folder lies under `build/` and not among the temporary files, which may be in memory, where `fsync` costs nothing.
    """
    for name in [name for name in os.environ if name.startswith("EVERGRANT_")]:
        del os.environ[name]
    folder = ROOT / "build" / f"faults-{os.getpid()}"
    folder.mkdir(parents=True, mode=0o700)
    tallies: list[Tally] = []
    full = given.full or bool(os.environ.get("FULL"))
    try:
        with postgres.running(folder / "postgres") as server:
            facts |= asyncio.run(machine.facts(server.dsn))
            for some in in_turn(trials):
                stands = [
                    Stand(
                        test=trial.id,
                        server=server,
                        folder=folder,
                        full=full,
                        seed=given.seed,
                        told=told,
                        few=given.few,
                    )
                    for trial in some
                ]
                asyncio.run(together(some, stands))
                for stand in stands:
                    for tally in stand.tallies:
                        show(report.line(tally))
                    tallies += stand.tallies
    finally:
        if not report.violated(tallies):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            told(f"What the programs of the failed tests wrote is kept in {folder}.")
    return tallies


def main(words: list[str] | None = None) -> int:
    parser = arguments()
    given = parser.parse_args(words)
    try:
        trials = wanted(given.only)
    except ValueError as error:
        parser.error(str(error))
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    logs.configure(level="error", form="json")
    begun = monotonic()

    def told(what: str) -> None:
        console.print(f"[dim]{monotonic() - begun:5.0f} s[/dim]  {what}", highlight=False)

    facts: dict[str, object] = {"seed": given.seed}
    try:
        tallies = run(trials, given, told, lambda words: console.print(words, highlight=False), facts)
    except KeyboardInterrupt:
        told("Interrupted: everything that was started has been stopped.")
        return INTERRUPTED
    report.show(console, tallies)
    facts["seconds"] = round(monotonic() - begun)
    report.write(given.json, facts, tallies)
    console.print(f"{monotonic() - begun:.0f} s; every line is in {given.json}", highlight=False)
    return 1 if report.violated(tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
