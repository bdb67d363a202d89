"""`python -m bench`: measure, show the table, write the JSON; exit 1 with the names of the goals that were missed."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from rich.console import Console

from bench import doors, machine, refreshing, replaying, report, sandbox, storm, taking
from bench.figures import Line, missed
from bench.ground import ROOT, Ground, ground

PARTS = ("tokens", "notices", "refresh", "storm", "take", "replay", "sandbox")
WIDTH = 130
"""Columns where there is no terminal to ask."""
EXAMPLE = "Example: python -m bench --seconds 2 --rounds 3 --only tokens --json build/bench.json"


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures Evergrant against the bare limit of this machine, in turns, with full durability.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement lasts (default: 3)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is taken; at least 3 (default: 5)")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="measure this alone; may be given more than once"
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=ROOT / "build" / "bench.json",
        metavar="FILE",
        help="where every round is written (default: build/bench.json)",
    )
    return parser


def measured(on: Ground, given: argparse.Namespace) -> list[Line]:
    """Every line that is wanted."""
    wanted = frozenset(given.only or PARTS)
    lines: list[Line] = []
    if wanted & {"tokens", "notices"}:
        lines += doors.measure(on, seconds=given.seconds, rounds=given.rounds, wanted=wanted)
    if "refresh" in wanted:
        lines += refreshing.measure(on, seconds=given.seconds, rounds=given.rounds)
    if "storm" in wanted:
        lines += storm.measure(on, rounds=given.rounds)
    if "take" in wanted:
        lines += taking.measure(on, rounds=given.rounds)
    if "replay" in wanted:
        lines += replaying.measure(on, seconds=given.seconds, rounds=given.rounds)
    if "sandbox" in wanted:
        lines += sandbox.measure(on, seconds=given.seconds, rounds=given.rounds)
    return lines


def main(words: list[str] | None = None) -> int:
    parser = arguments()
    given = parser.parse_args(words)
    if given.rounds < 3:
        parser.error("--rounds: a median of fewer than 3 says nothing")
    console, begun = Console(width=None if sys.stdout.isatty() else WIDTH), monotonic()
    with ground(_teller(console, begun)) as on:
        facts = asyncio.run(machine.facts(on.server.dsn))
        for name, value in facts.items():
            console.print(f"[bold]{name:<12}[/] {value}", highlight=False)
        lines = measured(on, given)
    report.show(console, lines)
    report.write(given.json, facts, lines)
    console.print(f"{monotonic() - begun:.0f} s; every round is in {given.json}", highlight=False)
    return 1 if missed(lines) else 0


def _teller(console: Console, begun: float) -> Callable[[str], None]:
    return lambda what: console.print(f"[dim]{monotonic() - begun:4.0f} s[/dim]  {what}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
